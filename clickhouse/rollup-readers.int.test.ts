/** Readers that answer from rollups give what the rows give, also where a window cuts through minutes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { QueryParameters } from '../domain/evidence.ts';
import type { TimeWindow } from '../domain/time-window.ts';
import { openTestDatabase, type TestDatabase } from './engine.fixture.ts';
import { makeTraces, SPANS_END_MS, SPANS_START_MS } from './rollup-spans.fixture.ts';
import { createTelemetryReader, type TelemetryReader } from './telemetry-reader.ts';

const BOUNDS = { maxRows: 1_000 };
const MINUTE_MS = 60_000;
const START = SPANS_START_MS;
const WINDOWS: readonly (readonly [name: string, window: TimeWindow])[] = [
  ['whole minutes over midnight', { startMs: START, endMs: SPANS_END_MS }],
  ['cut minutes at both ends', { startMs: START + 12_345, endMs: SPANS_END_MS - 45_678 }],
  ['part of one minute', { startMs: START + 10_000, endMs: START + 50_000 }],
  ['a whole start, a cut end', { startMs: START + 6 * MINUTE_MS, endMs: SPANS_END_MS - 1 }],
  ['nothing', { startMs: START - MINUTE_MS, endMs: START }],
];

let test: TestDatabase;
let telemetry: TelemetryReader;

beforeAll(async () => {
  test = await openTestDatabase();
  telemetry = createTelemetryReader(test.database);
  const spans = makeTraces(300);
  for (const part of [1, 0])
    await test.database.insert(
      'otel_traces',
      spans.filter((_, index) => index % 2 === part),
    );
  const points = spans.map(({ Timestamp, ServiceName, ResourceAttributes }, index) => ({
    TimeUnix: Timestamp,
    ServiceName,
    ResourceAttributes,
    MetricName: `metric.${index % 3}`,
    MetricUnit: 'By',
    Attributes: index % 2 ? { b: '2', a: '1' } : { a: '1', b: '2' },
    Value: index,
    Flags: index % 7 === 0 ? 1 : 0,
  }));
  await test.database.insert('otel_metrics_gauge', points);
  await test.database.insert('otel_metrics_sum', points.slice(0, 500));
  await test.database.insert(
    'otel_logs',
    spans.map(({ Timestamp, ServiceName, ResourceAttributes }) => ({ Timestamp, ServiceName, ResourceAttributes })),
  );
});
afterAll(() => test?.close());

async function rowsOf(sql: string, parameters: QueryParameters): Promise<readonly object[]> {
  return (await test.database.read(sql, parameters, { tag: 'test', ...BOUNDS })).rows;
}
const IN = (time: string) =>
  `${time} >= fromUnixTimestamp64Milli({startMs:Int64}) AND ${time} < fromUnixTimestamp64Milli({endMs:Int64})`;
const parametersOf = ({ startMs, endMs }: TimeWindow) => ({ startMs, endMs });

describe.each(WINDOWS)('%s', (_, window) => {
  it('services: spans, pods and versions', async () => {
    const { rows } = await telemetry.services.readOverview({ window }, BOUNDS);
    const raw = await rowsOf(
      `SELECT ServiceName AS service, toFloat64(count()) AS spans, toFloat64(uniqExact(ResourceAttributes['k8s.pod.name'])) AS pods,
         arraySort(groupUniqArray(ResourceAttributes['service.version'])) AS versions,
         least((SELECT toFloat64(uniqExact(toStartOfMinute(Timestamp))) FROM otel_traces WHERE ${IN('Timestamp')}), ({endMs:Int64} - {startMs:Int64}) / 60000) AS minutes
       FROM otel_traces WHERE ${IN('Timestamp')} GROUP BY service ORDER BY service`,
      parametersOf(window),
    );
    const found = rows.map(({ service, spans, pods, versions, requests, requestsPerSecond }) => ({
      service,
      spans,
      pods,
      versions,
      minutes: requests / requestsPerSecond / 60,
    }));
    const bySort = found.toSorted((left, right) => (left.service < right.service ? -1 : 1));
    expect(bySort.map(({ minutes, ...rest }) => ({ ...rest, minutes: Math.round(minutes * 1e6) / 1e6 }))).toEqual(
      raw.map((row) => ({ ...row, minutes: Math.round(Number(Reflect.get(row, 'minutes')) * 1e6) / 1e6 })),
    );
  });

  it('metrics: series and points', async () => {
    const { rows } = await telemetry.metrics.list({ window }, BOUNDS);
    const raw = await rowsOf(
      ['gauge', 'sum']
        .map(
          (kind) => `SELECT MetricName AS metric, '${kind}' AS kind, toFloat64(uniqExact(ServiceName)) AS services,
            toFloat64(uniqExact(ServiceName, ResourceAttributes['k8s.pod.name'])) AS series, toFloat64(count()) AS points
          FROM otel_metrics_${kind} WHERE ${IN('TimeUnix')} AND Flags = 0 GROUP BY metric`,
        )
        .join(' UNION ALL ')
        .replace(/^/, 'SELECT * FROM (')
        .concat(') ORDER BY points DESC, metric, kind'),
      parametersOf(window),
    );
    expect(rows.map(({ unit: _unit, totalRows: _total, ...row }) => row)).toEqual(raw);
  });

  it('deploys: versions and when they came', async () => {
    const { rows } = await telemetry.changes.inferDeploys({ window }, BOUNDS);
    const [first] = await rowsOf(
      `SELECT toFloat64(toUnixTimestamp64Milli(min(Timestamp))) AS atMs FROM otel_traces
       WHERE ServiceName = 'web' AND ResourceAttributes['service.version'] = '2'`,
      {},
    );
    const atMs = Number(Reflect.get(first ?? {}, 'atMs'));
    const isInside = atMs >= window.startMs && atMs < window.endMs;
    expect(rows.map((row) => [row.service, row.version, row.previousVersion, row.atMs, row.signals])).toEqual(
      isInside ? [['web', '2', '1', atMs, ['logs', 'metrics', 'traces']]] : [],
    );
  });

  it.each([60, 120, 45])('coverage in steps of %i s', async (stepSeconds) => {
    const { rows } = await telemetry.coverage.readByService({ window, stepSeconds }, BOUNDS);
    const raw = await rowsOf(
      [
        ['traces', 'otel_traces', 'Timestamp'],
        ['logs', 'otel_logs', 'Timestamp'],
        ['metrics', 'otel_metrics_gauge', 'TimeUnix'],
        ['metrics', 'otel_metrics_sum', 'TimeUnix'],
      ]
        .map(
          ([
            signal,
            table,
            time,
          ]) => `SELECT '${signal}' AS signal, ServiceName AS service, toUnixTimestamp64Milli(${time}) AS at
            FROM ${table} WHERE ${IN(time ?? '')}`,
        )
        .join(' UNION ALL ')
        .replace(
          /^/,
          `SELECT signal, service, toFloat64(uniqExact(intDiv(at - {startMs:Int64}, ${stepSeconds * 1000}))) AS observedSteps, toFloat64(min(at)) AS firstMs,
             toFloat64(max(at)) AS lastMs, toFloat64(count()) AS telemetryRows FROM (`,
        )
        .concat(') GROUP BY signal, service ORDER BY signal, telemetryRows DESC, service'),
      parametersOf(window),
    );
    expect(rows.map(({ totalRows: _total, ...row }) => row)).toEqual(raw);
  });
});

it('attributes: values are counted, those that are one of very many without their names', async () => {
  const startMs = Date.UTC(2026, 4, 1, 10);
  const spans = Array.from({ length: 400 }, (_, index) => ({
    Timestamp: `${startMs + index * 1_000}000000`,
    ServiceName: 'shop',
    ResourceAttributes: { region: index % 4 ? 'eu' : 'us' },
    SpanAttributes: {
      'http.status': index % 5 ? '200' : '500',
      'trace.ref': `ref-${(index * 7919).toString(16).padStart(8, '0')}`,
      customer: `customer ${String.fromCodePoint(97 + (index % 26))}${String.fromCodePoint(97 + Math.floor(index / 26))}`,
    },
  }));
  await test.database.insert('otel_traces', spans.slice(0, 200));
  await test.database.insert('otel_traces', spans.slice(200));
  const window = { startMs: startMs + 60_000, endMs: startMs + 120_000 };
  const { rows } = await telemetry.attributes.list({ window, service: 'shop' }, BOUNDS);
  const of = (key: string) => rows.find((row) => row.key === key);
  expect(of('region')).toMatchObject({
    source: 'resource',
    uses: 400,
    values: [
      ['eu', 300],
      ['us', 100],
    ],
    otherUses: 0,
  });
  expect(of('http.status')).toMatchObject({
    source: 'span',
    uses: 400,
    values: [
      ['200', 320],
      ['500', 80],
    ],
  });
  expect(of('trace.ref')).toMatchObject({ uses: 400, values: [], otherUses: 400 });
  expect(of('customer')).toMatchObject({ uses: 400, values: [], otherUses: 400 });
});

it('what is inserted twice under one token is counted once, in every rollup', async () => {
  const sums = [
    ['inquest_operations_10s', 'Calls'],
    ['inquest_red_1m', 'Spans'],
    ['inquest_operations_1m', 'Calls'],
    ['inquest_presence_1m', 'TelemetryRows'],
    ['inquest_attributes_1h', 'Uses'],
    ['inquest_metrics_1m', 'Points'],
  ].map(([table, column]) => `SELECT '${table}' AS name, toFloat64(sum(${column})) AS sum FROM ${table}`);
  const readSums = () => rowsOf(`SELECT * FROM (${sums.join(' UNION ALL ')}) ORDER BY name`, {});
  const insert = async () => {
    await test.database.insert('otel_traces', makeTraces(40), undefined, { token: 'again' });
    const point = { TimeUnix: `${START}000000`, ServiceName: 'web', MetricName: 'metric.again', Value: 1 };
    await test.database.insert('otel_metrics_gauge', [point], undefined, { token: 'again' });
  };
  const before = await readSums();
  await insert();
  const once = await readSums();
  expect(once).not.toEqual(before);
  await insert();
  expect(await readSums()).toEqual(once);
});
