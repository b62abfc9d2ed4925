import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import {
  callTool,
  logRow,
  MINUTE_MS,
  openTelemetryFixture,
  spanRow,
  T0_MS,
  type TelemetryFixture,
} from '../fixture.contract.ts';
import { gaugeRow, sumRow } from '../metric-rows.contract.ts';
import { runTool } from '../tool.ts';
import { getFigures } from './get-figures.ts';

let fixture: TelemetryFixture;
const window = { startMs: T0_MS, endMs: T0_MS + 2 * MINUTE_MS };
const HOSTILE = "it's}'; DROP TABLE otel_traces -- {value0:String}";

beforeAll(async () => {
  const request = (trace: string, service: string, atMs: number, durationMs: number, more: object = {}) =>
    spanRow({ trace, span: 'in', service, name: 'GET /', atMs, durationMs, ...more });
  const cpu = (pod: string, atMs: number, value: number) =>
    gaugeRow({ service: 'web', metric: 'cpu', pod, atMs, value, unit: '1' });
  fixture = await openTelemetryFixture({
    otel_traces: [
      request('a', 'web', 0, 10, { attributes: { region: 'north', [HOSTILE]: HOSTILE } }),
      request('b', 'web', 30_000, 30, { status: 'Error', message: 'Boom', attributes: { region: 'south' } }),
      request('c', 'web', 90_000, 50, { attributes: { region: 'south' }, resource: { 'k8s.pod.name': 'web-1' } }),
      request('d', 'api', 61_000, 5, { resource: { 'service.version': '2.0' } }),
      spanRow({
        ...{ trace: 'a', span: 'x', parent: 'in', service: 'web' },
        name: 'call',
        kind: 'Client',
        atMs: 1,
        durationMs: 7,
      }),
      request('late', 'web', 2 * MINUTE_MS, 1_000),
    ],
    otel_logs: [
      logRow({ service: 'web', atMs: 1_000, body: 'fine' }),
      logRow({ service: 'web', atMs: 2_000, body: 'odd', severity: 'WARN' }),
      logRow({ service: 'web', atMs: 3_000, body: 'bad 100%', severity: 'ERROR' }),
      logRow({ service: 'api', atMs: 3_000, body: 'bad', severity: 'ERROR' }),
    ],
    otel_metrics_gauge: [cpu('web-1', 5_000, 0.2), cpu('web-1', 65_000, 0.4), cpu('web-2', 5_000, 0.9)],
    otel_metrics_sum: [0, 60_000, 110_000].map((atMs) =>
      sumRow({
        service: 'web',
        metric: 'hits',
        pod: 'web-1',
        atMs,
        value: 600 + atMs / 100,
        attributes: { code: '200' },
      }),
    ),
  });
});
afterAll(() => fixture?.close());

type Question = Omit<z.input<typeof getFigures.input>, 'window'>;
const ask = async (question: Question) => (await callTool(fixture, getFigures, { window, ...question })).output.groups;
const table = async (question: Question) => (await ask(question)).map(({ by, figures }) => [...by, ...figures]);

describe('requests', () => {
  test('are counted where they enter a service, in the window, with rates by its length', async () => {
    expect(await ask({ from: 'requests', measures: ['count', 'rate', 'errors', 'errorRatio', 'p50', 'max'] })).toEqual([
      { by: [], atMs: 0, items: 4, unit: '', figures: [4, 0.0333, 1, 0.25, 20, 50] },
    ]);
  });

  test('are split by fields and attributes, the most first, or the least', async () => {
    expect(await table({ from: 'requests', measures: ['count'], by: ['service'] })).toEqual([
      ['web', 3],
      ['api', 1],
    ]);
    expect(await table({ from: 'requests', measures: ['average'], by: ['service'], order: 'least' })).toEqual([
      ['api', 5],
      ['web', 30],
    ]);
    expect(
      await table({ from: 'requests', measures: ['errors'], by: ['attribute.region', 'service'], limit: 2 }),
    ).toEqual([
      ['south', 'web', 1],
      ['', 'api', 0],
    ]);
    expect(await table({ from: 'requests', measures: ['count'], by: ['resource.service.version'] })).toContainEqual([
      '2.0',
      1,
    ]);
  });

  test('are split by steps; every group that is kept has all of its steps', async () => {
    const groups = await ask({
      from: 'requests',
      measures: ['count', 'rate'],
      by: ['service'],
      stepSeconds: 60,
      limit: 1,
    });
    expect(groups).toEqual([
      { by: ['web'], atMs: T0_MS, items: 2, unit: '', figures: [2, 0.0333] },
      { by: ['web'], atMs: T0_MS + 60_000, items: 1, unit: '', figures: [1, 0.0167] },
    ]);
  });

  test.each([
    [{ field: 'status', is: 'equal', value: 'error' }, 1],
    [{ field: 'service', is: 'unequal', value: 'web' }, 1],
    [{ field: 'statusMessage', is: 'contains', value: 'boo' }, 1],
    [{ field: 'durationMs', is: 'atLeast', value: 30 }, 2],
    [{ field: 'durationMs', is: 'below', value: 30 }, 2],
    [{ field: 'pod', is: 'equal', value: 'web-1' }, 1],
    [{ field: 'attribute.region', is: 'equal', value: 'south' }, 2],
    [{ field: 'service', is: 'equal', value: HOSTILE }, undefined],
    [{ field: 'attribute.region', is: 'equal', value: HOSTILE }, undefined],
  ] as const)('with %o are %s', async (condition, count) => {
    expect((await table({ from: 'requests', measures: ['count'], where: [condition] }))[0]?.[0]).toBe(count);
  });
});

test('spans are more than requests', async () => {
  expect(await table({ from: 'spans', measures: ['count'], by: ['kind'] })).toEqual([
    ['Server', 4],
    ['Client', 1],
  ]);
});

test('log lines are counted by severity, and from a severity on', async () => {
  expect(await table({ from: 'logs', measures: ['count'], by: ['severity'] })).toEqual([
    ['error', 2],
    ['info', 1],
    ['warn', 1],
  ]);
  const worse = { field: 'severity', is: 'atLeast', value: 'warn' } as const;
  expect(await table({ from: 'logs', measures: ['count'], where: [worse], by: ['service'] })).toEqual([
    ['web', 2],
    ['api', 1],
  ]);
  const percent = { field: 'message', is: 'contains', value: '100%' } as const;
  expect(await table({ from: 'logs', measures: ['count'], where: [percent] })).toEqual([[1]]);
});

test('metrics have values by pod and series, and counters their growth per second', async () => {
  expect(await table({ from: 'metrics', metric: 'cpu', measures: ['average', 'max'], by: ['pod'] })).toEqual([
    ['web-2', 0.9, 0.9],
    ['web-1', 0.3, 0.4],
  ]);
  expect(await table({ from: 'metrics', metric: 'hits', measures: ['rate'], by: ['series'] })).toEqual([
    ['code=200', 10],
  ]);
  expect(await ask({ from: 'metrics', metric: 'cpu', measures: ['max'], stepSeconds: 60 })).toMatchObject([
    { atMs: T0_MS, unit: '1', figures: [0.9] },
    { atMs: T0_MS + 60_000, figures: [0.4] },
  ]);
});

test('a shape that makes no sense is refused with what would', async () => {
  const refuse = async (question: object) => {
    const outcome = await runTool(getFigures, { window, ...question } as never, fixture.context);
    return outcome.ok ? 'taken' : outcome.error.message;
  };
  expect(await refuse({ from: 'logs', measures: ['p95'] })).toContain('logs have count, rate, not p95');
  expect(await refuse({ from: 'requests', measures: ['count'], by: ['Duration) --'] })).toContain('not Duration) --');
  expect(await refuse({ from: 'requests', measures: ['count'], by: [`attribute.${HOSTILE}`] })).toContain(
    'attribute.KEY',
  );
  expect(await refuse({ from: 'metrics', measures: ['max'] })).toContain('metrics need it');
  const worse = { field: 'service', is: 'atLeast', value: 'a' };
  expect(await refuse({ from: 'spans', measures: ['count'], where: [worse] })).toContain('atLeast');
  expect(
    await refuse({ from: 'spans', measures: ['count'], stepSeconds: 1, window: { startMs: 0, endMs: 1e9 } }),
  ).toContain('too many');
});
