/** Anomalies of metric series as people read them, and only the few that say something: one for each service and aspect. */
import { type Anomaly, type Aspect, anomalyIdOf } from '../../domain/anomaly.ts';
import type { SeriesName } from '../../domain/series-name.ts';
import { formatMinute, type TimeWindow } from '../../domain/time-window.ts';
import type { MetricMeaning } from './series-aspect.ts';
import type { CourseJudgement } from './series-course.ts';

/** A deviation below it is not heard at all. */
export const WHISPER = 0.5;

/**
 * Where one aspect alone is abnormal of a service, it whispers, unless it passes its bar so many times over: then it is seen, and
 * others have to agree. From 1.5 to 2 as many faults are found; 3 loses some.
 */
const HEARD_ALONE = 2;
const WHISPER_MOST = 0.99;

export interface SeriesIdentity {
  readonly name: SeriesName;
  readonly pod: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly unit: string;
  readonly meaning: MetricMeaning;
}

export interface JudgedSeries {
  readonly identity: SeriesIdentity;
  readonly judgement: CourseJudgement;
  /** Seen in most minutes in which its service was: what comes only at times speaks for few requests. */
  readonly isSteady: boolean;
}

/** The series that an aspect of a service is known by as long as it is abnormal: by service and aspect. */
export type Leads = Map<string, { readonly series: string; readonly sinceMs: number }>;

/** So much a service needs to be heard where nothing of it passes its bar: what others see beside it may make it count. */
const CLEAR_WHISPER = 0.75;

/** What comes only at times counts for half, and never says by itself that something is wrong. */
const UNSTEADY = 0.5;

export function deviationOf({ judgement, isSteady }: JudgedSeries): number {
  return isSteady ? judgement.deviation : Math.min(WHISPER_MOST, judgement.deviation * UNSTEADY);
}

/**
 * The strongest series of each service and aspect; whispers where the service has something to say, or are clear. Keeps `leads`:
 * the series that began goes on being the one that is named.
 */
export function reportSeries(judged: readonly JudgedSeries[], window: TimeWindow, leads: Leads): Anomaly[] {
  const heard = judged.filter((one) => deviationOf(one) >= WHISPER);
  const groups = Map.groupBy(heard, ({ identity }) => leadKey(identity.name.service, identity.meaning.aspect));
  for (const key of leads.keys()) if (!groups.has(key)) leads.delete(key);
  const services = Map.groupBy(heard, ({ identity }) => identity.name.service);
  return [...groups].flatMap(([key, series]) => {
    const strongest = series.reduce(stronger);
    const ofService = services.get(strongest.identity.name.service) ?? [];
    if (deviationOf(strongest) < CLEAR_WHISPER && deviationOf(ofService.reduce(stronger)) < 1) return [];
    const isAlone = series.length === ofService.length && deviationOf(strongest) < HEARD_ALONE;
    const deviation = isAlone ? Math.min(WHISPER_MOST, deviationOf(strongest)) : deviationOf(strongest);
    const lead = leads.get(key);
    const named = series.find(({ identity }) => idOf(identity) === lead?.series) ?? strongest;
    const sinceMs = lead?.sinceMs ?? strongest.judgement.sinceMs;
    if (!lead && deviationOf(strongest) >= 1) leads.set(key, { series: idOf(strongest.identity), sinceMs });
    return [anomalyFrom(named, { deviation, sinceMs, window, hurtsUsers: series.some(isNoticed) })];
  });
}

/** Somebody waits or is refused: who asks the service, or the service of whom it asks. */
function isNoticed(one: JudgedSeries): boolean {
  const { worse, isServed, isAwaited, aspect } = one.identity.meaning;
  const isWorse = worse === undefined || one.judgement.z * worse > 0;
  return deviationOf(one) >= 1 && isWorse && (isServed || isAwaited) && aspect !== 'traffic';
}

function stronger(one: JudgedSeries, other: JudgedSeries): JudgedSeries {
  return deviationOf(other) > deviationOf(one) ? other : one;
}

function leadKey(service: string, aspect: Aspect): string {
  return `${aspect} ${service}`;
}

function idOf({ name }: SeriesIdentity): string {
  return `${name.name} ${name.detail}`;
}

interface Reported {
  readonly deviation: number;
  readonly sinceMs: number;
  readonly window: TimeWindow;
  readonly hurtsUsers: boolean;
}

function anomalyFrom(
  { identity, judgement }: JudgedSeries,
  { deviation, sinceMs, window, hurtsUsers }: Reported,
): Anomaly {
  const { name, meaning } = identity;
  const unit = judgement.isGrowth ? `${identity.unit === '' ? '1' : identity.unit}/min` : identity.unit;
  const [low, high] = judgement.range;
  const { value, expected, view } = judgement;
  const subject = subjectOf(identity);
  const show = (figure: number) => showFigure(figure, unit);
  return {
    anomalyId: anomalyIdOf(name, 'series', sinceMs),
    signal: 'metrics',
    service: name.service,
    series: name,
    subject,
    aspect: meaning.aspect,
    detector: view,
    window,
    sinceMs,
    observed: value,
    expected,
    range: [low, high],
    deviation,
    unit,
    hurtsUsers,
    sentence: `${name.service}: ${subject} ${show(value)} since ${formatMinute(sinceMs)} UTC, normally ${show(expected)} (${show(low)} to ${show(high)}).`,
    correlated: [],
  };
}

function subjectOf({ name, pod, attributes }: SeriesIdentity): string {
  const labels = Object.entries(attributes).map(([key, value]) => `${key}=${value}`);
  const of = labels.length > 0 ? ` ${labels.join(' ')}` : '';
  return `${name.name}${of}${pod === '' || pod === name.service ? '' : ` on ${pod}`}`;
}

function showFigure(value: number, unit: string): string {
  const figure = Number(value.toPrecision(3));
  return unit === '' || unit === '1' ? `${figure}` : `${figure} ${unit}`;
}
