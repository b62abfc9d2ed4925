/**
 * The narrowest rule that would have kept quiet what was called noise, tried on the stored past before a person is asked: how much
 * it would have hidden, and which real incidents would not have opened. Pure.
 */
import type { Anomaly } from '../domain/anomaly.ts';
import type { AnomalyRecord } from '../domain/anomaly-record.ts';
import type { Judgement } from '../domain/feedback.ts';
import {
  type BackTest,
  coversThroughout,
  daysOf,
  isHarmful,
  type NoiseScope,
  rawDeviation,
} from '../domain/noise-rule.ts';
import { seriesKey } from '../domain/series-name.ts';
import { isIncident } from './group-anomalies.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** How much worse than what was called noise may be hidden: from 1.3 to 2 judge alike, an anomaly is kept to a quarter. */
const MARGIN = 1.5;
/** On so many different days it has to have been seen before the hour, or the day of the week, means anything. */
const DAYS_OF_HOURS = 3;
const DAYS_OF_WEEK = 5;
/** More than that is no time of the day. */
const MOST_HOURS = 12;

export interface PastIncident {
  readonly incidentId: string;
  /** Absent: nobody knows. */
  readonly judgement: Judgement | undefined;
  readonly anomalies: readonly Anomaly[];
}

export interface Past {
  /** So much of it is stored. */
  readonly days: number;
  /** Of the subject that a rule is to be about. */
  readonly records: readonly AnomalyRecord[];
  /** All that detection opened. */
  readonly incidents: readonly PastIncident[];
  /** What people said about single anomalies. */
  readonly judged: ReadonlyMap<string, Judgement>;
}

export interface TriedScope {
  readonly scope: NoiseScope;
  readonly backTest: BackTest;
}

/**
 * Of the scopes that hide nothing real, the narrowest that covers whatever else was seen of the subject, or else the most of it.
 * Where even one series at its hour hides something real, that one comes back: isHarmful(backTest), and is not to be proposed.
 */
export function proposeScope(anomaly: Anomaly, past: Past): TriedScope {
  const limit = rawDeviation(anomaly) * MARGIN;
  const real = new Set(
    past.incidents.filter(({ judgement }) => judgement === 'real').map(({ incidentId }) => incidentId),
  );
  const sightings = past.records
    .filter(({ incidentId }) => !real.has(incidentId))
    .map((record) => record.anomaly)
    .filter((each) => rawDeviation(each) <= limit && past.judged.get(each.anomalyId) !== 'real');
  const seen = [...sightings.filter(({ anomalyId }) => anomalyId !== anomaly.anomalyId), anomaly];
  const tried = scopesOf(anomaly, seen, limit).map((scope) => ({
    scope,
    backTest: backTestScope(scope, past),
    covered: seen.filter((each) => coversThroughout(scope, each)).length,
  }));
  const harmless = tried.filter(({ backTest }) => !isHarmful(backTest));
  const [narrowest, ...wider] = harmless.length > 0 ? harmless : tried.slice(0, 1);
  const best = wider.reduce((best, each) => (best && each.covered <= best.covered ? best : each), narrowest);
  const scope = best?.scope ?? { ...aboutOf(anomaly), series: seriesKey(anomaly.series), maxDeviation: limit };
  return { scope, backTest: best?.backTest ?? backTestScope(scope, past) };
}

export function backTestScope(scope: NoiseScope, { days, records, incidents, judged }: Past): BackTest {
  const hidden = records.map(({ anomaly }) => anomaly).filter((anomaly) => coversThroughout(scope, anomaly));
  const unopened = incidents.filter(({ anomalies }) => {
    const left = anomalies.filter((anomaly) => !coversThroughout(scope, anomaly));
    return left.length < anomalies.length && !opens(left);
  });
  const isReal = ({ judgement }: PastIncident) => judgement === 'real';
  const idOf = ({ incidentId }: PastIncident) => incidentId;
  return {
    days,
    anomalies: hidden.length,
    realIncidents: unopened.filter(isReal).map(idOf),
    realAnomalies: hidden.map(({ anomalyId }) => anomalyId).filter((id) => judged.get(id) === 'real'),
    otherIncidents: unopened.filter(({ judgement }) => judgement === undefined).map(idOf),
  };
}

/** Those of an incident's anomalies without which it would not have opened: the worst first, as few as do. */
export function decisiveAnomalies(anomalies: readonly Anomaly[]): Anomaly[] {
  const left = [...anomalies].sort((one, other) => other.deviation - one.deviation);
  const decisive = left.splice(0, 1);
  while (left.length > 0 && opens(left)) decisive.push(...left.splice(0, 1));
  return decisive;
}

const opens = (anomalies: readonly Anomaly[]): boolean => isIncident({ anomalies, services: new Set() });

const aboutOf = ({ service, aspect, subject }: Anomaly) => ({ service, aspect, subject });

/** From narrow to wide: one series before all of its name, its hours before the whole day. */
function scopesOf(anomaly: Anomaly, seen: readonly Anomaly[], maxDeviation: number): NoiseScope[] {
  const about = { ...aboutOf(anomaly), maxDeviation };
  const times = timesOf(seen);
  return [{ series: seriesKey(anomaly.series) }, {}].flatMap((series) =>
    times.map((time) => ({ ...about, ...series, ...time })),
  );
}

function timesOf(seen: readonly Anomaly[]): Pick<NoiseScope, 'hours' | 'days'>[] {
  const onDays = new Set(seen.map(({ sinceMs }) => Math.floor(sinceMs / DAY_MS))).size;
  const hours = onDays >= DAYS_OF_HOURS ? hoursOf(seen) : undefined;
  const kinds = new Set(seen.map(({ sinceMs }) => daysOf(sinceMs)));
  const days = onDays >= DAYS_OF_WEEK && kinds.size === 1 ? [...kinds][0] : undefined;
  return [...(hours && days ? [{ hours, days }] : []), ...(hours ? [{ hours }] : []), ...(days ? [{ days }] : []), {}];
}

/** The shortest part of the day that holds all of them, and an hour to either side: clocks are changed twice a year. */
function hoursOf(seen: readonly Anomaly[]): NoiseScope['hours'] {
  const hours = [...new Set(seen.flatMap(hoursTouched))].sort((one, other) => one - other);
  const gaps = hours.map((hour, index) => {
    const next = hours[(index + 1) % hours.length] ?? hour;
    return { after: hour, before: next, length: (next - hour + 23) % 24 };
  });
  const widest = gaps.reduce((widest, gap) => (gap.length > widest.length ? gap : widest), NO_GAP);
  if (24 - widest.length + 2 > MOST_HOURS) return undefined;
  return { from: (widest.before + 23) % 24, to: (widest.after + 2) % 24 };
}

const NO_GAP = { after: 0, before: 0, length: 0 };

function hoursTouched({ sinceMs, window }: Anomaly): number[] {
  const hours = Math.min(24, Math.floor((window.endMs - 1) / HOUR_MS) - Math.floor(sinceMs / HOUR_MS) + 1);
  const first = new Date(sinceMs).getUTCHours();
  return Array.from({ length: Math.max(1, hours) }, (_, index) => (first + index) % 24);
}
