/**
 * The deploy agent: which change was made to whom before the trouble. A change alone proves nothing (the last deploy is a decoy
 * more often than not), so it weighs only as much as the other agents' own findings about the changed service; a commit weighs
 * by what its diff does against what is seen.
 */
import { accusations, explainByCallees } from '../domain/blame-callees.ts';
import type { Change } from '../domain/change.ts';
import type { Vote } from '../domain/hypothesis.ts';
import type { Task } from '../domain/investigation.ts';
import { formatInstant } from '../domain/time-window.ts';
import { commitOf } from '../tools/read/commits-of-changes.ts';
import { compareBeforeAfter } from '../tools/read/compare-before-after.ts';
import { listChanges } from '../tools/read/list-changes.ts';
import type { Agent, Ballot } from './agent.ts';
import { isBeforeOnset, ONSET_SLACK_MS } from './is-before-onset.ts';
import { type CommitSuspicion, noteCommitSuspicion } from './note-commit-suspicion.ts';
import { type Notebook, openNotebook, percent, voteByFindings } from './post-findings.ts';

/** Changes older than this at the onset have usually shown what they do; a commit is judged whatever its age. */
const LOOKBACK_MS = 45 * 60_000;

export const deployAgent: Agent = {
  name: 'deploy-agent',
  signal: 'changes',
  mission: 'looks for deploys, flags, commits and configuration changes before the trouble, and reads their diffs',
  investigate: async (task, context) => {
    const notebook = openNotebook(deployAgent, task, context);
    const symptoms = openNotebook({ name: deployAgent.name, signal: 'logs' }, task, context);
    const suspicion = await noteCommitSuspicion(notebook, symptoms, task);
    const { onsetGrid, window } = task.scope;
    const lastOnsetMs = onsetGrid.firstMs + (onsetGrid.count - 1) * onsetGrid.stepSeconds * 1000;
    const endMs = Math.min(window.endMs, lastOnsetMs + ONSET_SLACK_MS);
    const asked = await notebook.ask(listChanges, { window: { startMs: onsetGrid.firstMs - LOOKBACK_MS, endMs } });
    const changes = (asked?.output.changes ?? []).filter(({ service }) => service !== '');
    for (const change of changes) {
      const commit = commitOf(change);
      // The deploy of the named commit is that commit, not a second reason.
      if (suspicion.isNamed(commit)) continue;
      const measured = await measure(notebook, change, changes, task);
      notebook.note({
        observation: `changes:${change.changeId}:${change.service}`,
        service: change.service,
        subject: change.changeId,
        window: { startMs: onsetGrid.firstMs - LOOKBACK_MS, endMs },
        onsetMs: change.atMs,
        sentence: `${formatInstant(change.atMs)}: ${change.kind} on ${change.service}${change.version ? ` (${change.version})` : ''}: ${change.summary.slice(0, 160)}${measured.sentence}`,
        evidenceIds: [asked?.evidenceId ?? '', ...measured.evidenceIds],
        implications: [
          {
            service: change.service,
            causeType: 'bad-change',
            stance: 'for',
            strength: timeliness(change, onsetGrid.firstMs) * credibility(commit, suspicion) * measured.factor,
            canEcho: false,
            changeId: change.changeId,
          },
        ],
        figures: { kind: change.kind, version: change.version, ...(commit ? { commit } : {}) },
      });
    }
    const own = notebook.answer();
    return { ...own, findings: [...own.findings, ...symptoms.answer().findings] };
  },
  vote: (ballot) => {
    const own = ownTrouble(ballot);
    return voteByFindings('deploy-agent', ballot).map((vote) => weighByTrouble(vote, ballot, own));
  },
};

/** Only so many changes, the newest, are measured: each costs four queries. */
const MAX_MEASURED = 3;
/** What is left of a change that did nothing to its service that others did not show as well. */
const WITHOUT_EFFECT = 0.7;
const BEFORE_SECONDS = 900;
const MOST_AFTER_SECONDS = 1_800;

/** Before and after, the changed against those that were not. */
async function measure(notebook: Notebook, change: Change, changes: readonly Change[], { scope }: Task) {
  const nothing = { factor: 1, sentence: '', evidenceIds: [] };
  const afterSeconds = Math.floor((scope.window.endMs - change.atMs) / 1000);
  if (changes.indexOf(change) >= MAX_MEASURED || afterSeconds < 60) return nothing;
  const asked = await notebook.ask(compareBeforeAfter, {
    service: change.service,
    atMs: change.atMs,
    beforeSeconds: BEFORE_SECONDS,
    afterSeconds: Math.min(MOST_AFTER_SECONDS, afterSeconds),
    changed: [...new Set(changes.map(({ service }) => service))]
      .filter((name) => name !== change.service)
      .slice(0, 100),
  });
  const effect = asked?.output.effect ?? null;
  if (!asked || effect === null) return nothing;
  const { errorRatio } = asked.output;
  const failing = errorRatio
    ? `; ${percent(errorRatio.before, 1)} of its requests failed before and ${percent(errorRatio.after, 1)} after, of unchanged peers ${percent(errorRatio.peersBefore, 1)} and ${percent(errorRatio.peersAfter, 1)}`
    : '';
  return {
    factor: WITHOUT_EFFECT + (1 - WITHOUT_EFFECT) * effect,
    sentence: effect < 0.05 ? '; it shows nothing since that its unchanged peers do not show' : failing,
    evidenceIds: [asked.evidenceId],
  };
}

/** 0..0.6: near the onset is suspicious; halves every fifteen minutes. */
function timeliness(change: Pick<Change, 'atMs'>, onsetMs: number): number {
  const minutesBefore = Math.max(0, onsetMs - change.atMs) / 60_000;
  return 0.6 * 2 ** (-minutesBefore / 15);
}

/** A deploy whose diff was read is as credible as its diff; its time alone counts no more. */
function credibility(commit: string, { scoreOf }: CommitSuspicion): number {
  return (commit === '' ? undefined : scoreOf(commit)) ?? 1;
}

/** What speaks against each service after what its callees explain. */
function ownTrouble({ findings, calls }: Ballot): (service: string) => number {
  const accused = accusations(findings);
  const explained = explainByCallees(findings, calls);
  return (service) => (accused.get(service) ?? 0) * (1 - (explained.get(service)?.strength ?? 0));
}

/** What came after the trouble of its service did not bring it: no reason at all. */
function weighByTrouble(vote: Vote, { hypotheses, findings }: Ballot, trouble: (service: string) => number): Vote {
  const accused = hypotheses.find(({ hypothesisId }) => hypothesisId === vote.hypothesisId);
  const changes = findings.filter(({ signal }) => signal === 'changes');
  const changedAtMs = new Map(changes.map(({ observation, onsetMs }) => [observation, onsetMs]));
  const weight = trouble(accused?.service ?? '');
  return {
    ...vote,
    reasons: vote.reasons
      .filter(({ observation }) => isBeforeOnset(changedAtMs.get(observation), accused?.onsetMs))
      .map((reason) =>
        changedAtMs.has(reason.observation) ? { ...reason, strength: reason.strength * weight } : reason,
      ),
  };
}
