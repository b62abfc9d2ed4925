/** A decision comes from a person's form or not at all. */
import type { ElicitResult } from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, it } from 'vitest';
import { abstained, decided, pending, running } from '../apps/cli/investigations.fixture.ts';
import { InputError, InvariantError } from '../platform/errors.ts';
import type { McpBackend } from './backend.ts';
import { type ClientOptions, connectClient } from './connected-client.fixture.ts';

const approval = pending.approval ?? refuse();
const { incidentId } = pending.incident;

function refuse(): never {
  throw new InvariantError('the fixture waits for nobody');
}

/** A host with one pending approval, and every decision that reached it. */
async function open(options: ClientOptions = {}, given: Partial<McpBackend> = {}) {
  const decisions: unknown[] = [];
  const backend: Partial<McpBackend> = {
    listApprovals: async () => ({ approvals: [approval] }),
    getInvestigation: async () => pending,
    decide: async (id, input) => {
      decisions.push({ id, ...input });
      return {
        ...decided,
        approval: { ...approval, decision: { ...input, decidedAtMs: 1, decidedBy: 'x', reason: '' } },
      };
    },
    ...given,
  };
  const { call } = await connectClient(backend, {
    personName: 'alice',
    command: ['inquest', '--data-dir', 'd'],
    ...options,
  });
  return { decisions, call };
}

const answers = (result: ElicitResult) => async () => result;

describe('request_decision', () => {
  it('shows the action and carries the click of the person, bound to what was shown', async () => {
    const shown: string[] = [];
    const { call, decisions } = await open({
      person: async (message) => {
        shown.push(message);
        return { action: 'accept', content: { decision: 'approve', reason: 'known bad' } };
      },
    });
    const { data } = await call('request_decision', { id: incidentId });
    expect(data).toMatchObject({ decision: 'approved', approvalId: approval.approvalId });
    expect(shown[0]).toContain(`action: ${approval.remediation.action} of "${approval.remediation.service}"`);
    expect(shown[0]).toContain(`risk: ${approval.remediation.tier}`);
    expect(decisions).toEqual([
      {
        id: approval.approvalId,
        outcome: 'approved',
        reason: 'known bad',
        decidedBy: 'alice',
        actionDigest: approval.actionDigest,
      },
    ]);
  });

  it('carries a rejection without a reason as one that says so', async () => {
    const { call, decisions } = await open({ person: answers({ action: 'accept', content: { decision: 'reject' } }) });
    expect((await call('request_decision', { id: approval.approvalId })).data['decision']).toBe('rejected');
    expect(decisions).toMatchObject([{ outcome: 'rejected', reason: expect.stringContaining('No reason') }]);
  });

  it.each([
    ['a client without forms', {}, 'cannot show forms'],
    ['a person who declines', { person: answers({ action: 'decline' }) }, 'closed the form'],
    ['a person who closes the form', { person: answers({ action: 'cancel' }) }, 'closed the form'],
    [
      'a client that fills in something else',
      { person: answers({ action: 'accept', content: { decision: 'yes' } }) },
      'pending',
    ],
    ['a person who never answers', { patienceMs: 50, person: () => new Promise<never>(() => undefined) }, 'in time'],
  ] satisfies [string, ClientOptions, string][])(
    'leaves it pending for %s, and shows the command',
    async (_, options, why) => {
      const { call, decisions } = await open(options);
      const { data, isError } = await call('request_decision', { id: incidentId });
      expect(isError).toBe(false);
      expect(data).toMatchObject({ decision: 'pending', message: expect.stringContaining(why) });
      expect(data['message']).toContain(`inquest --data-dir d approve ${incidentId}`);
      expect(data['message']).toContain(`inquest --data-dir d reject ${incidentId} --reason`);
      expect(decisions).toEqual([]);
    },
  );

  it.each([{ decision: 'approve' }, { outcome: 'approved' }, { approved: true }, { reason: 'the user said yes' }])(
    'takes no word of a model: %j',
    async (claim) => {
      const { call, decisions } = await open({
        person: answers({ action: 'accept', content: { decision: 'approve' } }),
      });
      const { isError, text } = await call('request_decision', { id: incidentId, ...claim });
      expect([isError, text]).toEqual([true, expect.stringContaining('there is no argument')]);
      expect(decisions).toEqual([]);
    },
  );

  it('says why nothing waits', async () => {
    const none = { listApprovals: async () => ({ approvals: [] }) };
    for (const [investigation, why] of [
      [decided, 'already'],
      [running, 'still running'],
      [abstained, 'proposed nothing'],
    ] as const) {
      const { call } = await open({}, { ...none, getInvestigation: async () => investigation });
      expect((await call('request_decision', { id: 'inc_1' })).text).toContain(why);
    }
  });

  it('hands on why the host refuses', async () => {
    const { call } = await open(
      { person: answers({ action: 'accept', content: { decision: 'approve' } }) },
      {
        decide: async () => {
          throw new InputError('a-member is a member: this takes the role lead.', { code: 'forbidden' });
        },
      },
    );
    expect(await call('request_decision', { id: incidentId })).toMatchObject({
      isError: true,
      text: 'a-member is a member: this takes the role lead.',
    });
  });
});

describe('other tools', () => {
  it('never decide', async () => {
    const { call, decisions } = await open({ person: answers({ action: 'accept', content: { decision: 'approve' } }) });
    for (const name of ['propose', 'get_investigation', 'investigate']) await call(name, { id: incidentId });
    expect(decisions).toEqual([]);
  });

  it('show what waits, and how a person decides', async () => {
    const { call } = await open();
    const { data } = await call('propose');
    expect(data['telemetry']).toMatchObject([{ approvalId: approval.approvalId, proposal: expect.any(Array) }]);
    expect(data['howToDecide']).toContain('inquest --data-dir d approve');
  });
});
