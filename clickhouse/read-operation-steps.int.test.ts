import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestDatabase, type TestDatabase } from './engine.fixture.ts';
import { bucketStartMs, createOperationStepReader, type OperationStepReader } from './read-operation-steps.ts';
import { makeSpan, type SpanParts } from './rollup-spans.fixture.ts';
import type { SpanRow } from './telemetry-rows.ts';

const START_MS = Date.UTC(2026, 2, 1, 10);
const BOUNDS = { maxRows: 10_000 };
let test: TestDatabase;
let reader: OperationStepReader;

beforeAll(async () => {
  test = await openTestDatabase();
  reader = createOperationStepReader(test.database);
});
afterAll(() => test.close());

let nextId = 1;
function spanOf(parts: Partial<SpanParts>, more: Partial<SpanRow> = {}): SpanRow {
  nextId += 1;
  return { ...makeSpan({ atMs: START_MS, trace: nextId, id: nextId, service: 'web', ...parts }), ...more };
}

async function rowsOf(service: string, window = { startMs: START_MS, endMs: START_MS + 60_000 }) {
  const { rows } = await reader.readSteps({ window }, BOUNDS);
  return rows.filter((row) => row.service === service);
}

describe('calls by operation and ten seconds', () => {
  it('are counted, with how long they took, in and out', async () => {
    const named = { SpanName: 'GET /' };
    await test.database.insert('otel_traces', [
      spanOf({ ms: 1 }, named),
      spanOf({ ms: 1.1, isFailed: true }, named),
      spanOf({ ms: 400, atMs: START_MS + 9_999 }, named),
      spanOf({ ms: 400, atMs: START_MS + 10_000 }, named),
      spanOf({ parent: 1, kind: 'Internal' }, { SpanName: 'inside' }),
      spanOf({ parent: 1, kind: 'Client' }, { SpanName: 'SELECT', SpanAttributes: { 'peer.service': 'db' } }),
      spanOf({ parent: 1, kind: 'Client' }, { SpanName: 'SELECT', SpanAttributes: { 'server.address': 'cache' } }),
      spanOf({ parent: 1, kind: 'Producer' }, { SpanName: 'publish orders' }),
      spanOf({ parent: 1, kind: 'Consumer' }, { SpanName: 'process orders' }),
      spanOf({ kind: 'Internal' }, { SpanName: 'nightly' }),
    ]);
    // What comes in another insert is added.
    await test.database.insert('otel_traces', [spanOf({ ms: 1.14, atMs: START_MS + 5_000 }, named)]);
    const rows = await rowsOf('web');
    expect(
      rows.map(({ atMs, kind, operation, calls, errors }) => [atMs - START_MS, kind, operation, calls, errors]),
    ).toEqual([
      [0, 'Server', 'GET /', 4, 1],
      [0, 'Client', 'cache', 1, 0],
      [0, 'Client', 'db', 1, 0],
      [0, 'Server', 'nightly', 1, 0],
      [0, 'Server', 'process orders', 1, 0],
      [0, 'Client', 'publish orders', 1, 0],
      [10_000, 'Server', 'GET /', 1, 0],
    ]);
    const [first] = rows;
    expect(first?.counts).toEqual([3, 1]);
    expect(bucketStartMs(first?.buckets[0] ?? 0)).toBeCloseTo(1, 9);
    expect(bucketStartMs(first?.buckets[1] ?? 0)).toBeLessThanOrEqual(400);
    expect(bucketStartMs((first?.buckets[1] ?? 0) + 1)).toBeGreaterThan(400);
    const counts = await reader.countSteps({ window: { startMs: START_MS, endMs: START_MS + 60_000 } }, BOUNDS);
    expect(counts.rows).toEqual([
      { atMs: START_MS, calls: 9 },
      { atMs: START_MS + 10_000, calls: 1 },
    ]);
    expect(await rowsOf('web', { startMs: START_MS + 10_000, endMs: START_MS + 20_000 })).toHaveLength(1);
  });

  it('have a first and a last bucket for whatever lies beyond', async () => {
    const spans = [0, 1e-9, 1e13].map((ms) => spanOf({ service: 'wild', ms }, { SpanName: 'x' }));
    await test.database.insert('otel_traces', spans);
    expect((await rowsOf('wild')).map(({ buckets, counts }) => ({ buckets, counts }))).toEqual([
      { buckets: [0, 255], counts: [2, 1] },
    ]);
  });

  it('are of one operation where names differ by ids alone', async () => {
    const names = [
      '/users/1234/cart',
      '/users/99871/cart',
      '/users/1b4e28ba-2fa1-11d2-883f-0016d3cca427/cart',
      '/v1/cart',
      '',
    ];
    await test.database.insert(
      'otel_traces',
      names.map((SpanName) => spanOf({ service: 'ids' }, { SpanName })),
    );
    const long = spanOf({ service: 'ids' }, { SpanName: 'x'.repeat(201) });
    await test.database.insert('otel_traces', [long]);
    expect((await rowsOf('ids')).map(({ operation, calls }) => [operation, calls])).toEqual([
      ['', 2],
      ['/users/?/cart', 3],
      ['/v1/cart', 1],
    ]);
  });

  it('cost no more rows however many names somebody makes up; what is called often keeps its name', async () => {
    const letters = (id: number) => id.toString(26).replaceAll(/[0-9]/g, (digit) => 'qrstuvwxyz'[Number(digit)] ?? '');
    const madeUp = Array.from({ length: 2_000 }, (_, id) =>
      spanOf({ service: 'hostile' }, { SpanName: `op ${letters(id)}` }),
    );
    const usual = Array.from({ length: 100 }, () => spanOf({ service: 'hostile' }, { SpanName: 'GET /' }));
    await test.database.insert('otel_traces', [...madeUp, ...usual]);
    expect((await rowsOf('hostile')).map(({ operation, calls }) => [operation, calls])).toEqual([
      ['', 2_000],
      ['GET /', 100],
    ]);
  });
});
