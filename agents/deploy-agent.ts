/**
 * The deploy agent: which change was made to whom shortly before the trouble. A change alone proves nothing (the last deploy is
 * a decoy more often than not), so it weighs only as much as the other agents' own findings about the changed service.
 */
import { accusations, explainByCallees } from '../domain/blame-callees.ts';
import type { Change } from '../domain/change.ts';
import type { Vote } from '../domain/hypothesis.ts';
import { formatInstant } from '../domain/time-window.ts';
import { listChanges } from '../tools/read/list-changes.ts';
import type { Agent, Ballot } from './agent.ts';
import { isBeforeOnset, ONSET_SLACK_MS } from './is-before-onset.ts';
import { openNotebook, voteByFindings } from './post-findings.ts';

/** Changes older than this at the onset have usually shown what they do. */
const LOOKBACK_MS = 45 * 60_000;

export const deployAgent: Agent = {
  name: 'deploy-agent',
  signal: 'changes',
  mission: 'looks for deploys, flags, commits and configuration changes shortly before the trouble',
  investigate: async (task, context) => {
    const notebook = openNotebook(deployAgent, task, context);
    const { onsetGrid, window } = task.scope;
    const lastOnsetMs = onsetGrid.firstMs + (onsetGrid.count - 1) * onsetGrid.stepSeconds * 1000;
    const endMs = Math.min(window.endMs, lastOnsetMs + ONSET_SLACK_MS);
    const asked = await notebook.ask(listChanges, { window: { startMs: onsetGrid.firstMs - LOOKBACK_MS, endMs } });
    for (const change of asked?.output.changes ?? []) {
      if (change.service === '') continue;
      const strength = timeliness(change, onsetGrid.firstMs);
      notebook.note({
        observation: `changes:${change.changeId}:${change.service}`,
        service: change.service,
        subject: change.changeId,
        window: { startMs: onsetGrid.firstMs - LOOKBACK_MS, endMs },
        onsetMs: change.atMs,
        sentence: `${formatInstant(change.atMs)}: ${change.kind} on ${change.service}${change.version ? ` (${change.version})` : ''}: ${change.summary.slice(0, 160)}`,
        evidenceIds: [asked?.evidenceId ?? ''],
        implications: [
          {
            service: change.service,
            causeType: 'bad-change',
            stance: 'for',
            strength,
            canEcho: false,
            changeId: change.changeId,
          },
        ],
        figures: { kind: change.kind, version: change.version },
      });
    }
    return notebook.answer();
  },
  vote: (ballot) => {
    const own = ownTrouble(ballot);
    return voteByFindings('deploy-agent', ballot).map((vote) => weighByTrouble(vote, ballot, own));
  },
};

/** 0..0.6: near the onset is suspicious; halves every fifteen minutes. */
function timeliness(change: Pick<Change, 'atMs'>, onsetMs: number): number {
  const minutesBefore = Math.max(0, onsetMs - change.atMs) / 60_000;
  return 0.6 * 2 ** (-minutesBefore / 15);
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
  const changedAtMs = new Map(findings.map(({ observation, onsetMs }) => [observation, onsetMs]));
  const weight = trouble(accused?.service ?? '');
  return {
    ...vote,
    reasons: vote.reasons
      .filter(({ observation }) => isBeforeOnset(changedAtMs.get(observation), accused?.onsetMs))
      .map((reason) => ({ ...reason, strength: reason.strength * weight })),
  };
}
