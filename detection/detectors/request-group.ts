/**
 * Calls that belong together (into a service, or from it to one that tells nothing itself), judged in steps of ten seconds: do more
 * fail, are more of them slow, do more or fewer come than their own past explains? Every operation has its own normal; what is in
 * excess of it is also added up over operations, so that another mix of them is no change. Plain JSON but for the last five minutes.
 */
import { type DailyHabit, newDailyHabit, noteHabit } from './daily-habit.ts';
import { type CallCounts, learnCalls, newRequestBaseline, type RequestBaseline } from './request-baseline.ts';
import { type CallMeasure, countStep, type Measure, type StepCounts } from './request-counts.ts';
import { type Excess, learnScore, newRequestScan, type RequestScan, scanForExcess } from './request-scan.ts';
import { expectCalls, learnTraffic, newRequestTraffic, type RequestTraffic } from './request-traffic.ts';

export type RequestAspect = 'errors' | 'latency' | 'traffic';

const MEASURES_OF = {
  errors: ['errors'],
  latency: ['slow', 'slower'],
  traffic: ['more', 'fewer'],
} as const satisfies Record<RequestAspect, readonly Measure[]>;
const ASPECTS = ['errors', 'latency', 'traffic'] as const;

/** Steps that are looked at together, and not learned yet: five minutes. */
const PENDING_STEPS = 30;
/** What goes on shows in the newest of them: a minute. */
const RECENT_STEPS = 6;
/** So many steps are not learned because they are abnormal; then they become normal by and by: an hour. */
const MOST_UNLEARNED = 360;
/** Operations of which a group remembers anything; the ones that were called last. */
const MAX_OPERATIONS = 200;
/** From this part of its bar on a deviation can agree with others, and a trouble goes on. */
const WHISPER = 0.5;
/** What both of the last two days showed around this hour has to be passed so many times over. */
const HABIT_FACTOR = 2;

interface GroupStep extends StepCounts {
  readonly atMs: number;
  /** By operation. */
  readonly calls: ReadonlyMap<string, CallCounts>;
  /** How far chance, or more than chance, took it when it was new; learned with the step, so that what begins slowly does not hide itself. */
  readonly scores: Score[];
  readonly abnormal: Partial<Record<RequestAspect, boolean>>;
}

interface Score {
  readonly aspect: RequestAspect;
  readonly scan: RequestScan;
  readonly score: number;
}

interface KnownOperation {
  readonly baseline: RequestBaseline;
  readonly scans: Readonly<Record<CallMeasure, RequestScan>>;
}

interface Trouble {
  readonly sinceMs: number;
  readonly measure: Measure;
  /** Undefined: all of them together show it best. */
  readonly operation: string | undefined;
}

/** State; packGroup makes it plain. */
export interface RequestGroup {
  readonly operations: Map<string, KnownOperation>;
  readonly scans: Readonly<Record<Measure, RequestScan>>;
  readonly habits: Readonly<Record<RequestAspect, DailyHabit>>;
  readonly traffic: RequestTraffic;
  readonly troubles: Partial<Record<RequestAspect, Trouble>>;
  /** Ends of troubles: what came before is not raised again. */
  readonly overMs: Partial<Record<RequestAspect, number>>;
  /** Abnormal steps that were left out, less those learned since. */
  unlearned: number;
  /** Steps before it are learned. */
  learnedToMs: number;
  lastCallsMs: number;
  /** Of the last five minutes, in order of time. */
  steps: GroupStep[];
}

export type PackedGroup = Omit<RequestGroup, 'operations' | 'steps'> & {
  readonly operations: readonly (readonly [string, KnownOperation])[];
};

export interface GroupDeviation {
  readonly aspect: RequestAspect;
  readonly measure: Measure;
  /** Undefined: all of them together. */
  readonly operation: string | undefined;
  readonly deviation: number;
  readonly sinceMs: number;
  /** Newest steps in which it shows. */
  readonly length: number;
}

export const STEP_MS = 10_000;

export function newRequestGroup(): RequestGroup {
  return {
    operations: new Map(),
    scans: {
      errors: newRequestScan(),
      slow: newRequestScan(),
      slower: newRequestScan(),
      more: newRequestScan(),
      fewer: newRequestScan(),
    },
    habits: { errors: newDailyHabit(), latency: newDailyHabit(), traffic: newDailyHabit() },
    traffic: newRequestTraffic(),
    troubles: {},
    overMs: {},
    unlearned: 0,
    learnedToMs: 0,
    lastCallsMs: 0,
    steps: [],
  };
}

/** Plain JSON of what is learned; the last five minutes are left out, and have to be taken in again. */
export function packGroup({ operations, steps: _, ...rest }: RequestGroup): PackedGroup {
  return { ...rest, operations: [...operations] };
}

export function unpackGroup({ operations, ...rest }: PackedGroup): RequestGroup {
  return { ...rest, operations: new Map(operations), steps: [] };
}

/** Takes a finished step in; one of the last five minutes is replaced, because more of it has come. Older ones are too late. */
export function takeStep(group: RequestGroup, atMs: number, calls: ReadonlyMap<string, CallCounts>): void {
  if (atMs < group.learnedToMs) return;
  if (calls.size > 0) group.lastCallsMs = Math.max(group.lastCallsMs, atMs);
  const step: GroupStep = {
    atMs,
    calls,
    ...countStep(group, calls, expectCalls(group.traffic, atMs, PENDING_STEPS)),
    scores: [],
    abnormal: {},
  };
  for (const aspect of ASPECTS) if (atMs >= (group.troubles[aspect]?.sinceMs ?? Infinity)) step.abnormal[aspect] = true;
  const index = group.steps.findIndex((known) => known.atMs >= atMs);
  if (index < 0) group.steps.push(step);
  else group.steps.splice(index, group.steps[index]?.atMs === atMs ? 1 : 0, step);
  while (group.steps.length > PENDING_STEPS) {
    const oldest = group.steps.shift();
    if (oldest) learnStep(group, oldest);
  }
}

/**
 * What is abnormal in the newest step, from half of its bar on, at most one of each aspect.
 * @param isNew the step was not judged before; only then is anything learned of how far normal time reaches
 */
export function judgeGroup(group: RequestGroup, isNew: boolean): GroupDeviation[] {
  return ASPECTS.flatMap((aspect) => judgeAspect(group, aspect, isNew) ?? []);
}

interface Candidate extends Excess {
  readonly measure: Measure;
  readonly operation: string | undefined;
  readonly scan: RequestScan;
}

function judgeAspect(group: RequestGroup, aspect: RequestAspect, isNew: boolean): GroupDeviation | undefined {
  const newest = group.steps.at(-1);
  if (!newest) return undefined;
  const overMs = group.overMs[aspect] ?? Number.NEGATIVE_INFINITY;
  const candidates = scanAspect(
    group,
    aspect,
    group.steps.filter(({ atMs }) => atMs > overMs),
  );
  const worst = candidates.reduce((most, each) => (each.deviation > most.deviation ? each : most), NOBODY);
  const usual = isNew ? noteHabit(group.habits[aspect], newest.atMs, worst.deviation) : 0;
  const deviation = worst.deviation / Math.max(1, HABIT_FACTOR * usual);
  const trouble = group.troubles[aspect];
  if (isNew) newest.scores.push(...candidates.map(({ scan, score }) => ({ aspect, scan, score })));
  if (trouble) return goOn(group, aspect, trouble, { ...worst, deviation });
  if (deviation < WHISPER) return undefined;
  const { measure, length } = worst;
  const operation = worst.operation ?? dominantOperation(group.steps.slice(-Math.max(1, length)), measure);
  const sinceMs = group.steps.at(-Math.max(1, length))?.atMs ?? newest.atMs;
  if (deviation >= 1) begin(group, aspect, { sinceMs, measure, operation });
  return { aspect, measure, operation, deviation, sinceMs, length: Math.max(1, length) };
}

function begin(group: RequestGroup, aspect: RequestAspect, trouble: Trouble): void {
  group.troubles[aspect] = trouble;
  for (const { atMs, abnormal } of group.steps) if (atMs >= trouble.sinceMs) abnormal[aspect] = true;
}

/** It keeps its name and its beginning until the last minute shows nothing of it any more. */
function goOn(
  group: RequestGroup,
  aspect: RequestAspect,
  { measure, operation, sinceMs }: Trouble,
  { deviation, length }: Candidate,
): GroupDeviation | undefined {
  const recent = group.steps.slice(-RECENT_STEPS);
  // A group that was just restored has to see a minute before it can tell.
  const isSeen = recent.length >= RECENT_STEPS;
  if (isSeen && scanAspect(group, aspect, recent).every((each) => each.deviation < WHISPER)) {
    delete group.troubles[aspect];
    group.overMs[aspect] = group.steps.at(-1)?.atMs ?? 0;
    return undefined;
  }
  return { aspect, measure, operation, deviation: Math.max(1, deviation), sinceMs, length: Math.max(1, length) };
}

/** The one with more than half of the excess of all; undefined: there is none, it is everywhere. */
function dominantOperation(steps: readonly GroupStep[], measure: Measure): string | undefined {
  if (measure === 'more' || measure === 'fewer') return undefined;
  const excesses = new Map<string, number>();
  let total = 0;
  for (const { byOperation } of steps) {
    for (const [operation, { [measure]: step }] of byOperation) {
      const excess = step.count - step.expected;
      total += excess;
      excesses.set(operation, (excesses.get(operation) ?? 0) + excess);
    }
  }
  return [...excesses].find(([, excess]) => excess > total / 2)?.[0];
}

const NOBODY: Candidate = {
  score: 0,
  deviation: 0,
  length: 0,
  measure: 'errors',
  operation: undefined,
  scan: newRequestScan(),
};

/** An operation before the whole: where one of them shows it as well, it is that one's trouble. */
function scanAspect(group: RequestGroup, aspect: RequestAspect, steps: readonly GroupStep[]): Candidate[] {
  if (aspect !== 'traffic') return [...scanOperations(group, aspect, steps), ...scanAll(group, aspect, steps)];
  // That nothing comes at all is silence, and told as such.
  const isSilent = steps.slice(-RECENT_STEPS).every(({ calls }) => calls.size === 0);
  return isSilent ? [] : scanAll(group, aspect, steps);
}

function scanOperations(group: RequestGroup, aspect: 'errors' | 'latency', steps: readonly GroupStep[]): Candidate[] {
  const names = new Set<string>();
  for (const { byOperation } of steps) for (const operation of byOperation.keys()) names.add(operation);
  const found: Candidate[] = [];
  for (const operation of names) {
    const known = group.operations.get(operation);
    const its = steps.map(({ byOperation }) => byOperation.get(operation));
    if (!known) continue;
    for (const measure of MEASURES_OF[aspect]) {
      const scan = known.scans[measure];
      const excess = scanForExcess(
        scan,
        its.map((counted) => counted?.[measure]),
      );
      found.push({ ...excess, measure, operation, scan });
    }
  }
  return found;
}

function scanAll(group: RequestGroup, aspect: RequestAspect, steps: readonly GroupStep[]): Candidate[] {
  return MEASURES_OF[aspect].map((measure) => {
    const scan = group.scans[measure];
    const all = steps.map((step) => step.all[measure]);
    return { ...scanForExcess(scan, all, measure === 'fewer' ? -1 : 1), measure, operation: undefined, scan };
  });
}

function learnStep(group: RequestGroup, { atMs, calls, scores, abnormal }: GroupStep): void {
  group.learnedToMs = atMs + STEP_MS;
  const total = [...calls.values()].reduce((sum, counts) => sum + counts.calls, 0);
  learnTraffic(group.traffic, atMs, total);
  const isLeftOut = Boolean(abnormal.errors ?? abnormal.latency) && group.unlearned < MOST_UNLEARNED;
  for (const { aspect, scan, score } of scores) {
    if (!abnormal[aspect] || (aspect !== 'traffic' && !isLeftOut)) learnScore(scan, score);
  }
  group.unlearned = Math.max(0, group.unlearned + (isLeftOut ? 1 : -1));
  if (isLeftOut) return;
  for (const [operation, counts] of calls) learnCalls(operationOf(group, operation).baseline, atMs, counts);
}

function operationOf({ operations }: RequestGroup, operation: string): KnownOperation {
  const known = operations.get(operation);
  if (known) return known;
  if (operations.size >= MAX_OPERATIONS) operations.delete(leastRecent(operations));
  const made = {
    baseline: newRequestBaseline(),
    scans: { errors: newRequestScan(), slow: newRequestScan(), slower: newRequestScan() },
  };
  operations.set(operation, made);
  return made;
}

function leastRecent(operations: RequestGroup['operations']): string {
  let least = { operation: '', lastMs: Number.POSITIVE_INFINITY };
  for (const [operation, { baseline }] of operations) {
    if (baseline.lastMs < least.lastMs) least = { operation, lastMs: baseline.lastMs };
  }
  return least.operation;
}
