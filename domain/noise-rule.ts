/**
 * Rules that keep quiet what people called noise: narrow in what they cover, bounded in how bad it may be, and only for a time.
 * A rule hides nothing before a person accepts it, and nothing is lost by it: what is hidden is kept, with the rule's id.
 */
import { z } from 'zod';
import { type Anomaly, aspectSchema } from './anomaly.ts';
import { seriesKey } from './series-name.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** A rule that nobody renews ends: systems change, and what was noise becomes the first sign of something. */
export const RULE_LASTS_MS = 30 * DAY_MS;

const hourSchema = z.int().min(0).max(23);

/** What a rule covers: everything that is named must agree. */
export const noiseScopeSchema = z.object({
  service: z.string(),
  aspect: aspectSchema,
  /** seriesKey of the one series; absent: any of the subject. */
  series: z.string().optional(),
  /** As anomalies of people read it: `p95 duration of GET /cart`. */
  subject: z.string(),
  /** Hours of the day, UTC, from the start of the first to the start of the second; over midnight where that is the smaller. */
  hours: z.object({ from: hourSchema, to: hourSchema }).optional(),
  /** In UTC; a weekend is Saturday and Sunday. */
  days: z.enum(['weekdays', 'weekend']).optional(),
  /** What is worse still shows; in bars, as Anomaly.deviation before any recalibration. */
  maxDeviation: z.number().positive(),
});
export type NoiseScope = z.infer<typeof noiseScopeSchema>;

const signatureSchema = z.object({ by: z.string(), atMs: z.int().nonnegative(), reason: z.string() });

/** What a rule would have done in the stored past. */
export const backTestSchema = z.object({
  days: z.int().positive(),
  /** Anomalies that it would have hidden. */
  anomalies: z.int().nonnegative(),
  /** Real incidents that would not have opened. */
  realIncidents: z.array(z.string()),
  /** Anomalies among the hidden that people called real. */
  realAnomalies: z.array(z.string()),
  /** Incidents that would not have opened, and are not known to be real. */
  otherIncidents: z.array(z.string()),
});
export type BackTest = z.infer<typeof backTestSchema>;

/** A rule that would have hidden what was real is not accepted by anybody. */
export function isHarmful({ realIncidents, realAnomalies }: BackTest): boolean {
  return realIncidents.length + realAnomalies.length > 0;
}

export const noiseRuleSchema = z.object({
  ruleId: z.string().min(1),
  scope: noiseScopeSchema,
  /** As it was when it was proposed, or accepted. */
  backTest: backTestSchema,
  /** Why, in the words of whoever called it noise. */
  reason: z.string(),
  proposedFrom: z.string().describe('The anomaly that was called noise.'),
  proposedAtMs: z.int().nonnegative(),
  accepted: signatureSchema.optional(),
  revoked: signatureSchema.optional(),
  expiresAtMs: z.int().nonnegative(),
});
export type NoiseRule = z.infer<typeof noiseRuleSchema>;

export const ruleStatusSchema = z.enum(['proposed', 'accepted', 'revoked', 'expired']);
export type RuleStatus = z.infer<typeof ruleStatusSchema>;

export function ruleStatusAt({ accepted, revoked, expiresAtMs }: NoiseRule, atMs: number): RuleStatus {
  if (revoked) return 'revoked';
  if (atMs >= expiresAtMs) return 'expired';
  return accepted ? 'accepted' : 'proposed';
}

/** True when the rule is in force and covers the anomaly at that moment. */
export function hides(rule: NoiseRule, anomaly: Anomaly, atMs: number): boolean {
  return ruleStatusAt(rule, atMs) === 'accepted' && covers(rule.scope, anomaly, atMs);
}

export function covers(scope: NoiseScope, anomaly: Anomaly, atMs: number): boolean {
  return isAbout(scope, anomaly) && isAtTime(scope, atMs);
}

/** From its beginning to the end of its newest window: what outlasts the hours of a rule shows then. */
export function coversThroughout(scope: NoiseScope, anomaly: Anomaly): boolean {
  if (!isAbout(scope, anomaly)) return false;
  if (!scope.hours && !scope.days) return true;
  const lastMs = Math.max(anomaly.sinceMs, anomaly.window.endMs - 1);
  // Within a week every hour has come.
  const endMs = Math.min(lastMs, anomaly.sinceMs + 7 * DAY_MS);
  for (let atMs = anomaly.sinceMs; atMs < endMs; atMs += HOUR_MS) if (!isAtTime(scope, atMs)) return false;
  return isAtTime(scope, endMs);
}

/** How many bars it passed before feedback raised the bar of its series. */
export function rawDeviation({ deviation, tolerance = 1 }: Anomaly): number {
  return deviation * tolerance;
}

function isAbout({ service, aspect, series, subject, maxDeviation }: NoiseScope, anomaly: Anomaly): boolean {
  return (
    anomaly.service === service &&
    anomaly.aspect === aspect &&
    anomaly.subject === subject &&
    (series === undefined || seriesKey(anomaly.series) === series) &&
    rawDeviation(anomaly) <= maxDeviation
  );
}

function isAtTime({ hours, days }: NoiseScope, atMs: number): boolean {
  return (!hours || isInHours(hours, atMs)) && (!days || daysOf(atMs) === days);
}

function isInHours({ from, to }: NonNullable<NoiseScope['hours']>, atMs: number): boolean {
  const hour = new Date(atMs).getUTCHours();
  return from < to ? hour >= from && hour < to : hour >= from || hour < to;
}

export function daysOf(atMs: number): NonNullable<NoiseScope['days']> {
  return [0, 6].includes(new Date(atMs).getUTCDay()) ? 'weekend' : 'weekdays';
}

/** `cart: p95 duration of GET /cart, on weekdays from 01:00 to 04:00 UTC, up to 3.2x the bar` */
export function describeScope({ service, subject, series, hours, days, maxDeviation }: NoiseScope): string {
  const clock = (hour: number) => `${String(hour).padStart(2, '0')}:00`;
  const when = [
    ...(days ? [days === 'weekdays' ? 'on weekdays' : 'at weekends'] : []),
    ...(hours ? [`from ${clock(hours.from)} to ${clock(hours.to)} UTC`] : []),
  ];
  return [
    `${nameSubject({ service, subject })}${series === undefined ? ' (every series of that name)' : ''}`,
    ...(when.length === 0 ? [] : [when.join(' ')]),
    `up to ${Number(maxDeviation.toPrecision(2))}x the bar`,
  ].join(', ');
}

/** `would have hidden 14 anomalies and 0 real incidents in 30 days` */
export function describeBackTest({ days, anomalies, ...hidden }: BackTest): string {
  const { realAnomalies, otherIncidents, realIncidents } = hidden;
  const ofThem = realAnomalies.length === 0 ? '' : ` (${realAnomalies.length} of them called real)`;
  const parts = [
    `${countOf(anomalies, 'anomaly', 'anomalies')}${ofThem}`,
    ...(otherIncidents.length === 0
      ? []
      : [countOf(otherIncidents.length, 'incident that nobody judged', 'incidents that nobody judged')]),
  ];
  const real = countOf(realIncidents.length, 'real incident', 'real incidents');
  return `would have hidden ${parts.join(', ')} and ${real} in ${countOf(days, 'day', 'days')}`;
}

function countOf(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** `cart: p95 duration of GET /cart` */
export function nameSubject({ service, subject }: Pick<NoiseScope, 'service' | 'subject'>): string {
  return service === '' ? subject : `${service}: ${subject}`;
}
