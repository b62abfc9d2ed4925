/**
 * What is wrong whatever was normal before: one row a rule. A rule looks at the newest minutes of one series, knows no past and keeps
 * nothing; those that do not hurt users stay below what opens an incident by itself.
 */
import type { LogFactRow, MetricFactRow, RequestFactRow } from '../../clickhouse/read-rule-facts.ts';
import type { Aspect } from '../../domain/anomaly.ts';
import type { Signal } from '../../domain/signal.ts';

/** What a rule says of a minute. */
export interface RuleMatch {
  readonly subject: string;
  readonly observed: number;
  /** At which it is broken. */
  readonly limit: number;
  /** In words: `61 of 80 requests failed in a minute`. */
  readonly what: string;
  readonly deviation: number;
}

export interface RuleFacts {
  readonly requests: readonly RequestFactRow[];
  readonly logs: readonly LogFactRow[];
  readonly metrics: readonly MetricFactRow[];
}

/** A match, and whose it is. */
export interface FoundMatch extends RuleMatch {
  readonly service: string;
}

export interface Rule {
  readonly name: string;
  readonly aspect: Aspect;
  readonly signal: Signal;
  readonly unit: string;
  readonly hurtsUsers?: boolean;
  /** Metrics that it needs to know, by their names in lower case; what RE2 and JavaScript both understand. */
  readonly metrics?: readonly RegExp[];
  /** Who breaks it in the minute that begins at `atMs`. */
  find(facts: RuleFacts, atMs: number): FoundMatch[];
}

type Check<Row> = (row: Row, atMs: number, facts: RuleFacts) => RuleMatch | undefined;

function each<Row extends { readonly service: string }>(
  rowsOf: (facts: RuleFacts) => readonly Row[],
  check: Check<Row>,
): Rule['find'] {
  return (facts, atMs) =>
    rowsOf(facts).flatMap((row) => {
      const match = check(row, atMs, facts);
      return match ? [{ ...match, service: row.service }] : [];
    });
}

const ofRequests = (check: Check<RequestFactRow>) => ({
  signal: 'traces' as const,
  find: each(({ requests }) => requests, check),
});
const ofLogs = (check: Check<LogFactRow>) => ({ signal: 'logs' as const, find: each(({ logs }) => logs, check) });
/** @param beside metrics that are needed, and not looked at by themselves */
const ofMetrics = (looked: RegExp, check: Check<MetricFactRow>, beside: readonly RegExp[] = []) => ({
  signal: 'metrics' as const,
  metrics: [looked, ...beside],
  find: each(({ metrics }) => metrics.filter(({ metric }) => looked.test(metric.toLowerCase())), check),
});

/** Rules look back so far at the most. */
export const LOOKBACK_MINUTES = 30;
/** What comes back at once is looked for in so many of them. */
const AGAIN_MINUTES = 10;

const MINUTE_MS = 60_000;
const DAY_SECONDS = 86_400;

/** Full for a minute is nothing; 2 to 5 judge alike. */
const FULL_MINUTES = 3;
/** From 0.95 to 1 judge alike. */
const FULL_SHARE = 0.98;

export const RULES: readonly Rule[] = [
  {
    name: 'most-requests-fail',
    aspect: 'errors',
    unit: '1',
    hurtsUsers: true,
    ...ofRequests((row, atMs) => checkFailures(row, atMs, { leastCalls: 20, share: 0.5, deviation: 2 })),
  },
  {
    name: 'many-requests-fail',
    aspect: 'errors',
    unit: '1',
    hurtsUsers: true,
    ...ofRequests((row, atMs) => checkFailures(row, atMs, { leastCalls: 200, share: 0.2, deviation: 1.6 })),
  },
  { name: 'fatal-lines', aspect: 'logs', unit: '{line}/min', ...ofLogs(checkFatal) },
  { name: 'full', aspect: 'resources', unit: '1', ...ofMetrics(/utili[sz]ation$/, checkUtilization) },
  {
    name: 'used-up',
    aspect: 'resources',
    unit: '1',
    ...ofMetrics(
      /connections?[._](count|usage|active)$|memory[._]working_set$|used_after_last_gc$|file_descriptor[._]count$|filesystem[._]usage$/,
      checkUse,
      [/connections?[._]max$|memory[._]limit$|file_descriptor[._]limit$|filesystem[._]capacity$/],
    ),
  },
  {
    name: 'runs-out',
    aspect: 'resources',
    unit: '1',
    hurtsUsers: true,
    ...ofMetrics(/(memory|disk|filesystem)[._a-z]*utili[sz]ation$/, checkFilling),
  },
  { name: 'restarts', aspect: 'resources', unit: '1', ...ofMetrics(/restarts?(_total)?$/, checkRestarts) },
  { name: 'out-of-memory', aspect: 'resources', unit: '1', ...ofMetrics(/oom[._]?(kill|event)/, checkKills) },
  {
    name: 'certificate-expires',
    aspect: 'errors',
    unit: 's',
    ...ofMetrics(/(cert|tls|ssl|x509).*(time_left|remaining|expir|not_after)/, checkCertificate),
  },
  {
    name: 'queue-grows',
    aspect: 'traffic',
    unit: '{message}',
    ...ofMetrics(/lag(_max|_sum)?$|messages?[._](current|ready|visible)$/, checkQueue, [/consumer.*offset(_sum)?$/]),
  },
];

/** What metrics have to be read for them: see RuleFactReader. */
export const METRICS_OF_RULES = RULES.flatMap(({ metrics = [] }) => metrics.map(({ source }) => source)).join('|');

function indexOf({ atMs }: { readonly atMs: readonly number[] }, minuteMs: number): number {
  return atMs.lastIndexOf(minuteMs);
}

/** Values of the last minutes up to and with the one given, as many as there are without a gap, the newest last. */
function courseOf({ atMs, lasts }: MetricFactRow, minuteMs: number, minutes: number): number[] {
  const course: number[] = [];
  const end = atMs.lastIndexOf(minuteMs);
  for (let back = 0; back < minutes && end >= back && atMs[end - back] === minuteMs - back * MINUTE_MS; back++) {
    course.unshift(lasts[end - back] ?? 0);
  }
  return course;
}

interface FailureLimits {
  readonly leastCalls: number;
  readonly share: number;
  readonly deviation: number;
}

function checkFailures(
  row: RequestFactRow,
  atMs: number,
  { leastCalls, share, deviation }: FailureLimits,
): RuleMatch | undefined {
  const index = indexOf(row, atMs);
  const [calls, errors] = [row.calls[index] ?? 0, row.errors[index] ?? 0];
  if (calls < leastCalls || errors < share * calls) return undefined;
  const what = `${errors} of ${calls} requests failed in a minute`;
  return { subject: 'error rate', observed: errors / calls, limit: share, what, deviation };
}

/** The more lines, the louder; one may be a crash that nobody noticed. */
function checkFatal(row: LogFactRow, atMs: number): RuleMatch | undefined {
  const lines = row.fatalLines[indexOf(row, atMs)] ?? 0;
  if (lines === 0) return undefined;
  const what = `${lines} FATAL ${lines === 1 ? 'line' : 'lines'} in a minute`;
  return {
    subject: 'FATAL lines',
    observed: lines,
    limit: 1,
    what,
    deviation: Math.min(1.4, 0.7 + 0.4 * Math.log10(lines)),
  };
}

/** Full of nothing; and shares of what was asked for, which may be passed. */
const NOT_USED = new Set(['idle', 'free', 'available', 'cached', 'buffered', 'inactive']);
const IS_OF_REQUEST = /request_utili[sz]ation$/;
/** Working as hard as it can is what a processor is for: a whisper. */
const IS_WORK = /cpu|eventloop|gpu/;

function checkUtilization(row: MetricFactRow, atMs: number): RuleMatch | undefined {
  const deviation = IS_WORK.test(row.metric.toLowerCase()) ? 0.7 : 1.2;
  return checkFull(row, sharesOf(row, atMs, FULL_MINUTES), deviation);
}

/** Of all there is, in the last minutes; nothing where the series says another thing. */
function sharesOf(row: MetricFactRow, atMs: number, minutes: number): number[] {
  if (IS_OF_REQUEST.test(row.metric.toLowerCase())) return [];
  if (Object.values(row.attributes).some((value) => NOT_USED.has(value))) return [];
  return courseOf(row, atMs, minutes).map((value) => (row.unit === '%' ? value / 100 : value));
}

/** Fewer make no line; from 5 to 8 judge alike, more of them take of the time that is left. */
const FILLING_MINUTES = 6;
/** Before them: heaps rise between collections, and what has just started fills up to what it needs. */
const BEFORE_MINUTES = 10;
/** What fills in an hour may be let go of in between; from 10 to 20 minutes judge alike. */
const FULL_WITHIN_MINUTES = 15;
/** Share of a line's growth that a value may lie off it. */
const OFF_LINE = 0.15;
/** So much more than ever before is more. */
const LEAST_MORE = 0.03;

/** What fills minute by minute beyond all it held before, and is full before anybody has looked: it can still be prevented. */
function checkFilling(row: MetricFactRow, atMs: number): RuleMatch | undefined {
  const course = sharesOf(row, atMs, LOOKBACK_MINUTES);
  const before = course.slice(0, -FILLING_MINUTES);
  const filling = course.slice(-FILLING_MINUTES);
  const [first = 0, observed = 0] = [filling[0], filling.at(-1)];
  if (before.length < BEFORE_MINUTES || observed < Math.max(...before) + LEAST_MORE) return undefined;
  const step = (observed - first) / (FILLING_MINUTES - 1);
  const isLine = filling.every(
    (share, index) => Math.abs(share - first - index * step) <= OFF_LINE * (observed - first),
  );
  const leftMinutes = (1 - observed) / step;
  if (!isLine || observed >= FULL_SHARE || leftMinutes > FULL_WITHIN_MINUTES) return undefined;
  const percent = (share: number) => `${(share * 100).toFixed(0)} %`;
  const what = `${nameOf(row)} went from ${percent(first)} to ${percent(observed)} in ${FILLING_MINUTES} minutes and is full in ${leftMinutes.toFixed(0)}`;
  return { subject: nameOf(row), observed, limit: Math.max(...before), what, deviation: 1.5 };
}

function checkFull(row: MetricFactRow, course: readonly number[], deviation: number): RuleMatch | undefined {
  const observed = Math.min(...course);
  if (course.length < FULL_MINUTES || observed < FULL_SHARE) return undefined;
  const what = `${nameOf(row)} at ${(observed * 100).toFixed(0)} % for ${FULL_MINUTES} minutes`;
  return { subject: nameOf(row), observed, limit: FULL_SHARE, what, deviation };
}

/** What may be used, by what is used; in lower case, dots for underscores. */
const LIMITS: Readonly<Record<string, readonly string[]>> = {
  'db.client.connection.count': ['db.client.connection.max'],
  'db.client.connections.usage': ['db.client.connections.max'],
  'hikaricp.connections.active': ['hikaricp.connections.max'],
  'container.memory.working.set': ['container.memory.limit', 'k8s.container.memory.limit'],
  'jvm.memory.used.after.last.gc': ['jvm.memory.limit'],
  'process.open.file.descriptor.count': ['process.open.file.descriptor.limit'],
  'k8s.filesystem.usage': ['k8s.filesystem.capacity'],
};

function checkUse(row: MetricFactRow, atMs: number, { metrics }: RuleFacts): RuleMatch | undefined {
  const limits = LIMITS[dotted(row.metric)];
  if (!limits || Object.values(row.attributes).some((value) => NOT_USED.has(value))) return undefined;
  const limit = metrics.find((other) => limits.includes(dotted(other.metric)) && isBeside(other, row));
  if (!limit) return undefined;
  const most = limit.lasts.at(-1) ?? 0;
  if (most <= 0) return undefined;
  return checkFull(
    row,
    courseOf(row, atMs, FULL_MINUTES).map((used) => used / most),
    1.2,
  );
}

function dotted(metric: string): string {
  return metric.toLowerCase().replaceAll('_', '.');
}

/** Of the same thing: what the other says of itself is true of the row, too. */
function isBeside(other: MetricFactRow, row: MetricFactRow): boolean {
  if (other.service !== row.service || other.pod !== row.pod) return false;
  return Object.entries(other.attributes).every(([key, value]) => row.attributes[key] === value);
}

/** Once is worth knowing, three times in ten minutes is a loop. */
function checkRestarts(row: MetricFactRow, atMs: number): RuleMatch | undefined {
  const restarts = growthOf(courseOf(row, atMs, AGAIN_MINUTES));
  if (restarts < 1) return undefined;
  const times = restarts === 1 ? 'once' : `${restarts} times`;
  const what = `restarted ${times} in ${AGAIN_MINUTES} minutes${onPod(row)}`;
  return {
    subject: 'restarts',
    observed: restarts,
    limit: 1,
    what,
    deviation: restarts > 2 ? 1.4 : restarts > 1 ? 1 : 0.7,
  };
}

function checkKills(row: MetricFactRow, atMs: number): RuleMatch | undefined {
  const kills = growthOf(courseOf(row, atMs, AGAIN_MINUTES));
  if (kills < 1) return undefined;
  const what = `killed for want of memory ${kills === 1 ? 'once' : `${kills} times`} in ${AGAIN_MINUTES} minutes${onPod(row)}`;
  return { subject: 'out of memory', observed: kills, limit: 1, what, deviation: 1.4 };
}

/** Of a counter; where it fell it began anew, and says nothing. */
function growthOf(course: readonly number[]): number {
  return course.reduce((sum, value, index) => sum + Math.max(0, value - (course[index - 1] ?? value)), 0);
}

const UNIX_SECONDS = 1e9;

function checkCertificate(row: MetricFactRow, atMs: number): RuleMatch | undefined {
  const [value] = courseOf(row, atMs, 1);
  if (value === undefined) return undefined;
  const left = value > UNIX_SECONDS ? value - atMs / 1_000 : value;
  if (left > 7 * DAY_SECONDS) return undefined;
  const when = left <= 0 ? 'has expired' : `expires in ${(left / DAY_SECONDS).toFixed(1)} days`;
  const deviation = left <= 0 ? 1.4 : left < DAY_SECONDS ? 1.2 : 0.7;
  return {
    subject: nameOf(row),
    observed: left,
    limit: 7 * DAY_SECONDS,
    what: `a certificate ${when} (${nameOf(row)})`,
    deviation,
  };
}

/** Waiting messages below which nobody waits long. */
const LEAST_QUEUE = 100;

function checkQueue(row: MetricFactRow, atMs: number, { metrics }: RuleFacts): RuleMatch | undefined {
  const course = courseOf(row, atMs, AGAIN_MINUTES);
  const [first = 0, last = 0] = [course[0], course.at(-1)];
  const isRising = course.every((value, index) => index === 0 || value > (course[index - 1] ?? 0));
  if (course.length < AGAIN_MINUTES || !isRising || last < LEAST_QUEUE || last < 2 * first) return undefined;
  const offsets = metrics.find((other) => /offset/.test(other.metric) && isBeside(row, other) && isBeside(other, row));
  const isConsumed = offsets !== undefined && growthOf(courseOf(offsets, atMs, AGAIN_MINUTES)) > 0;
  const what = `${nameOf(row)} rose from ${first} to ${last} in ${AGAIN_MINUTES} minutes without a pause`;
  return { subject: nameOf(row), observed: last, limit: 2 * first, what, deviation: isConsumed ? 0.8 : 1.3 };
}

function nameOf(row: MetricFactRow): string {
  const labels = Object.entries(row.attributes).map(([key, value]) => `${key}=${value}`);
  return [row.metric, ...labels].join(' ') + onPod(row);
}

function onPod({ pod }: MetricFactRow): string {
  return pod === '' ? '' : ` on ${pod}`;
}
