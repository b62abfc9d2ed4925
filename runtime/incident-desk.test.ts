/** The desk's own duties, over an investigator that does what a test tells it to. */
import { describe, expect, it } from 'vitest';
import type { IncidentArchive } from '../clickhouse/incident-archive.ts';
import { createMemoryContextStore } from '../context-store/memory-context-store.ts';
import type { Approval } from '../domain/approval.ts';
import type { AuditContent } from '../domain/audit.ts';
import type { Incident } from '../domain/incident.ts';
import type { Investigation } from '../domain/investigation.ts';
import { createManualClock } from '../platform/clock.ts';
import { InputError, UnavailableError } from '../platform/errors.ts';
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
const APPROVAL: Approval = {
  approvalId: 'apr_1',
  incidentId: 'inc_1',
  investigationId: 'inv_1',
  remediation: {
    action: 'restart-service',
    service: 'checkout',
    parameters: {},
    tier: 'medium',
    rationale: '',
    preconditions: [],
    undo: '',
    evidenceIds: [],
  },
  actionDigest: 'd'.repeat(64),
  requestedAtMs: 1_000,
  expiresAtMs: 9_000,
};
const FINISHED = { investigationId: 'inv_1', status: 'finished' } as Investigation;
const yes = { outcome: 'approved' as const, decidedBy: 'alice', reason: '' };

type Investigator = IncidentDeskParts['investigator'];

function openDesk(investigator: Partial<Investigator>) {
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
    find: async (kind: string, id: string) => (kind === 'approval' && id === 'apr_1' ? APPROVAL : undefined),
    list: async () => [],
  } as unknown as IncidentArchive;
  const desk = openIncidentDesk({
    investigator: { pending: async () => [], ...investigator } as Investigator,
    archive,
    audit: {
      append: async (content) => {
        audited.push(content);
        return { ...content, sequence: 1, previousHash: '0'.repeat(64), hash: '1'.repeat(64) };
      },
      list: async () => [],
    },
    clock,
    logger,
    journal: createProgressJournal(contextStore),
    rerun: async (query) => query,
  });
  return { desk, saved, audited, complaints };
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

describe('decide', () => {
  it('hands the decision in with the time it was taken', async () => {
    const given: unknown[] = [];
    const { desk } = openDesk({
      resume: async (investigationId, decision) => {
        given.push([investigationId, decision]);
        return FINISHED;
      },
    });
    expect(await desk.decide('apr_1', yes)).toBe(FINISHED);
    expect(given).toEqual([['inv_1', { ...yes, decidedAtMs: 5_000 }]]);
  });

  it('knows no approval that nobody asked for', async () => {
    const { desk } = openDesk({});
    await expect(desk.decide('apr_2', yes)).rejects.toMatchObject({ name: 'InputError', code: 'not-found' });
  });

  it('tells a refusal to the one who asked, and does not call it a failure', async () => {
    const conflict = new InputError('decided before', { code: 'conflict' });
    const refusing = openDesk({ resume: () => Promise.reject(conflict) });
    await expect(refusing.desk.decide('apr_1', yes)).rejects.toBe(conflict);
    await refusing.desk.close();
    expect(refusing.complaints).toEqual([]);

    const failing = openDesk({ resume: () => Promise.reject(new UnavailableError('gone')) });
    await expect(failing.desk.decide('apr_1', yes)).rejects.toBeInstanceOf(UnavailableError);
    await failing.desk.close();
    expect(failing.complaints).toHaveLength(1);
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
    const first = desk.decide('apr_1', yes);
    const stopping = await running.promise;
    await expect(desk.decide('apr_1', yes)).rejects.toBeInstanceOf(InputError);

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
