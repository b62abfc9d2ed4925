/**
 * How many calls are to be expected now, as a range: every view that explains them counts (the last half hour, its trend, yesterday around this
 * hour), so that a daily curve, a holiday and a nightly batch are no surprise. Plain JSON.
 */
interface TrafficSlot {
  /** Number of the ten minutes since 1970. */
  readonly slot: number;
  calls: number;
  steps: number;
  /** Of one step. */
  most: number;
}

/** State. */
export interface RequestTraffic {
  /** Calls of each of the last steps that were learned, in order of time. */
  readonly recent: number[];
  /** Of the last 26 hours, in order of time. */
  readonly slots: TrafficSlot[];
}

export interface ExpectedCalls {
  readonly low: number;
  readonly high: number;
  /** Of one step, around either. */
  readonly variance: number;
  /** Of the expectation itself. */
  readonly doubt: number;
}

const SLOT_MS = 600_000;
const DAY_MS = 86_400_000;
/** Clocks change by an hour, and batches are late. */
const NEAR_SLOTS = 6;
const KEPT_SLOTS = DAY_MS / SLOT_MS + 2 * NEAR_SLOTS;
/** Half an hour. */
const RECENT_STEPS = 180;
const LEAST_STEPS = 30;
/** Traffic that differs by less than a fifth is the day going on, however sure it is. */
const MARGIN = 1.2;
/** Calls below which a slot of yesterday is no measure of another. */
const LEAST_CALLS = 50;

export function newRequestTraffic(): RequestTraffic {
  return { recent: [], slots: [] };
}

export function learnTraffic({ recent, slots }: RequestTraffic, atMs: number, calls: number): void {
  recent.push(calls);
  if (recent.length > RECENT_STEPS) recent.shift();
  const slot = Math.floor(atMs / SLOT_MS);
  let newest = slots.at(-1);
  if (!newest || newest.slot < slot) {
    newest = { slot, calls: 0, steps: 0, most: 0 };
    slots.push(newest);
    while ((slots[0]?.slot ?? slot) < slot - KEPT_SLOTS) slots.shift();
  }
  newest.calls += calls;
  newest.steps += 1;
  newest.most = Math.max(newest.most, calls);
}

/**
 * Of the step at `atMs`; undefined while less than five minutes are known.
 * @param lagSteps steps between the newest learned and this one
 */
export function expectCalls(traffic: RequestTraffic, atMs: number, lagSteps: number): ExpectedCalls | undefined {
  const { recent } = traffic;
  if (recent.length < LEAST_STEPS) return undefined;
  const level = meanOf(recent);
  const half = Math.floor(recent.length / 2);
  const [before, after] = [meanOf(recent.slice(0, half)), meanOf(recent.slice(-half))];
  const trend = Math.max(0, after + ((after - before) * (half / 2 + lagSteps)) / half);
  const views = [level, trend, ...viewsOfYesterday(traffic, atMs, level)];
  const high = Math.max(...views) * MARGIN;
  const variance = Math.max(high, varianceOf(recent));
  return { low: Math.min(...views) / MARGIN, high, variance, doubt: variance / recent.length };
}

function viewsOfYesterday({ slots, recent }: RequestTraffic, atMs: number, level: number): number[] {
  const now = Math.floor((atMs - DAY_MS) / SLOT_MS);
  const near = slots.filter(({ slot }) => Math.abs(slot - now) <= NEAR_SLOTS);
  const lead = Math.round((recent.length / 2) * (10_000 / SLOT_MS));
  const base = near.find(({ slot }) => slot === now - lead);
  const factor = base && base.calls >= LEAST_CALLS ? (level * base.steps) / base.calls : 1;
  return near.flatMap(({ calls, steps, most }) => {
    const rate = calls / steps;
    return [rate, rate * factor, most];
  });
}

/** From one step to the next, so that a trend is no variance; users come in clusters, and calls more than once. */
function varianceOf(values: readonly number[]): number {
  let sum = 0;
  for (let index = 1; index < values.length; index++) sum += ((values[index] ?? 0) - (values[index - 1] ?? 0)) ** 2;
  return sum / 2 / Math.max(1, values.length - 1);
}

function meanOf(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / Math.max(1, values.length);
}
