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
import { listChanges } from './list-changes.ts';

let fixture: TelemetryFixture;
const window = { startMs: T0_MS, endMs: T0_MS + 60 * MINUTE_MS };
const version = (value: string) => ({ 'service.version': value });

function change(words: Partial<Change> & { changeId: string; minute: number }): Change {
  const { minute, ...rest } = words;
  return {
    kind: 'deploy',
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

beforeAll(async () => {
  const span = (service: string, minute: number, value: string) =>
    spanRow({
      trace: `${service}${minute}`,
      span: 's',
      service,
      name: 'x',
      atMs: minute * MINUTE_MS,
      durationMs: 1,
      resource: version(value),
    });
  fixture = await openTelemetryFixture({
    otel_traces: [
      // Long before, then new at minute 20, in logs a minute earlier; the old one goes on beside it.
      span('cart', -600, '1.0'),
      span('cart', 20, '2.0'),
      span('cart', 21, '1.0'),
      // Recorded by a webhook four minutes before it was seen.
      span('pay', -5, '1.0'),
      span('pay', 2, '1.1'),
      // The first that was ever seen of a service is no deploy, nor are versions that began together.
      span('new', 30, '1.0'),
      span('pair', 30, '1.0'),
      span('pair', 31, '1.1'),
      // Seen before the window, and again inside it.
      span('old', -60, '1.0'),
      span('old', -30, '2.0'),
      span('old', 30, '2.0'),
    ],
    otel_logs: [logRow({ service: 'cart', atMs: 19 * MINUTE_MS, body: 'hello', resource: version('2.0') })],
    otel_metrics_gauge: [
      gaugeRow({ service: 'db', metric: 'cpu', value: 1, atMs: -10 * MINUTE_MS, resource: version('15') }),
      gaugeRow({ service: 'db', metric: 'cpu', value: 1, atMs: 40 * MINUTE_MS, resource: version('16') }),
    ],
  });
  const write = createChangesWriter(fixture.database);
  await write([
    change({ changeId: 'hook-pay', service: 'pay', version: '1.1', minute: -2, attributes: { run: '7' } }),
    change({ changeId: 'flag', kind: 'flag', minute: 10, summary: 'first wording' }),
    change({ changeId: 'commit', kind: 'commit', service: 'cart', minute: 5, diff: 'x'.repeat(5_000) }),
    change({ changeId: 'outside', service: 'web', version: '3', minute: -1 }),
    change({ changeId: 'later', service: 'web', version: '4', minute: 61 }),
  ]);
  await write([change({ changeId: 'flag', kind: 'flag', minute: 11, summary: 'second wording' })]);
});
afterAll(() => fixture?.close());

test('lists recorded changes as last told and deploys that telemetry shows, the newest first', async () => {
  const { output } = await callTool(fixture, listChanges, { window });
  expect(output.changes.map(({ service, version: value, source }) => [service, value, source])).toEqual([
    ['db', '16', 'inferred'],
    ['cart', '2.0', 'inferred'],
    ['', '', 'webhook'],
    ['cart', '', 'webhook'],
    ['pay', '1.1', 'webhook'],
  ]);
  expect(output).toMatchObject({ totalRows: 5, truncated: false });
  expect(output.changes[1]).toEqual({
    changeId: expect.stringMatching(/^deploy_[0-9a-f]{12}$/),
    kind: 'deploy',
    service: 'cart',
    atMs: T0_MS + 19 * MINUTE_MS,
    version: '2.0',
    summary: 'cart 2.0 first seen in logs, traces; before it ran 1.0.',
    author: '',
    url: '',
    attributes: { previousVersion: '1.0', signals: 'logs, traces' },
    diff: '',
    source: 'inferred',
  });
  expect(output.changes[2]).toMatchObject({
    changeId: 'flag',
    summary: 'second wording',
    atMs: T0_MS + 11 * MINUTE_MS,
  });
});

test('takes a recorded and an inferred deploy of one version for one', async () => {
  const { output } = await callTool(fixture, listChanges, { window, service: 'pay' });
  expect(output.changes.filter(({ kind }) => kind === 'deploy')).toEqual([
    expect.objectContaining({
      changeId: 'hook-pay',
      atMs: T0_MS - 2 * MINUTE_MS,
      source: 'webhook',
      attributes: { run: '7', inferredAt: new Date(T0_MS + 2 * MINUTE_MS).toISOString() },
    }),
  ]);
});

test('filters by service (changes of none stay), by kind, and cuts diffs and rows', async () => {
  const cart = await callTool(fixture, listChanges, { window, service: 'cart', diffCharacters: 10 });
  expect(cart.output.changes.map(({ service, kind, diff }) => [service, kind, diff.length])).toEqual([
    ['cart', 'deploy', 0],
    ['', 'flag', 0],
    ['cart', 'commit', 10],
  ]);
  const { output, evidence } = await callTool(fixture, listChanges, { window, kinds: ['flag', 'commit'], limit: 1 });
  expect(output).toMatchObject({ changes: [{ kind: 'flag' }], totalRows: 2, truncated: true });
  expect(evidence.queries).toHaveLength(1);
});
