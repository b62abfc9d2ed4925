import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Approval } from '../domain/approval.ts';
import { createEvidence } from '../domain/evidence.ts';
import type { Incident } from '../domain/incident.ts';
import { actionDigest, type Remediation } from '../domain/remediation.ts';
import { createManualClock } from '../platform/clock.ts';
import { digestOf } from '../platform/ids.ts';
import { openTestDatabase, type TestDatabase } from './engine.fixture.ts';
import { createIncidentArchive, type IncidentArchive } from './incident-archive.ts';

const NOW_MS = Date.UTC(2026, 0, 1);
let opened: TestDatabase;
let clock: ReturnType<typeof createManualClock>;
let archive: IncidentArchive;

beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(() => opened?.close());
beforeEach(async () => {
  await opened.database.command('TRUNCATE TABLE inquest_archive');
  clock = createManualClock(NOW_MS);
  archive = createIncidentArchive(opened.database, clock);
});

const incident = (incidentId: string, change: Partial<Incident> = {}): Incident => ({
  incidentId,
  title: `it's "slow"\n\nDROP TABLE inquest_archive -- \\`,
  status: 'open',
  source: 'manual',
  service: 'cart',
  openedAtMs: NOW_MS,
  searchWindow: { startMs: NOW_MS - 3_600_000, endMs: NOW_MS },
  severity: 'high',
  anomalies: [],
  ...change,
});

describe('a document', () => {
  it('comes back as it was saved', async () => {
    await archive.save('incident', [incident('inc_1')]);
    expect(await archive.find('incident', 'inc_1')).toEqual(incident('inc_1'));
    expect(await archive.find('incident', 'inc_2')).toBeUndefined();
  });

  it('is the newest that was saved under its id, also within a millisecond and when the clock steps back', async () => {
    for (const [index, status] of (['open', 'investigating', 'awaiting-approval', 'resolved'] as const).entries()) {
      await archive.save('incident', [incident('inc_1', { status })]);
      if (index === 1) clock.advance(-60_000);
      expect((await archive.find('incident', 'inc_1'))?.status).toBe(status);
    }
    await opened.database.command('OPTIMIZE TABLE inquest_archive FINAL');
    expect(await archive.list('incident', 10)).toEqual([incident('inc_1', { status: 'resolved' })]);
  });

  it('stays the newest for the next process', async () => {
    await archive.save('incident', [incident('inc_1')]);
    clock.advance(-3_600_000); // set back while nobody ran
    const next = createIncidentArchive(await opened.reopen(), clock);
    await next.save('incident', [incident('inc_1', { status: 'resolved' })]);
    expect((await archive.find('incident', 'inc_1'))?.status).toBe('resolved');
  });

  it('of another kind may have the same id', async () => {
    const remediation: Remediation = {
      action: 'open-ticket',
      service: 'cart',
      parameters: {},
      tier: 'info',
      rationale: '',
      preconditions: [],
      undo: '',
      evidenceIds: [],
    };
    const approval: Approval = {
      approvalId: 'same',
      incidentId: 'same',
      investigationId: 'inv_1',
      remediation,
      actionDigest: actionDigest(remediation),
      requestedAtMs: NOW_MS,
      expiresAtMs: NOW_MS + 1,
    };
    const evidence = createEvidence({
      tool: 'probe',
      input: { service: 'cart' },
      queries: [{ sql: 'SELECT 1', parameters: { a: ['x'] }, rowCount: 1, digest: digestOf(1) }],
      window: { startMs: 1, endMs: 2 },
      takenAtMs: NOW_MS,
      summary: 'one',
    });
    await archive.save('incident', [incident('same')]);
    await archive.save('approval', [approval]);
    await archive.save('evidence', [evidence]);
    expect(await archive.find('incident', 'same')).toEqual(incident('same'));
    expect(await archive.find('approval', 'same')).toEqual(approval);
    expect(await archive.find('evidence', evidence.evidenceId)).toEqual(evidence);
    expect(await archive.list('investigation', 10)).toEqual([]);
  });
});

describe('a list', () => {
  it('is newest first by the documents own time, each once, as many as asked for', async () => {
    const times = [5, 1, 4, 2, 3];
    await archive.save(
      'incident',
      times.map((time) => incident(`inc_${time}`, { openedAtMs: NOW_MS + time })),
    );
    // A later version of an old incident does not make it young.
    await archive.save('incident', [incident('inc_1', { openedAtMs: NOW_MS + 1, status: 'resolved' })]);
    const all = await archive.list('incident', 10);
    expect(all.map(({ incidentId }) => incidentId)).toEqual(['inc_5', 'inc_4', 'inc_3', 'inc_2', 'inc_1']);
    expect(all.at(-1)?.status).toBe('resolved');
    const two = await archive.list('incident', 2);
    expect(two.map(({ incidentId }) => incidentId)).toEqual(['inc_5', 'inc_4']);
  });

  it('of nothing saved is empty, and saving nothing is nothing', async () => {
    await archive.save('incident', []);
    expect(await archive.list('incident', 10)).toEqual([]);
  });
});

describe('a page', () => {
  const statuses = ['open', 'resolved', 'open', 'resolved', 'open'] as const;
  beforeEach(() =>
    archive.save(
      'incident',
      // Three of the same millisecond: their ids decide.
      statuses.map((status, index) => incident(`inc_${index}`, { status, openedAtMs: NOW_MS + Math.min(index, 2) })),
    ),
  );

  async function readAll(limit: number, status?: string): Promise<string[][]> {
    const pages: string[][] = [];
    for (let page = await archive.page('incident', { limit, status }); ; ) {
      pages.push(page.documents.map(({ incidentId }) => incidentId));
      if (!page.next) return pages;
      // What comes meanwhile is newer than all that is still to be read.
      await archive.save('incident', [incident(`new_${pages.length}`, { openedAtMs: NOW_MS + 10 })]);
      page = await archive.page('incident', { limit, status, after: page.next });
    }
  }

  it('goes on where the one before ended, whatever comes meanwhile', async () => {
    expect(await readAll(2)).toEqual([['inc_4', 'inc_3'], ['inc_2', 'inc_1'], ['inc_0']]);
  });

  it('holds documents whose newest version has the status', async () => {
    await archive.save('incident', [incident('inc_0', { status: 'resolved', openedAtMs: NOW_MS })]);
    expect(await readAll(5, 'open')).toEqual([['inc_4', 'inc_2']]);
    expect(await readAll(2, 'resolved')).toEqual([['inc_3', 'inc_1'], ['inc_0']]);
    expect(await readAll(2, `'; DROP TABLE inquest_archive --`)).toEqual([[]]);
  });
});
