/** The statement that compares kinds of log lines with normal time. */
import {
  LOGS_IN_BASELINE,
  LOGS_IN_WINDOW,
  MINED_OR_MASKED_TEMPLATE,
  SEVERITY,
  WITH_MINED_TEMPLATE,
} from './log-sql.ts';
import { OF_SERVICE } from './span-sql.ts';

/** From this significance on a change is one; about one false call in 740 for pure chance. */
const SIGNIFICANT = 3;
/** A burst is at least so many times the normal rate. */
const BURST_RATIO = 2;
const SAMPLE_CHARACTERS = 500;

const ANY_MINUTES = 'toFloat64(uniqExact(toStartOfMinute(TimestampTime)))';

/**
 * Signed root of the likelihood ratio of two Poisson rates (G-test; Dunning 1993): `exposure`s are minutes or traces. Null
 * where either is 0. Close to a z-score, also for counts that are small.
 */
function signedRoot(windowExposure: string, baselineExposure: string): string {
  const expectedInWindow = `((windowCount + baselineCount) * ${windowExposure} / (${windowExposure} + ${baselineExposure}))`;
  const expectedInBaseline = `((windowCount + baselineCount) * ${baselineExposure} / (${windowExposure} + ${baselineExposure}))`;
  const share = (count: string, expected: string): string =>
    `if(${count} = 0, 0, ${count} * log(${count} / ${expected}))`;
  return `if(${windowExposure} > 0 AND ${baselineExposure} > 0,
      sign(windowCount - ${expectedInWindow})
        * sqrt(greatest(0., 2 * (${share('windowCount', expectedInWindow)} + ${share('baselineCount', expectedInBaseline)}))),
      NULL)`;
}

/**
 * Binds windowParameters, service, minSeverity and limit. The significance is the smaller of the one by observed minutes and
 * the one by traces (0 when they disagree about the direction), so that more traffic alone is no change; it is divided by the
 * root of the overdispersion that the baseline's minutes show, so that what always comes in bursts is no burst.
 */
export const COMPARE_TEMPLATES = `
WITH
lines AS (
  SELECT ServiceName AS service, ${SEVERITY} AS severityNumber, SeverityText AS severityText, Body AS body, TraceId AS traceId,
    toUnixTimestamp64Milli(Timestamp) AS atMs, cityHash64(TraceId) AS traceKey, ${LOGS_IN_WINDOW} AS isWindow,
    intDiv(atMs - if(isWindow, {startMs:Int64}, {baselineStartMs:Int64}), 60000) AS minute,
    ${MINED_OR_MASKED_TEMPLATE} AS template
  FROM otel_logs ${WITH_MINED_TEMPLATE}
  WHERE (${LOGS_IN_WINDOW} OR ${LOGS_IN_BASELINE}) AND ${OF_SERVICE}
),
services AS (
  SELECT service,
    toFloat64(uniqExactIf(minute, isWindow)) AS windowOwnMinutes, toFloat64(uniqExactIf(minute, NOT isWindow)) AS baselineOwnMinutes,
    toFloat64(uniqExactIf(traceKey, isWindow AND traceId != '')) AS windowServiceTraces,
    toFloat64(uniqExactIf(traceKey, NOT isWindow AND traceId != '')) AS baselineServiceTraces
  FROM lines
  GROUP BY service
),
(SELECT ${ANY_MINUTES} FROM otel_logs WHERE ${LOGS_IN_WINDOW}) AS windowAnyMinutes,
(SELECT ${ANY_MINUTES} FROM otel_logs WHERE ${LOGS_IN_BASELINE} AND NOT ${LOGS_IN_WINDOW}) AS baselineAnyMinutes,
byMinute AS (
  SELECT service, severityNumber, severityText, template, isWindow, minute,
    count() AS minuteCount, min(atMs) AS firstMs, max(atMs) AS lastMs,
    uniqExactStateIf(traceKey, isWindow AND traceId != '') AS traces,
    min((atMs, traceId, leftUTF8(body, ${SAMPLE_CHARACTERS}))) AS sample,
    minIf((atMs, traceId), traceId != '') AS tracedSample
  FROM lines
  WHERE severityNumber >= {minSeverity:UInt8}
  GROUP BY service, severityNumber, severityText, template, isWindow, minute
),
templates AS (
  SELECT service, severityNumber, severityText, template,
    toFloat64(sumIf(minuteCount, isWindow)) AS windowCount, toFloat64(sumIf(minuteCount, NOT isWindow)) AS baselineCount,
    toFloat64(sumIf(minuteCount * minuteCount, NOT isWindow)) AS baselineSquares,
    toFloat64(uniqExactMerge(traces)) AS windowTraces,
    toFloat64(minOrNullIf(firstMs, isWindow)) AS firstSeenMs, toFloat64(maxOrNullIf(lastMs, isWindow)) AS lastSeenMs,
    min((NOT isWindow, sample)).2.3 AS sampleBody,
    minIf((NOT isWindow, tracedSample), tracedSample.2 != '').2.2 AS sampleTraceId
  FROM byMinute
  GROUP BY service, severityNumber, severityText, template
)
SELECT service, severityNumber, severityText, template,
  multiIf(windowMinutes = 0 OR baselineMinutes = 0, 'unobserved',
    baselineCount = 0, 'appeared',
    windowCount = 0 AND significance <= -${SIGNIFICANT}, 'vanished',
    ratio >= ${BURST_RATIO} AND significance >= ${SIGNIFICANT}, 'burst',
    'steady') AS status,
  significance, windowCount, baselineCount, windowPerMinute, baselinePerMinute, ratio, windowPerTrace, baselinePerTrace,
  windowTraces, firstSeenMs, lastSeenMs, sampleBody, sampleTraceId, toFloat64(count() OVER ()) AS totalRows
FROM (
  SELECT *,
    least(if(windowOwnMinutes > 0, windowOwnMinutes, windowAnyMinutes), ({endMs:Int64} - {startMs:Int64}) / 60000) AS windowMinutes,
    least(if(baselineOwnMinutes > 0, baselineOwnMinutes, baselineAnyMinutes),
      ({baselineEndMs:Int64} - {baselineStartMs:Int64}) / 60000) AS baselineMinutes,
    if(windowMinutes > 0, windowCount / windowMinutes, NULL) AS windowPerMinute,
    if(baselineMinutes > 0, baselineCount / baselineMinutes, NULL) AS baselinePerMinute,
    if(baselinePerMinute > 0, windowPerMinute / baselinePerMinute, NULL) AS ratio,
    if(windowServiceTraces > 0, windowCount / windowServiceTraces, NULL) AS windowPerTrace,
    if(baselineServiceTraces > 0, baselineCount / baselineServiceTraces, NULL) AS baselinePerTrace,
    if(baselineCount > 0 AND baselineMinutes > 0,
      greatest(1., baselineSquares / baselineCount - baselinePerMinute), 1.) AS overdispersion,
    ${signedRoot('windowMinutes', 'baselineMinutes')} AS byMinutes,
    ${signedRoot('windowServiceTraces', 'baselineServiceTraces')} AS byTraces,
    multiIf(isNull(byTraces), byMinutes, sign(byTraces) != sign(byMinutes), 0., abs(byTraces) < abs(byMinutes), byTraces, byMinutes)
      / sqrt(overdispersion) AS significance
  FROM templates INNER JOIN services USING (service)
)
ORDER BY isNull(significance), abs(significance) DESC, service, severityNumber, severityText, template
LIMIT {limit:UInt32}`;
