/**
 * The trace agent: where time is lost, where failures begin, which operations are skipped. It alone knows who calls whom, so it
 * also argues against services that only pass on the trouble of something they call.
 */
import { explainByCallees } from '../domain/blame-callees.ts';
import type { CauseType } from '../domain/finding.ts';
import type { Vote } from '../domain/hypothesis.ts';
import type { Task } from '../domain/investigation.ts';
import { formatInstant } from '../domain/time-window.ts';
import { compareAttributes } from '../tools/read/compare-attributes.ts';
import { rankErrorOrigins } from '../tools/read/rank-error-origins.ts';
import { rankSlowdowns } from '../tools/read/rank-slowdowns.ts';
import type { Agent, Ballot } from './agent.ts';
import { noteCodePathChanges } from './note-code-path-changes.ts';
import { excuseOfSurge, noteSurges } from './note-surges.ts';
import { milliseconds, type Notebook, openNotebook, percent, voteByFindings } from './post-findings.ts';
import { rankingQuestion, WORTH_NOTING } from './ranking-question.ts';

export const traceAgent: Agent = {
  name: 'trace-agent',
  signal: 'traces',
  mission: 'looks for lost time, origins of failures and skipped operations, and for who only suffers from a callee',
  investigate: async (task, context) => {
    const notebook = openNotebook(traceAgent, task, context);
    await Promise.all([
      noteSlowdowns(notebook, task),
      noteErrorOrigins(notebook, task),
      noteSurges(notebook, task),
      noteCodePathChanges(notebook, task, 'operations'),
      ...task.focus.slice(0, MAX_LOOKS).map((service) => noteConcentrations(notebook, task, service)),
    ]);
    return notebook.answer();
  },
  vote: (ballot) => {
    const explanations = explainByCallees(ballot.findings, ballot.calls);
    return voteByFindings('trace-agent', ballot)
      .map((vote) => argueAgainstEchoes(vote, ballot, explanations))
      .map((vote) => excuseBySurge(vote, ballot));
  },
};

/** Services that a further round looks at more closely. */
const MAX_LOOKS = 2;
/** Failures this clear are looked at at once: whom do they hit? */
const WORTH_A_LOOK = 0.5;
/** A value stands out when it is this many standard errors, and this many times, more frequent than elsewhere. */
const STANDS_OUT = { zScore: 4, lift: 1.5 };

/** Whom it hits: values of any attribute that are over-represented among the failing or slow requests of a service. */
async function noteConcentrations(notebook: Notebook, task: Task, service: string): Promise<void> {
  const { window, baseline } = task.scope;
  for (const split of ['failing', 'slow'] as const) {
    const asked = await notebook.ask(compareAttributes, { window, baseline, service, split, limit: 10 });
    const [strongest] = (asked?.output.attributes ?? []).filter(
      ({ isOutcome, zScore, lift }) => !isOutcome && zScore >= STANDS_OUT.zScore && lift >= STANDS_OUT.lift,
    );
    if (!asked || !strongest) continue;
    const { key, value, affectedShare, otherShare, lift, zScore } = strongest;
    notebook.note({
      observation: `traces:${split}-attribute:${service}`,
      service,
      subject: key,
      window,
      sentence: `${key} = ${value.slice(0, 80)} has ${percent(affectedShare, 1)} of the ${split} requests of ${service}, and ${percent(otherShare, 1)} of the others.`,
      evidenceIds: [asked.evidenceId],
      // It says whom the trouble hits, not who makes it.
      implications: [],
      figures: { affectedShare, otherShare, lift, zScore },
    });
  }
}

async function noteSlowdowns(notebook: Notebook, task: Task): Promise<void> {
  const asked = await notebook.ask(rankSlowdowns, rankingQuestion(task));
  for (const slowdown of asked?.output.slowdowns.filter(({ strength }) => strength >= WORTH_NOTING) ?? []) {
    const { service, kind, subject, strength, onsetMs, normalMedianMs, windowUpperQuartileMs } = slowdown;
    const where = {
      edge: `Between ${subject} and ${service}`,
      peer: `Calls to ${service} (from ${subject})`,
      outside: `Calls to ${service}, which is none of ours (from ${subject}),`,
      self: `In ${service} itself (${subject.slice(0, 80)})`,
    }[kind];
    notebook.note({
      observation: `traces:${kind}-time:${service}`,
      service,
      subject: kind === 'self' ? subject : `${subject} -> ${service}`,
      window: task.scope.window,
      onsetMs,
      sentence: `${where} a quarter of the calls take ${milliseconds(windowUpperQuartileMs)} or more since ${formatInstant(onsetMs)}; ${milliseconds(normalMedianMs)} is normal.`,
      evidenceIds: [asked?.evidenceId ?? ''],
      implications: [
        {
          service,
          causeType: CAUSE_OF_SLOWDOWN[kind],
          stance: 'for',
          strength,
          canEcho: kind === 'self',
        },
      ],
      figures: {
        normalMedianMs,
        windowUpperQuartileMs,
        slowShare: slowdown.slowShare,
        windowCalls: slowdown.windowCalls,
      },
    });
  }
}

const CAUSE_OF_SLOWDOWN = {
  edge: 'network-delay',
  peer: 'slow-processing',
  outside: 'external-dependency',
  self: 'slow-processing',
} as const satisfies Record<string, CauseType>;

async function noteErrorOrigins(notebook: Notebook, task: Task): Promise<void> {
  const asked = await notebook.ask(rankErrorOrigins, rankingQuestion(task));
  const [worst] = asked?.output.origins ?? [];
  if (worst && worst.strength >= WORTH_A_LOOK && !worst.isPeer && !task.focus.includes(worst.service))
    await noteConcentrations(notebook, task, worst.service);
  for (const origin of asked?.output.origins.filter(({ strength }) => strength >= WORTH_NOTING) ?? []) {
    const { service, strength, onsetMs, windowFailures, windowUnits, normalFailures, normalUnits, reason } = origin;
    const causeType = reason === 'errors' && origin.isOutside ? 'external-dependency' : reason;
    const words = reason === 'errors' ? '' : `, most of them with words of ${reason.replaceAll('-', ' ')}`;
    notebook.note({
      observation: `traces:error-origin:${service}`,
      service,
      subject: 'failed spans without a failed child',
      window: task.scope.window,
      onsetMs,
      sentence: `${percent(windowFailures, windowUnits)} of the work of ${service} begins to fail there since ${formatInstant(onsetMs)}; ${percent(normalFailures, normalUnits)} is normal${words}.`,
      evidenceIds: [asked?.evidenceId ?? ''],
      implications: [{ service, causeType, stance: 'for', strength, canEcho: false }],
      figures: { windowFailures, windowUnits, normalFailures, normalUnits },
    });
  }
}

function excuseBySurge(vote: Vote, { hypotheses, findings }: Ballot): Vote {
  const hypothesis = hypotheses.find(({ hypothesisId }) => hypothesisId === vote.hypothesisId);
  const excuse = hypothesis && excuseOfSurge(hypothesis, findings);
  return excuse ? { ...vote, reasons: [...vote.reasons, excuse] } : vote;
}

function argueAgainstEchoes(
  vote: Vote,
  { hypotheses }: Ballot,
  explanations: ReturnType<typeof explainByCallees>,
): Vote {
  const service = hypotheses.find(({ hypothesisId }) => hypothesisId === vote.hypothesisId)?.service ?? '';
  const explanation = explanations.get(service);
  if (!explanation || explanation.evidenceIds.length === 0) return vote;
  const { callee, strength, evidenceIds } = explanation;
  const sentence = `What ${service} shows, ${callee}, which it calls, explains.`;
  const reason = {
    observation: `traces:echo:${service}`,
    stance: 'against' as const,
    strength,
    evidenceIds: [...evidenceIds],
    sentence,
  };
  return { ...vote, reasons: [...vote.reasons, reason] };
}
