/**
 * How fast detection finds each kind of fault: for every seed one shop in which the faults come one after the other, each ended
 * again, with ordinary time and innocent changes in between. Seconds count from the first effect that anybody could see.
 */
import type { IncidentCourse } from '../domain/incident-course.ts';
import { InputError } from '../platform/errors.ts';
import { FAULT_KINDS, type FaultKind } from '../simulator/faults/fault-kinds.ts';
import { describeTruth } from '../simulator/ground-truth.ts';
import { measureFirstEffect } from '../simulator/measure-first-effect.ts';
import { simulateShop } from '../simulator/simulate-shop.ts';
import type { SimulationOptions } from '../simulator/simulation-options.ts';
import { telemetryOf } from './batch-telemetry.ts';
import { withDetectionRun } from './detect-incidents.ts';
import { describeDelays, type FaultDetection, matchFaults, summarizeDelays } from './scorers/detection-delays.ts';
import type { DetectionSuite, DetectionSuiteOptions } from './suite.ts';

/** A Wednesday, eight in the morning. */
const START_MS = Date.UTC(2026, 2, 4, 8);
const MINUTE_MS = 60_000;
const FIRST_HISTORY_MS = 60 * MINUTE_MS;
/** Ordinary time before a fault, or before the first sign of a slow one: the one before it is closed by then. */
const HISTORY_MS = 15 * MINUTE_MS;
/** So long a fault lasts once it shows all that it does. */
const FAULT_MS = 3 * MINUTE_MS;
const REQUESTS_PER_SECOND = 4;
const SEEDS = Array.from({ length: 10 }, (_, index) => index + 1);
/** Beside each other: while the engine stores what one sent, the other is simulated and judged. */
const SEEDS_AT_ONCE = 2;
/** What comes in between two looks: the scanner catches up in event time, and the engine stores few large parts. */
const BATCH_SECONDS = 600;

interface FaultCase {
  readonly name: string;
  readonly kind: FaultKind;
  readonly fillMs?: number;
}

const CASES: readonly FaultCase[] = [
  ...FAULT_KINDS.map((kind) => ({ name: kind, kind })),
  // Twelve minutes in which memory fills and nobody is hurt.
  { name: 'slow-memory-leak', kind: 'memory-leak', fillMs: 20 * MINUTE_MS },
];

interface PlannedFault {
  readonly name: string;
  readonly seed: number;
  readonly options: SimulationOptions;
  /** Of the first window in which anybody could see that users are hurt. */
  readonly effectMs: number;
  /** What is opened from then on is about the fault: its first effect, or sooner where it shows before it hurts. */
  readonly beginsMs: number;
  readonly endMs: number;
  readonly service: string;
}

export const faultDetectionSuite: DetectionSuite<FaultDetection> = {
  source: 'detection',
  needsData: false,
  predict: predictAll,
  score: (detections) => ({
    score: { requestsPerSecond: REQUESTS_PER_SECOND, ...summarizeDelays(detections), detections },
    text: [`${REQUESTS_PER_SECOND} requests a second at the mean of the day`, '', describeDelays(detections)].join(
      '\n',
    ),
  }),
};

async function predictAll(options: DetectionSuiteOptions): Promise<FaultDetection[]> {
  const waiting = SEEDS.map((seed) => {
    return { seed, cases: CASES.filter(({ name }) => isChosen(`${name}-${seed}`, options.only)) };
  }).filter(({ cases }) => cases.length > 0);
  if (waiting.length === 0) throw new InputError(`No case has "${options.only}" in its name.`);
  const detections: FaultDetection[] = [];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      options.signal.throwIfAborted();
      detections.push(...(await watchSeed(planFaults(next.seed, next.cases), options)));
    }
  };
  await Promise.all(Array.from({ length: SEEDS_AT_ONCE }, work));
  return detections.sort((left, right) => left.seed - right.seed);
}

/** A name that ends in a seed is meant in full: `error-burst-1` is not `error-burst-10`. */
function isChosen(name: string, only: string): boolean {
  return /-\d+$/.test(only) ? name.endsWith(only) : name.includes(only);
}

async function watchSeed(
  faults: readonly PlannedFault[],
  { without, signal, note }: DetectionSuiteOptions,
): Promise<FaultDetection[]> {
  const courses = await withDetectionRun({ startMs: START_MS, without, signal }, async (run) => {
    for (const { options } of faults) {
      for (const batch of simulateShop(options)) {
        signal.throwIfAborted();
        await run.advance(batch.endMs, telemetryOf(batch), batch.changes);
      }
    }
    return run.listCourses();
  });
  const detections = matchFaults(faults, courses);
  for (const detection of detections) note(describeDetection(detection, courses));
  return detections;
}

function describeDetection(
  { kind, seed, delaySeconds, incidentId, falseIncidents }: FaultDetection,
  courses: readonly IncidentCourse[],
): string {
  const sentence = courses.find((course) => course.incidentId === incidentId)?.anomalies[0]?.sentence ?? '';
  const found = delaySeconds === undefined ? 'missed' : `${delaySeconds.toFixed(0)} s: ${sentence}`;
  return `${kind}-${seed}${falseIncidents > 0 ? ` (${falseIncidents} false before it)` : ''}: ${found}`;
}

/** One after the other from START_MS on. */
function planFaults(seed: number, cases: readonly FaultCase[]): PlannedFault[] {
  const faults: PlannedFault[] = [];
  let startMs = START_MS;
  for (const { name, kind, fillMs } of cases) {
    const quietMs = startMs === START_MS ? FIRST_HISTORY_MS : HISTORY_MS;
    const fault = { kind, ...(fillMs === undefined ? {} : { fillMs }) };
    const common = {
      seed,
      startMs,
      requestsPerSecond: REQUESTS_PER_SECOND,
      batchSeconds: BATCH_SECONDS,
      metricsSeconds: 60,
      decoys: true,
    };
    // Whatever the onset, the fault begins so long before it.
    const trial = describeTruth({ ...common, endMs: startMs + 1, fault: { ...fault, onsetMs: startMs } });
    const signsMs = fillMs === undefined ? 0 : startMs - trial.preludeMs;
    const onsetMs = startMs + quietMs + Math.ceil(signsMs / MINUTE_MS) * MINUTE_MS;
    const endMs = ceilToMinute(onsetMs + trial.developsMs + FAULT_MS);
    const options = { ...common, endMs, fault: { ...fault, onsetMs } };
    const { service, preludeMs } = describeTruth(options);
    const effectMs = measureFirstEffect(options).first?.startMs ?? onsetMs;
    const beginsMs = kind === 'memory-leak' ? Math.min(preludeMs, effectMs) : Math.min(onsetMs, effectMs);
    faults.push({ name, seed, options, effectMs, beginsMs, endMs, service });
    startMs = endMs;
  }
  return faults;
}

function ceilToMinute(atMs: number): number {
  return Math.ceil(atMs / MINUTE_MS) * MINUTE_MS;
}
