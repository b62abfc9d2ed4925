/**
 * Fragments of SQL over otel_traces that the trace readers share: which spans count for a window or its baseline, which are
 * entries into a service, and how much of a long stretch of time is read. Constants only: every value is a bound parameter.
 */
import type { QueryParameters } from '../domain/evidence.ts';
import type { TimeWindow } from '../domain/time-window.ts';

export interface WindowQuestion {
  readonly window: TimeWindow;
  readonly baseline?: TimeWindow | undefined;
}

/** Traces are read whole when no more spans than this start in a window; beyond, every n-th trace by hash stands for n. */
const SAMPLE_SPANS = 1_000_000;

/** Parents start before, and children after, the edge of a window: so much of its surroundings is read with it. */
const SLACK_MS = 60_000;

/** DateTime ends in 2106 and wraps beyond. */
const LAST_DATETIME_MS = 4_294_967_000_000;

/** Binds both windows; without a baseline that one is empty, and its counts are 0. */
export function windowParameters({ window, baseline }: WindowQuestion): QueryParameters {
  return {
    startMs: window.startMs,
    endMs: window.endMs,
    baselineStartMs: baseline?.startMs ?? 0,
    baselineEndMs: baseline?.endMs ?? 0,
  };
}

/**
 * Spans that start in a stretch of time, both ends SQL for milliseconds. The table's key holds five-minute steps before
 * Timestamp: granules are skipped only where the condition names them too. Compared as DateTime64, because against a DateTime
 * the engine skips parts whose rows all lie in the last second (seen with 26.7).
 */
export function spansWithin(start: string, end: string): string {
  const from = `fromUnixTimestamp64Milli(greatest(${start}, 0))`;
  const to = `fromUnixTimestamp64Milli(least(${end}, ${LAST_DATETIME_MS}))`;
  const step = (time: string) => `toStartOfFiveMinutes(toDateTime(${time}))`;
  return `(Timestamp >= ${from} AND Timestamp < ${to}
    AND ${step('Timestamp')} >= ${step(from)} AND ${step('Timestamp')} <= ${step(to)})`;
}

export const IN_WINDOW = spansWithin('{startMs:Int64}', '{endMs:Int64}');
export const IN_BASELINE = spansWithin('{baselineStartMs:Int64}', '{baselineEndMs:Int64}');
export const NEAR_WINDOW = spansWithin(`{startMs:Int64} - ${SLACK_MS}`, `{endMs:Int64} + ${SLACK_MS}`);
const NEAR_BASELINE = spansWithin(`{baselineStartMs:Int64} - ${SLACK_MS}`, `{baselineEndMs:Int64} + ${SLACK_MS}`);
export const NEAR_EITHER = `(${NEAR_WINDOW} OR ${NEAR_BASELINE})`;

export const FAILED = "(StatusCode = 'Error')";
export const DURATION_MS = '(Duration / 1e6)';
export const POD =
  "if(ResourceAttributes['k8s.pod.name'] != '', ResourceAttributes['k8s.pod.name'], ResourceAttributes['service.instance.id'])";

/** Attributes of a span's first exception, empty when it has none. */
export const EXCEPTION = "Events.Attributes[indexOf(Events.Name, 'exception')]";

/** True for all services, or for the one that was asked for. */
export const OF_SERVICE = "({service:String} = '' OR ServiceName = {service:String})";

/** Parents and children meet in these keys; eight bytes instead of forty-eight in every set and join. */
export const SPAN_KEY = 'cityHash64(TraceId, SpanId)';
export const PARENT_KEY = 'cityHash64(TraceId, ParentSpanId)';

/** Entry spans that their row alone shows; the rollups count these (migrations/0005-rollups.sql). */
export const SURE_ENTRY = `(SpanKind IN ('Server', 'Consumer') OR (ParentSpanId = '' AND SpanKind NOT IN ('Client', 'Producer')))`;

/** Spans whose source records no kinds: entries, unless their parent is a span of the same service. */
const KINDLESS = `(SpanKind = 'Unspecified' AND ParentSpanId != '')`;

/**
 * Spans without a kind through which work comes into a service.
 * @param scope condition under which their parents are looked for
 */
export function kindlessEntry(scope: string): string {
  return `(${KINDLESS} AND cityHash64(TraceId, ParentSpanId, ServiceName) NOT IN (
      SELECT cityHash64(TraceId, SpanId, ServiceName) FROM otel_traces WHERE SpanKind = 'Unspecified' AND ${scope}))`;
}

/**
 * Spans through which work comes into a service: Server, Consumer, roots that are no outgoing call, and, among spans whose
 * source records no kinds at all, those whose parent is not a span of the same service.
 * @param scope condition on Timestamp under which parents of kindless spans are looked for
 */
export function entrySpan(scope: string): string {
  return `(${SURE_ENTRY} OR ${kindlessEntry(scope)})`;
}

/** Two scalars for a WITH clause: of how many traces one is read, in the window and in the baseline. */
export const SAMPLING = `
  (SELECT toUInt64(greatest(1, ceil(count() / ${SAMPLE_SPANS}))) FROM otel_traces WHERE ${IN_WINDOW}) AS windowSampling,
  (SELECT toUInt64(greatest(1, ceil(count() / ${SAMPLE_SPANS}))) FROM otel_traces WHERE ${IN_BASELINE}) AS baselineSampling`;

/** Whether a span starts in the (sampled) window or baseline; both need SAMPLING. */
export const SAMPLED_IN_WINDOW = `(${IN_WINDOW} AND cityHash64(TraceId) % windowSampling = 0)`;
export const SAMPLED_IN_BASELINE = `(${IN_BASELINE} AND cityHash64(TraceId) % baselineSampling = 0)`;

/** Whether a span belongs to the traces that are read for either window, its surroundings included; needs SAMPLING. */
export const SAMPLED_NEAR_EITHER = `((${NEAR_WINDOW} AND cityHash64(TraceId) % windowSampling = 0)
  OR (${NEAR_BASELINE} AND cityHash64(TraceId) % baselineSampling = 0))`;

/** Minutes of a condition's span of time in which any span arrived, so that holes in coverage do not dilute rates. */
function observedMinutes(condition: string, start: string, end: string): string {
  return `(SELECT least(toFloat64(uniqExact(toStartOfMinute(Timestamp))), (${end} - ${start}) / 60000) FROM otel_traces WHERE ${condition})`;
}

export const WINDOW_MINUTES = observedMinutes(IN_WINDOW, '{startMs:Int64}', '{endMs:Int64}');
export const BASELINE_MINUTES = observedMinutes(IN_BASELINE, '{baselineStartMs:Int64}', '{baselineEndMs:Int64}');

/** Quantiles that do not depend on the order in which threads see the rows; null when there are none. */
export function quantileMs(level: number, value: string, condition: string): string {
  return `quantileDeterministicIf(${level})(${value}, cityHash64(SpanId), ${condition})`;
}

/** An object column: every member a Float64, in JSON `{name: number | null}` (NaN, as of a quantile of nothing, is null). */
export function numbersTuple(members: Readonly<Record<string, string>>): string {
  const names = Object.keys(members).map((name) => `${name} Float64`);
  return `CAST(tuple(${Object.values(members).join(', ')}) AS Tuple(${names.join(', ')}))`;
}

/** |a - b| / (|a| + |b| + floor), in [0, 1]; 0 where either is unknown. `floor` keeps changes below it from looking large. */
export function relativeChange(left: string, right: string, floor: number): string {
  return `ifNotFinite(abs(${left} - ${right}) / (abs(${left}) + abs(${right}) + ${floor}), 0)`;
}

/** What is small in milliseconds: a change from 0.1 to 0.3 is none. */
export const SMALL_MS = 1;

/** 0..1: how far numbers from so many calls can be trusted to be a change; a half at twenty. */
export function trust(calls: string): string {
  return `(${calls} / (${calls} + 20))`;
}
