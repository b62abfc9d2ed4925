/**
 * Adapter for the two Nezha recordings (Yu et al., ESEC/FSE 2023): CSV files of metrics, logs and traces become OTLP. It only
 * translates: OpenTelemetry names for the metric columns, ids and times as they are. What the files lost is restored from
 * structure: the service is the pod's workload name, a span's kind follows from whether its parent or child is in another pod.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { formatDay } from '../../domain/time-window.ts';
import { InvariantError } from '../../platform/errors.ts';
import { attributes, buildRequests, type ResourceRecord } from '../otlp-json.ts';
import type { LoadedCase, OtlpRequest, ReplayCase } from '../replay-case.ts';

interface MetricColumn {
  readonly name: string;
  readonly unit: string;
  /** Factor from the file's unit to OpenTelemetry's. */
  readonly scale: number;
  readonly attributes?: Readonly<Record<string, string>>;
}

const quantile = (name: string, q: string): MetricColumn => ({
  name,
  unit: 's',
  scale: 1,
  attributes: { quantile: q },
});

const METRIC_COLUMNS: Readonly<Record<string, MetricColumn>> = {
  'CpuUsage(m)': { name: 'container.cpu.usage', unit: '{cpu}', scale: 1e-3 },
  'CpuUsageRate(%)': { name: 'container.cpu.utilization', unit: '1', scale: 1e-2 },
  'MemoryUsage(Mi)': { name: 'container.memory.usage', unit: 'By', scale: 1024 * 1024 },
  'MemoryUsageRate(%)': { name: 'container.memory.utilization', unit: '1', scale: 1e-2 },
  SyscallRead: { name: 'process.syscalls', unit: '{call}', scale: 1, attributes: { direction: 'read' } },
  SyscallWrite: { name: 'process.syscalls', unit: '{call}', scale: 1, attributes: { direction: 'write' } },
  NetworkReceiveBytes: { name: 'container.network.io', unit: 'By', scale: 1, attributes: { direction: 'receive' } },
  NetworkTransmitBytes: { name: 'container.network.io', unit: 'By', scale: 1, attributes: { direction: 'transmit' } },
  'PodClientLatencyP90(s)': quantile('http.client.request.duration', '0.9'),
  'PodClientLatencyP95(s)': quantile('http.client.request.duration', '0.95'),
  'PodClientLatencyP99(s)': quantile('http.client.request.duration', '0.99'),
  'PodServerLatencyP90(s)': quantile('http.server.request.duration', '0.9'),
  'PodServerLatencyP95(s)': quantile('http.server.request.duration', '0.95'),
  'PodServerLatencyP99(s)': quantile('http.server.request.duration', '0.99'),
  'PodWorkload(Ops)': { name: 'http.server.request.rate', unit: '{request}/s', scale: 1 },
  'PodSuccessRate(%)': { name: 'http.server.request.success_ratio', unit: '1', scale: 1e-2 },
  'NodeCpuUsageRate(%)': { name: 'k8s.node.cpu.utilization', unit: '1', scale: 1e-2 },
  'NodeMemoryUsageRate(%)': { name: 'k8s.node.memory.utilization', unit: '1', scale: 1e-2 },
  NodeNetworkReceiveBytes: { name: 'k8s.node.network.io', unit: 'By', scale: 1, attributes: { direction: 'receive' } },
  'SuccessRate(%)': { name: 'http.server.request.success_ratio', unit: '1', scale: 1e-2 },
  'LatencyP50(s)': quantile('http.server.request.duration', '0.5'),
  'LatencyP90(s)': quantile('http.server.request.duration', '0.9'),
  'LatencyP95(s)': quantile('http.server.request.duration', '0.95'),
  'LatencyP99(s)': quantile('http.server.request.duration', '0.99'),
};

type CsvRow = Readonly<Record<string, string>>;

/** Cases of one part, in name order. `commonDir` holds a folder for each recorded day. */
export function listNezhaCases(partDir: string, commonDir: string): ReplayCase[] {
  const casesDir = join(partDir, 'cases');
  return readdirSync(casesDir)
    .sort()
    .map((caseId) => ({ caseId, load: () => loadCase(join(casesDir, caseId), commonDir) }));
}

function loadCase(caseDir: string, commonDir: string): LoadedCase {
  const caseMetrics = readMetrics(caseDir);
  const caseSpans = readRecords(caseDir, 'trace');
  const caseLogs = readRecords(caseDir, 'log');
  // The last row by metrics and spans: some log lines carry the time of another hour.
  const lastMs = Math.max(
    ...caseMetrics.map(({ atMs }) => atMs),
    caseSpans.reduce((last, row) => Math.max(last, nanosToMs(row['EndTimeUnixNano'])), 0),
  );
  const day = dayOf(caseMetrics);
  const commonDay = join(commonDir, day);
  const isPast = (atMs: number) => atMs <= lastMs;
  const metrics = [...readMetrics(commonDay).filter(({ atMs }) => isPast(atMs)), ...caseMetrics];
  const spans = [
    ...readRecords(commonDay, 'trace').filter((row) => isPast(nanosToMs(row['EndTimeUnixNano']))),
    ...caseSpans,
  ];
  const logs = [...readRecords(commonDay, 'log').filter((row) => isPast(nanosToMs(logNanos(row)))), ...caseLogs];

  function* requests(): Generator<OtlpRequest> {
    yield* buildRequests('metrics', metrics.map(toMetric));
    yield* buildRequests('traces', toSpans(spans));
    yield* buildRequests('logs', logs.map(toLogRecord));
  }

  return {
    searchWindow: { startMs: Date.parse(`${day}T00:00:00Z`), endMs: Math.floor(lastMs) + 1 },
    service: '',
    requests: requests(),
    changes: [],
    expectedRows: { otel_traces: spans.length, otel_logs: logs.length, otel_metrics_gauge: metrics.length },
  };
}

export interface NezhaDay {
  /** 2024-05-06 */
  readonly day: string;
  readonly startMs: number;
  /** After its last metric row. */
  readonly endMs: number;
  /** What was measured in a span of time; where cases are kept aside there is nothing. */
  metricsWithin(startMs: number, endMs: number): Iterable<OtlpRequest>;
}

/** The recorded days in order: all metric rows that are there, those of cases and those in between. */
export function listNezhaDays(partDir: string, commonDir: string): NezhaDay[] {
  const casesDir = join(partDir, 'cases');
  const byDay = Map.groupBy(
    readdirSync(casesDir).map((caseId) => readMetricsAndEdges(join(casesDir, caseId))),
    dayOf,
  );
  return readdirSync(commonDir)
    .sort()
    .map((day) => {
      const samples = [...readMetricsAndEdges(join(commonDir, day)), ...(byDay.get(day) ?? []).flat()];
      samples.sort((left, right) => left.atMs - right.atMs);
      return {
        day,
        startMs: samples[0]?.atMs ?? 0,
        endMs: (samples.at(-1)?.atMs ?? 0) + 1,
        metricsWithin: (startMs, endMs) => {
          const inside = samples.filter(({ atMs }) => atMs >= startMs && atMs < endMs);
          return buildRequests('metrics', inside.map(toMetric));
        },
      };
    });
}

interface MetricSample {
  readonly atMs: number;
  readonly pod: string;
  readonly column: MetricColumn;
  readonly value: number;
}

function readMetrics(dir: string): MetricSample[] {
  return readRows(join(dir, 'metric'), (file) => file.endsWith('_metric.csv') || file === 'front_service.csv').flatMap(
    (row) => {
      const atMs = parseTime(row['Time'] ?? '');
      const pod = row['PodName'] ?? row['ServiceName'] ?? '';
      return Object.entries(row).flatMap(([header, text]) => {
        const column = METRIC_COLUMNS[header];
        const value = Number(text);
        return column && text !== '' && Number.isFinite(value)
          ? [{ atMs, pod, column, value: value * column.scale }]
          : [];
      });
    },
  );
}

const seconds = (name: string, peer: string): Omit<MetricColumn, 'attributes'> & { peer: string } => ({
  name,
  unit: 's',
  scale: 1,
  peer,
});

/** What the mesh measures on each edge, `caller_callee`: as the caller sees it and as the callee does. */
const EDGE_FILES = {
  'source_50.csv': ([caller = '', callee = '']: readonly string[]) =>
    [caller, seconds('http.client.request.duration', callee)] as const,
  'destination_50.csv': ([caller = '', callee = '']: readonly string[]) =>
    [callee, seconds('http.server.request.duration', caller)] as const,
};

function readMetricsAndEdges(dir: string): MetricSample[] {
  const edges = Object.entries(EDGE_FILES).flatMap(([name, read]) =>
    readRows(join(dir, 'metric'), (file) => file === name).flatMap((row) => {
      const atMs = parseTime(row['time'] ?? '');
      return Object.entries(row).flatMap(([edge, text]) => {
        const value = Number(text);
        if (!edge.includes('_') || text === '' || !Number.isFinite(value)) return [];
        const [pod, { peer, ...column }] = read(edge.split('_'));
        return [{ atMs, pod, value, column: { ...column, attributes: { quantile: '0.5', 'peer.service': peer } } }];
      });
    }),
  );
  return [...readMetrics(dir), ...edges];
}

function readRecords(dir: string, kind: 'trace' | 'log'): CsvRow[] {
  return readRows(join(dir, kind), (file) => file.endsWith(`_${kind}.csv`));
}

function readRows(dir: string, accept: (file: string) => boolean): CsvRow[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir)
    .filter(accept)
    .sort()
    .flatMap((file): CsvRow[] =>
      parse(readFileSync(join(dir, file)), { columns: true, skip_empty_lines: true, relax_column_count: true }),
    );
}

/** "2023-01-29 08:43:09.04679005 +0000 UTC m=+120.12": the clock in UTC; the TimeStamp column is unreliable upstream. */
function parseTime(text: string): number {
  const match = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})(\.\d+)?/.exec(text);
  if (!match) throw new InvariantError(`not a metric time: ${text}`);
  return Date.parse(`${match[1]}T${match[2]}Z`) + Math.floor(Number(`0${match[3] ?? ''}`) * 1000);
}

function nanosToMs(text: string | undefined): number {
  return Number((text ?? '0').slice(0, -6) || '0');
}

/** A few lines have an overflowed number; their text is right. */
function logNanos(row: CsvRow): string {
  const nanos = row['TimeUnixNano'] ?? '';
  if (/^\d{19}$/.test(nanos)) return nanos;
  const text = row['Timestamp'] ?? '';
  return `${Date.parse(text.endsWith('Z') ? text : `${text}Z`)}000000`;
}

function dayOf(samples: readonly MetricSample[]): string {
  const first = samples[0];
  if (!first) throw new InvariantError('a case without metric rows');
  return formatDay(first.atMs);
}

/** `ts-order-service-5b67c48447-mv5hb` belongs to the workload `ts-order-service`: Kubernetes' naming of ReplicaSet pods. */
function resourceOf(pod: string, node?: string): Record<string, string> {
  const service = pod.replace(/-[a-z0-9]{6,10}-[a-z0-9]{5}$/, '');
  return { 'service.name': service, 'k8s.pod.name': pod, ...(node ? { 'k8s.node.name': node } : {}) };
}

function toMetric({ atMs, pod, column, value }: MetricSample): ResourceRecord {
  const point = { timeUnixNano: `${atMs}000000`, asDouble: value, attributes: attributes(column.attributes ?? {}) };
  return {
    resource: resourceOf(pod),
    record: { name: column.name, unit: column.unit, gauge: { dataPoints: [point] } },
  };
}

const SPAN_KIND = { internal: 1, server: 2, client: 3 } as const;

function toSpans(rows: readonly CsvRow[]): ResourceRecord[] {
  const podOf = new Map(rows.map((row) => [spanKey(row['TraceID'], row['SpanID']), row['PodName'] ?? '']));
  const callsAway = new Set(
    rows
      .filter((row) => (podOf.get(spanKey(row['TraceID'], row['ParentID'])) ?? row['PodName']) !== row['PodName'])
      .map((row) => spanKey(row['TraceID'], row['ParentID'])),
  );
  return rows.map((row) => {
    const isRoot = row['ParentID'] === 'root';
    const parentPod = podOf.get(spanKey(row['TraceID'], row['ParentID']));
    const isEntry = isRoot || (parentPod !== undefined && parentPod !== row['PodName']);
    const isCall = callsAway.has(spanKey(row['TraceID'], row['SpanID']));
    return {
      resource: resourceOf(row['PodName'] ?? ''),
      record: {
        traceId: row['TraceID'],
        spanId: row['SpanID'],
        parentSpanId: isRoot ? '' : row['ParentID'],
        name: row['OperationName'],
        kind: isEntry ? SPAN_KIND.server : isCall ? SPAN_KIND.client : SPAN_KIND.internal,
        startTimeUnixNano: row['StartTimeUnixNano'],
        endTimeUnixNano: row['EndTimeUnixNano'],
      },
    };
  });
}

function spanKey(traceId: string | undefined, spanId: string | undefined): string {
  return `${traceId}/${spanId}`;
}

const SEVERITY_NUMBER: Readonly<Record<string, number>> = {
  TRACE: 1,
  DEBUG: 5,
  INFO: 9,
  WARN: 13,
  ERROR: 17,
  FATAL: 21,
};

function toLogRecord(row: CsvRow): ResourceRecord {
  const text = dockerLog(row['Log'] ?? '');
  const severity = /\b(TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\b/.exec(text.slice(0, 80))?.[1] ?? '';
  return {
    resource: resourceOf(row['PodName'] ?? '', row['Node']),
    record: {
      timeUnixNano: logNanos(row),
      ...(severity ? { severityText: severity, severityNumber: SEVERITY_NUMBER[severity] } : {}),
      body: { stringValue: text },
      ...(isHex(row['TraceID'], 32) ? { traceId: row['TraceID'] } : {}),
      ...(isHex(row['SpanID'], 16) ? { spanId: row['SpanID'] } : {}),
    },
  };
}

function isHex(text: string | undefined, digits: number): boolean {
  return text !== undefined && text.length === digits && /^[0-9a-f]+$/i.test(text);
}

/** The container runtime's JSON line {log, stream, time}, unwrapped as the Collector's container parser does. */
function dockerLog(text: string): string {
  try {
    const line: unknown = JSON.parse(text);
    if (typeof line === 'object' && line !== null && 'log' in line && typeof line.log === 'string')
      return line.log.trimEnd();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error; // a line that is not the runtime's JSON is the text itself
  }
  return text;
}
