/**
 * Two weeks in which nothing is wrong: season, weekends, a holiday, deploys, a nightly and an hourly job, services that hardly anybody
 * asks, long polls, killed containers. Whatever detection opens is false. Four days are simulated and take the way in that all
 * telemetry takes; the fortnight is made of copies of their rollups. After its first week clocks go forward: from then on
 * everything happens an hour earlier by UTC.
 */
import type { IncidentCourse } from '../domain/incident-course.ts';
import { formatInstant, type TimeWindow } from '../domain/time-window.ts';
import { simulateShop } from '../simulator/simulate-shop.ts';
import { telemetryOf } from './batch-telemetry.ts';
import { type DetectionRun, withDetectionRun } from './detect-incidents.ts';
import type { DetectionSuite, DetectionSuiteOptions, Scored } from './suite.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const REQUESTS_PER_SECOND = 1;
/** At most so many false incidents in the fortnight. */
const MARK = 1;

interface BaseDay {
  readonly name: string;
  /** Midnight, UTC. */
  readonly dayMs: number;
  readonly seed: number;
  readonly factor?: number;
}

/** Monday to Wednesday and a Saturday, so long before the fortnight that nothing is learned from them where they are. */
const BASE_DAYS: readonly BaseDay[] = [
  { name: 'workday', dayMs: Date.UTC(2025, 1, 3), seed: 21 },
  { name: 'other workday', dayMs: Date.UTC(2025, 1, 4), seed: 22 },
  { name: 'holiday', dayMs: Date.UTC(2025, 1, 5), seed: 23, factor: 0.55 },
  { name: 'weekend', dayMs: Date.UTC(2025, 1, 8), seed: 24 },
];

/** A Monday. */
const START_MS = Date.UTC(2026, 2, 2);
/** Which base day each day of the fortnight is. */
const FORTNIGHT = [0, 1, 0, 1, 1, 3, 3, 1, 0, 2, 0, 1, 3, 3];
/** From this day on (a Sunday, the first is 0) clocks are an hour ahead. */
const SUMMER_FROM_DAY = 6;
const MAX_ANOMALIES = 10_000;

interface QuietIncident {
  readonly opened_utc: string;
  readonly onset_utc: string;
  readonly day: number;
  readonly services: readonly string[];
  readonly title: string;
}

export const quietDaysSuite: DetectionSuite<QuietIncident> = {
  source: 'detection',
  needsData: false,
  predict: watchFortnight,
  score: scoreFortnight,
};

async function watchFortnight({ without, signal, note, only }: DetectionSuiteOptions): Promise<QuietIncident[]> {
  const days = only === '' ? FORTNIGHT : FORTNIGHT.slice(0, Number(only));
  return withDetectionRun({ startMs: START_MS, without, signal }, async (run) => {
    for (const index of new Set(days)) {
      const base = BASE_DAYS[index];
      if (base) await ingestDay(run, base, signal, note);
    }
    for (const [day, index] of days.entries()) {
      await run.runtime.cloneRollups(copyOf(day, index), signal);
    }
    await watchDays(run, days.length, note, signal);
    return (await run.listCourses()).map(toPrediction);
  });
}

/** Tells of each day, and of each incident as it comes. */
async function watchDays(
  run: DetectionRun,
  days: number,
  note: DetectionSuiteOptions['note'],
  signal: AbortSignal,
): Promise<void> {
  // The last copy ends an hour before midnight where clocks are ahead; what comes after it is no silence.
  const endMs = START_MS + days * DAY_MS - (days > SUMMER_FROM_DAY ? HOUR_MS : 0);
  const told = new Set<string>();
  for (let atMs = START_MS + HOUR_MS; atMs <= endMs; atMs += HOUR_MS) {
    await run.advance(atMs, []);
    const courses = await run.listCourses();
    for (const course of courses.filter(({ incidentId }) => !told.has(incidentId))) {
      note(describeIncident(toPrediction(course)));
      told.add(course.incidentId);
    }
    if ((atMs - START_MS) % DAY_MS === 0 || atMs === endMs)
      note(await describeDay(run, Math.ceil((atMs - START_MS) / DAY_MS), signal));
  }
}

/** Where a base day goes; the hour that clocks leave out is left out of the first summer day. */
function copyOf(day: number, index: number): { readonly window: TimeWindow; readonly byMs: number } {
  const dayMs = BASE_DAYS[index]?.dayMs ?? 0;
  const aheadMs = day >= SUMMER_FROM_DAY ? HOUR_MS : 0;
  const startMs = day === SUMMER_FROM_DAY ? dayMs + HOUR_MS : dayMs;
  return { window: { startMs, endMs: dayMs + DAY_MS }, byMs: START_MS + day * DAY_MS - dayMs - aheadMs };
}

/** Incidents so far, and what passed its own bar on that day without opening one. */
async function describeDay({ runtime, listCourses }: DetectionRun, day: number, signal: AbortSignal): Promise<string> {
  const endMs = START_MS + day * DAY_MS;
  const question = { window: { startMs: endMs - DAY_MS, endMs }, limit: MAX_ANOMALIES };
  const { records } = await runtime.anomalies.list(question, signal);
  const alone = records.filter(({ incidentId }) => incidentId === '');
  const byAspect = [...Map.groupBy(alone, ({ anomaly }) => anomaly.aspect)]
    .map(([aspect, its]) => `${its.length} ${aspect}`)
    .join(', ');
  const deviations = `${alone.length} deviations that opened none${byAspect === '' ? '' : ` (${byAspect})`}`;
  return `day ${day}: ${(await listCourses()).length} incidents so far; ${deviations}`;
}

async function ingestDay(
  run: DetectionRun,
  { name, dayMs, seed, factor }: BaseDay,
  signal: AbortSignal,
  note: DetectionSuiteOptions['note'],
): Promise<void> {
  const startedMs = performance.now();
  let spans = 0;
  const batches = simulateShop({
    seed,
    startMs: dayMs,
    endMs: dayMs + DAY_MS,
    requestsPerSecond: REQUESTS_PER_SECOND,
    ordinaryLife: true,
    holidays: factor === undefined ? [] : [{ dayMs, factor }],
    metricsSeconds: 60,
    batchSeconds: 1_800,
    decoys: true,
    decoysAroundMs: dayMs + 14 * HOUR_MS,
  });
  for (const batch of batches) {
    spans += batch.spanCount;
    // Of the past: nothing depends on which comes first.
    await Promise.all(telemetryOf(batch).map((request) => run.ingest([request])));
    await run.ingest([], batch.changes);
    signal.throwIfAborted();
  }
  note(`${name}: ${spans} spans in ${((performance.now() - startedMs) / 1_000).toFixed(0)} s`);
}

function toPrediction(course: IncidentCourse): QuietIncident {
  return {
    opened_utc: formatInstant(course.openedAtMs),
    onset_utc: formatInstant(course.onsetMs),
    day: Math.floor((course.openedAtMs - START_MS) / DAY_MS) + 1,
    services: course.services.map(({ service }) => service),
    title: course.anomalies
      .slice(0, 3)
      .map(({ sentence, deviation }) => `${sentence} (${deviation.toFixed(1)}x)`)
      .join(' '),
  };
}

function describeIncident({ opened_utc, day, title }: QuietIncident): string {
  return `day ${day}, ${opened_utc}: ${title}`;
}

function scoreFortnight(incidents: readonly QuietIncident[]): Scored {
  const lines = incidents.map(describeIncident);
  return {
    score: { requestsPerSecond: REQUESTS_PER_SECOND, falseIncidents: incidents.length, mark: MARK },
    text: [
      `${incidents.length} false incidents (mark: at most ${MARK} in fourteen days), ${REQUESTS_PER_SECOND} requests a second`,
      ...lines,
    ].join('\n'),
  };
}
