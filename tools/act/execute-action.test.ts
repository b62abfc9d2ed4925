import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Approval, type Grant, grant } from '../../domain/approval.ts';
import { type ActionKind, actionDigest, actionKindSchema, type Remediation } from '../../domain/remediation.ts';
import { InputError } from '../../platform/errors.ts';
import { createActionExecutor } from './execute-action.ts';

let ticketDir: string;

beforeEach(() => {
  ticketDir = join(mkdtempSync(join(tmpdir(), 'inquest-tickets-')), 'tickets');
});

afterEach(() => {
  rmSync(join(ticketDir, '..'), { recursive: true, force: true });
});

function remediation(action: ActionKind, service = 'payment'): Remediation {
  return {
    action,
    service,
    parameters: { title: `${service} began to fail` },
    tier: 'medium',
    rationale: 'Its owner gets the evidence.',
    preconditions: [],
    undo: 'Close it.',
    evidenceIds: ['ev_0123456789ab', 'ev_ba9876543210'],
  };
}

/** What a person's approval of exactly this action mints. */
function grantFor(approved: Remediation): Grant {
  const approval: Approval = {
    approvalId: 'appr_1',
    incidentId: 'inc_1',
    investigationId: 'inv_1',
    remediation: approved,
    actionDigest: actionDigest(approved),
    requestedAtMs: 0,
    expiresAtMs: 1_000,
    decision: { outcome: 'approved', decidedBy: 'alice', reason: '', decidedAtMs: 500 },
  };
  return grant(approval, approved);
}

const { signal } = new AbortController();
const TICKET = remediation('open-ticket');

test('a ticket holds what was found, readable by its owner only', async () => {
  const execute = createActionExecutor({ ticketDir });
  const { status, detail } = await execute(TICKET, grantFor(TICKET), 'act_1', signal);
  expect(status).toBe('done');
  expect(detail).toBe(`ticket written to ${join(ticketDir, 'act_1.md')}`);
  const text = readFileSync(join(ticketDir, 'act_1.md'), 'utf8');
  for (const part of ['# payment began to fail', TICKET.rationale, 'Service: payment', ...TICKET.evidenceIds]) {
    expect(text).toContain(part);
  }
  expect(statSync(join(ticketDir, 'act_1.md')).mode & 0o077).toBe(0);
});

test('a grant for another action is refused, and nothing is written', async () => {
  const execute = createActionExecutor({ ticketDir });
  for (const other of [remediation('open-ticket', 'stock'), remediation('restart-service')]) {
    await expect(execute(TICKET, grantFor(other), 'act_1', signal)).rejects.toThrow(InputError);
    await expect(execute(other, grantFor(TICKET), 'act_1', signal)).rejects.toThrow('for another action');
  }
  expect(() => readdirSync(ticketDir)).toThrow('ENOENT');
});

test('the same key writes one ticket, however often and in whichever process it is tried', async () => {
  const once = await createActionExecutor({ ticketDir })(TICKET, grantFor(TICKET), 'act_1', signal);
  const before = readFileSync(join(ticketDir, 'act_1.md'), 'utf8');
  writeFileSync(join(ticketDir, 'act_1.md'), `${before}\nsomebody works on it\n`);
  const tries = Array.from({ length: 5 }, () =>
    createActionExecutor({ ticketDir })(TICKET, grantFor(TICKET), 'act_1', signal),
  );
  for (const again of await Promise.all(tries)) expect(again).toEqual(once);
  expect(readdirSync(ticketDir)).toEqual(['act_1.md']);
  expect(readFileSync(join(ticketDir, 'act_1.md'), 'utf8')).toContain('somebody works on it');
});

test('another key writes another ticket, also when both hold what no file name may', async () => {
  const execute = createActionExecutor({ ticketDir });
  for (const key of ['inv_1/act', 'inv_1_act', 'inv_1 act', '../../act']) {
    expect(await execute(TICKET, grantFor(TICKET), key, signal)).toMatchObject({ status: 'done' });
  }
  expect(readdirSync(ticketDir)).toHaveLength(4);
  expect(readdirSync(join(ticketDir, '..'))).toEqual(['tickets']);
});

test.each(actionKindSchema.options.filter((action) => action !== 'open-ticket'))(
  '%s is a dry run and says so',
  async (action) => {
    const execute = createActionExecutor({ ticketDir });
    const wanted = remediation(action);
    const outcome = await execute(wanted, grantFor(wanted), 'act_1', signal);
    expect(outcome).toEqual({
      status: 'done',
      detail: `dry run: no executor is configured for ${action}; nothing was changed`,
    });
    expect(() => readdirSync(ticketDir)).toThrow('ENOENT');
  },
);

test('a ticket that cannot be written has failed, and says why', async () => {
  writeFileSync(ticketDir, 'a file where the folder should be');
  const execute = createActionExecutor({ ticketDir });
  const { status, detail } = await execute(TICKET, grantFor(TICKET), 'act_1', signal);
  expect(status).toBe('failed');
  expect(detail).toMatch(/^the ticket could not be written: .*EEXIST/);
});

test('nothing acts once its caller has given up', async () => {
  const execute = createActionExecutor({ ticketDir });
  await expect(execute(TICKET, grantFor(TICKET), 'act_1', AbortSignal.abort())).rejects.toThrow();
  expect(() => readdirSync(ticketDir)).toThrow('ENOENT');
});
