/** The desk's own duties, over an investigator that does what a test tells it to. */
import { describe, expect, it } from 'vitest';
import type { IncidentArchive } from '../clickhouse/incident-archive.ts';
import { createMemoryContextStore } from '../context-store/memory-context-store.ts';
import { createMemoryShardLock } from '../context-store/shard-lock.ts';
import type { Approval } from '../domain/approval.ts';
import { type AuditContent, GENESIS } from '../domain/audit.ts';
import type { Caller } from '../domain/identity.ts';
import type { Incident } from '../domain/incident.ts';
import type { Investigation } from '../domain/investigation.ts';
import { actionDigest, type Remediation } from '../domain/remediation.ts';
import { createManualClock } from '../platform/clock.ts';
import { InputError, InvariantError, UnavailableError } from '../platform/errors.ts';
import { type Logger, silentLogger } from '../platform/logger.ts';
import { type IncidentDeskParts, openIncidentDesk } from './incident-desk.ts';
import { createProgressJournal } from './progress-journal.ts';

const INCIDENT: Incident = {
  incidentId: 'inc_1',
  title: 'checkout is slow',
  status: 'open',
  source: 'manual',
  service: 'checkout',
  openedAtMs: 1_000,
  searchWindow: { startMs: 1, endMs: 1_000 },
  severity: 'high',
  anomalies: [],
};
const RESTART: Remediation = {
  action: 'restart-service',
  service: 'checkout',
  parameters: {},
  tier: 'medium',
  rationale: '',
  preconditions: [],
  undo: '',
  evidenceIds: [],
};
const APPROVAL: Approval = {
  approvalId: 'apr_1',
  incidentId: 'inc_1',
  investigationId: 'inv_1',
  remediation: RESTART,
  actionDigest: actionDigest(RESTART),
  requestedAtMs: 1_000,
  expiresAtMs: 9_000,
};
const FINISHED = { investigationId: 'inv_1', status: 'finished' } as Investigation;
const lea: Caller = { name: 'lea', role: 'lead' };
const yes = { outcome: 'approved' as const, decidedBy: 'alice', reason: '' };

type Investigator = IncidentDeskParts['investigator'];

function openDesk(
  investigator: Partial<Investigator>,
  archived: Approval = APPROVAL,
  more: Partial<IncidentDeskParts> = {},
) {
  const saved: [kind: string, documents: readonly object[]][] = [];
  const audited: AuditContent[] = [];
  const complaints: unknown[] = [];
  const clock = createManualClock(5_000);
  const logger: Logger = {
    ...silentLogger,
    error: (...said: unknown[]) => void complaints.push(said),
    child: () => logger,
  };
  const contextStore = createMemoryContextStore({ clock, logger });
  const archive = {
    save: async (kind: string, documents: readonly object[]) => void saved.push([kind, documents]),
    find: async (kind: string, id: string) => (kind === 'approval' && id === 'apr_1' ? archived : undefined),
    list: async () => [],
  } as unknown as IncidentArchive;
  const desk = openIncidentDesk({
    once: { putOnce: async (_, text) => ({ stored: true, text }), get: async () => undefined },
    announce: contextStore.announce,
    investigator: { pending: async () => [], ...investigator } as Investigator,
    archive,
    audit: {
      append: async (content) => {
        audited.push(content);
        return { ...content, sequence: 1, previousHash: '0'.repeat(64), hash: '1'.repeat(64) };
      },
      list: async () => [],
      verify: async () => ({ whole: true, entries: 0, last: GENESIS, problems: [] }),
    },
    clock,
    logger,
    journal: createProgressJournal(contextStore),
    rerun: async (query) => query,
    isAlone: true,
    shardLock: createMemoryShardLock(clock),
    ...more,
  });
  return { desk, clock, saved, audited, complaints };
}

describe('openIncident', () => {
  it('archives and audits before it investigates, and answers while that runs', async () => {
    const run = Promise.withResolvers<Investigation>();
    let savedBefore = 0;
    const { desk, saved, audited } = openDesk({
      start: () => {
        savedBefore = saved.length;
        return run.promise;
      },
    });
    const opened = await desk.openIncident(INCIDENT);
    expect(opened.incident).toMatchObject({
      incidentId: 'inc_1',
      status: 'investigating',
      investigationId: opened.investigationId,
    });
    expect([savedBefore, audited.map(({ kind }) => kind)]).toEqual([2, ['incident.opened']]);
    run.resolve(FINISHED);
    expect(await opened.finished).toBe(FINISHED);
  });
});

describe('an investigation that a lost store cut off', () => {
  it('goes on by itself, however often it takes, when the store is back', async () => {
    const done = Promise.withResolvers<void>();
    const order: string[] = [];
    const { desk, complaints } = openDesk(
      {
        start: () => Promise.reject(new UnavailableError('the disk is full')),
        pending: async () => {
          order.push('pending');
          if (order.length < 3) throw new UnavailableError('still full');
          return [{ investigationId: 'inv_1' }];
        },
        recover: async () => {
          order.push('recover');
          done.resolve();
          return FINISHED;
        },
      },
      APPROVAL,
      { resumePauseMs: 1 },
    );
    const { finished } = await desk.openIncident(INCIDENT);
    await expect(finished).rejects.toThrow('the disk is full');
    await done.promise;
    await desk.close();
    expect(order).toEqual(['pending', 'pending', 'pending', 'recover']);
    expect(complaints).toHaveLength(1);
  });

  it('does not when it was our own mistake, nor once the host stops', async () => {
    const refuse = (error: Error) => openDesk({ start: () => Promise.reject(error) }, APPROVAL, { resumePauseMs: 1 });
    const broken = refuse(new InvariantError('ours'));
    await expect((await broken.desk.openIncident(INCIDENT)).finished).rejects.toThrow('ours');
    await broken.desk.close();
    const stopped = refuse(new UnavailableError('gone'));
    await expect((await stopped.desk.openIncident(INCIDENT)).finished).rejects.toThrow('gone');
    await stopped.desk.close();
    expect([broken, stopped].map(({ complaints }) => complaints.length)).toEqual([1, 1]);
  });
});

describe('decide', () => {
  it('hands the decision in with its time, who took it, and on what', async () => {
    const given: unknown[] = [];
    const { desk } = openDesk({
      resume: async (investigationId, decision) => {
        given.push([investigationId, decision]);
        return FINISHED;
      },
    });
    expect(await desk.decide('apr_1', yes, lea)).toBe(FINISHED);
    const { actionDigest: digest } = APPROVAL;
    expect(given).toEqual([['inv_1', { ...yes, decidedBy: 'lea', decidedAtMs: 5_000, actionDigest: digest }]]);
  });

  it('knows no approval that nobody asked for', async () => {
    const { desk } = openDesk({});
    await expect(desk.decide('apr_2', yes, lea)).rejects.toMatchObject({ name: 'InputError', code: 'not-found' });
  });

  it('tells a refusal to the one who asked, and does not call it a failure', async () => {
    const conflict = new InputError('decided before', { code: 'conflict' });
    const refusing = openDesk({ resume: () => Promise.reject(conflict) });
    await expect(refusing.desk.decide('apr_1', yes, lea)).rejects.toBe(conflict);
    await refusing.desk.close();
    expect(refusing.complaints).toEqual([]);

    const failing = openDesk({ resume: () => Promise.reject(new UnavailableError('gone')) });
    await expect(failing.desk.decide('apr_1', yes, lea)).rejects.toBeInstanceOf(UnavailableError);
    await failing.desk.close();
    expect(failing.complaints).toHaveLength(1);
  });
});

describe('who may decide', () => {
  const refusals = async (caller: Caller, archived?: Approval, decision: object = {}) => {
    const resumed: unknown[] = [];
    const resume = async (...given: unknown[]) => {
      resumed.push(given);
      return FINISHED;
    };
    const { desk } = openDesk({ resume }, archived);
    const outcome = await desk.decide('apr_1', { ...yes, ...decision }, caller).catch((error: unknown) => error);
    expect(resumed).toHaveLength(outcome instanceof Error ? 0 : 1);
    return outcome;
  };

  it.each<[Caller, string | undefined]>([
    [{ name: 'sam', role: 'sender' }, 'a lead or above; sam is a sender'],
    [{ name: 'mia', role: 'member' }, 'A medium-risk action is decided on by a lead or above; mia is a member.'],
    [{ name: 'local', role: 'member', decides: false }, 'set INQUEST_TOKEN to your own'],
    [lea, undefined],
    [{ name: 'max', role: 'manager' }, undefined],
  ])('is known from the role: %j', async (caller, message) => {
    const outcome = await refusals(caller);
    if (message === undefined) expect(outcome).toBe(FINISHED);
    else expect(outcome).toMatchObject({ code: 'forbidden', message: expect.stringContaining(message) });
  });

  it('goes by the catalogue, not by a tier that somebody wrote into the store', async () => {
    const remediation = { ...RESTART, tier: 'low' as const };
    const archived = { ...APPROVAL, remediation, actionDigest: actionDigest(remediation) };
    expect(await refusals({ name: 'mia', role: 'member' }, archived)).toMatchObject({ code: 'forbidden' });
  });

  it('is told when the stored request is not the one that was made', async () => {
    const archived = { ...APPROVAL, remediation: { ...RESTART, service: 'database' } };
    expect(await refusals(lea, archived)).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('altered'),
    });
  });

  it('has to say why not', async () => {
    const no = await refusals(lea, APPROVAL, { outcome: 'rejected', reason: ' ' });
    expect(no).toMatchObject({ code: 'invalid-input', message: expect.stringContaining('why') });
  });
});

describe('a request that nobody decides on', () => {
  const escalations = [{ role: 'manager' as const, atMs: 6_000 }];
  const waiting: Approval = { ...APPROVAL, escalations };
  const kept = new Map<string, string>();
  const once: IncidentDeskParts['once'] = {
    putOnce: async (key, text) => ({ stored: kept.size < kept.set(key, text).size, text }),
    get: async (key) => kept.get(key),
  };

  it('is put before the next role when its time has come, once, also by the next process', async () => {
    kept.clear();
    const told = Promise.withResolvers<string>();
    const announce: IncidentDeskParts['announce'] = async ({ message }) => told.resolve(message);
    const pending = async () => [{ investigationId: 'inv_1', approval: waiting }];
    const first = openDesk({ pending }, waiting, { once, announce });
    first.clock.advance(1_001);
    await first.desk.resumeInterrupted();
    expect(await told.promise).toBe('nobody decided yet: every manager is asked now');
    await first.desk.close();
    expect(first.audited).toEqual([
      expect.objectContaining({
        actor: 'policy:escalation',
        kind: 'approval.escalated',
        subject: 'inv_1',
        details: { approvalId: 'apr_1', action: 'restart-service', service: 'checkout', role: 'manager' },
      }),
    ]);
    const looked = Promise.withResolvers<void>();
    const get: typeof once.get = async (key) => {
      looked.resolve();
      return kept.get(key);
    };
    const second = openDesk({ pending }, waiting, { once: { ...once, get } });
    second.clock.advance(2_000);
    await second.desk.resumeInterrupted();
    await looked.promise;
    await second.desk.close();
    expect(second.audited).toEqual([]);
  });

  it('is put before nobody once it is decided', async () => {
    kept.clear();
    const decided: Approval = {
      ...waiting,
      decision: { outcome: 'approved', decidedBy: 'lea', reason: '', decidedAtMs: 5_500 },
    };
    const looked = Promise.withResolvers<void>();
    const get: typeof once.get = async () => {
      looked.resolve();
      return undefined;
    };
    const pending = async () => [{ investigationId: 'inv_1', approval: waiting }];
    const { desk, clock, audited } = openDesk({ pending }, decided, { once: { ...once, get } });
    clock.advance(1_001);
    await desk.resumeInterrupted();
    await looked.promise;
    await desk.close();
    expect(audited).toEqual([]);
  });

  it('is closed when its time is over', async () => {
    const closed = Promise.withResolvers<string>();
    const expire = async (investigationId: string) => {
      closed.resolve(investigationId);
      return FINISHED;
    };
    const { desk, clock } = openDesk({
      pending: async () => [{ investigationId: 'inv_1', approval: { ...APPROVAL, expiresAtMs: clock.nowMs() + 20 } }],
      expire,
    });
    const start = desk.resumeInterrupted();
    clock.advance(21);
    await start;
    expect(await closed.promise).toBe('inv_1');
    await desk.close();
  });

  it('is closed by whoever decides too late, and the decision refused', async () => {
    const order: string[] = [];
    const conflict = new InputError('too late', { code: 'conflict' });
    const { desk, clock } = openDesk({
      expire: async () => {
        order.push('expire');
        return FINISHED;
      },
      resume: async () => {
        order.push('resume');
        throw conflict;
      },
    });
    clock.advance(5_000);
    await expect(desk.decide('apr_1', yes, lea)).rejects.toBe(conflict);
    expect(order).toEqual(['expire', 'resume']);
  });
});

describe('close', () => {
  it('waits for a run that goes on, also when a later decision on it was refused', async () => {
    const run = Promise.withResolvers<Investigation>();
    const answers = [() => run.promise, () => Promise.reject(new InputError('decided before', { code: 'conflict' }))];
    const running = Promise.withResolvers<AbortSignal>();
    const { desk } = openDesk({
      resume: (_, __, signal) => {
        running.resolve(signal);
        return answers.shift()?.() ?? Promise.resolve(FINISHED);
      },
    });
    const first = desk.decide('apr_1', yes, lea);
    const stopping = await running.promise;
    await expect(desk.decide('apr_1', yes, lea)).rejects.toBeInstanceOf(InputError);

    const order: string[] = [];
    const closed = desk.close().then(() => order.push('closed'));
    expect(stopping.aborted).toBe(true);
    // Long enough for a close that waits for nothing.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    order.push('run ends');
    run.resolve(FINISHED);
    await Promise.all([first, closed]);
    expect(order).toEqual(['run ends', 'closed']);
  });
});

describe('resumeInterrupted', () => {
  it('goes on with what was cut off, and leaves alone what waits for a person', async () => {
    const recovered: string[] = [];
    const { desk } = openDesk({
      pending: async () => [{ investigationId: 'inv_1' }, { investigationId: 'inv_2', approval: APPROVAL }],
      recover: async (investigationId) => {
        recovered.push(investigationId);
        return FINISHED;
      },
    });
    await desk.resumeInterrupted();
    expect(recovered).toEqual(['inv_1']);
    expect(await desk.listPendingApprovals()).toEqual([APPROVAL]);
  });
});
