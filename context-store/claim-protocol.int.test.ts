/**
 * The claim protocol against its promises, on a real Redis: programs of claims, extensions, answers, releases, leases that run
 * out and locks that are lost, by three holders at once. Whatever happened in whichever order: nobody's answer is accepted when
 * a newer token was given out, at most one answer is, no task is lost, and nobody is given a task whose lease goes on.
 */
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect } from 'vitest';
import { systemClock } from '../platform/clock.ts';
import { silentLogger } from '../platform/logger.ts';
import { answerBy, taskNamed } from './board.fixture.ts';
import type { Claim, ContextStore } from './context-store.ts';
import { ageRedis, itOnRedis } from './redis.fixture.ts';
import { connectRedis, untilReady } from './redis-connection.ts';
import { createRedisContextStore } from './redis-context-store.ts';
import { createRedisKeys } from './redis-keys.ts';
import { type RedisServer, startRedis } from './redis-server.ts';
import { createTaskLocks } from './task-locks.ts';

const LEASE_MS = 60_000;
const TIMEOUT_MS = 30_000;
const HOLDERS = ['a', 'b', 'c'];
const RUNS = 500;

let server: RedisServer;
let admin: Redis;
const connections: Redis[] = [];
const stores: ContextStore[] = [];
beforeAll(async () => {
  server = await startRedis();
  admin = await connect();
  for (const _ of HOLDERS) {
    const redis = await connect();
    const parts = { redis, keys: createRedisKeys('test'), clock: systemClock, logger: silentLogger };
    stores.push(createRedisContextStore({ ...parts, locks: createTaskLocks([redis]) }));
  }
});
afterAll(async () => {
  for (const redis of connections) redis.disconnect();
  await server.stop();
});

async function connect(): Promise<Redis> {
  const redis = connectRedis({ url: server.path, logger: silentLogger, timeoutMs: TIMEOUT_MS });
  connections.push(redis);
  await untilReady(redis, TIMEOUT_MS);
  return redis;
}

type Deed = 'claim' | 'claim any' | 'extend' | 'complete' | 'release';
type Step =
  | { readonly kind: 'together'; readonly deeds: readonly { readonly holder: number; readonly deed: Deed }[] }
  | { readonly kind: 'leases run out' }
  | { readonly kind: 'locks are lost' };

const deeds = fc.record({
  holder: fc.nat(HOLDERS.length - 1),
  deed: fc.constantFrom<Deed>('claim', 'claim', 'claim any', 'extend', 'complete', 'release'),
});
const steps = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('together' as const),
      deeds: fc.array(deeds, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.constant<Step>({ kind: 'leases run out' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'locks are lost' }) },
);

/** Holders remember every claim they were given, as frozen processes do, and write under the last of theirs. */
class Course {
  readonly investigationId: string;
  readonly claims: Claim[][] = HOLDERS.map(() => []);
  /** In the order in which they were told. */
  readonly tokens: number[] = [];
  readonly accepted: Claim[] = [];
  /** Surely: a lease goes on, and nobody gave it back. */
  #isLeased = false;

  constructor(investigationId: string) {
    this.investigationId = investigationId;
  }

  async play(step: Step): Promise<void> {
    if (step.kind === 'leases run out') {
      this.#isLeased = false;
      return ageRedis(admin, LEASE_MS);
    }
    if (step.kind === 'locks are lost') {
      const locks = await admin.keys('*:lock:*');
      if (locks.length > 0) await admin.del(...locks);
      return;
    }
    const before = { tokens: this.tokens.length, isLeased: this.#isLeased };
    const outcomes = await Promise.all(step.deeds.map(({ holder, deed }) => this.#act(holder, deed)));
    this.check();
    if (step.deeds.some(({ deed }) => deed === 'release')) {
      this.#isLeased = false;
      return;
    }
    expect(this.tokens.length - before.tokens).toBeLessThanOrEqual(before.isLeased ? 0 : 1);
    this.#isLeased ||= outcomes.includes('leased');
  }

  /** `leased`: the holder has the task now. */
  async #act(holder: number, deed: Deed): Promise<'leased' | undefined> {
    const store = storeOf(holder);
    const name = HOLDERS[holder] ?? '';
    if (deed === 'claim')
      return this.#note(holder, await store.claimTask(this.investigationId, 'task', name, LEASE_MS));
    if (deed === 'claim any') return this.#note(holder, await store.claimNext(['metrics-agent'], name, LEASE_MS));
    const claim = this.claims[holder]?.at(-1);
    if (!claim) return undefined;
    if (deed === 'extend') return (await store.extendClaim(claim, LEASE_MS)) === 'stale' ? undefined : 'leased';
    if (deed === 'release') await store.releaseClaim(claim);
    if (deed !== 'complete') return undefined;
    if ((await store.completeTask(claim, answerBy(name, claim))) === 'accepted') this.accepted.push(claim);
    return undefined;
  }

  #note(holder: number, claim: Claim | undefined): 'leased' | undefined {
    if (!claim) return undefined;
    this.claims[holder]?.push(claim);
    this.tokens.push(claim.token);
    return 'leased';
  }

  check(): void {
    expect(new Set(this.tokens).size).toBe(this.tokens.length);
    expect(this.accepted.length).toBeLessThanOrEqual(1);
    for (const { token } of this.accepted) expect(token).toBe(Math.max(...this.tokens));
  }

  /** The task is still there to be done by whoever comes last, or its one answer is. */
  async finish(): Promise<void> {
    await ageRedis(admin, LEASE_MS);
    await this.#act(0, 'claim');
    await this.#act(0, 'complete');
    this.check();
    const [accepted] = this.accepted;
    const { tasks, findings } = await storeOf(1).readBoard(this.investigationId);
    expect(tasks.map(({ status }) => status)).toEqual(['done']);
    expect(findings.map(({ findingId }) => findingId.split(' ')[1])).toEqual([String(accepted?.token)]);
    expect(await storeOf(2).claimNext(['metrics-agent'], 'late', LEASE_MS)).toBeUndefined();
  }
}

function storeOf(holder: number): ContextStore {
  return stores[holder] ?? expect.fail('no such holder');
}

itOnRedis(
  'accepts one answer of each task, under its newest token, whatever happens in between',
  {
    timeout: 120_000,
  },
  async () => {
    let runs = 0;
    let claims = 0;
    const property = fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 14 }), async (program) => {
      runs += 1;
      const course = new Course(`inv_${runs}`);
      await admin.flushall();
      await storeOf(0).postTasks(course.investigationId, [taskNamed(course.investigationId, 'task')]);
      for (const step of program) await course.play(step);
      await course.finish();
      claims += course.tokens.length;
    });
    await fc.assert(property, { numRuns: RUNS, seed: 6 });
    expect(claims).toBeGreaterThan(runs); // programs in which nobody takes over would prove nothing
  },
);
