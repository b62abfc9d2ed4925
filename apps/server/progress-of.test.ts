/** The past of an investigation, told again from its document. */
import { describe, expect, it } from 'vitest';
import type { Investigation } from '../../domain/investigation.ts';
import { approvalOf, WINDOW } from './fixture.contract.ts';
import { progressOf } from './progress-of.ts';

const scope = {
  window: WINDOW,
  baseline: WINDOW,
  onsetMs: 5,
  onsetGrid: { firstMs: 0, stepSeconds: 10, count: 1 },
  onsetReason: 'errors rose',
  calls: [],
  evidenceIds: [],
};
const decision = { outcome: 'approved', decidedBy: 'alice', reason: '', decidedAtMs: 400 } as const;

const INVESTIGATION: Investigation = {
  investigationId: 'inv_1',
  incident: {
    incidentId: 'inc_1',
    title: 'cart is slow',
    status: 'resolved',
    source: 'manual',
    service: 'cart',
    openedAtMs: 90,
    searchWindow: WINDOW,
    severity: 'low',
    anomalies: [],
  },
  status: 'finished',
  startedAtMs: 100,
  finishedAtMs: 500,
  rounds: 1,
  scope,
  tasks: [
    { taskId: 't', investigationId: 'inv_1', agent: 'log-agent', round: 1, question: 'What is new?', scope, focus: [] },
  ],
  findings: [],
  evidence: [],
  hypotheses: [],
  votes: [],
  changes: [],
  approval: { ...approvalOf('inv_1'), requestedAtMs: 300, decision },
  actionOutcome: { status: 'done', detail: 'rolled back', atMs: 450 },
};

describe('progressOf', () => {
  it('tells the steps in the order of the work, none before the one before it', () => {
    expect(progressOf(INVESTIGATION).map(({ kind, message, atMs }) => [kind, message, atMs])).toEqual([
      ['started', 'cart is slow', 100],
      ['scoped', 'errors rose', 100],
      ['task-posted', 'log-agent: What is new?', 100],
      ['approval', 'roll cart back', 300],
      ['approval', 'approved by alice', 400],
      ['action', 'rolled back', 450],
      ['finished', '', 500],
    ]);
  });

  it('tells a failure with its reason', () => {
    const failed: Investigation = { ...INVESTIGATION, status: 'failed', failure: 'engine away' };
    expect(progressOf(failed).at(-1)).toMatchObject({ kind: 'failed', message: 'engine away' });
  });
});
