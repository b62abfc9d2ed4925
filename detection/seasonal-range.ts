/**
 * The seasonal veto: what a series did in the same hour of enough past days is usual, however odd it looks beside the last hours (a
 * nightly batch, a weekly job, the morning's peak). Pure.
 */
import type { Anomaly } from '../domain/anomaly.ts';
import { expectationOf, GROWTH_DETAIL, LEAST_TIMES, type PastTimes, type SeriesBaseline } from '../domain/baseline.ts';
import type { SeriesName } from '../domain/series-name.ts';

/**
 * Half of the days went further than the middle one: so much more of the way from the expected value is usual too. From 0.1 to 0.5 judge
 * alike.
 */
const MARGIN = 0.25;
/** Baselines are kept in 32 bits. */
const ROUNDING = 1e-6;
const MINUTE_MS = 60_000;

/**
 * The place in `highs` and `lows` of what past days kept up for at least so many minutes. Something that has lasted for twice as long
 * is compared with it: what spikes for a minute every day does not excuse what stays.
 */
const KEPT_UP_MINUTES = [1, 2, 7, 16, 31];

/** The baseline to judge the anomaly's figures by. */
export function baselineNameOf({ series, subject, unit }: Anomaly): SeriesName {
  if (series.kind === 'duration') {
    return { ...series, detail: `${series.detail} ${subject.startsWith('median') ? 'p50' : 'p95'}` };
  }
  const isGrowth = series.kind === 'metric' && unit.endsWith('/min');
  return isGrowth ? { ...series, detail: series.detail + GROWTH_DETAIL } : series;
}

/**
 * At least half of the past days (three, at the least), or of the same days of past weeks, went as far in that hour or one beside it, and for half
 * as long. What only happened on a few of them was abnormal then, too.
 */
export function isUsual(anomaly: Anomaly, baseline: SeriesBaseline | undefined): boolean {
  if (!baseline) return false;
  return reaches(anomaly, baseline.ofDays) || reaches(anomaly, baseline.ofWeeks);
}

function reaches({ observed, expected, sinceMs, window }: Anomaly, past: PastTimes): boolean {
  if (past.times < LEAST_TIMES) return false;
  const keptUp = (window.endMs - sinceMs) / MINUTE_MS / 2;
  const place = Math.max(
    0,
    KEPT_UP_MINUTES.findLastIndex((minutes) => minutes <= keptUp),
  );
  const usual = past.usual[0] ?? 0;
  const far = (observed >= expected ? past.highs : past.lows)[place] ?? usual;
  const bound = far + MARGIN * (far - usual);
  const slack = ROUNDING * Math.abs(bound);
  return observed >= expected ? observed <= bound + slack : observed >= bound - slack;
}

/** With what is expected at that hour, where past days say; the sentence follows. The last hours the detector knows better itself. */
export function withSeason(anomaly: Anomaly, baseline: SeriesBaseline | undefined): Anomaly {
  const season = baseline && expectationOf(baseline);
  if (!season || season.basis === 'recent') return anomaly;
  const { expected, range, times } = season;
  const show = (value: number) => showValue(value, anomaly);
  const past = season.basis === 'hour-of-week' ? `the last ${times} weeks` : `${times} days like this`;
  const normally = `, normally ${show(expected)} at this hour of ${past} (${show(range[0])} to ${show(range[1])}).`;
  const at = anomaly.sentence.lastIndexOf(', normally ');
  const sentence = at < 0 ? anomaly.sentence : anomaly.sentence.slice(0, at) + normally;
  return { ...anomaly, expected, range: [...range], sentence };
}

/** As detectors do. */
function showValue(value: number, { unit, series }: Anomaly): string {
  const figure = Number(value.toPrecision(3));
  if (unit === '1' && series.kind === 'errors') return `${Number((value * 100).toPrecision(3))} %`;
  if (unit === '1/s') return `${figure}/s`;
  if (unit === 'ms' && value >= 1_000) return `${Number((value / 1_000).toPrecision(3))} s`;
  return unit === '' || unit === '1' ? `${figure}` : `${figure} ${unit}`;
}
