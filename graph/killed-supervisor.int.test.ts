/** The supervisor's process is killed, or stands still, in the middle of each step in turn: another one ends the investigation. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest';
import { ageServer, itOnRedis } from '../context-store/redis.fixture.ts';
import { type RedisServer, startRedis } from '../context-store/redis-server.ts';
import type { Investigation } from '../domain/investigation.ts';
import { retry } from '../platform/retry.ts';
import { createInvestigator } from './run-investigation.ts';
import { createScriptedParts, INCIDENT, OVERTURNING } from './scripted-jury.fixture.ts';
import { type Line, openSharedParts } from './supervisor-child.fixture.ts';

const CHILD = fileURLToPath(new URL('supervisor-child.fixture.ts', import.meta.url));
const TIMEOUT_MS = 60_000;
/** No lock or claim outlives it: context-store/redis-shard-lock.ts, INVESTIGATION_LIMITS.leaseMs. */
const LEASES_MS = 60_000;
const PATIENCE = { attempts: 5, baseDelayMs: 100, maxDelayMs: 1_000 };
const soon = () => AbortSignal.timeout(TIMEOUT_MS);

let server: RedisServer;
let directory: string;
let child: ChildProcess | undefined;
let expected: Investigation;

beforeAll(async () => {
  server = await startRedis();
  expected = await createInvestigator(createScriptedParts(OVERTURNING, { tier: 'medium' })).start(
    { ...INCIDENT, investigationId: 'inv_1' },
    soon(),
  );
});
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'inquest-supervisor-'));
});
afterEach(async () => {
  await kill();
  rmSync(directory, { recursive: true });
});
afterAll(() => server?.stop());

async function kill(): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** Starts an investigation in a process of its own; resolves when it stands still there. What it says later comes one by one. */
async function superviseUntil(kind: string): Promise<() => Promise<Line>> {
  const started = spawn(process.execPath, [CHILD, directory, server.path, kind], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child = started;
  const lines = createInterface({ input: started.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<Line> => {
    const { value, done } = await lines.next();
    return done ? expect.fail('the process ended without a word') : JSON.parse(value);
  };
  expect(await next()).toEqual({ at: kind });
  return next;
}

/** Another process, as soon as nobody holds the investigation. */
async function takeOver(): Promise<Investigation> {
  const { parts, redis } = await openSharedParts(directory, server.path);
  const investigator = createInvestigator(parts);
  try {
    await expect(investigator.recover('inv_1', soon())).rejects.toMatchObject({ code: 'conflict' });
    await ageServer(server.path, LEASES_MS);
    // A store that is slow for a moment breaks it off, and the desk tries again.
    const standing = await retry(() => investigator.recover('inv_1', soon()), PATIENCE);
    if (standing.status !== 'awaiting-approval') return standing;
    const decision = { outcome: 'approved' as const, decidedBy: 'alice', reason: 'go', decidedAtMs: Date.now() };
    return await investigator.resume('inv_1', decision, soon());
  } finally {
    await redis.close();
  }
}

function expectTheSame(finished: Investigation): void {
  expect(finished).toMatchObject({ status: 'finished', actionOutcome: { status: 'done' } });
  expect(finished.verdict).toEqual(expected.verdict);
  expect(finished.tally).toEqual(expected.tally);
  expect(existsSync(join(directory, 'actions')) && readFileSync(join(directory, 'actions'), 'utf8')).toBe(
    'restarted payment\n',
  );
}

/** Each step of the graph by an audit entry that it makes. */
const STEPS: [step: string, kind: string][] = [
  ['scope-incident', 'scope.located'],
  ['plan-tasks', 'tasks.posted'],
  ['gather-findings', 'task.finished'],
  ['propose-hypotheses', 'hypotheses.proposed'],
  ['cast-votes', 'votes.cast'],
  ['decide-verdict', 'verdict.reached'],
  ['propose-remediation', 'approval.requested'],
  ['request-approval', 'approval.decided'],
  ['run-action', 'action.intended'],
  ['run-action, done', 'action.finished'],
  ['write-report', 'investigation.finished'],
];

itOnRedis.each(STEPS)('killed in %s: the verdict is the same', { timeout: TIMEOUT_MS }, async (_, kind) => {
  await superviseUntil(kind);
  await kill();
  expectTheSame(await takeOver());
});

itOnRedis.each(STEPS)('frozen in %s, it wakes up and changes nothing', { timeout: TIMEOUT_MS }, async (_, kind) => {
  const next = await superviseUntil(kind);
  child?.kill('SIGSTOP');
  const finished = await takeOver();
  expectTheSame(finished);
  child?.kill('SIGCONT');
  child?.stdin?.write('go on\n');
  expect(await next()).toEqual({ ended: expect.stringMatching(/^(superseded|conflict|finished)$/) });
  const { parts, redis } = await openSharedParts(directory, server.path);
  await vi.waitFor(() => expect(parts.stores.findInvestigation('inv_1')).toEqual(finished));
  expectTheSame(await createInvestigator(parts).recover('inv_1', soon()));
  await redis.close();
});
