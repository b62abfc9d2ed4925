/** One investigation, many processes' worth of parts over a real Redis: who decides, who helps, and what a Redis that goes away costs. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished } from 'vitest';
import { ageServer, itOnRedis } from '../context-store/redis.fixture.ts';
import { type RedisServer, startRedis } from '../context-store/redis-server.ts';
import { retry } from '../platform/retry.ts';
import type { InvestigationParts } from './investigation-parts.ts';
import { createInvestigator } from './run-investigation.ts';
import { createScriptedParts, INCIDENT, OVERTURNING } from './scripted-jury.fixture.ts';
import { openSharedParts } from './supervisor-child.fixture.ts';
import { workTasks } from './work-tasks.ts';

const TIMEOUT_MS = 60_000;
const INVESTIGATION = { ...INCIDENT, investigationId: 'inv_1' };
const soon = () => AbortSignal.timeout(TIMEOUT_MS);
const approvedBy = (decidedBy: string) => ({
  outcome: 'approved' as const,
  decidedBy,
  reason: 'go',
  decidedAtMs: Date.now(),
});

let server: RedisServer;
let directory: string;
beforeEach(async () => {
  server = await startRedis();
  directory = mkdtempSync(join(tmpdir(), 'inquest-shared-'));
});
afterEach(async () => {
  rmSync(directory, { recursive: true });
  await server.stop();
});

async function openProcess(overrides: Partial<InvestigationParts> = {}) {
  const { parts, redis } = await openSharedParts(directory, server.path, overrides);
  onTestFinished(() => redis.close());
  return { parts, investigator: createInvestigator(parts) };
}

const verdictAlone = async () =>
  (await createInvestigator(createScriptedParts(OVERTURNING, { tier: 'medium' })).start(INVESTIGATION, soon())).verdict;

itOnRedis(
  'of decisions that come at the same time in eight processes one counts',
  { timeout: TIMEOUT_MS },
  async () => {
    const [first, ...others] = await Promise.all(Array.from({ length: 8 }, () => openProcess()));
    await first?.investigator.start(INVESTIGATION, soon());
    const outcomes = await Promise.allSettled(
      [first, ...others].map((one, index) => one?.investigator.resume('inv_1', approvedBy(`person ${index}`), soon())),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'conflict' });
    }
    expect(readFileSync(join(directory, 'actions'), 'utf8')).toBe('restarted payment\n');
  },
);

itOnRedis('tasks are answered by whoever helps, and the verdict is the same', { timeout: TIMEOUT_MS }, async () => {
  const draining = new AbortController();
  const helper = await openProcess({ holder: 'helper' });
  const agents = helper.parts.agents.map(({ name }) => name);
  const helping = workTasks(helper.parts, { agents, concurrency: 4, draining: draining.signal, stopping: soon() });
  const limits = { ...helper.parts.limits, headStartMs: 1_000 };
  const { investigator, parts } = await openProcess({ holder: 'host', hasHelpers: () => true, limits });
  const finished = await investigator.start(INVESTIGATION, soon());
  expect(finished.verdict).toEqual(await verdictAlone());
  const { tasks } = await parts.contextStore.readBoard('inv_1');
  expect(tasks.map(({ claimedBy }) => claimedBy)).toEqual(['helper', 'helper', 'helper', 'helper']);
  draining.abort();
  await helping;
});

itOnRedis.each([
  ['killed, and comes back empty', () => server.kill(), () => server.restart()],
  ['frozen, and woken', async () => server.signal('SIGSTOP'), async () => server.signal('SIGCONT')],
] as const)(
  'a Redis that is %s in the middle costs time, and no finding',
  { timeout: TIMEOUT_MS },
  async (_, goAway, comeBack) => {
    let looks = 0;
    const isLooking = Promise.withResolvers<void>();
    const isAway = Promise.withResolvers<void>();
    const { parts } = await openProcess();
    const agents = parts.agents.map((agent) => ({
      ...agent,
      investigate: async (...args: Parameters<typeof agent.investigate>) => {
        looks += 1;
        if (looks === parts.agents.length) isLooking.resolve();
        // The last one is at it when Redis goes; the others have answered before.
        if (looks >= parts.agents.length) await isAway.promise;
        return agent.investigate(...args);
      },
    }));
    const investigator = createInvestigator({ ...parts, agents });
    const cutOff = investigator.start(INVESTIGATION, soon());
    cutOff.catch(() => undefined);
    await isLooking.promise;
    await goAway();
    isAway.resolve();
    await expect(cutOff).rejects.toMatchObject({ name: 'UnavailableError', retryable: true });
    expect(parts.stores.findInvestigation('inv_1')?.status).toBe('running');
    await comeBack();
    // What it could not give back ends by itself.
    await ageServer(server.path, 60_000);
    // As the desk does, again and again.
    const recovered = await retry(() => investigator.recover('inv_1', soon()), {
      attempts: 100,
      baseDelayMs: 50,
      maxDelayMs: 500,
      signal: soon(),
    });
    expect(recovered.status).toBe('awaiting-approval');
    expect(recovered.verdict).toEqual(await verdictAlone());
    expect(recovered.findings).toHaveLength(4);
  },
);
