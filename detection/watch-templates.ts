/**
 * Watches what every service writes into its log, template by template and minute by minute (detectors/log-template-judge.ts). What may
 * still grow by late lines is judged at once and learned five minutes later.
 */
import type { DetectorState } from '../clickhouse/detector-states.ts';
import type { TemplateMinuteReader, TemplateMinuteRow } from '../clickhouse/read-template-minutes.ts';
import type { Anomaly } from '../domain/anomaly.ts';
import type { TimeWindow } from '../domain/time-window.ts';
import type { Logger } from '../platform/logger.ts';
import { reportTemplates } from './detectors/log-template-anomaly.ts';
import { judgeTemplates } from './detectors/log-template-judge.ts';
import {
  type LogMinute,
  learnMinute,
  newServicePast,
  renameTemplate,
  type ServicePast,
  templateKey,
  type WrittenTemplate,
} from './detectors/log-template-past.ts';
import { inShort } from './in-short.ts';
import type { Watch, WatchedStep } from './watch.ts';

export interface TemplateWatchParts {
  readonly telemetry: TemplateMinuteReader;
  readonly logger: Logger;
}

const NAME = 'templates';
const STATE_VERSION = 1;
const STEP_MS = 60_000;
const LATENESS_MS = 10_000;
/** What the scanner looks back by for late data. */
const PENDING_MS = 300_000;
const MAX_ROWS = 100_000;
const MAX_ALIASES = 100_000;
const READ_TIMEOUT_MS = 20_000;
const MAX_SERVICES = 2_000;
/** A service that wrote nothing for so long is forgotten. */
const FORGOTTEN_MS = 7 * 86_400_000;

interface WatchedService {
  past: ServicePast;
  /** Judged, and not learned yet; in order of time. */
  minutes: LogMinute[];
  lastMs: number;
}

export function createTemplateWatch({ telemetry, logger }: TemplateWatchParts): Watch {
  const services = new Map<string, WatchedService>();
  /** Learned since it was saved; the longest unsaved first. */
  const changed = new Set<string>();
  /** Lines in each minute that was judged: another number is late data. */
  const judged = new Map<number, number>();

  async function observe(window: TimeWindow, signal: AbortSignal): Promise<WatchedStep[]> {
    const { rows } = await telemetry.readMinutes({ window }, { maxRows: MAX_ROWS, timeoutMs: READ_TIMEOUT_MS, signal });
    await followRenames(rows, signal);
    const byMinute = minutesOf(rows);
    for (const atMs of judged.keys()) if (atMs < window.startMs) judged.delete(atMs);
    const steps: WatchedStep[] = [];
    for (let atMs = window.startMs; atMs < window.endMs; atMs += STEP_MS) {
      const minute = byMinute.get(atMs) ?? new Map<string, LogMinute>();
      const lines = [...minute.values()].reduce((sum, each) => sum + each.lines, 0);
      const known = judged.get(atMs);
      if (known === lines) continue;
      const judge = () => {
        judged.set(atMs, lines);
        return judgeStep(atMs, minute, known === undefined);
      };
      steps.push({ window: { startMs: atMs, endMs: atMs + STEP_MS }, judge });
    }
    return steps;
  }

  /** Where a template is not known that others became, it is they who are known. */
  async function followRenames(rows: readonly TemplateMinuteRow[], signal: AbortSignal): Promise<void> {
    const unknown = rows.filter(({ service, template, level }) => {
      const watched = services.get(service);
      return watched && template !== '' && !watched.past.templates[templateKey(template, level)];
    });
    if (unknown.length === 0) return;
    const templates = [...new Set(unknown.map(({ template }) => template))];
    const bounds = { maxRows: MAX_ALIASES, timeoutMs: READ_TIMEOUT_MS, signal };
    const aliases = (await telemetry.readAliases({ templates }, bounds)).rows;
    for (const { service, id, template } of aliases) {
      const past = services.get(service)?.past;
      for (const level of past ? LEVELS : []) {
        if (past) renameTemplate(past, templateKey(id, level), templateKey(template, level));
      }
    }
  }

  function judgeStep(atMs: number, minute: ReadonlyMap<string, LogMinute>, isNew: boolean): Anomaly[] {
    for (const service of minute.keys()) meet(service);
    const window = { startMs: atMs, endMs: atMs + STEP_MS };
    return [...services].flatMap(([service, watched]) => {
      if (atMs < watched.past.learnedToMs) return [];
      const its = minute.get(service) ?? { atMs, templates: new Map(), lines: 0, traffic: 0 };
      if (its.lines > 0) watched.lastMs = Math.max(watched.lastMs, atMs);
      else if (atMs - watched.lastMs > FORGOTTEN_MS) forget(service);
      take(service, watched, its);
      const before = watched.minutes.filter((each) => each.atMs <= atMs);
      return reportTemplates(service, judgeTemplates(watched.past, before, isNew), window);
    });
  }

  function meet(service: string): void {
    if (services.has(service) || services.size >= MAX_SERVICES) return;
    services.set(service, { past: newServicePast(), minutes: [], lastMs: 0 });
  }

  function forget(service: string): void {
    services.delete(service);
    changed.delete(service);
  }

  /** Replaces what was known of the minute; learns what is five minutes old. */
  function take(service: string, watched: WatchedService, minute: LogMinute): void {
    const others = watched.minutes.filter(({ atMs }) => atMs !== minute.atMs);
    watched.minutes = [...others, minute].sort((left, right) => left.atMs - right.atMs);
    const newestMs = watched.minutes.at(-1)?.atMs ?? 0;
    for (let oldest = watched.minutes[0]; oldest && oldest.atMs <= newestMs - PENDING_MS; oldest = watched.minutes[0]) {
      learnMinute(watched.past, oldest);
      if (oldest.lines > 0) changed.add(service);
      watched.minutes.shift();
    }
  }

  return {
    name: NAME,
    stepMs: STEP_MS,
    latenessMs: LATENESS_MS,
    observe,
    save: (limit) =>
      [...changed].slice(0, limit).flatMap((service): DetectorState[] => {
        changed.delete(service);
        const watched = services.get(service);
        if (!watched) return [];
        const state = JSON.stringify({ version: STATE_VERSION, past: watched.past, lastMs: watched.lastMs }, inShort);
        return [{ watch: NAME, key: service, learnedToMs: watched.past.learnedToMs, state }];
      }),
    restore: (states) => {
      for (const { key, state } of states) {
        const { version, past, lastMs } = JSON.parse(state) as SavedService;
        if (version === STATE_VERSION) services.set(key, { past, minutes: [], lastMs });
      }
      logger.debug({ services: services.size }, 'log templates go on from where they were left');
    },
  };
}

interface SavedService {
  readonly version: number;
  readonly past: ServicePast;
  readonly lastMs: number;
}

const LEVELS = ['INFO', 'WARN', 'ERROR', 'FATAL'] as const;

interface Gathered {
  readonly atMs: number;
  readonly templates: Map<string, WrittenTemplate>;
  lines: number;
  traffic: number;
}

/** By minute and service. */
function minutesOf(rows: readonly TemplateMinuteRow[]): Map<number, Map<string, Gathered>> {
  const byMinute = new Map<number, Map<string, Gathered>>();
  for (const { service, template, level, text, atMs, lines } of rows) {
    for (const [index, minuteMs] of atMs.entries()) {
      const services = byMinute.get(minuteMs) ?? new Map<string, Gathered>();
      byMinute.set(minuteMs, services);
      const gathered = services.get(service) ?? { atMs: minuteMs, templates: new Map(), lines: 0, traffic: 0 };
      services.set(service, gathered);
      const count = lines[index] ?? 0;
      gathered.templates.set(templateKey(template, level), { level, text, lines: count });
      gathered.lines += count;
      if (level === 'INFO') gathered.traffic += count;
    }
  }
  return byMinute;
}
