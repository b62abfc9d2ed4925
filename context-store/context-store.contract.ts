/** What every context store must do, in memory or shared by many processes: one suite, run by each implementation's test. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEvidence, type Evidence } from '../domain/evidence.ts';
import type { Finding } from '../domain/finding.ts';
import type { Hypothesis, Vote } from '../domain/hypothesis.ts';
import type { Progress, Task } from '../domain/investigation.ts';
import { createManualClock } from '../platform/clock.ts';
import { LimitError } from '../platform/errors.ts';
import { digestOf } from '../platform/ids.ts';
import type { BoardLimits } from './board-limits.ts';
import type { Claim, ContextStore, TaskAnswer } from './context-store.ts';

const INVESTIGATION = 'inv_contract';
/** Of the supervisor. */
const TOKEN = 5;
const LEASE_MS = 10_000;
/** A store whose leases run on a server's clock does not stand still while the suite's clock does. */
const TICK_MS = 3_000;
const WINDOW = { startMs: 1_000_000, endMs: 2_000_000 };
const LIMITS: BoardLimits = {
  maxTasks: 20,
  maxFindings: 5,
  maxEvidence: 5,
  maxHypotheses: 5,
  maxVotes: 5,
  maxGaps: 5,
  maxItemCharacters: 20_000,
};

const task = (taskId: string, investigationId = INVESTIGATION): Task => ({
  taskId,
  investigationId,
  agent: 'metrics-agent',
  round: 1,
  question: 'What moved first?',
  scope: {
    window: WINDOW,
    baseline: { startMs: 0, endMs: 1_000_000 },
    onsetMs: 1_000_000,
    onsetReason: 'given',
    onsetGrid: { firstMs: 1, stepSeconds: 20, count: 1 },
    calls: [],
    evidenceIds: [],
  },
  focus: [],
});

const evidence = (seed: string): Evidence =>
  createEvidence({
    tool: 'probe',
    input: { seed },
    queries: [{ sql: 'SELECT {seed:String}', parameters: { seed }, rowCount: 1, digest: digestOf(seed) }],
    window: WINDOW,
    takenAtMs: 1,
    summary: `probe ${seed}`,
  });

const finding = (findingId: string, shown: Evidence, taskId = 'task_1'): Finding => ({
  findingId,
  agent: 'metrics-agent',
  taskId,
  signal: 'metrics',
  observation: `metrics:cart:${findingId}`,
  service: 'cart',
  subject: 'cpu',
  window: WINDOW,
  sentence: 'cart used more cpu than ever.',
  evidenceIds: [shown.evidenceId],
  implications: [],
  figures: {},
});

const hypothesis = (hypothesisId: string, round = 1): Hypothesis => ({
  hypothesisId,
  service: 'cart',
  causeType: 'cpu-saturation',
  statement: 'cart ran out of cpu.',
  findingIds: [],
  proposedRank: 1,
  round,
});

const vote = (hypothesisId: string, strength: number, round = 1): Vote => ({
  agent: 'metrics-agent',
  hypothesisId,
  round,
  reasons: [{ observation: 'metrics:cart:cpu', stance: 'for', strength, evidenceIds: ['ev_0'], sentence: 'high' }],
});

const answerOf = (...seeds: readonly string[]): TaskAnswer => ({
  findings: seeds.map((seed) => finding(`finding_${seed}`, evidence(seed))),
  evidence: seeds.map(evidence),
  gaps: [],
});

function claimed(claim: Claim | undefined): Claim {
  if (!claim) return expect.fail('the task could not be claimed');
  return claim;
}

type ManualClock = ReturnType<typeof createManualClock>;

/** @param open a fresh, empty store whose leases run on `clock` and whose boards keep to `limits` */
export function describeContextStore(
  name: string,
  open: (options: { clock: ManualClock; limits: BoardLimits }) => Promise<ContextStore>,
): void {
  describe(name, () => {
    let clock: ManualClock;
    let store: ContextStore;

    beforeEach(async () => {
      clock = createManualClock(1_700_000_000_000);
      store = await open({ clock, limits: LIMITS });
      await store.postTasks(INVESTIGATION, [task('task_1')]);
    });
    afterEach(() => store.close());

    const claim = (taskId = 'task_1', holder = 'worker', leaseMs = LEASE_MS) =>
      store.claimTask(INVESTIGATION, taskId, holder, leaseMs);

    describe('tasks and claims', () => {
      it('posts a task once, whoever repeats it', async () => {
        await claim();
        await store.postTasks(INVESTIGATION, [{ ...task('task_1'), question: 'another question' }, task('task_2')]);
        const { tasks } = await store.readBoard(INVESTIGATION);
        expect(tasks).toEqual([
          { task: task('task_1'), status: 'claimed', claimedBy: 'worker', gaps: [] },
          { task: task('task_2'), status: 'open', gaps: [] },
        ]);
      });

      it('gives a task to exactly one of many who ask at once', async () => {
        const tasks = Array.from({ length: 10 }, (_, index) => `race_${index}`);
        await store.postTasks(
          INVESTIGATION,
          tasks.map((taskId) => task(taskId)),
        );
        const claims = await Promise.all(
          tasks.flatMap((taskId) => Array.from({ length: 8 }, (_, worker) => claim(taskId, `worker ${worker}`))),
        );
        const won = claims.filter((one) => one !== undefined).map((one) => one.task.taskId);
        expect(won.toSorted()).toEqual(tasks.toSorted());
      });

      it('refuses a task that is not on the board', async () => {
        await expect(claim('nowhere')).rejects.toMatchObject({ name: 'InputError', code: 'not-found' });
      });

      it('gives a task again when its lease has run out, with a greater token', async () => {
        const first = claimed(await claim());
        expect(first.expiresAtMs).toBe(clock.nowMs() + LEASE_MS);
        clock.advance(LEASE_MS - TICK_MS);
        expect(await claim()).toBeUndefined();
        clock.advance(TICK_MS);
        const second = claimed(await claim('task_1', 'another'));
        expect(second.token).toBeGreaterThan(first.token);
      });

      it('prolongs a lease that is still ours, and tells a stale holder', async () => {
        const first = claimed(await claim());
        clock.advance(LEASE_MS - TICK_MS);
        const prolonged = await store.extendClaim(first, LEASE_MS);
        expect(prolonged).toMatchObject({ token: first.token, expiresAtMs: clock.nowMs() + LEASE_MS });
        clock.advance(LEASE_MS - TICK_MS);
        expect(await claim()).toBeUndefined();
        clock.advance(TICK_MS);
        await claim('task_1', 'another');
        expect(await store.extendClaim(first, LEASE_MS)).toBe('stale');
      });

      it('takes a task back at once, but not from a stale holder', async () => {
        const first = claimed(await claim());
        await store.releaseClaim(first);
        const second = claimed(await claim());
        expect(second.token).toBeGreaterThan(first.token);
        await store.releaseClaim(first);
        expect(await claim()).toBeUndefined();
      });

      it('stores the answer of the newest holder only, also when the older one wakes up later', async () => {
        const frozen = claimed(await claim());
        clock.advance(LEASE_MS);
        const newest = claimed(await claim('task_1', 'another'));
        expect(await store.completeTask(frozen, answerOf('stale'))).toBe('stale');
        expect(await store.completeTask(newest, answerOf('fresh'))).toBe('accepted');
        expect(await store.completeTask(frozen, answerOf('stale'))).toBe('stale');
        const board = await store.readBoard(INVESTIGATION);
        expect(board.findings.map((one) => one.findingId)).toEqual(['finding_fresh']);
        expect(board.evidence).toEqual([evidence('fresh')]);
      });

      it('accepts a late answer while nobody else has taken the task', async () => {
        const late = claimed(await claim());
        clock.advance(LEASE_MS * 2);
        expect(await store.completeTask(late, answerOf('late'))).toBe('accepted');
      });

      it('completes a task once, also when it is done at once from two sides', async () => {
        const held = claimed(await claim());
        const answers = await Promise.all([
          store.completeTask(held, answerOf('a')),
          store.completeTask(held, answerOf('b')),
        ]);
        expect(answers.toSorted()).toEqual(['accepted', 'stale']);
        expect((await store.readBoard(INVESTIGATION)).findings).toHaveLength(1);
        clock.advance(LEASE_MS * 2);
        expect(await claim()).toBeUndefined();
        expect(await store.extendClaim(held, LEASE_MS)).toBe('stale');
      });

      it('keeps why an agent could not answer, and what it missed', async () => {
        const gap = { signal: 'metrics' as const, service: 'cart', what: 'no cpu series', remedy: 'send them' };
        const failed = { findings: [], evidence: [], gaps: [gap], failure: 'the engine was away' };
        await store.completeTask(claimed(await claim()), failed);
        const board = await store.readBoard(INVESTIGATION);
        expect(board.tasks[0]).toMatchObject({ status: 'done', claimedBy: 'worker', failure: 'the engine was away' });
        expect(board.gaps).toEqual([gap]);
        expect(board.tasks.map(({ gaps }) => gaps)).toContainEqual([gap]);
      });
    });

    describe('tasks of whatever investigation', () => {
      const signal = AbortSignal.timeout(30_000);
      const next = (holder = 'worker', leaseMs = LEASE_MS) =>
        store.claimNext(['metrics-agent'], holder, leaseMs, signal);
      const wait = () => store.awaitOpenTasks(['metrics-agent'], signal);
      const idOf = (claim: Claim | undefined) => claim && `${claim.task.investigationId} ${claim.task.taskId}`;

      it('gives each to exactly one of those who ask at once', async () => {
        await store.postTasks('inv_other', [task('task_1', 'inv_other'), task('task_2', 'inv_other')]);
        const won: (string | undefined)[] = [];
        const worker = async (_: unknown, index: number) => {
          for (let claim = await next(`worker ${index}`); claim; claim = await next(`worker ${index}`)) {
            won.push(idOf(claim));
          }
        };
        await Promise.all(Array.from({ length: 4 }, worker));
        expect(won.toSorted()).toEqual([`${INVESTIGATION} task_1`, 'inv_other task_1', 'inv_other task_2']);
      });

      it('gives an agent no task of another agent', async () => {
        await store.postTasks(INVESTIGATION, [{ ...task('task_logs'), agent: 'log-agent' }]);
        expect(idOf(await store.claimNext(['log-agent', 'trace-agent'], 'worker', LEASE_MS))).toBe(
          `${INVESTIGATION} task_logs`,
        );
        expect(await store.claimNext(['log-agent', 'trace-agent'], 'worker', LEASE_MS)).toBeUndefined();
      });

      it('gives none that is held, done or dropped, and again one that was given back or whose lease ran out', async () => {
        const held = claimed(await next());
        expect(await next()).toBeUndefined();
        await store.releaseClaim(held);
        const again = claimed(await next());
        expect(again.token).toBeGreaterThan(held.token);
        clock.advance(LEASE_MS);
        const taken = claimed(await next('another'));
        expect(await store.completeTask(again, answerOf('stale'))).toBe('stale');
        expect(await store.completeTask(taken, answerOf('fresh'))).toBe('accepted');
        clock.advance(LEASE_MS);
        expect(await next()).toBeUndefined();
        await store.postTasks(INVESTIGATION, [task('task_1'), task('task_2')]);
        await store.dropBoard(INVESTIGATION);
        expect(await next()).toBeUndefined();
      });

      it('gives a task that was claimed by its name to nobody else', async () => {
        await claim();
        expect(await next('another')).toBeUndefined();
      });

      it('wakes who waits when a task is open, is posted, or is given back', async () => {
        await wait();
        const held = claimed(await next());
        let woken = wait();
        await store.postTasks(INVESTIGATION, [task('task_2')]);
        await woken;
        expect(idOf(await next())).toBe(`${INVESTIGATION} task_2`);
        woken = wait();
        await store.releaseClaim(held);
        await woken;
        expect(idOf(await next())).toBe(`${INVESTIGATION} task_1`);
      });

      it('wakes who waits when a lease runs out', async () => {
        const leaseMs = 50;
        await next('worker', leaseMs);
        await wait();
        clock.advance(leaseMs);
        expect(idOf(await next('another'))).toBe(`${INVESTIGATION} task_1`);
      });

      it('stops waiting at the abort', async () => {
        await next();
        const giveUp = new AbortController();
        const waiting = store.awaitOpenTasks(['metrics-agent'], giveUp.signal);
        giveUp.abort();
        await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
        await expect(store.awaitOpenTasks(['metrics-agent'], giveUp.signal)).rejects.toMatchObject({
          name: 'AbortError',
        });
      });
    });

    describe('evidence, hypotheses and votes', () => {
      it('stores the same evidence once', async () => {
        await store.postEvidence(INVESTIGATION, [evidence('a'), evidence('a')]);
        await store.postEvidence(INVESTIGATION, [evidence('a'), evidence('b')]);
        await store.completeTask(claimed(await claim()), answerOf('b'));
        const { evidence: stored } = await store.readBoard(INVESTIGATION);
        expect(stored.map((one) => one.summary).toSorted()).toEqual(['probe a', 'probe b']);
      });

      it('replaces the hypotheses of one round and keeps the others', async () => {
        await store.postHypotheses(INVESTIGATION, 1, [hypothesis('h1')], TOKEN);
        await store.postHypotheses(INVESTIGATION, 2, [hypothesis('h2', 2), hypothesis('h3', 2)], TOKEN);
        await store.postHypotheses(INVESTIGATION, 2, [hypothesis('h4', 2)], TOKEN);
        const { hypotheses } = await store.readBoard(INVESTIGATION);
        expect(hypotheses).toEqual([hypothesis('h1'), hypothesis('h4', 2)]);
      });

      it("counts an agent's last vote on a hypothesis in a round", async () => {
        await store.castVotes(INVESTIGATION, 'metrics-agent', [vote('h1', 0.2), vote('h2', 0.4)], TOKEN);
        await store.castVotes(INVESTIGATION, 'metrics-agent', [vote('h1', 0.9), vote('h1', 0.5, 2)], TOKEN);
        await store.castVotes(INVESTIGATION, 'log-agent', [{ ...vote('h1', 0.1), agent: 'log-agent' }], TOKEN);
        const { votes } = await store.readBoard(INVESTIGATION);
        const strengths = votes.map((one) =>
          [one.agent, one.hypothesisId, one.round, one.reasons[0]?.strength].join(' '),
        );
        expect(strengths.toSorted()).toEqual([
          'log-agent h1 1 0.1',
          'metrics-agent h1 1 0.9',
          'metrics-agent h1 2 0.5',
          'metrics-agent h2 1 0.4',
        ]);
      });

      it('keeps what was posted, whatever the caller does to it afterwards', async () => {
        const mine = structuredClone(hypothesis('h1'));
        await store.postHypotheses(INVESTIGATION, 1, [mine], TOKEN);
        mine.statement = 'changed';
        expect((await store.readBoard(INVESTIGATION)).hypotheses).toEqual([hypothesis('h1')]);
      });
    });

    describe('a supervisor that another one has followed', () => {
      const refused = expect.objectContaining({ code: 'superseded', retryable: true });

      it('changes neither hypotheses nor votes', async () => {
        await store.postHypotheses(INVESTIGATION, 1, [hypothesis('h1')], TOKEN);
        await store.castVotes(INVESTIGATION, 'metrics-agent', [vote('h1', 0.2)], TOKEN + 1);
        const before = await store.readBoard(INVESTIGATION);
        await expect(store.postHypotheses(INVESTIGATION, 1, [hypothesis('h2')], TOKEN)).rejects.toEqual(refused);
        await expect(store.castVotes(INVESTIGATION, 'log-agent', [vote('h1', 0.9)], TOKEN)).rejects.toEqual(refused);
        expect(await store.readBoard(INVESTIGATION)).toEqual(before);
        await store.postHypotheses(INVESTIGATION, 1, [hypothesis('h3')], TOKEN + 1);
        expect((await store.readBoard(INVESTIGATION)).hypotheses).toEqual([hypothesis('h3')]);
      });
    });

    describe('bounds', () => {
      const many = (count: number) => Array.from({ length: count }, (_, index) => `${index}`);

      it.each<[string, () => Promise<unknown>]>([
        [
          'tasks',
          () =>
            store.postTasks(
              INVESTIGATION,
              many(LIMITS.maxTasks + 1).map((seed) => task(seed)),
            ),
        ],
        ['evidence', () => store.postEvidence(INVESTIGATION, many(LIMITS.maxEvidence + 1).map(evidence))],
        [
          'hypotheses',
          () =>
            store.postHypotheses(
              INVESTIGATION,
              1,
              many(6).map((seed) => hypothesis(seed)),
              TOKEN,
            ),
        ],
        [
          'votes',
          () =>
            store.castVotes(
              INVESTIGATION,
              'metrics-agent',
              many(6).map((seed) => vote(seed, 1)),
              TOKEN,
            ),
        ],
        ['findings', async () => store.completeTask(claimed(await claim()), { ...answerOf(...many(6)), evidence: [] })],
        [
          'one long item',
          () => store.postHypotheses(INVESTIGATION, 1, [{ ...hypothesis('h'), statement: 'x'.repeat(20_000) }], TOKEN),
        ],
      ])('refuses too much: %s', async (_, post) => {
        const before = await store.readBoard(INVESTIGATION);
        await expect(post()).rejects.toThrow(LimitError);
        const after = await store.readBoard(INVESTIGATION);
        expect({ ...after, tasks: after.tasks.length }).toEqual({ ...before, tasks: before.tasks.length });
      });

      it('leaves the claim whole when an answer is refused, so that the task can be completed as failed', async () => {
        const held = claimed(await claim());
        await expect(store.completeTask(held, answerOf(...many(6)))).rejects.toThrow(LimitError);
        const failed = { findings: [], evidence: [], gaps: [], failure: 'too much' };
        expect(await store.completeTask(held, failed)).toBe('accepted');
      });
    });

    describe('watchers', () => {
      const progress = (message: string, investigationId = INVESTIGATION): Progress => ({
        investigationId,
        atMs: 1,
        actor: 'metrics-agent',
        kind: 'finding',
        message,
      });

      /** Subscribes; `until(n)` resolves with the messages once n have come. */
      async function watch(investigationId: string) {
        const messages: string[] = [];
        const { promise: stirred, resolve } = Promise.withResolvers<void>();
        let wake = resolve;
        let next = stirred;
        const stop = await store.subscribe(investigationId, (one) => {
          messages.push(one.message);
          wake();
        });
        const until = async (count: number) => {
          while (messages.length < count) {
            await next;
            ({ promise: next, resolve: wake } = Promise.withResolvers<void>());
          }
          return messages;
        };
        return { until, stop, messages };
      }

      it('tells every watcher of this investigation, in order, and nobody else', async () => {
        const [one, two, other] = await Promise.all([watch(INVESTIGATION), watch(INVESTIGATION), watch('inv_other')]);
        await store.announce(progress('first'));
        await store.announce(progress('second'));
        await store.announce(progress('elsewhere', 'inv_other'));
        expect(await one.until(2)).toEqual(['first', 'second']);
        expect(await two.until(2)).toEqual(['first', 'second']);
        expect(await other.until(1)).toEqual(['elsewhere']);
      });

      it('is silent after the watcher has stopped, and before it came', async () => {
        await store.announce(progress('too early'));
        const [stopped, staying] = await Promise.all([watch(INVESTIGATION), watch(INVESTIGATION)]);
        await store.announce(progress('heard'));
        await Promise.all([stopped.until(1), staying.until(1)]);
        await stopped.stop();
        await store.announce(progress('too late'));
        await staying.until(2);
        expect(stopped.messages).toEqual(['heard']);
        expect(staying.messages).toEqual(['heard', 'too late']);
      });

      it('does not suffer from a watcher that throws', async () => {
        await store.subscribe(INVESTIGATION, () => {
          throw new LimitError('a careless watcher');
        });
        const calm = await watch(INVESTIGATION);
        await store.announce(progress('first'));
        expect(await calm.until(1)).toEqual(['first']);
      });
    });

    describe('whole boards', () => {
      it('keeps investigations apart', async () => {
        await store.postTasks('inv_other', [task('task_1', 'inv_other')]);
        await claim();
        const other = await store.claimTask('inv_other', 'task_1', 'worker', LEASE_MS);
        expect(other?.task.investigationId).toBe('inv_other');
      });

      it('reads an empty board where there is none', async () => {
        const empty = { tasks: [], findings: [], evidence: [], hypotheses: [], votes: [], gaps: [] };
        expect(await store.readBoard('inv_unknown')).toEqual(empty);
      });

      it('forgets one investigation, and lets no old claim bring it back', async () => {
        const held = claimed(await claim());
        await store.postTasks('inv_other', [task('task_1', 'inv_other')]);
        await store.dropBoard(INVESTIGATION);
        expect(await store.completeTask(held, answerOf('a'))).toBe('stale');
        expect((await store.readBoard(INVESTIGATION)).tasks).toEqual([]);
        expect((await store.readBoard('inv_other')).tasks).toHaveLength(1);
      });

      it('does nothing for a caller who has given up', async () => {
        const gone = AbortSignal.abort();
        await expect(store.postTasks(INVESTIGATION, [task('task_2')], gone)).rejects.toThrow();
        await expect(store.readBoard(INVESTIGATION, gone)).rejects.toThrow();
        expect((await store.readBoard(INVESTIGATION)).tasks).toHaveLength(1);
      });
    });
  });
}
