import { afterAll, beforeAll, expect, test } from 'vitest';
import { createChangesWriter } from '../../clickhouse/changes-writer.ts';
import type { Change } from '../../domain/change.ts';
import {
  callTool,
  logRow,
  MINUTE_MS,
  openTelemetryFixture,
  spanRow,
  T0_MS,
  type TelemetryFixture,
} from '../fixture.contract.ts';
import { gaugeRow } from '../metric-rows.contract.ts';
import { rankChangeSuspicion } from './rank-change-suspicion.ts';

let fixture: TelemetryFixture;
const window = { startMs: T0_MS, endMs: T0_MS + 60 * MINUTE_MS };
const GUILTY = 'a1'.repeat(20);
const LATE = 'b2'.repeat(20);
const IDLE = 'c3'.repeat(20);
const NEXT_DAY_MS = 26 * 60 * MINUTE_MS;

function change(words: Partial<Change> & { changeId: string; minute: number }): Change {
  const { minute, ...rest } = words;
  return {
    kind: 'commit',
    service: '',
    atMs: T0_MS + minute * MINUTE_MS,
    version: '',
    summary: 'something',
    author: 'ann',
    url: '',
    attributes: {},
    diff: '',
    source: 'webhook',
    ...rest,
  };
}

/** One heading and a body, as git prints them. */
const diff = (path: string, body: string) => `--- a/${path}\n+++ b/${path}\n@@ -1,3 +1,3 @@\n${body}`;

/** An hour of cart in which a query begins to wait for the pool at minute 40, five minutes after a deploy. */
function anHour(startMs: number) {
  const minutes = Array.from({ length: 60 }, (_, minute) => ({ minute, atMs: startMs + minute * MINUTE_MS }));
  return {
    otel_logs: minutes.map(({ minute, atMs }) =>
      minute < 40
        ? logRow({ service: 'cart', atMs, body: 'stored a cart' })
        : logRow({
            service: 'cart',
            atMs,
            severity: 'ERROR',
            body: `timeout waiting for connection ${minute} from pool`,
          }),
    ),
    otel_traces: minutes.map(({ minute, atMs }) =>
      spanRow({
        trace: `t${startMs}-${minute}`,
        span: 's',
        service: 'cart',
        name: 'POST /cart',
        atMs,
        durationMs: 10,
        ...(minute < 40 ? {} : { status: 'Error' as const, message: 'pool exhausted' }),
      }),
    ),
    otel_metrics_gauge: minutes.map(({ minute, atMs }) =>
      gaugeRow({ service: 'cart', metric: 'db.pool.connections.waiting', atMs, value: minute < 40 ? 1 : 60 }),
    ),
  };
}

beforeAll(async () => {
  fixture = await openTelemetryFixture(anHour(0));
  await createChangesWriter(fixture.database)([
    change({ changeId: IDLE, minute: 20, diff: diff('cart/view.go', '-\tc := r.Context()\n+\tctx := r.Context()') }),
    change({
      changeId: GUILTY,
      minute: 30,
      summary: 'tune the store',
      diff: diff('cart/store.go', '-\tpool.SetMaxConnections(100)\n+\tpool.SetMaxConnections(5)'),
    }),
    change({
      changeId: LATE,
      minute: 50,
      diff: diff('cart/pool.go', '-\tpool.SetMaxConnections(5)\n+\tpool.SetMaxConnections(2)'),
    }),
    change({
      kind: 'deploy',
      changeId: 'd1',
      service: 'cart',
      minute: 35,
      attributes: { 'vcs.ref.head.revision': GUILTY },
    }),
    change({
      kind: 'deploy',
      changeId: 'd2',
      service: 'cart',
      minute: 52,
      attributes: { commit_sha: LATE.slice(0, 8) },
    }),
  ]);
});

afterAll(() => fixture.close());

test('the commit that shrank the pool is named, the later one and the one that renames are not', async () => {
  const { output } = await callTool(fixture, rankChangeSuspicion, { window });
  expect(output.isConvincing).toBe(true);
  expect(output.commits[0]).toMatchObject({
    commit: GUILTY,
    summary: 'tune the store',
    path: 'cart/store.go',
    does: 'lowers the pool from 100 to 5',
    symptom: 'pool-waits',
    explained: 1,
    carrier: { service: 'cart', changeId: 'd1', atMs: T0_MS + 35 * MINUTE_MS },
  });
  expect(output.commits.slice(1).every(({ score }) => score < 0.2)).toBe(true);
  expect(output.commits.map(({ commit }) => commit).toSorted()).toEqual([GUILTY, LATE, IDLE]);
  expect(output.outside).toBeUndefined();
  expect(output.signs.map(({ service, onsetMs }) => [service, (onsetMs - T0_MS) / MINUTE_MS])).toEqual(
    output.signs.map(() => ['cart', 40]),
  );
  expect(output.signs.map(({ text }) => text.split(' ')[0]).toSorted()).toEqual([
    'POST',
    'db.pool.connections.waiting',
    'timeout',
  ]);
});

test('without a diff in reach nothing is read and nobody is blamed', async () => {
  const quiet = { startMs: T0_MS - NEXT_DAY_MS, endMs: T0_MS - NEXT_DAY_MS + 60 * MINUTE_MS };
  const { output, evidence } = await callTool(fixture, rankChangeSuspicion, { window: quiet });
  expect(output).toMatchObject({ commits: [], isConvincing: false, signs: [] });
  expect(evidence.queries).toHaveLength(1);
});
