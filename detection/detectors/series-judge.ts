/**
 * Judges a minute of all metric series at once: each against its own past, then what they say of their services. Owns the states
 * of the series; reads and keeps nothing.
 */
import type { Anomaly } from '../../domain/anomaly.ts';
import { type SeriesName, seriesKey } from '../../domain/series-name.ts';
import { meaningOf } from './series-aspect.ts';
import {
  type CourseJudgement,
  type Fleet,
  judgeCourse,
  newFleet,
  newSeriesCourse,
  type SeriesCourse,
} from './series-course.ts';
import { newSeriesState, type SeriesState } from './series-detector.ts';
import { type JudgedSeries, type Leads, reportSeries, type SeriesIdentity } from './series-report.ts';
import { judgeSeason } from './series-season.ts';

const MINUTE_MS = 60_000;
/** A series that is seen in fewer of its service's minutes comes only at times. */
const STEADY_SHARE = 0.8;
/** A minute with fewer requests says little of how long they take or fail; from 6 to 20 judge alike. */
const MANY_REQUESTS = 10;
/** A series, a pod, a service that was not seen for so long is forgotten. */
const FORGOTTEN_MS = 3 * 86_400_000;

export interface MetricPoint {
  readonly service: string;
  readonly metric: string;
  readonly kind: string;
  readonly pod: string;
  readonly attributesKey: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly unit: string;
  readonly mean: number;
  readonly last: number;
}

/** A series as it is kept between minutes. */
export interface WatchedSeries {
  readonly course: SeriesCourse;
  /** Of what outlives its pods. */
  season?: SeriesState;
  /** Minutes of its service when it came. */
  readonly cameAt: number;
  /** End of the newest minute that it has learned. */
  learnedToMs: number;
}

export interface SeriesJudge {
  readonly series: ReadonlyMap<string, WatchedSeries>;
  /** The series has not judged this minute, nor a later one. */
  isNew(atMs: number, point: MetricPoint): boolean;
  /** The minute of [atMs, atMs + 60 s), in order of time or late; learns what is new of it. */
  judge(atMs: number, points: readonly MetricPoint[]): Anomaly[];
  /** In which the service was observed. */
  minutesOf(service: string): number;
  restore(key: string, series: WatchedSeries, minutes: number): void;
}

export function createSeriesJudge(without: ReadonlySet<string>): SeriesJudge {
  const series = new Map<string, WatchedSeries>();
  const identities = new Map<string, SeriesIdentity | undefined>();
  const minutes = new Map<string, number>();
  const leads: Leads = new Map();
  /** By metric and attributes; not kept: some hours make them again. */
  const fleets = new Map<string, Fleet>();
  let sweptMs = 0;
  let newestMs = 0;

  function identityOf(key: string, point: MetricPoint): SeriesIdentity | undefined {
    if (!identities.has(key)) {
      const meaning = meaningOf(point.metric, point.pod);
      const { pod, attributes, unit } = point;
      identities.set(key, meaning && { name: nameOf(point), pod, attributes, unit, meaning });
    }
    return identities.get(key);
  }

  function fleetOf({ metric, attributesKey }: MetricPoint): Fleet {
    const key = `${metric} ${attributesKey}`;
    const fleet = fleets.get(key) ?? newFleet();
    fleets.set(key, fleet);
    return fleet;
  }

  function judgePoint(atMs: number, point: MetricPoint): JudgedSeries[] {
    const key = seriesKey(nameOf(point));
    const identity = identityOf(key, point);
    if (!identity) return [];
    const serviceMinutes = minutes.get(point.service) ?? 1;
    const watched = series.get(key) ?? { course: newSeriesCourse(), cameAt: serviceMinutes - 1, learnedToMs: 0 };
    series.set(key, watched);
    if (watched.learnedToMs > atMs) return [];
    watched.learnedToMs = atMs + MINUTE_MS;
    const { worse, isAwaited, aspect } = identity.meaning;
    const perMinute = aspect === 'traffic' && point.unit.endsWith('/s') ? 60 : 0;
    // Long polls: now and then one service waits for half a minute, then another.
    const fleet = isAwaited ? fleetOf(point) : undefined;
    const options = { isGauge: point.kind === 'gauge', worse, perMinute, fleet, without };
    const judgement = judgeCourse(watched.course, { atMs, mean: point.mean, last: point.last }, options);
    // What a service waits for may take long by design: only its own past can say that this is new.
    if (!judgement || (isAwaited && !judgement.isKnown)) return [];
    const seasoned = withSeason(watched, point, atMs, judgement);
    return [{ identity, judgement: seasoned, isSteady: isSteady(identity, watched, serviceMinutes) }];
  }

  /** What of its days says more than what of its last hour. */
  function withSeason(watched: WatchedSeries, { pod, metric }: MetricPoint, atMs: number, judgement: CourseJudgement) {
    if (pod !== '' || without.has('seasonal')) return judgement;
    watched.season ??= newSeriesState();
    const deviation = judgeSeason(watched.season, atMs, judgement.value, meaningOf(metric, pod)?.worse);
    const sinceMs = atMs + MINUTE_MS / 2;
    return deviation > judgement.deviation
      ? { ...judgement, deviation, view: 'seasonal' as const, sinceMs }
      : judgement;
  }

  function forget(atMs: number): void {
    if (atMs - sweptMs < FORGOTTEN_MS / 10) return;
    sweptMs = atMs;
    for (const [key, { learnedToMs }] of series) {
      if (atMs - learnedToMs <= FORGOTTEN_MS) continue;
      series.delete(key);
      identities.delete(key);
    }
  }

  return {
    series,
    isNew: (atMs, point) => (series.get(seriesKey(nameOf(point)))?.learnedToMs ?? 0) <= atMs,
    judge: (atMs, points) => {
      const isLate = atMs < newestMs;
      newestMs = Math.max(newestMs, atMs);
      forget(atMs);
      const services = isLate ? [] : new Set(points.map(({ service }) => service));
      for (const service of services) minutes.set(service, (minutes.get(service) ?? 0) + 1);
      const judged = withoutTinyRates(points.flatMap((point) => judgePoint(atMs, point)));
      const window = { startMs: atMs, endMs: atMs + MINUTE_MS };
      return reportSeries(judged, window, isLate ? new Map(leads) : leads);
    },
    minutesOf: (service) => minutes.get(service) ?? 0,
    restore: (key, watched, serviceMinutes) => {
      series.set(key, watched);
      const { service } = readSeriesKey(key);
      minutes.set(service, Math.max(serviceMinutes, minutes.get(service) ?? 0));
    },
  };
}

function isSteady(
  { meaning, pod }: SeriesIdentity,
  { course, cameAt }: WatchedSeries,
  serviceMinutes: number,
): boolean {
  // Requests go from pod to pod as pods come and go: how many one of them gets says nothing by itself.
  const isShareOfTraffic = meaning.aspect === 'traffic' && pod !== '';
  return !isShareOfTraffic && course.seen >= STEADY_SHARE * (serviceMinutes - cameAt);
}

/** What a service with a request now and then shows of its requests is what one of them showed. */
function withoutTinyRates(judged: readonly JudgedSeries[]): JudgedSeries[] {
  const requests = new Map<string, number>();
  for (const { identity, judgement } of judged) {
    if (identity.meaning.aspect !== 'traffic' || !identity.meaning.isServed) continue;
    const { service } = identity.name;
    const perMinute = Math.max(judgement.value, judgement.expected) * (identity.unit.endsWith('/s') ? 60 : 1);
    requests.set(service, Math.max(perMinute, requests.get(service) ?? 0));
  }
  return judged.map((one) => {
    const isOfRequests = one.identity.meaning.aspect !== 'resources';
    const isTiny = (requests.get(one.identity.name.service) ?? MANY_REQUESTS) < MANY_REQUESTS;
    return isOfRequests && isTiny ? { ...one, isSteady: false } : one;
  });
}

function readSeriesKey(key: string): { readonly service: string } {
  const [, service = ''] = JSON.parse(key) as string[];
  return { service };
}

function nameOf({ service, metric, pod, attributesKey }: MetricPoint): SeriesName {
  return { kind: 'metric', service, name: metric, detail: `${pod} ${attributesKey}` };
}
