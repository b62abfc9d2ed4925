import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { InputError, UnavailableError } from '../platform/errors.ts';
import { retry } from '../platform/retry.ts';
import type { Database } from './database.ts';
import { openTestDatabase, type TestDatabase } from './engine.fixture.ts';
import type { LogRow } from './telemetry-rows.ts';
import { createTelemetryWriter, type TelemetryWriter } from './telemetry-writer.ts';

let opened: TestDatabase;
let writer: TelemetryWriter;
let inserts: { readonly table: string; readonly rows: number }[];

beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(() => opened?.close());

beforeEach(async () => {
  await opened.database.command('TRUNCATE TABLE otel_logs');
  inserts = [];
  writer = createTelemetryWriter(counting(opened.database));
});

/** The real database, with a note of each insert. */
function counting(database: Database): Database {
  const insert: Database['insert'] = (table, rows, signal) => {
    inserts.push({ table, rows: rows.length });
    return database.insert(table, rows, signal);
  };
  return { ...database, insert };
}

const log = (body: string, change: Partial<LogRow> = {}): LogRow => ({
  Timestamp: '1767225600000000000',
  TraceId: '',
  SpanId: '',
  TraceFlags: 0,
  SeverityText: 'INFO',
  SeverityNumber: 9,
  ServiceName: 'cart',
  Body: body,
  ResourceSchemaUrl: '',
  ResourceAttributes: {},
  ScopeSchemaUrl: '',
  ScopeName: '',
  ScopeVersion: '',
  ScopeAttributes: {},
  LogAttributes: {},
  EventName: '',
  ...change,
});

async function storedBodies(): Promise<string[]> {
  const sql = 'SELECT Body FROM otel_logs ORDER BY Body';
  const { rows } = await opened.database.read<{ Body: string }>(sql, {}, { tag: 'test', maxRows: 100_000 });
  return rows.map(({ Body }) => Body);
}
const numbered = (index: number) => `line ${String(index).padStart(4, '0')}`;

describe('group commit', () => {
  it('stores many concurrent writes with few inserts', async () => {
    const bodies = Array.from({ length: 500 }, (_, index) => numbered(index));
    await Promise.all(bodies.map((body) => writer.write({ otel_logs: [log(body)] })));
    expect(await storedBodies()).toEqual(bodies);
    expect(inserts.length).toBeLessThanOrEqual(5);
  });

  it('resolves a write when its own rows can be read', async () => {
    const writes = Array.from({ length: 30 }, async (_, index) => {
      await writer.write({ otel_logs: [log(numbered(index))] });
      expect(await storedBodies()).toContain(numbered(index));
    });
    await Promise.all(writes);
  });

  it('takes no more than 50 000 rows into one insert', async () => {
    const many = Array.from({ length: 20_000 }, () => log('many'));
    await Promise.all(Array.from({ length: 6 }, () => writer.write({ otel_logs: many })));
    expect(inserts.map(({ rows }) => rows)).toEqual([20_000, 40_000, 40_000, 20_000]);
    const { rows } = await opened.database.read(
      'SELECT count() AS rows FROM otel_logs',
      {},
      { tag: 'test', maxRows: 1 },
    );
    expect(rows).toEqual([{ rows: '120000' }]);
  });

  it('writes tables side by side, and nothing for a table without rows', async () => {
    await writer.write({ otel_logs: [log('one')], otel_traces: [] });
    expect(inserts).toEqual([{ table: 'otel_logs', rows: 1 }]);
    await writer.write({});
    expect(inserts).toHaveLength(1);
  });
});

describe('failure', () => {
  it('of one refused row costs only its own request', async () => {
    const refused = log('refused', { Timestamp: 'yesterday' });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 40 }, (_, index) =>
        writer.write({ otel_logs: index % 10 === 7 ? [log('beside it'), refused] : [log(numbered(index))] }),
      ),
    );
    const failed = outcomes.flatMap((outcome, index) => (outcome.status === 'rejected' ? [{ index, ...outcome }] : []));
    expect(failed.map(({ index }) => index)).toEqual([7, 17, 27, 37]);
    for (const { reason } of failed) expect(reason).toBeInstanceOf(InputError);
    const expected = Array.from({ length: 40 }, (_, index) => index).filter((index) => index % 10 !== 7);
    expect(await storedBodies()).toEqual(expected.map(numbered));
  });

  it('that may pass rejects every write that waited, and the next ones go through', async () => {
    const { engine, database } = opened;
    process.kill(engine.pid() ?? 0, 'SIGKILL');
    const outcomes = await Promise.allSettled(
      Array.from({ length: 40 }, (_, index) => writer.write({ otel_logs: [log(numbered(index))] })),
    );
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { retryable: true } });
      expect(outcome.status === 'rejected' && outcome.reason).toBeInstanceOf(UnavailableError);
    }
    await retry(() => database.version(), { attempts: 500, baseDelayMs: 10, maxDelayMs: 40 });
    await writer.write({ otel_logs: [log('afterwards')] });
    expect(await storedBodies()).toEqual(['afterwards']);
  });
});
