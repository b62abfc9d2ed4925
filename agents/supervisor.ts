/**
 * The supervisor's judgement: which questions to ask, which hypotheses follow from the findings, what the tally means, what
 * could be done. Pure but for locating the trouble; ids are functions of their input, because steps may be repeated.
 */
import { accusations } from '../domain/blame-callees.ts';
import type { Change } from '../domain/change.ts';
import type { Evidence } from '../domain/evidence.ts';
import type { CauseType, Finding } from '../domain/finding.ts';
import type { Hypothesis } from '../domain/hypothesis.ts';
import type { Incident } from '../domain/incident.ts';
import type { Scope, Task, Verdict } from '../domain/investigation.ts';
import type { Remediation } from '../domain/remediation.ts';
import { chooseRemediation } from '../domain/remediation-catalogue.ts';
import { AGENT_NAMES, type AgentName } from '../domain/signal.ts';
import { contentId } from '../platform/ids.ts';
import { concludeVerdict } from './conclude-verdict.ts';
import { findGaps } from './find-gaps.ts';
import { isBeforeOnset } from './is-before-onset.ts';
import { locateTrouble } from './locate-trouble.ts';

const QUESTIONS: Readonly<Record<AgentName, string>> = {
  'metrics-agent': 'Whose resources ran short, and since when?',
  'log-agent': 'Which log lines appeared, multiplied or vanished in whose requests?',
  'trace-agent': 'Where is time lost, where do failures begin, which operations are skipped?',
  'deploy-agent': 'What was changed, on which service, shortly before?',
};

/** More candidates than this only dilute the report. */
const MAX_HYPOTHESES = 12;

export const supervisor = {
  locate: locateTrouble,

  plan: (incident: Incident, scope: Scope, round: number): Task[] =>
    AGENT_NAMES.map((agent) => ({
      taskId: contentId('task', {
        incidentId: incident.incidentId,
        investigationId: incident.investigationId,
        agent,
        round,
      }),
      investigationId: incident.investigationId ?? '',
      agent,
      round,
      question: QUESTIONS[agent],
      scope,
      focus: [],
    })),

  /** One hypothesis for each accused service, the most accused first. */
  propose: (findings: readonly Finding[], round: number): Hypothesis[] =>
    [...accusations(findings)]
      .sort(([leftName, left], [rightName, right]) => right - left || (leftName < rightName ? -1 : 1))
      .slice(0, MAX_HYPOTHESES)
      .map(([service], index) => proposeFor(service, findings, index + 1, round)),

  findGaps,

  conclude: concludeVerdict,

  remediate: (verdict: Verdict, changes: readonly Change[], evidence: readonly Evidence[]): Remediation | undefined => {
    const [suspect] = verdict.suspects;
    if (verdict.outcome === 'abstained' || !suspect) return undefined;
    const known = new Set(evidence.map(({ evidenceId }) => evidenceId));
    return chooseRemediation({
      suspect,
      change: changes.find(({ changeId }) => changeId === suspect.changeId),
      normal: suspect.normal,
      evidenceIds: suspect.evidenceIds.filter((evidenceId) => known.has(evidenceId)),
    });
  },
};

const CAUSE_WORDS: Readonly<Record<CauseType, string>> = {
  'cpu-saturation': 'ran out of CPU',
  'memory-exhaustion': 'ran out of memory',
  'pool-exhaustion': 'exhausted a connection pool',
  'disk-saturation': 'ran out of disk',
  'slow-processing': 'became slow',
  errors: 'began to fail',
  'code-path-change': 'began to take another path through its code',
  'network-delay': 'is reached late: calls to it lose time on the way',
  'lost-calls': 'loses calls',
  'bad-change': 'went wrong after a change',
  'external-dependency': 'fails outside our reach',
  'name-resolution': 'cannot be resolved by name',
  'traffic-surge': 'gets more traffic than it can serve',
  'expired-certificate': 'shows a certificate that has expired',
  'cache-stampede': 'is asked for everything at once since its cache went empty',
  unknown: 'is in trouble',
};

/** Causes that a change of code or configuration typically has; a resource that ran short stays named as such. */
const CHANGE_EXPLAINS: ReadonlySet<CauseType> = new Set([
  'errors',
  'code-path-change',
  'slow-processing',
  'lost-calls',
]);

function proposeFor(service: string, findings: readonly Finding[], proposedRank: number, round: number): Hypothesis {
  const about = findings.filter(({ implications }) =>
    implications.some((one) => one.service === service && one.stance === 'for'),
  );
  const grounds = about
    .flatMap(({ signal, onsetMs, observation, implications }) =>
      implications
        .filter((one) => one.service === service && one.stance === 'for')
        .map((one) => ({ ...one, signal, onsetMs, observation })),
    )
    .sort((left, right) => right.strength - left.strength || (left.observation < right.observation ? -1 : 1));
  const symptom = findSymptom(grounds);
  const changes = grounds.filter(
    ({ signal, strength, onsetMs }) =>
      signal === 'changes' && strength >= LEAST_CHANGE && isBeforeOnset(onsetMs, symptom?.onsetMs),
  );
  // A diff that explains what is seen says more than any time of deploy.
  const change = changes.find(({ commit }) => commit !== undefined) ?? changes[0];
  const symptomCause = symptom?.causeType ?? 'unknown';
  const isChange = change?.changeId !== undefined && CHANGE_EXPLAINS.has(symptomCause);
  const causeType = isChange ? 'bad-change' : symptomCause;
  return {
    hypothesisId: contentId('hyp', { service }),
    service,
    causeType,
    ...(symptom?.pod ? { pod: symptom.pod } : {}),
    ...(symptom?.operation ? { operation: symptom.operation } : {}),
    ...((isChange || change?.commit) && change?.changeId ? { changeId: change.changeId } : {}),
    ...(change?.commit ? { commit: change.commit } : {}),
    statement: isChange
      ? `${service} ${CAUSE_WORDS['bad-change']}: it ${CAUSE_WORDS[symptomCause]}`
      : `${service} ${CAUSE_WORDS[causeType]}`,
    ...(symptom?.onsetMs === undefined ? {} : { onsetMs: symptom.onsetMs }),
    findingIds: about.map(({ findingId }) => findingId),
    proposedRank,
    round,
  };
}

/** A change that its time, its diff and what followed it support less than this is beside the point. */
const LEAST_CHANGE = 0.15;

/** What explains a service's slowness and failures names the cause even where those stand out more. */
const EXPLAINING_CAUSES: ReadonlySet<CauseType> = new Set([
  'cpu-saturation',
  'memory-exhaustion',
  'disk-saturation',
  'pool-exhaustion',
  'traffic-surge',
  'cache-stampede',
  'name-resolution',
  'expired-certificate',
]);
const EXPLAINING_SHARE = 0.5;

/** The strongest symptom, or an explanation that is at least half as strong; `grounds` come strongest first. */
function findSymptom<Ground extends { signal: string; causeType: CauseType; strength: number }>(
  grounds: readonly Ground[],
): Ground | undefined {
  const symptoms = grounds.filter(({ signal }) => signal !== 'changes');
  const least = EXPLAINING_SHARE * (symptoms[0]?.strength ?? 0);
  return (
    symptoms.find(({ causeType, strength }) => EXPLAINING_CAUSES.has(causeType) && strength >= least) ?? symptoms[0]
  );
}
