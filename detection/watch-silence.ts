/**
 * Watches for what does not come, minute by minute. Nothing from anybody, or nothing of one signal from most, is nobody observing: one
 * anomaly, and no service is judged by it. Otherwise each service by its own past (detectors/service-presence.ts).
 */
import type { DetectorState } from '../clickhouse/detector-states.ts';
import type { PresenceMinuteReader, PresenceMinuteRow } from '../clickhouse/read-presence-minutes.ts';
import type { Anomaly } from '../domain/anomaly.ts';
import type { TimeWindow } from '../domain/time-window.ts';
import type { Logger } from '../platform/logger.ts';
import { type Absence, absenceDeviation, newAbsence, noteCame, noteMissed } from './detectors/absence.ts';
import {
  isPresent,
  isSteady,
  judgePresence,
  newServicePresence,
  type PresenceMinute,
  type PresentSignal,
  type ServicePresence,
  SIGNALS,
  takePresence,
} from './detectors/service-presence.ts';
import { describeBlindness, describeSilence } from './detectors/silence-anomaly.ts';
import type { Watch, WatchedStep } from './watch.ts';

export interface SilenceWatchParts {
  readonly telemetry: PresenceMinuteReader;
  readonly logger: Logger;
}

const NAME = 'silence';
const STATE_VERSION = 1;
const STEP_MS = 60_000;
const LATENESS_MS = 10_000;
const MAX_SERVICES = 10_000;
const READ_TIMEOUT_MS = 10_000;
/** After nobody observed, services come back one after the other; 2 to 5 minutes judge alike. */
const GRACE_MS = 180_000;
/** Of the services that always send a signal, so many missing at once are nobody's own silence. */
const BLIND_SHARE = 0.5;
const BLIND_SERVICES = 3;
/** Of a service that was silent for so long nothing is kept. */
const FORGOTTEN_MS = 3 * 86_400_000;
/** Another that began to be there so shortly before may be the same under a new name. */
const RENAMED_MS = 600_000;
/** The key of what is known of all services together. */
const ALL = '';

/** What everybody sends, taken together. State. */
interface Pipeline {
  readonly any: Absence;
  readonly signals: Record<PresentSignal, Absence>;
  resumedMs: number;
}

export function createSilenceWatch({ telemetry, logger }: SilenceWatchParts): Watch {
  const services = new Map<string, ServicePresence>();
  let pipeline: Pipeline = newPipeline();
  /** Taken in since it was saved; the longest unsaved first. */
  const changed = new Set<string>();
  /** What was heard of in each minute that was judged: anything else is late data. */
  const judged = new Map<number, number>();
  let judgedToMs = 0;

  async function observe(window: TimeWindow, signal: AbortSignal): Promise<WatchedStep[]> {
    const bounds = { maxRows: MAX_SERVICES, timeoutMs: READ_TIMEOUT_MS, signal };
    const { rows } = await telemetry.readMinutes({ window }, bounds);
    const byMinute = minutesOf(rows);
    for (const atMs of judged.keys()) if (atMs < window.startMs) judged.delete(atMs);
    const steps: WatchedStep[] = [];
    for (let atMs = window.startMs; atMs < window.endMs; atMs += STEP_MS) {
      const heard = byMinute.get(atMs) ?? new Map<string, PresenceMinute>();
      const mark = markOf(heard);
      const isNew = atMs >= judgedToMs;
      if (!isNew && (judged.get(atMs) ?? mark) === mark) continue;
      const judge = () => {
        judged.set(atMs, mark);
        judgedToMs = Math.max(judgedToMs, atMs + STEP_MS);
        return judgeMinute(atMs, heard, isNew);
      };
      steps.push({ window: { startMs: atMs, endMs: atMs + STEP_MS }, judge });
    }
    return steps;
  }

  function judgeMinute(atMs: number, heard: ReadonlyMap<string, PresenceMinute>, isNew: boolean): Anomaly[] {
    const window = { startMs: atMs, endMs: atMs + STEP_MS };
    changed.add(ALL);
    if (![...heard.values()].some(isPresent)) return judgeNobody(window, isNew);
    if (pipeline.any.run > 0) pipeline.resumedMs = atMs;
    noteCame(pipeline.any, isNew);
    const blind = isNew ? blindSignals(atMs, heard) : new Set<PresentSignal>();
    takeAll(atMs, heard, blind, isNew);
    if (atMs - pipeline.resumedMs < GRACE_MS) return [];
    const told = SIGNALS.filter((signal) => blind.has(signal)).flatMap((signal) =>
      describeIfHeard(pipeline.signals[signal], signal, window),
    );
    return [...told, ...judgeServices(window, heard)];
  }

  function takeAll(
    atMs: number,
    heard: ReadonlyMap<string, PresenceMinute>,
    blind: ReadonlySet<PresentSignal>,
    isNew: boolean,
  ): void {
    for (const [service, minute] of heard) if (isPresent(minute)) meet(service, atMs);
    for (const [service, presence] of services) {
      takePresence(presence, heard.get(service) ?? nothingHeard(atMs), blind, isNew);
      changed.add(service);
      if (atMs - presence.lastMs > FORGOTTEN_MS) forget(service);
    }
  }

  /** Nobody is silent where nobody listens. */
  function judgeNobody(window: TimeWindow, isNew: boolean): Anomaly[] {
    if (services.size === 0 || !isNew) return [];
    noteMissed(pipeline.any, window.startMs);
    takeAll(window.startMs, new Map(), new Set(SIGNALS), true);
    pipeline.resumedMs = window.endMs;
    return describeIfHeard(pipeline.any, 'telemetry', window);
  }

  /** Signals that most of those who always send them did not send. */
  function blindSignals(atMs: number, heard: ReadonlyMap<string, PresenceMinute>): Set<PresentSignal> {
    const blind = new Set<PresentSignal>();
    for (const signal of SIGNALS) {
      const steady = [...services].filter(([, presence]) => isSteady(presence, signal));
      const missing = steady.filter(([service]) => !((heard.get(service)?.newestMs[signal] ?? 0) > 0));
      const isBlind = steady.length >= BLIND_SERVICES && missing.length >= BLIND_SHARE * steady.length;
      if (isBlind) {
        noteMissed(pipeline.signals[signal], atMs);
        blind.add(signal);
      } else noteCame(pipeline.signals[signal], true);
    }
    // Where requests stop there is nothing to trace and nothing to write down: that is traffic, and the services are asked.
    if (blind.has('traces') && blind.has('logs') && !blind.has('metrics')) {
      blind.delete('traces');
      blind.delete('logs');
    }
    return blind;
  }

  function judgeServices(window: TimeWindow, heard: ReadonlyMap<string, PresenceMinute>): Anomaly[] {
    return [...services].flatMap(([service, presence]) => {
      const minute = heard.get(service) ?? nothingHeard(window.startMs);
      const found = judgePresence(presence, minute);
      if (!found || (found.shape === 'gone' && isRenamed(service, found.sinceMs))) return [];
      return [describeSilence(service, found, minute, window)];
    });
  }

  function isRenamed(service: string, sinceMs: number): boolean {
    return [...services].some(([other, { firstMs }]) => other !== service && firstMs >= sinceMs - RENAMED_MS);
  }

  function meet(service: string, atMs: number): void {
    if (!services.has(service) && services.size < MAX_SERVICES) services.set(service, newServicePresence(atMs));
  }

  function forget(service: string): void {
    services.delete(service);
    changed.delete(service);
  }

  return {
    name: NAME,
    stepMs: STEP_MS,
    latenessMs: LATENESS_MS,
    observe,
    save: (limit) =>
      [...changed].slice(0, limit).map((key): DetectorState => {
        changed.delete(key);
        const saved: Saved = { version: STATE_VERSION, known: key === ALL ? pipeline : services.get(key) };
        return { watch: NAME, key: keyOf(key), learnedToMs: judgedToMs, state: JSON.stringify(saved) };
      }),
    restore: (states) => {
      for (const { key, learnedToMs, state } of states) {
        const { version, known } = JSON.parse(state) as Saved;
        if (version !== STATE_VERSION || !known) continue;
        if ('any' in known) pipeline = known;
        else services.set(readKey(key), known);
        judgedToMs = Math.max(judgedToMs, learnedToMs);
      }
      logger.debug({ services: services.size }, 'silence is listened for from where it was left');
    },
  };
}

interface Saved {
  readonly version: number;
  readonly known: Pipeline | ServicePresence | undefined;
}

/** The empty key is the scanner's. */
function keyOf(service: string): string {
  return JSON.stringify([service]);
}

function readKey(key: string): string {
  const [service = ''] = JSON.parse(key) as string[];
  return service;
}

function newPipeline(): Pipeline {
  return {
    any: newAbsence(),
    signals: { traces: newAbsence(), logs: newAbsence(), metrics: newAbsence() },
    resumedMs: 0,
  };
}

function describeIfHeard(absence: Absence, what: PresentSignal | 'telemetry', window: TimeWindow): Anomaly[] {
  const deviation = absenceDeviation(absence);
  return deviation >= 1 ? [describeBlindness(what, { deviation, sinceMs: absence.sinceMs }, window)] : [];
}

function nothingHeard(atMs: number): PresenceMinute {
  const newestMs = { traces: 0, logs: 0, metrics: 0 };
  return { atMs, newestMs, requests: 0, requestsMs: 0, asked: 0, refused: 0 };
}

/** By minute and service. */
function minutesOf(rows: readonly PresenceMinuteRow[]): Map<number, Map<string, PresenceMinute>> {
  const byMinute = new Map<number, Map<string, PresenceMinute>>();
  for (const row of rows) {
    for (const [index, atMs] of row.atMs.entries()) {
      const services = byMinute.get(atMs) ?? new Map<string, PresenceMinute>();
      byMinute.set(atMs, services);
      const at = (values: readonly number[]) => values[index] ?? 0;
      services.set(row.service, {
        atMs,
        newestMs: { traces: at(row.tracesMs), logs: at(row.logsMs), metrics: at(row.metricsMs) },
        requests: at(row.requests),
        requestsMs: at(row.requestsMs),
        asked: at(row.asked),
        refused: at(row.refused),
      });
    }
  }
  return byMinute;
}

/** One number that changes with what was heard. */
function markOf(heard: ReadonlyMap<string, PresenceMinute>): number {
  let mark = 0;
  for (const { newestMs, requests } of heard.values()) {
    mark += 1_000 * SIGNALS.filter((signal) => newestMs[signal] > 0).length + requests;
  }
  return mark;
}
