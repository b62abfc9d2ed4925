/**
 * Steps every watch through the windows that have finished, in order of event time, and lets the tracker open, grow and close
 * incidents from what is abnormal at each moment. A watch that cannot read does not hold the others up: it catches up later.
 */
import type { DetectorState } from '../clickhouse/detector-states.ts';
import type { ShardLock } from '../context-store/shard-lock.ts';
import type { Anomaly } from '../domain/anomaly.ts';
import type { AnomalyRecord } from '../domain/anomaly-record.ts';
import type { Incident } from '../domain/incident.ts';
import type { IncidentCourse } from '../domain/incident-course.ts';
import type { TimeWindow } from '../domain/time-window.ts';
import type { Clock } from '../platform/clock.ts';
import { errorMessage } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { Logger } from '../platform/logger.ts';
import { type AnomalyLedger, createAnomalyLedger } from './anomaly-ledger.ts';
import type { ServiceLinks } from './group-anomalies.ts';
import { createIncidentTracker, type IncidentTracker, incidentFrom } from './track-incidents.ts';
import type { Watch, WatchedStep } from './watch.ts';

export interface ScanParts {
  /** New ones, that know nothing. */
  createWatches(): readonly Watch[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** One scanner at a time looks at a shard. */
  readonly lock: ShardLock;
  readonly shard: string;
  readonly needsAgreement?: boolean;
  /** Newest event time of any signal within the window; 0 where there is none. */
  readNewest(window: TimeWindow, signal: AbortSignal): Promise<number>;
  readLinks(window: TimeWindow, signal: AbortSignal): Promise<ServiceLinks>;
  /** What is usual at this hour taken out, what people said is noise marked (hiddenBy) or taken down; asked once for each moment. */
  refine(anomalies: readonly Anomaly[], atMs: number, signal: AbortSignal): Promise<readonly Anomaly[]>;
  readStates(signal: AbortSignal): Promise<readonly DetectorState[]>;
  saveStates(states: readonly DetectorState[], signal: AbortSignal): Promise<void>;
  /** The newest courses, open and closed. */
  listCourses(signal: AbortSignal): Promise<readonly IncidentCourse[]>;
  saveCourses(courses: readonly IncidentCourse[], signal: AbortSignal): Promise<void>;
  /** Anomalies that are not over, as they were saved. */
  listOpenAnomalies(signal: AbortSignal): Promise<readonly AnomalyRecord[]>;
  saveAnomalies(records: readonly AnomalyRecord[], signal: AbortSignal): Promise<void>;
  isPublished(incidentId: string, signal: AbortSignal): Promise<boolean>;
  /** Archives the incident and starts its investigation; called again with the same one where it failed. */
  publishIncident(incident: Incident, signal: AbortSignal): Promise<void>;
}

export interface Scanner {
  /** One look; resolves with the incidents it opened. Never two looks at once: a second call waits for the first. */
  scan(signal: AbortSignal): Promise<Incident[]>;
}

const HOUR_MS = 3_600_000;
/** Windows that ended so long before the newest are looked at again, for late data. */
const LATE_MS = 300_000;
/** Read at a time: with what may be late, an hour. */
const CHUNK_MS = HOUR_MS - LATE_MS;
/** A scanner that knows nothing learns from so much of the past. */
const FIRST_LOOK_MS = 6 * HOUR_MS;
/** What a first look finds older than this is past: it is learned from, and opens nothing. */
const FIRST_CURRENT_MS = 600_000;
/** A scanner that was away for longer begins anew there. */
const MOST_AWAY_MS = 24 * HOUR_MS;
/** The longest that finished windows wait for the next look. */
const LOOK_DELAY_MS = 15_000;
/** Nothing newer came for so long: time goes on without it. */
const IDLE_MS = 60_000;
/** An anomaly of a watch that has not looked since is no longer known to be. */
const STALE_MS = 180_000;
/** Who calls whom changes slowly. */
const LINKS_MS = 300_000;
const SAVE_STATES_MS = 60_000;
/** At a time, so that 10,000 series have their turn within minutes. */
const MAX_SAVED_STATES = 1_000;
const CURSOR_KEY = '';

export function createScanner(parts: ScanParts): Scanner {
  let last: Promise<unknown> = Promise.resolve();
  let session: ScanSession | undefined;

  async function look(signal: AbortSignal): Promise<Incident[]> {
    const opened = await parts.lock.runExclusively(
      parts.shard,
      async (held) => {
        if (session?.isAhead()) session = undefined;
        session ??= await openSession(parts, held);
        return session.catchUp(held);
      },
      signal,
    );
    return opened ?? [];
  }

  return {
    scan: (signal) => {
      const next = last.then(
        () => look(signal),
        () => look(signal),
      );
      last = next;
      return next;
    },
  };
}

interface ScanSession {
  /** The clock was set back: what was learned is of a time still to come. */
  isAhead(): boolean;
  catchUp(signal: AbortSignal): Promise<Incident[]>;
}

/** From what the last scanner left behind. */
async function openSession(parts: ScanParts, signal: AbortSignal): Promise<ScanSession> {
  const nowMs = parts.clock.nowMs();
  const watches = parts.createWatches();
  const states = (await parts.readStates(signal)).filter(({ learnedToMs }) => learnedToMs <= nowMs);
  const cursors = new Map<string, number>();
  for (const watch of watches) {
    const its = states.filter((state) => state.watch === watch.name);
    watch.restore(its.filter(({ key }) => key !== CURSOR_KEY));
    const cursor = its.find(({ key }) => key === CURSOR_KEY);
    if (cursor) cursors.set(watch.name, cursor.learnedToMs);
  }
  const courses = (await parts.listCourses(signal)).map((course) => {
    return { ...course, lastAbnormalMs: Math.min(course.lastAbnormalMs, nowMs) };
  });
  const tracker = createIncidentTracker({
    courses,
    newIncidentId: (atMs) => newId('inc', atMs),
    ...(parts.needsAgreement === undefined ? {} : { needsAgreement: parts.needsAgreement }),
  });
  const openCourses = courses.filter(({ closedAtMs }) => closedAtMs === undefined);
  const isUnpublished = await Promise.all(
    openCourses.map(async ({ incidentId }) => !(await parts.isPublished(incidentId, signal))),
  );
  const unpublished = openCourses.filter((_, index) => isUnpublished[index]).map(incidentFrom);
  const lasting = (await parts.listOpenAnomalies(signal)).filter(({ anomaly }) => anomaly.sinceMs <= nowMs);
  const ledger = createAnomalyLedger(lasting);
  return createSession(parts, { watches, cursors, tracker, ledger, unpublished });
}

interface LeftBehind {
  readonly watches: readonly Watch[];
  readonly cursors: Map<string, number>;
  readonly tracker: IncidentTracker;
  readonly ledger: AnomalyLedger;
  readonly unpublished: readonly Incident[];
}

interface Active {
  readonly window: TimeWindow;
  readonly anomalies: readonly Anomaly[];
}

function createSession(parts: ScanParts, { watches, cursors, tracker, ledger, ...left }: LeftBehind): ScanSession {
  const { clock, logger } = parts;
  const active = new Map<string, Active>();
  const unpublished = new Map(left.unpublished.map((incident) => [incident.incidentId, incident]));
  const unsaved = new Map<string, IncidentCourse>();
  let links: ServiceLinks = new Map();
  let linksAtMs = Number.NEGATIVE_INFINITY;
  let statesSavedMs = clock.nowMs();
  let frontier = { newestMs: 0, movedAtMs: clock.nowMs() };
  const currentFromMs = cursors.size > 0 ? 0 : clock.nowMs() - FIRST_CURRENT_MS;

  /**
   * Event time so far. Where telemetry of the past is coming in (history that is fed, a buffer that drains), it is where that
   * has got to: what is not there yet is neither silent nor late. Where nothing comes any more, time goes on all the same.
   */
  async function readHorizon(signal: AbortSignal): Promise<number> {
    const nowMs = clock.nowMs();
    const newestMs = await readNewest({ startMs: Math.max(0, nowMs - MOST_AWAY_MS), endMs: nowMs + 1 }, signal);
    if (newestMs !== frontier.newestMs) frontier = { newestMs, movedAtMs: nowMs };
    const isComing = newestMs > 0 && nowMs - frontier.movedAtMs < IDLE_MS;
    return isComing && nowMs - newestMs > IDLE_MS ? newestMs : nowMs;
  }

  async function readNewest(window: TimeWindow, signal: AbortSignal): Promise<number> {
    try {
      return await parts.readNewest(window, signal);
    } catch (error) {
      signal.throwIfAborted();
      logger.warn({ reason: errorMessage(error) }, 'how far telemetry has come is not known: the clock is taken');
      return 0;
    }
  }

  async function catchUp(signal: AbortSignal): Promise<Incident[]> {
    const published = await flush(signal);
    const nowMs = await readHorizon(signal);
    const failed = new Set<Watch>();
    for (;;) {
      const behind = watches.filter((watch) => !failed.has(watch) && isBehind(watch, cursors.get(watch.name), nowMs));
      if (behind.length === 0) break;
      const fromMs = Math.min(...behind.map((watch) => firstWindowOf(watch, cursors.get(watch.name), nowMs)));
      const toMs = Math.min(nowMs, fromMs + CHUNK_MS);
      const chunks = await Promise.all(
        behind.map(async (watch) => {
          const steps = await readSteps(watch, toMs, nowMs, signal);
          if (!steps) failed.add(watch);
          return steps ?? [];
        }),
      );
      await refreshLinks(toMs, signal);
      for (const [atMs, moment] of byMoment(chunks.flat())) await judgeMoment(atMs, moment, nowMs, signal);
      published.push(...(await flush(signal)));
    }
    await saveStates(signal);
    return published;
  }

  /** Undefined: it failed, and goes on from where it is at the next look. */
  async function readSteps(
    watch: Watch,
    untilMs: number,
    nowMs: number,
    signal: AbortSignal,
  ): Promise<OwnedStep[] | undefined> {
    const cursorMs = firstWindowOf(watch, cursors.get(watch.name), nowMs);
    const endMs = floorTo(untilMs - watch.latenessMs, watch.stepMs);
    if (endMs <= cursorMs) return [];
    const startMs = Math.max(0, floorTo(cursorMs - LATE_MS, watch.stepMs));
    try {
      const steps = await watch.observe({ startMs, endMs }, signal);
      cursors.set(watch.name, endMs);
      return steps.map((step) => ({ watch, step }));
    } catch (error) {
      signal.throwIfAborted();
      logger.warn({ watch: watch.name, reason: errorMessage(error) }, 'a watch could not look');
      return undefined;
    }
  }

  async function refreshLinks(atMs: number, signal: AbortSignal): Promise<void> {
    if (atMs - linksAtMs < LINKS_MS) return;
    try {
      const found = await parts.readLinks({ startMs: Math.max(0, atMs - HOUR_MS), endMs: atMs }, signal);
      if (found.size > 0) links = found; // an hour without calls is no reason to forget who calls whom
      linksAtMs = atMs;
    } catch (error) {
      signal.throwIfAborted();
      logger.warn({ reason: errorMessage(error) }, 'who calls whom is not known now: as it was');
    }
  }

  async function judgeMoment(
    atMs: number,
    moment: readonly OwnedStep[],
    nowMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    for (const { watch, step } of moment) {
      const anomalies = step.judge();
      const known = active.get(watch.name);
      if (known && known.window.endMs > step.window.endMs) {
        // Late: it adds to what is known of now, and takes nothing back.
        active.set(watch.name, { ...known, anomalies: addNew(known.anomalies, anomalies) });
      } else active.set(watch.name, { window: step.window, anomalies });
    }
    const all = [...active.values()]
      .filter(({ window }) => atMs - window.endMs < STALE_MS)
      .flatMap(({ anomalies }) => anomalies);
    if (all.length === 0 && tracker.open().length === 0 && ledger.isEmpty()) return;
    const anomalies = await parts.refine(all, atMs, signal);
    if (atMs >= currentFromMs) {
      const openedAtMs = Math.min(nowMs, atMs + LOOK_DELAY_MS);
      const shown = anomalies.filter(({ hiddenBy }) => hiddenBy === undefined);
      const { opened, changed } = tracker.look({ atMs, openedAtMs, anomalies: shown, links });
      for (const course of opened) unpublished.set(course.incidentId, incidentFrom(course));
      for (const course of [...opened, ...changed]) unsaved.set(course.incidentId, course);
    }
    ledger.note(anomalies, atMs, tracker.incidentOf);
  }

  /**
   * What could not be archived stays here, and has its turn at the next look. Courses come first: a scanner that finds one
   * without its incident publishes it, so that a crash in between opens it neither twice nor never.
   */
  async function flush(signal: AbortSignal): Promise<Incident[]> {
    const published: Incident[] = [];
    if (unsaved.size > 0) await parts.saveCourses([...unsaved.values()], signal);
    unsaved.clear();
    for (const [incidentId, incident] of unpublished) {
      await parts.publishIncident(incident, signal);
      unpublished.delete(incidentId);
      published.push(incident);
    }
    await ledger.flush((records) => parts.saveAnomalies(records, signal));
    return published;
  }

  /** The states are for the next scanner: without the newest it learns a little less. */
  async function saveStates(signal: AbortSignal): Promise<void> {
    const nowMs = clock.nowMs();
    if (nowMs - statesSavedMs < SAVE_STATES_MS) return;
    statesSavedMs = nowMs;
    const states = watches.flatMap((watch) => [
      { watch: watch.name, key: CURSOR_KEY, learnedToMs: cursors.get(watch.name) ?? 0, state: '' },
      ...watch.save(MAX_SAVED_STATES),
    ]);
    await parts.saveStates(states, signal);
  }

  return {
    isAhead: () => [...cursors.values()].some((cursorMs) => cursorMs > clock.nowMs() + LATE_MS),
    catchUp,
  };
}

interface OwnedStep {
  readonly watch: Watch;
  readonly step: WatchedStep;
}

/** Where a watch goes on: after what it has judged, or so far back that it learns what is normal. */
function firstWindowOf(watch: Watch, cursorMs: number | undefined, nowMs: number): number {
  const farthestMs = nowMs - (cursorMs === undefined ? FIRST_LOOK_MS : MOST_AWAY_MS);
  return Math.max(0, cursorMs ?? 0, floorTo(farthestMs, watch.stepMs));
}

function isBehind(watch: Watch, cursorMs: number | undefined, nowMs: number): boolean {
  return floorTo(nowMs - watch.latenessMs, watch.stepMs) > firstWindowOf(watch, cursorMs, nowMs);
}

/** Steps that end at the same time are judged before anything is concluded from either. */
function byMoment(steps: readonly OwnedStep[]): [number, OwnedStep[]][] {
  const moments = Map.groupBy(steps, ({ step }) => step.window.endMs);
  return [...moments].sort(([left], [right]) => left - right);
}

function addNew(known: readonly Anomaly[], late: readonly Anomaly[]): Anomaly[] {
  const ids = new Set(known.map(({ anomalyId }) => anomalyId));
  return [...known, ...late.filter(({ anomalyId }) => !ids.has(anomalyId))];
}

function floorTo(atMs: number, stepMs: number): number {
  return Math.floor(atMs / stepMs) * stepMs;
}
