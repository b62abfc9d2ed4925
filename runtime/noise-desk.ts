/**
 * Where people teach detection what is noise and what is real: their word is recorded, the bar of the series follows it, rules are
 * proposed, tried on the past, accepted and revoked. Detection asks here what is to be kept quiet.
 */
import type { AnomalyArchive } from '../clickhouse/anomaly-archive.ts';
import type { AuditLog } from '../clickhouse/audit-log.ts';
import type { IncidentArchive } from '../clickhouse/incident-archive.ts';
import { applyNoise, type KnownNoise } from '../detection/apply-noise.ts';
import { backTestScope, decisiveAnomalies, proposeScope } from '../detection/propose-noise-rule.ts';
import type { Anomaly } from '../domain/anomaly.ts';
import { type FalsePositiveRate, falsePositiveRate, type IncidentOutcome } from '../domain/false-positive-rate.ts';
import { type Feedback, type Judgement, toleranceAt, toleranceEndsMs, tolerancesFrom } from '../domain/feedback.ts';
import { type Caller, decisionNameOf } from '../domain/identity.ts';
import type { Lesson, ListedRule } from '../domain/noise-lesson.ts';
import {
  type BackTest,
  covers,
  describeBackTest,
  describeScope,
  isHarmful,
  type NoiseRule,
  type NoiseScope,
  nameSubject,
  RULE_LASTS_MS,
  rawDeviation,
  ruleStatusAt,
} from '../domain/noise-rule.ts';
import { seriesKey } from '../domain/series-name.ts';
import type { TimeWindow } from '../domain/time-window.ts';
import type { Clock } from '../platform/clock.ts';
import { errorMessage, InputError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { Logger } from '../platform/logger.ts';
import { createPastReader, PAST_DAYS, pastWindow } from './read-noise-past.ts';

export interface Said {
  /** Who says it, where the caller holds the data directory's token; identities are recorded by their name. */
  readonly by?: string | undefined;
  readonly reason: string;
}

export interface NoiseDesk {
  /**
   * On an anomaly, or on an incident for all of its anomalies. Noise raises their bars and proposes rules; real takes the bars
   * down again, and revokes the rules that hide them. Rejects with InputError (not-found).
   */
  giveFeedback(id: string, said: Said & { readonly judgement: Judgement }, caller: Caller): Promise<Lesson>;
  /** The newest first. */
  listRules(signal?: AbortSignal): Promise<ListedRule[]>;
  /**
   * Puts a proposed rule in force, after trying it on the past once more: one that would have hidden what is real is refused
   * with InputError (conflict), whoever asks; so is one that is not proposed. Unknown ids: not-found.
   */
  acceptRule(ruleId: string, said: Said, caller: Caller): Promise<ListedRule>;
  /** What it hides from now on shows again, and a proposal is withdrawn. Rejects as acceptRule. */
  revokeRule(ruleId: string, said: Said, caller: Caller): Promise<ListedRule>;
  /** Over the last 30 days. */
  falsePositives(signal?: AbortSignal): Promise<FalsePositiveRate>;
  /** For detection: the same anomalies, marked with the rule that hides them or taken down by what people said. Never rejects. */
  refine(anomalies: readonly Anomaly[], atMs: number, signal: AbortSignal): Promise<Anomaly[]>;
}

export interface NoiseDeskParts {
  readonly archive: Pick<IncidentArchive, 'find' | 'list' | 'save'>;
  readonly anomalies: Pick<AnomalyArchive, 'find' | 'match' | 'readFirstMs' | 'countHidden'>;
  readonly audit: Pick<AuditLog, 'append'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of the incidents that detection opened in the window. */
  readOutcomes(window: TimeWindow, signal?: AbortSignal): Promise<readonly IncidentOutcome[]>;
}

const MAX_RULES = 1_000;
const MAX_FEEDBACK = 5_000;
/** An incident that is noise in more ways than this is looked at again, not ruled away. */
const MAX_PROPOSALS = 3;
/** Another host's rules count here after so long. */
const KNOWN_FOR_MS = 30_000;
const NONE: KnownNoise = { rules: [], tolerances: new Map() };

export function openNoiseDesk(parts: NoiseDeskParts): NoiseDesk {
  const { archive, anomalies, audit, clock, logger } = parts;
  let known: { readonly noise: KnownNoise; readonly readAtMs: number } | undefined;

  const openPast = createPastReader(parts);
  const listFeedback = (signal?: AbortSignal) => archive.list('feedback', MAX_FEEDBACK, signal);
  const storedRules = (signal?: AbortSignal) => archive.list('rule', MAX_RULES, signal);

  async function saveRule(rule: NoiseRule): Promise<void> {
    await archive.save('rule', [rule]);
    known = undefined;
  }

  async function readKnown(signal: AbortSignal): Promise<KnownNoise> {
    const nowMs = clock.nowMs();
    if (known && Math.abs(nowMs - known.readAtMs) < KNOWN_FOR_MS) return known.noise;
    try {
      const [rules, feedback] = await Promise.all([storedRules(signal), listFeedback(signal)]);
      const inForce = rules.filter((rule) => ruleStatusAt(rule, nowMs) === 'accepted');
      known = { noise: { rules: inForce, tolerances: tolerancesFrom(feedback) }, readAtMs: nowMs };
    } catch (error) {
      signal.throwIfAborted();
      logger.warn({ reason: errorMessage(error) }, 'what people called noise is not known now: as it was');
      known = { noise: known?.noise ?? NONE, readAtMs: nowMs };
    }
    return known.noise;
  }

  async function findRule(ruleId: string): Promise<NoiseRule> {
    const rule = await archive.find('rule', ruleId);
    if (rule) return rule;
    throw new InputError(`There is no rule ${ruleId}: "inquest rules" lists what there is.`, { code: 'not-found' });
  }

  async function listed(rule: NoiseRule): Promise<ListedRule> {
    return asListed(rule, await anomalies.countHidden(), clock.nowMs());
  }

  /** What feedback is about: the anomaly, or those of the incident that pass the bar. */
  async function findSubject(id: string): Promise<Subject> {
    const record = await anomalies.find(id);
    if (record) return { about: id, incidentId: record.incidentId, anomalies: [record.anomaly] };
    let course = await archive.find('course', id);
    // What turned out to be part of another is judged with it.
    for (let step = 0; step < 10 && course?.mergedInto !== undefined; step++) {
      course = await archive.find('course', course.mergedInto);
    }
    const incident =
      course ?? (await archive.find('incident', id)) ?? (await archive.find('investigation', id))?.incident;
    if (!incident) {
      throw new InputError(
        `There is no anomaly or incident ${id}: "inquest anomalies" and "inquest incidents" list what there is.`,
        { code: 'not-found' },
      );
    }
    const loud = incident.anomalies.filter((anomaly) => rawDeviation(anomaly) >= 1);
    return { about: incident.incidentId, incidentId: incident.incidentId, anomalies: loud };
  }

  async function propose(subject: Subject, feedback: readonly Feedback[], reason: string, by: string) {
    const rules = await storedRules();
    const readPast = await openPast(feedback);
    const isIncident = subject.about === subject.incidentId;
    const decisive = isIncident ? decisiveAnomalies(subject.anomalies) : subject.anomalies;
    const proposed: NoiseRule[] = [];
    const notProposed: Lesson['notProposed'] = [];
    for (const anomaly of decisive) {
      const about = nameSubject(anomaly);
      const said = whyNot(anomaly, { rules, proposed, nowMs: clock.nowMs() });
      if (said !== undefined) {
        if (said !== '') notProposed.push({ subject: about, reason: said });
        continue;
      }
      const { scope, backTest } = proposeScope(anomaly, await readPast(anomaly));
      if (isHarmful(backTest)) {
        notProposed.push({ subject: about, reason: `The narrowest rule for it ${describeBackTest(backTest)}.` });
        continue;
      }
      const rule = draftRule({ scope, backTest, reason, anomaly, rules, nowMs: clock.nowMs() });
      await append(by, 'rule.proposed', rule.ruleId, { scope: describeScope(scope), proposedFrom: anomaly.anomalyId });
      await saveRule(rule);
      proposed.push(rule);
    }
    return { proposed, notProposed };
  }

  /** Rules that would have hidden what somebody has just called real. */
  async function revokeHarmful(subject: Subject, feedback: readonly Feedback[], by: string): Promise<NoiseRule[]> {
    const nowMs = clock.nowMs();
    const readPast = await openPast(feedback);
    const concerned = (await storedRules()).filter(
      (rule) =>
        ['proposed', 'accepted'].includes(ruleStatusAt(rule, nowMs)) &&
        subject.anomalies.some((anomaly) => concerns(rule, anomaly)),
    );
    const revoked: NoiseRule[] = [];
    for (const rule of concerned) {
      const backTest = backTestScope(rule.scope, await readPast(rule.scope));
      if (isHarmful(backTest)) revoked.push(await revoke(rule, by, `${subject.about} is real`));
    }
    return revoked;
  }

  async function revoke(rule: NoiseRule, by: string, reason: string): Promise<NoiseRule> {
    const revoked = { ...rule, revoked: { by, atMs: clock.nowMs(), reason } };
    await append(by, 'rule.revoked', rule.ruleId, { scope: describeScope(rule.scope), reason });
    await saveRule(revoked);
    return revoked;
  }

  const append = (actor: string, kind: string, subject: string, details: Record<string, unknown>) =>
    audit.append({ atMs: clock.nowMs(), actor, kind, subject, details });

  return {
    giveFeedback: async (id, { judgement, reason, by: said }, caller) => {
      const by = decisionNameOf(caller, said);
      const subject = await findSubject(id);
      const feedback = feedbackOn(subject, { judgement, reason, by, atMs: clock.nowMs() });
      const series = feedback.series.length;
      await append(by, 'feedback.given', subject.about, { judgement, reason, series });
      await archive.save('feedback', [feedback]);
      known = undefined;
      const all = [...(await listFeedback()).filter(({ feedbackId }) => feedbackId !== feedback.feedbackId), feedback];
      const bars = barsOf(subject.anomalies, all, clock.nowMs());
      if (judgement === 'real') {
        const revoked = await revokeHarmful(subject, all, by);
        return { feedback, bars, proposed: [], notProposed: [], revoked };
      }
      return { feedback, bars, ...(await propose(subject, all, reason, by)), revoked: [] };
    },
    listRules: async (signal) => {
      const [rules, hidden] = await Promise.all([storedRules(signal), anomalies.countHidden(signal)]);
      return rules.map((rule) => asListed(rule, hidden, clock.nowMs()));
    },
    acceptRule: async (ruleId, { by: said, reason }, caller) => {
      const rule = await findRule(ruleId);
      const nowMs = clock.nowMs();
      const status = ruleStatusAt(rule, nowMs);
      if (status !== 'proposed') throw refuseStatus(rule, status, 'accepted');
      const readPast = await openPast(await listFeedback());
      const backTest = backTestScope(rule.scope, await readPast(rule.scope));
      if (isHarmful(backTest)) throw refuseHarm(ruleId, backTest);
      const by = decisionNameOf(caller, said);
      const accepted = { by, atMs: nowMs, reason };
      await append(by, 'rule.accepted', ruleId, { scope: describeScope(rule.scope), backTest, reason });
      const inForce = { ...rule, backTest, accepted, expiresAtMs: nowMs + RULE_LASTS_MS };
      await saveRule(inForce);
      return listed(inForce);
    },
    revokeRule: async (ruleId, { by, reason }, caller) => {
      const rule = await findRule(ruleId);
      const status = ruleStatusAt(rule, clock.nowMs());
      if (status === 'revoked' || status === 'expired') throw refuseStatus(rule, status, 'revoked');
      return listed(await revoke(rule, decisionNameOf(caller, by), reason));
    },
    falsePositives: async (signal) => {
      const window = pastWindow(clock.nowMs());
      const [outcomes, feedback] = await Promise.all([parts.readOutcomes(window, signal), listFeedback(signal)]);
      return falsePositiveRate(outcomes, feedback, PAST_DAYS);
    },
    refine: async (given, atMs, signal) => applyNoise(given, await readKnown(signal), atMs),
  };
}

interface Subject {
  /** Id of the anomaly or incident. */
  readonly about: string;
  readonly incidentId: string;
  readonly anomalies: readonly Anomaly[];
}

function feedbackOn(
  { about, incidentId, anomalies }: Subject,
  said: Pick<Feedback, 'judgement' | 'reason' | 'by' | 'atMs'>,
): Feedback {
  // Of a series that is seen by several detectors the worst counts.
  const worst = new Map<string, number>();
  for (const anomaly of anomalies.filter(hasSeries)) {
    const key = seriesKey(anomaly.series);
    worst.set(key, Math.max(rawDeviation(anomaly), worst.get(key) ?? 0));
  }
  return {
    feedbackId: newId('fb', said.atMs),
    ...said,
    about,
    incidentId,
    series: [...worst].map(([series, deviation]) => ({ series, deviation })),
  };
}

/** Anomalies of old incidents do not say which series they are of: a bar of theirs would be everybody's. */
function hasSeries({ series, service }: Anomaly): boolean {
  return series.service === service;
}

function barsOf(anomalies: readonly Anomaly[], feedback: readonly Feedback[], nowMs: number): Lesson['bars'] {
  const tolerances = tolerancesFrom(feedback);
  const bySeries = new Map(anomalies.filter(hasSeries).map((anomaly) => [seriesKey(anomaly.series), anomaly]));
  return [...bySeries].map(([key, anomaly]) => {
    const tolerance = tolerances.get(key);
    const endsMs = tolerance ? toleranceEndsMs(tolerance) : nowMs;
    return { subject: nameSubject(anomaly), factor: toleranceAt(tolerance, nowMs), endsMs };
  });
}

/** Undefined: a rule may be proposed. Empty: one was just proposed that covers it. */
function whyNot(
  anomaly: Anomaly,
  { rules, proposed, nowMs }: { rules: readonly NoiseRule[]; proposed: readonly NoiseRule[]; nowMs: number },
): string | undefined {
  if (proposed.some((rule) => concerns(rule, anomaly))) return '';
  if (proposed.length >= MAX_PROPOSALS) return `${MAX_PROPOSALS} rules are enough for one incident.`;
  const inForce = rules.find((rule) => ruleStatusAt(rule, nowMs) === 'accepted' && concerns(rule, anomaly));
  return inForce && `Rule ${inForce.ruleId} hides it already.`;
}

function concerns({ ruleId, scope }: NoiseRule, anomaly: Anomaly): boolean {
  return anomaly.hiddenBy === ruleId || covers(scope, anomaly, anomaly.sinceMs);
}

function draftRule(draft: {
  readonly scope: NoiseScope;
  readonly backTest: BackTest;
  readonly reason: string;
  readonly anomaly: Anomaly;
  readonly rules: readonly NoiseRule[];
  readonly nowMs: number;
}): NoiseRule {
  const { scope, backTest, reason, anomaly, rules, nowMs } = draft;
  // What waits for an answer already is brought up to date, not asked a second time.
  const waiting = rules.find((rule) => ruleStatusAt(rule, nowMs) === 'proposed' && isAboutTheSame(rule.scope, scope));
  return {
    ruleId: waiting?.ruleId ?? newId('rule', nowMs),
    scope,
    backTest,
    reason,
    proposedFrom: anomaly.anomalyId,
    proposedAtMs: nowMs,
    expiresAtMs: nowMs + RULE_LASTS_MS,
  };
}

function isAboutTheSame(one: NoiseScope, other: NoiseScope): boolean {
  return (['service', 'aspect', 'subject', 'series'] as const).every((member) => one[member] === other[member]);
}

function asListed(
  rule: NoiseRule,
  hidden: Awaited<ReturnType<AnomalyArchive['countHidden']>>,
  nowMs: number,
): ListedRule {
  const count = hidden.get(rule.ruleId);
  return {
    ...rule,
    status: ruleStatusAt(rule, nowMs),
    hidden: count?.anomalies ?? 0,
    ...(count ? { lastHiddenMs: count.lastMs } : {}),
  };
}

function refuseStatus({ ruleId }: NoiseRule, status: ListedRule['status'], wanted: string): InputError {
  const how = status === 'accepted' ? '' : '; feedback --noise on what it was about proposes it anew';
  return new InputError(`Rule ${ruleId} is ${status}, and cannot be ${wanted}${how}.`, { code: 'conflict' });
}

/** There is no way around it: whoever knows better says so about the incident, and the rule is free. */
function refuseHarm(ruleId: string, backTest: BackTest): InputError {
  const ids = [...backTest.realIncidents, ...backTest.realAnomalies];
  return new InputError(
    `Rule ${ruleId} ${describeBackTest(backTest)}: it is not accepted while that is so (${ids.slice(0, 3).join(', ')}). If what it hid was noise after all, say so: inquest feedback ${ids[0] ?? ''} --noise.`,
    { code: 'conflict' },
  );
}
