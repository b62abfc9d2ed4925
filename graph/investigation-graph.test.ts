/** Whole investigations with a scripted jury: every way through the graph. */
import { describe, expect, it } from 'vitest';
import type { Progress } from '../domain/investigation.ts';
import { createManualClock } from '../platform/clock.ts';
import { InputError, UnavailableError } from '../platform/errors.ts';
import { createInvestigator } from './run-investigation.ts';
import {
  createScriptedParts,
  INCIDENT,
  OVERTURNING,
  type Script,
  type ScriptedParts,
} from './scripted-jury.fixture.ts';

const soon = () => AbortSignal.timeout(20_000);
const INVESTIGATION = { ...INCIDENT, investigationId: 'inv_1' };
const decision = (outcome: 'approved' | 'rejected') => ({
  outcome,
  decidedBy: 'alice',
  reason: 'because',
  decidedAtMs: Date.now(),
});
const kindsOf = (parts: ScriptedParts) => parts.audits.map((entry) => entry.kind);
const services = (suspects: readonly { service: string }[] = []) => suspects.map((suspect) => suspect.service);

/** Weak at first; a closer look settles it, or not. */
const thin = (strengthInRound2: number): Script => ({
  'metrics-agent': (task) => [
    { service: 'frontend', stance: 'for', strength: 0.3 },
    { service: 'payment', stance: 'for', strength: task.round === 1 ? 0.35 : strengthInRound2 },
  ],
  'log-agent': () => [],
});

describe('an investigation', () => {
  it("reaches a verdict against the proposer's first choice, asks, acts once and reports", async () => {
    const parts = createScriptedParts(OVERTURNING, { tier: 'medium' });
    const investigator = createInvestigator(parts);
    const waiting = await investigator.start(INVESTIGATION, soon());

    expect(waiting).toMatchObject({
      status: 'awaiting-approval',
      rounds: 1,
      incident: { status: 'awaiting-approval' },
    });
    expect(waiting.hypotheses.map((one) => [one.service, one.proposedRank])).toEqual([
      ['frontend', 1],
      ['payment', 2],
    ]);
    expect(waiting.verdict?.outcome).toBe('root-cause');
    expect(services(waiting.verdict?.suspects)).toEqual(['payment', 'frontend']);
    expect(waiting.firstSuspectsMs).toBeGreaterThanOrEqual(0);
    expect(parts.actions).toEqual([]);
    expect(parts.stores.findInvestigation('inv_1')).toEqual(waiting);
    expect(parts.stores.findIncident('inc_1')?.status).toBe('awaiting-approval');
    expect(await investigator.pending(soon())).toEqual([{ investigationId: 'inv_1', approval: waiting.approval }]);

    const finished = await investigator.resume('inv_1', decision('approved'), soon());
    expect(finished).toMatchObject({
      status: 'finished',
      incident: { status: 'resolved' },
      actionOutcome: { status: 'done', detail: 'restarted' },
      approval: { decision: { decidedBy: 'alice' } },
    });
    expect(parts.actions).toEqual([waiting.approval?.approvalId]);
    expect(parts.stores.findInvestigation('inv_1')).toEqual(finished);
    expect(await investigator.pending(soon())).toEqual([]);
    expect((await parts.contextStore.readBoard('inv_1')).tasks).toEqual([]);
  });

  it('audits every step, the intent before the effect and the outcome after', async () => {
    const parts = createScriptedParts(OVERTURNING, { tier: 'medium' });
    const investigator = createInvestigator(parts);
    await investigator.start(INVESTIGATION, soon());
    await investigator.resume('inv_1', decision('approved'), soon());
    expect(kindsOf(parts)).toEqual([
      'investigation.started',
      'scope.located',
      'tasks.posted',
      ...Array.from({ length: 4 }, () => 'task.finished'),
      'hypotheses.proposed',
      'votes.cast',
      'verdict.reached',
      'approval.requested',
      'approval.decided',
      'action.intended',
      'action.finished',
      'investigation.finished',
    ]);
    expect(parts.audits.every((entry) => entry.subject === 'inv_1')).toBe(true);
    expect(parts.audits.find((entry) => entry.kind === 'action.intended')?.actor).toBe('alice');
  });

  it('tells watchers what happens, from the beginning', async () => {
    const parts = createScriptedParts(OVERTURNING, { tier: 'low' });
    const investigator = createInvestigator(parts);
    const seen: Progress[] = [];
    const stop = await investigator.watch('inv_1', (progress) => seen.push(progress));
    await investigator.start(INVESTIGATION, soon());
    await stop();
    const told = new Set(seen.map((progress) => progress.kind));
    const steps = 'started scoped task-posted task-claimed finding task-done hypothesis vote verdict approval';
    expect([...told].toSorted()).toEqual(steps.split(' ').toSorted());
    expect(seen.find((progress) => progress.kind === 'finding')?.actor).toMatch(/-agent$/);
    expect(seen.at(-1)?.message).toBe('restart-service on payment needs approval (medium risk)');
  });

  it('looks again, closer and wider, when the evidence is thin', async () => {
    const parts = createScriptedParts(thin(0.9));
    const investigation = await createInvestigator(parts).start(INVESTIGATION, soon());
    expect(investigation).toMatchObject({ status: 'finished', rounds: 2, verdict: { outcome: 'root-cause' } });
    expect(services(investigation.verdict?.suspects)[0]).toBe('payment');
    const [first, second] = [1, 2].map((round) => investigation.tasks.find((task) => task.round === round));
    expect(first?.focus).toEqual([]);
    expect(second?.focus).toEqual(['payment', 'frontend']);
    expect(second?.scope.window.startMs).toBeLessThan(first?.scope.window.startMs ?? 0);
    expect(kindsOf(parts)).toContain('round.undecided');
  });

  it('abstains when the last round is undecided, and proposes nothing', async () => {
    const parts = createScriptedParts(thin(0.36), { tier: 'low' });
    const investigation = await createInvestigator(parts).start(INVESTIGATION, soon());
    expect(investigation).toMatchObject({
      status: 'finished',
      rounds: 2,
      verdict: { outcome: 'abstained' },
      incident: { status: 'abstained' },
    });
    expect(investigation.remediation).toBeUndefined();
    expect(parts.stores.findIncident('inc_1')?.status).toBe('abstained');
  });

  it('abstains when nobody finds anything', async () => {
    const parts = createScriptedParts({ 'log-agent': () => [] });
    const investigation = await createInvestigator(parts).start(INVESTIGATION, soon());
    expect(investigation.verdict).toMatchObject({ outcome: 'abstained', confidence: 0, suspects: [] });
    expect(investigation.firstSuspectsMs).toBeUndefined();
  });

  it('survives a failing agent, and says what is missing', async () => {
    const failing: Script = {
      ...OVERTURNING,
      'deploy-agent': () => {
        throw new InputError('no such table');
      },
    };
    const investigation = await createInvestigator(createScriptedParts(failing)).start(INVESTIGATION, soon());
    expect(investigation.verdict).toMatchObject({
      outcome: 'root-cause',
      gaps: [{ signal: 'changes', what: 'deploy-agent could not answer: no such table' }],
    });
    expect(services(investigation.verdict?.suspects)).toEqual(['payment', 'frontend']);
  });

  it.each([
    { held: 'that another worker holds, and takes its answer', leaseMs: 60_000, expected: ['log-agent'] },
    { held: 'whose worker has died, and takes it over', leaseMs: 1, expected: ['log-agent', 'metrics-agent'] },
  ])('waits for a task $held', async ({ leaseMs, expected }) => {
    const answer = { findings: [], evidence: [], gaps: [], failure: 'theirs' };
    const parts = createScriptedParts({
      'metrics-agent': () => [],
      'log-agent': async () => {
        if (theirs && leaseMs > 1) await parts.contextStore.completeTask(theirs, answer);
        return [];
      },
    });
    const { contextStore, supervisor } = parts;
    const { scope } = await supervisor.locate(INVESTIGATION, parts.toolContext(soon()));
    const tasks = supervisor.plan(INVESTIGATION, scope, 1, await contextStore.readBoard('inv_1'));
    await contextStore.postTasks(
      'inv_1',
      tasks.map((task) => ({ ...task, investigationId: 'inv_1' })),
    );
    const theirs = await contextStore.claimTask('inv_1', 'inv_1:1:metrics-agent', 'another worker', leaseMs);
    await createInvestigator({ ...parts, limits: { ...parts.limits, maxRounds: 1 } }).start(INVESTIGATION, soon());
    const finished = parts.audits.filter((entry) => entry.kind === 'task.finished').map((entry) => entry.actor);
    expect(finished.toSorted()).toEqual(expected);
  });
});

describe('a decision', () => {
  it('may be no: nothing runs', async () => {
    const parts = createScriptedParts(OVERTURNING, { tier: 'high' });
    const investigator = createInvestigator(parts);
    await investigator.start(INVESTIGATION, soon());
    const finished = await investigator.resume('inv_1', decision('rejected'), soon());
    expect(finished).toMatchObject({
      status: 'finished',
      incident: { status: 'resolved' },
      actionOutcome: { status: 'not-run', detail: 'alice rejected it: because' },
    });
    expect(parts.actions).toEqual([]);
    expect(kindsOf(parts)).not.toContain('action.intended');
  });

  it('is not needed for tier info: the policy grants it', async () => {
    const granted: string[] = [];
    const parts = createScriptedParts(OVERTURNING, {
      tier: 'info',
      overrides: {
        executeAction: async (_remediation, grant) => {
          granted.push(grant.grantedBy);
          return { status: 'done', detail: 'ticket written' };
        },
      },
    });
    const investigation = await createInvestigator(parts).start(INVESTIGATION, soon());
    expect(investigation).toMatchObject({
      status: 'finished',
      actionOutcome: { status: 'done', detail: 'ticket written' },
    });
    expect(investigation.approval?.decision?.decidedBy).toBe('policy:info');
    expect(granted).toEqual(['policy:info']);
  });

  it('counts once: one of two at the same moment, in one process or in two', async () => {
    const parts = createScriptedParts(OVERTURNING, { tier: 'low' });
    const [one, two] = [createInvestigator(parts), createInvestigator(parts)];
    await one.start(INVESTIGATION, soon());
    const settled = await Promise.allSettled([
      one.resume('inv_1', decision('approved'), soon()),
      one.resume('inv_1', { ...decision('rejected'), decidedBy: 'bob' }, soon()),
      two.resume('inv_1', { ...decision('approved'), decidedBy: 'carol' }, soon()),
    ]);
    expect(settled.map((outcome) => outcome.status).toSorted()).toEqual(['fulfilled', 'rejected', 'rejected']);
    for (const outcome of settled) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ name: 'InputError', code: 'conflict' });
    }
    expect(parts.actions).toHaveLength(1);
    await expect(two.resume('inv_1', decision('approved'), soon())).rejects.toMatchObject({ code: 'conflict' });
    expect(parts.actions).toHaveLength(1);
  });

  it('is refused where nothing waits, when it is malformed, too late, or on another action', async () => {
    const expired = createScriptedParts(OVERTURNING, { tier: 'low' });
    const investigator = createInvestigator({ ...expired, limits: { ...expired.limits, approvalTtlMs: 0 } });
    await expect(investigator.resume('inv_1', decision('approved'), soon())).rejects.toMatchObject({
      code: 'not-found',
    });
    const { approval } = await investigator.start(INVESTIGATION, soon());
    const late = { ...decision('approved'), decidedAtMs: (approval?.expiresAtMs ?? 0) + 1 };
    await expect(investigator.resume('inv_1', { ...late, decidedBy: '' }, soon())).rejects.toMatchObject({
      code: 'invalid-input',
    });
    const other = { ...decision('approved'), actionDigest: 'e'.repeat(64), decidedAtMs: 0 };
    await expect(investigator.resume('inv_1', other, soon())).rejects.toThrow(
      'another action than the one that was shown',
    );
    for (const outcome of ['approved', 'rejected'] as const) {
      const refused = investigator.resume('inv_1', { ...late, outcome }, soon());
      await expect(refused).rejects.toThrow(/expired at .*Z: nothing was run/);
    }
  });
});

describe('an action', () => {
  const actWith = async (error: Error) => {
    const executeAction = async () => {
      throw error;
    };
    const parts = createScriptedParts(OVERTURNING, { tier: 'low', overrides: { executeAction } });
    const investigator = createInvestigator(parts);
    await investigator.start(INVESTIGATION, soon());
    return (await investigator.resume('inv_1', decision('approved'), soon())).actionOutcome;
  };

  it('failed when it was refused before any effect', async () => {
    expect(await actWith(new InputError('already restarted'))).toMatchObject({
      status: 'failed',
      detail: 'already restarted',
    });
  });

  it('is unknown when the connection broke under it', async () => {
    expect(await actWith(new UnavailableError('connection reset'))).toMatchObject({ status: 'unknown' });
  });
});

describe('an action that was on its way', () => {
  it('is waited for when the host stops, and its outcome is recorded', async () => {
    const arrival = Promise.withResolvers<void>();
    const underWay = Promise.withResolvers<void>();
    const executeAction = async () => {
      underWay.resolve();
      await arrival.promise;
      return { status: 'done' as const, detail: 'ticket written' };
    };
    const parts = createScriptedParts(OVERTURNING, { tier: 'info', overrides: { executeAction } });
    const stopping = new AbortController();
    const order: string[] = [];
    const stopped = createInvestigator(parts)
      .start(INVESTIGATION, stopping.signal)
      .catch(() => order.push('stopped'));
    await underWay.promise;
    stopping.abort();
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    order.push('arrived');
    arrival.resolve();
    await stopped;
    expect(order).toEqual(['arrived', 'stopped']);
    expect(kindsOf(parts)).toContain('action.finished');
    const recovered = await createInvestigator(parts).recover('inv_1', soon());
    expect(recovered.actionOutcome).toMatchObject({ status: 'done', detail: 'ticket written' });
  });

  it('may stay unknown: that is reported and audited as such, and never tried again', async () => {
    let tries = 0;
    const executeAction = async () => {
      tries += 1;
      return { status: 'unknown' as const, detail: 'the webhook answered 502' };
    };
    const parts = createScriptedParts(OVERTURNING, { tier: 'low', overrides: { executeAction } });
    const investigator = createInvestigator(parts);
    await investigator.start(INVESTIGATION, soon());
    const finished = await investigator.resume('inv_1', decision('approved'), soon());
    expect(finished).toMatchObject({ status: 'finished', actionOutcome: { status: 'unknown' } });
    expect(kindsOf(parts).filter((kind) => kind.startsWith('action.'))).toEqual(['action.intended', 'action.unknown']);
    await investigator.recover('inv_1', soon());
    expect(tries).toBe(1);
  });
});

describe('an action that was changed in the store after it was asked for', () => {
  /** Rewrites the checkpoints as they are read, as an edit of their table would. */
  const tamper = (parts: ReturnType<typeof createScriptedParts>, edit: (text: string) => string) => {
    const { checkpoints } = parts;
    return {
      ...parts,
      checkpoints: {
        ...checkpoints,
        read: async (...query: Parameters<typeof checkpoints.read>) => {
          const rows = await checkpoints.read(...query);
          return rows.map((row) => ({ ...row, text: edit(row.text) }));
        },
      },
    };
  };

  it.each<[string, (text: string) => string]>([
    [
      'another service',
      (text) => text.replaceAll('"service":"payment","parameters"', '"service":"ledger","parameters"'),
    ],
    ['another action', (text) => text.replaceAll('"action":"restart-service"', '"action":"shed-load"')],
    ['no risk', (text) => text.replaceAll('"tier":"medium"', '"tier":"info"')],
  ])('is not run: %s', async (_, edit) => {
    const parts = createScriptedParts(OVERTURNING, { tier: 'medium' });
    const { approval } = await createInvestigator(parts).start(INVESTIGATION, soon());
    const seen = { ...decision('approved'), actionDigest: approval?.actionDigest ?? '' };
    const finished = await createInvestigator(tamper(parts, edit)).resume('inv_1', seen, soon());
    expect(finished.actionOutcome).toMatchObject({ status: 'not-run', detail: expect.stringContaining('Refused') });
    expect(parts.actions).toEqual([]);
    const kinds = kindsOf(parts);
    expect(kinds).toContain('action.refused');
    expect(kinds).not.toContain('action.intended');
  });

  it('is not run when its digest was changed with it: the decision names what was shown', async () => {
    const parts = createScriptedParts(OVERTURNING, { tier: 'medium' });
    const { approval } = await createInvestigator(parts).start(INVESTIGATION, soon());
    const shown = approval?.actionDigest ?? '';
    const edit = (text: string) => text.replaceAll(shown, 'e'.repeat(64));
    const refused = createInvestigator(tamper(parts, edit)).resume(
      'inv_1',
      { ...decision('approved'), actionDigest: shown },
      soon(),
    );
    await expect(refused).rejects.toMatchObject({ code: 'conflict' });
    expect(parts.actions).toEqual([]);
  });
});

describe('a wait whose time is over', () => {
  it('ends without the action, once, and is audited as expired; then it is too late for a person', async () => {
    const clock = createManualClock(Date.UTC(2026, 0, 5, 12));
    const parts = createScriptedParts(OVERTURNING, { tier: 'medium', overrides: { clock } });
    const investigator = createInvestigator(parts);
    const { approval } = await investigator.start(INVESTIGATION, soon());
    await expect(investigator.expire('inv_1', soon())).rejects.toThrow('has not expired yet');
    clock.advance((approval?.expiresAtMs ?? 0) - clock.nowMs() + 1);
    const settled = await Promise.allSettled([
      investigator.expire('inv_1', soon()),
      createInvestigator(parts).expire('inv_1', soon()),
    ]);
    expect(settled.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(parts.stores.findInvestigation('inv_1')).toMatchObject({
      status: 'finished',
      approval: { decision: { outcome: 'rejected', decidedBy: 'policy:expiry' } },
      actionOutcome: { status: 'not-run', detail: 'Nobody decided in time, so it was not run.' },
    });
    expect(parts.audits.find(({ kind }) => kind === 'approval.expired')).toMatchObject({ actor: 'policy:expiry' });
    expect(parts.actions).toEqual([]);
    await expect(investigator.resume('inv_1', decision('approved'), soon())).rejects.toThrow('Too late');
  });
});

describe('an interrupted investigation', () => {
  it('is reported as failed when a step fails, and goes on from that step', async () => {
    const parts = createScriptedParts(OVERTURNING);
    let asked = 0;
    const supervisor = {
      ...parts.supervisor,
      conclude: (...matter: Parameters<typeof parts.supervisor.conclude>) => {
        asked += 1;
        if (asked === 1) throw new UnavailableError('the engine restarts');
        return parts.supervisor.conclude(...matter);
      },
    };
    const investigator = createInvestigator({ ...parts, supervisor });
    const failed = await investigator.start(INVESTIGATION, soon());
    expect(failed).toMatchObject({ status: 'failed', failure: 'the engine restarts', incident: { status: 'failed' } });
    expect(failed.findings.length).toBeGreaterThan(0);
    expect(parts.stores.findInvestigation('inv_1')?.status).toBe('failed');
    await expect(investigator.start(INVESTIGATION, soon())).rejects.toMatchObject({ code: 'conflict' });
    const recovered = await investigator.recover('inv_1', soon());
    expect(recovered).toMatchObject({ status: 'finished', verdict: { outcome: 'root-cause' } });
    expect(parts.audits.filter((entry) => entry.kind === 'task.finished')).toHaveLength(4);
    expect(await investigator.recover('inv_1', soon())).toEqual(recovered);
  });

  it('gives its tasks back when the caller gives up, and goes on when asked', async () => {
    const giveUp = new AbortController();
    let attempts = 0;
    const parts = createScriptedParts({
      ...OVERTURNING,
      'trace-agent': async (task, signal) => {
        attempts += 1;
        if (attempts > 1) return OVERTURNING['trace-agent']?.(task, signal) ?? [];
        giveUp.abort();
        return new Promise(() => undefined);
      },
    });
    const investigator = createInvestigator(parts);
    await expect(investigator.start(INVESTIGATION, giveUp.signal)).rejects.toThrow();
    expect(await investigator.pending(soon())).toEqual([{ investigationId: 'inv_1' }]);
    const recovered = await investigator.recover('inv_1', soon());
    expect(services(recovered.verdict?.suspects)).toEqual(['payment', 'frontend']);
    expect(attempts).toBe(2);
  });
});
