import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InvariantError } from '../../platform/errors.ts';
import type { LoadedCase, OtlpRequest } from '../replay-case.ts';
import { listNezhaCases, listNezhaDays } from './nezha.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'inquest-nezha-'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const partDir = () => join(root, 'part');
const commonDir = () => join(root, 'common');
const caseDir = (caseId: string) => join(partDir(), 'cases', caseId);
const commonDay = () => join(commonDir(), '2024-05-06');

/** Cells with quotes or commas are quoted, as in the recordings. */
function writeCsv(dir: string, kind: string, name: string, rows: readonly Readonly<Record<string, string>>[]): void {
  mkdirSync(join(dir, kind), { recursive: true });
  const quote = (cell: string) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  const lines = [Object.keys(rows[0] ?? {}), ...rows.map((row) => Object.values(row))].map((cells) =>
    cells.map(quote).join(','),
  );
  writeFileSync(join(dir, kind, name), `${lines.join('\n')}\n`);
}

const ORDER = 'ts-order-service-5b67c48447-mv5hb';
const WEB = 'ts-web-service-84cbf6c798-7njv6';
const TRACE = '0123456789abcdef0123456789abcdef';
const span = (digit: string) => digit.repeat(16);

function metricRow(time: string, cells: Readonly<Record<string, string>> = { 'CpuUsageRate(%)': '25' }) {
  return { Time: `${time} +0000 UTC m=+120.12`, TimeStamp: '1', PodName: ORDER, ...cells };
}

function spanRow(words: { id: string; parent: string; pod?: string; endMs?: number }) {
  const endNano = `${words.endMs ?? Date.UTC(2024, 4, 6, 8, 43, 10)}000000`;
  return {
    TraceID: TRACE,
    SpanID: span(words.id),
    ParentID: words.parent === 'root' ? 'root' : span(words.parent),
    PodName: words.pod ?? ORDER,
    OperationName: `operation ${words.id}`,
    StartTimeUnixNano: '1714984989000000000',
    EndTimeUnixNano: endNano,
    Duration: '1000',
  };
}

function logRow(log: string, words: { nano?: string; timestamp?: string; trace?: string; span?: string } = {}) {
  return {
    Timestamp: words.timestamp ?? '2024-05-06T08:43:09.123456789Z',
    TimeUnixNano: words.nano ?? '1714984989123456789',
    Node: '33.33.33.1',
    PodName: ORDER,
    Container: 'server',
    TraceID: words.trace ?? TRACE,
    SpanID: words.span ?? span('1'),
    Log: log,
  };
}

const docker = (line: string) => JSON.stringify({ log: `${line}\n`, stream: 'stdout', time: '2024-05-06T08:43:09Z' });

function loadOnly(): LoadedCase {
  const [only, ...others] = listNezhaCases(partDir(), commonDir());
  expect(others).toEqual([]);
  if (!only) return expect.unreachable();
  return only.load();
}

interface KeyValue {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly doubleValue?: number };
}

/** What of a span, log record or metric the tests look at. */
interface OtlpRecord {
  readonly name?: string;
  readonly unit?: string;
  readonly kind?: number;
  readonly spanId?: string;
  readonly parentSpanId?: string;
  readonly gauge?: {
    readonly dataPoints: readonly { timeUnixNano: string; asDouble: number; attributes: readonly KeyValue[] }[];
  };
}

interface ResourceGroup {
  readonly resource: { readonly attributes: readonly KeyValue[] };
  readonly scopeSpans?: readonly { readonly spans: readonly OtlpRecord[] }[];
  readonly scopeLogs?: readonly { readonly logRecords: readonly OtlpRecord[] }[];
  readonly scopeMetrics?: readonly { readonly metrics: readonly OtlpRecord[] }[];
}

interface Flat {
  readonly resource: Readonly<Record<string, string | number | undefined>>;
  readonly record: OtlpRecord;
}

/** Every record of a kind with its resource's attributes, through JSON as a receiver sees it. */
function recordsOf(requests: Iterable<OtlpRequest>, path: OtlpRequest['path']): Flat[] {
  return [...requests].flatMap((request) => {
    if (request.path !== path) return [];
    const body: Record<string, readonly ResourceGroup[]> = JSON.parse(JSON.stringify(request.body));
    return Object.values(body)
      .flat()
      .flatMap(({ resource, scopeSpans = [], scopeLogs = [], scopeMetrics = [] }) => {
        const values = resource.attributes.map(({ key, value }) => [key, value.stringValue ?? value.doubleValue]);
        const records = [
          ...scopeSpans.flatMap(({ spans }) => spans),
          ...scopeLogs.flatMap(({ logRecords }) => logRecords),
          ...scopeMetrics.flatMap(({ metrics }) => metrics),
        ];
        return records.map((record) => ({ resource: Object.fromEntries(values), record }));
      });
  });
}

/** A case of two minutes with one metric row each, so that everything else can be about one signal. */
function writeMinimalCase(caseId = 'c-1'): void {
  writeCsv(caseDir(caseId), 'metric', `${ORDER}_metric.csv`, [
    metricRow('2024-05-06 08:43:10.5'),
    metricRow('2024-05-06 08:44:10.5'),
  ]);
  mkdirSync(commonDay(), { recursive: true });
}

describe('cases', () => {
  test('are listed in the order of their names and read only when their turn comes', () => {
    for (const caseId of ['c-2', 'c-10', 'c-1']) mkdirSync(caseDir(caseId), { recursive: true });
    const cases = listNezhaCases(partDir(), commonDir());
    expect(cases.map(({ caseId }) => caseId)).toEqual(['c-1', 'c-10', 'c-2']);
    expect(() => cases[0]?.load()).toThrow(InvariantError);
  });

  test('are searched over their day up to their last row, and joined with the part of the day before it', () => {
    writeMinimalCase();
    const endMs = Date.UTC(2024, 4, 6, 8, 44, 11);
    writeCsv(caseDir('c-1'), 'trace', '08_44_trace.csv', [spanRow({ id: '1', parent: 'root', endMs })]);
    // The clock of a node is an hour ahead: such a line does not say when the case ends.
    writeCsv(caseDir('c-1'), 'log', '08_43_log.csv', [logRow('late', { nano: '1714988589000000000' })]);
    writeCsv(commonDay(), 'metric', `${ORDER}_metric.csv`, [
      metricRow('2024-05-06 03:00:00'),
      metricRow('2024-05-06 08:44:10.999'),
      metricRow('2024-05-06 20:00:00'),
    ]);
    writeCsv(commonDay(), 'trace', '03_00_trace.csv', [
      spanRow({ id: '2', parent: 'root', endMs: endMs - 3_600_000 }),
      spanRow({ id: '3', parent: 'root', endMs: endMs + 1 }),
    ]);
    writeCsv(commonDay(), 'log', '03_00_log.csv', [
      logRow('early'),
      logRow('evening', { nano: '1715025600000000000' }),
    ]);
    writeCsv(commonDay(), 'traceid', '03_00_traceid.csv', [{ [TRACE]: TRACE }]);

    const { searchWindow, service, changes, expectedRows } = loadOnly();
    expect(searchWindow).toEqual({ startMs: Date.UTC(2024, 4, 6), endMs: endMs + 1 });
    expect({ service, changes }).toEqual({ service: '', changes: [] });
    expect(expectedRows).toEqual({ otel_traces: 2, otel_logs: 2, otel_metrics_gauge: 4 });
  });

  test('become as many records as they promise, in requests of a bounded size', () => {
    writeMinimalCase();
    const many = Array.from({ length: 5_001 }, (_, index) => logRow(`line ${index}`));
    writeCsv(caseDir('c-1'), 'log', '08_43_log.csv', many);
    writeCsv(caseDir('c-1'), 'trace', '08_43_trace.csv', [spanRow({ id: '1', parent: 'root' })]);
    const { requests, expectedRows } = loadOnly();
    const sent = [...requests];
    expect(sent.map(({ path }) => path)).toEqual(['/v1/metrics', '/v1/traces', '/v1/logs', '/v1/logs']);
    expect({
      otel_traces: recordsOf(sent, '/v1/traces').length,
      otel_logs: recordsOf(sent, '/v1/logs').length,
      otel_metrics_gauge: recordsOf(sent, '/v1/metrics').length,
    }).toEqual(expectedRows);
    expect(expectedRows).toEqual({ otel_traces: 1, otel_logs: 5_001, otel_metrics_gauge: 2 });
  });
});

test('metrics get the names and units of OpenTelemetry; cells without a number and unknown columns are left out', () => {
  writeMinimalCase();
  writeCsv(caseDir('c-1'), 'metric', `${ORDER}_metric.csv`, [
    metricRow('2024-05-06 08:43:10.492834771', {
      'CpuUsage(m)': '19.5',
      'MemoryUsage(Mi)': '2',
      'CpuUsageRate(%)': 'NaN',
      'PodServerLatencyP95(s)': '',
      'PodServerLatencyP99(s)': '0.25',
      SyscallRead: '7',
      Unheard: '1',
    }),
  ]);
  writeCsv(caseDir('c-1'), 'metric', 'front_service.csv', [
    { Time: '2024-05-06 08:43:11 +0000 UTC', TimeStamp: '1', ServiceName: 'Frontend', 'SuccessRate(%)': '97' },
  ]);
  const { requests, expectedRows } = loadOnly();
  const sent = [...requests];
  const metrics = recordsOf(sent, '/v1/metrics').map(({ resource, record: { name, unit, gauge } }) => {
    const labels = gauge?.dataPoints[0]?.attributes.map(({ key, value }) => `${key}=${value.stringValue}`) ?? [];
    return [resource['service.name'], resource['k8s.pod.name'], name, unit, gauge?.dataPoints[0]?.asDouble, ...labels];
  });
  expect(metrics).toEqual([
    ['Frontend', 'Frontend', 'http.server.request.success_ratio', '1', 0.97],
    ['ts-order-service', ORDER, 'container.cpu.usage', '{cpu}', 0.0195],
    ['ts-order-service', ORDER, 'container.memory.usage', 'By', 2 * 1024 * 1024],
    ['ts-order-service', ORDER, 'http.server.request.duration', 's', 0.25, 'quantile=0.99'],
    ['ts-order-service', ORDER, 'process.syscalls', '{call}', 7, 'direction=read'],
  ]);
  expect(expectedRows['otel_metrics_gauge']).toBe(5);
  const order = recordsOf(sent, '/v1/metrics').find(({ record }) => record.name === 'container.cpu.usage');
  const atMs = Date.UTC(2024, 4, 6, 8, 43, 10, 492);
  expect(order?.record.gauge?.dataPoints[0]?.timeUnixNano).toBe(`${atMs}000000`);
});

test('spans get their service from the pod and their kind from who is on the other side', () => {
  writeMinimalCase();
  writeCsv(caseDir('c-1'), 'trace', '08_43_trace.csv', [
    spanRow({ id: '1', parent: 'root', pod: WEB }),
    spanRow({ id: '2', parent: '1', pod: WEB }),
    spanRow({ id: '3', parent: '2', pod: WEB }),
    spanRow({ id: '4', parent: '3' }),
    spanRow({ id: '5', parent: '4' }),
    spanRow({ id: '6', parent: 'e' }),
  ]);
  const spans = recordsOf(loadOnly().requests, '/v1/traces').map(({ resource, record }) => [
    resource['service.name'],
    record.spanId?.[0],
    record.parentSpanId,
    record.kind,
  ]);
  const [INTERNAL, SERVER, CLIENT] = [1, 2, 3];
  expect(spans).toEqual([
    ['ts-web-service', '1', '', SERVER],
    ['ts-web-service', '2', span('1'), INTERNAL],
    ['ts-web-service', '3', span('2'), CLIENT],
    ['ts-order-service', '4', span('3'), SERVER],
    ['ts-order-service', '5', span('4'), INTERNAL],
    // Its parent was not recorded: nobody knows whether it is an entry.
    ['ts-order-service', '6', span('e'), INTERNAL],
  ]);
});

test('log lines are taken out of the container runtime’s JSON, with their severity, ids and right time', () => {
  writeMinimalCase();
  const text =
    '16:43:09.123 INFO  t.OrderService#451 an ERROR that is told of much later, beyond where a severity stands';
  writeCsv(caseDir('c-1'), 'log', '08_43_log.csv', [
    logRow(docker(text)),
    logRow('plain WARN, "quoted", and no JSON', { trace: 'None', span: '' }),
    logRow(docker(''), { nano: '-170141183460469231731', timestamp: '2024-05-06T08:43:09.5' }),
    logRow('["JSON", "but no line"]', { nano: '17149849891234567890', timestamp: '2024-05-06T08:43:09.5Z' }),
  ]);
  const logs = recordsOf(loadOnly().requests, '/v1/logs');
  expect(logs.map(({ record }) => record)).toEqual([
    {
      timeUnixNano: '1714984989123456789',
      severityText: 'INFO',
      severityNumber: 9,
      body: { stringValue: text },
      traceId: TRACE,
      spanId: span('1'),
    },
    {
      timeUnixNano: '1714984989123456789',
      severityText: 'WARN',
      severityNumber: 13,
      body: { stringValue: 'plain WARN, "quoted", and no JSON' },
    },
    { timeUnixNano: '1714984989500000000', body: { stringValue: '' }, traceId: TRACE, spanId: span('1') },
    {
      timeUnixNano: '1714984989500000000',
      body: { stringValue: '["JSON", "but no line"]' },
      traceId: TRACE,
      spanId: span('1'),
    },
  ]);
  expect(logs[0]?.resource).toEqual({
    'service.name': 'ts-order-service',
    'k8s.pod.name': ORDER,
    'k8s.node.name': '33.33.33.1',
  });
});

test('a day holds what was measured between the cases and in them, by time', () => {
  writeCsv(commonDay(), 'metric', 'order_metric.csv', [
    metricRow('2024-05-06 08:40:00'),
    metricRow('2024-05-06 08:50:00'),
  ]);
  writeCsv(caseDir('a-1'), 'metric', 'order_metric.csv', [metricRow('2024-05-06 08:43:00')]);
  const [day, ...others] = listNezhaDays(partDir(), commonDir());
  expect(others).toEqual([]);
  expect(day).toMatchObject({
    day: '2024-05-06',
    startMs: Date.UTC(2024, 4, 6, 8, 40),
    endMs: Date.UTC(2024, 4, 6, 8, 50) + 1,
  });
  const within = (minute: number, until: number) => [
    ...(day?.metricsWithin(Date.UTC(2024, 4, 6, 8, minute), Date.UTC(2024, 4, 6, 8, until)) ?? []),
  ];
  expect(JSON.stringify(within(43, 50)).match(/timeUnixNano/g)).toHaveLength(1);
  expect(within(44, 50)).toEqual([]);
});
