import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../clickhouse/database.ts';
import { openTestDatabase, type TestDatabase } from '../clickhouse/engine.fixture.ts';
import { createPatientDatabase } from '../clickhouse/patient-database.ts';
import type { LogRow, TelemetryRows } from '../clickhouse/telemetry-rows.ts';
import { createTelemetryWriter } from '../clickhouse/telemetry-writer.ts';
import { InputError, UnavailableError } from '../platform/errors.ts';
import { createPipeline, PIPELINE_LIMITS, type PipelineLimits } from './pipeline.ts';

let opened: TestDatabase;
let inserts: { readonly table: string; readonly rows: number }[];

beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(() => opened?.close());

beforeEach(async () => {
  await opened.database.command('TRUNCATE TABLE otel_logs');
  inserts = [];
});

/** The real database, with a note of each insert. */
function counting(database: Database): Database {
  const insert: Database['insert'] = (table, rows, ...rest) => {
    inserts.push({ table, rows: rows.length });
    return database.insert(table, rows, ...rest);
  };
  return { ...database, insert };
}

function open(limits: Partial<PipelineLimits> = {}, database: Database = counting(opened.database)) {
  const pipeline = createPipeline({
    write: createTelemetryWriter(database).write,
    limits: { ...PIPELINE_LIMITS, flushMs: 10, ...limits },
  });
  const store = (rows: TelemetryRows, bytes = 100, signal?: AbortSignal) =>
    pipeline.store({ rows, body: new Uint8Array(bytes) }, signal);
  return { ...pipeline, store };
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
const lines = (count: number) => Array.from({ length: count }, (_, index) => numbered(index));

describe('buffers', () => {
  it('store many concurrent requests with few inserts', async () => {
    const { store } = open();
    await Promise.all(lines(500).map((body) => store({ otel_logs: [log(body)] })));
    expect(await storedBodies()).toEqual(lines(500));
    expect(inserts.length).toBeLessThanOrEqual(5);
  });

  it('answer a request when its own rows can be read', async () => {
    const { store } = open();
    const requests = lines(30).map(async (line) => {
      await store({ otel_logs: [log(line)] });
      expect(await storedBodies()).toContain(line);
    });
    await Promise.all(requests);
  });

  it('go out with so many rows at most, but never cut a request', async () => {
    const { store } = open({ maxInsertRows: 500, connections: 1 });
    const many = Array.from({ length: 200 }, () => log('many'));
    const huge = Array.from({ length: 900 }, () => log('huge'));
    await Promise.all([...Array.from({ length: 6 }, () => store({ otel_logs: many })), store({ otel_logs: huge })]);
    expect(inserts.map(({ rows }) => rows)).toEqual([200, 400, 400, 200, 900]);
    expect(await storedBodies()).toHaveLength(2_100);
  });

  it('go out with so many bytes at most', async () => {
    const { store } = open({ maxInsertBytes: 1_000, connections: 1 });
    await Promise.all(lines(5).map((body) => store({ otel_logs: [log(body)] }, 500)));
    expect(inserts.map(({ rows }) => rows)).toEqual([1, 2, 2]);
  });

  it('wait for the time of their table, not for that of another', async () => {
    const { store } = open({ flushMs: 60_000 });
    await store({ otel_logs: [log('the first goes at once')] });
    const waiting = store({ otel_logs: [log('the second waits')] });
    let isStored = false;
    void waiting.then(() => {
      isStored = true;
    });
    const { rows } = await opened.database.read('SELECT 1 AS one', {}, { tag: 'test', maxRows: 1 });
    expect([rows.length, isStored, inserts.length]).toEqual([1, false, 1]);
  });

  it('leave out tables without rows', async () => {
    const { store } = open();
    await store({ otel_logs: [log('one')], otel_traces: [] });
    await store({});
    expect(inserts).toEqual([{ table: 'otel_logs', rows: 1 }]);
  });

  it('use two connections and no third', async () => {
    let running = 0;
    let most = 0;
    const insert: Database['insert'] = async (...insertion) => {
      running++;
      most = Math.max(most, running);
      await opened.database.insert(...insertion);
      running--;
    };
    const { store } = open({ maxInsertRows: 1 }, { ...opened.database, insert });
    await Promise.all(lines(12).map((body) => store({ otel_logs: [log(body)] })));
    expect(most).toBe(2);
  });
});

describe('a full queue', () => {
  /** A store that answers when it is told to. */
  function held() {
    let release = () => {};
    const free = new Promise<void>((resolve) => {
      release = resolve;
    });
    const insert: Database['insert'] = () => free;
    return { database: { ...opened.database, insert }, release: () => release() };
  }

  it.each([
    ['bytes', { maxQueuedBytes: 1_000 }, [log('x')], 400],
    ['rows', { maxQueuedRows: 5 }, [log('x'), log('y')], 1],
  ])('by %s refuses at once and takes more when there is room', async (_, limits, rows, bytes) => {
    const { database, release } = held();
    const { store, load } = open(limits, database);
    const taken = [store({ otel_logs: rows }, bytes), store({ otel_logs: rows }, bytes)];
    await expect(store({ otel_logs: rows }, bytes)).rejects.toBeInstanceOf(UnavailableError);
    expect(load()).toMatchObject({ queuedBytes: 2 * bytes, queuedRows: 2 * rows.length });
    release();
    await Promise.all(taken);
    await store({ otel_logs: rows }, bytes);
    expect(load()).toMatchObject({ queuedBytes: 0, queuedRows: 0, droppedRows: 0 });
  });

  it('takes a request that is larger than itself when nothing else waits', async () => {
    const { store } = open({ maxQueuedRows: 1 });
    await store({ otel_logs: [log('a'), log('b')] });
    expect(await storedBodies()).toEqual(['a', 'b']);
  });
});

it('a request that is given up before its insert begins is not stored', async () => {
  const { store, load } = open({ flushMs: 60_000 });
  await store({ otel_logs: [log('the first goes at once')] });
  const giveUp = new AbortController();
  const stored = store({ otel_logs: [log('given up')] }, 100, giveUp.signal);
  giveUp.abort();
  await expect(stored).rejects.toBeInstanceOf(UnavailableError);
  expect(load()).toMatchObject({ queuedRows: 0, queuedBytes: 0, droppedRows: 1, inserts: 1 });
});

describe('failure', () => {
  it('of one refused row costs only its own request', async () => {
    const { store, load } = open();
    const refused = log('refused', { Timestamp: 'yesterday' });
    const outcomes = await Promise.allSettled(
      lines(40).map((line, index) => store({ otel_logs: index % 10 === 7 ? [log('beside'), refused] : [log(line)] })),
    );
    const failed = outcomes.flatMap((outcome, index) => (outcome.status === 'rejected' ? [{ index, ...outcome }] : []));
    expect(failed.map(({ index }) => index)).toEqual([7, 17, 27, 37]);
    for (const { reason } of failed) expect(reason).toBeInstanceOf(InputError);
    expect(await storedBodies()).toEqual(lines(40).filter((_, index) => index % 10 !== 7));
    expect(load().droppedRows).toBe(8);
  });

  it('of an engine that is killed and comes back loses nothing and doubles nothing', async () => {
    const { engine, database } = opened;
    const { store, load } = open({ maxInsertRows: 100 }, createPatientDatabase(database, engine));
    const requests = lines(3_000).map((line) => store({ otel_logs: [log(line)] }));
    for (let kills = 0; kills < 3; kills++) {
      await Promise.race(requests.slice(900 * kills + 200));
      process.kill(engine.pid() ?? 0, 'SIGKILL');
      await engine.untilRunning(30_000);
    }
    await Promise.all(requests);
    expect(await storedBodies()).toEqual(lines(3_000));
    expect(load()).toMatchObject({ queuedRows: 0, droppedRows: 0 });
  });

  it.each<[string, Database['insert']]>([
    ['stays away', () => Promise.reject(new UnavailableError('the store is away'))],
    [
      'never answers',
      (_table, _rows, signal) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason));
        }),
    ],
  ])('of a store that %s is told to the sender, to send it again', async (_, insert) => {
    const { store, load } = open({ insertTimeoutMs: 50 }, { ...opened.database, insert });
    await expect(store({ otel_logs: [log('x')] })).rejects.toBeInstanceOf(UnavailableError);
    expect(load()).toMatchObject({ queuedBytes: 0, queuedRows: 0, droppedRows: 1 });
  });
});
