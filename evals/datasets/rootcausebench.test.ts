import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { changeInputSchema } from '../../domain/change.ts';
import { InvariantError } from '../../platform/errors.ts';
import type { LoadedCase } from '../replay-case.ts';
import { listRootCauseBenchCases } from './rootcausebench.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'inquest-commits-'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const SHA = 'a1b2c3d4'.repeat(5);
const TRACE = '0123456789abcdef0123456789abcdef';
const at = (clock: string) => `2024-05-06T${clock}Z`;

const FILES = {
  'alert.json': { service: 'web', fired_at: at('09:00:00'), severity: 'critical', summary: 'web fails' },
  'logs.ndjson': '',
  'metrics.csv': `timestamp,service,metric,value\n${at('08:00:00')},web,requests_per_sec,12`,
  'traces.json': [],
  'context/commits.json': [],
  'context/deploys.json': [],
  'context/flags.json': [],
} as const;

/** One case of the given files, the others nearly empty. */
function load(files: Readonly<Record<string, unknown>> = {}): LoadedCase {
  const dir = join(root, 'cases', 'case-1');
  mkdirSync(join(dir, 'context'), { recursive: true });
  for (const [name, content] of Object.entries({ ...FILES, ...files })) {
    writeFileSync(join(dir, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  const [only] = listRootCauseBenchCases(root);
  expect(only?.caseId).toBe('case-1');
  return only?.load() ?? expect.unreachable();
}

interface Sent {
  readonly service: string;
  readonly record: Record<string, unknown>;
}

/** The records of one signal with their service, as sent. */
function recordsOf({ requests }: LoadedCase, path: string): Sent[] {
  type Group = { resource: { attributes: { value: { stringValue: string } }[] } } & Record<string, unknown>;
  return [...requests]
    .filter((request) => request.path === path)
    .flatMap(({ body }) => Object.values(body).flat() as Group[])
    .flatMap((group) => {
      const scopes = (group['scopeSpans'] ?? group['scopeLogs'] ?? group['scopeMetrics']) as Record<string, object[]>[];
      const records = scopes.flatMap(({ spans, logRecords, metrics }) => spans ?? logRecords ?? metrics ?? []);
      const service = group.resource.attributes[0]?.value.stringValue ?? '';
      return records.map((record) => ({ service, record: record as Record<string, unknown> }));
    });
}

test('what may be missing is missing: nothing is lost for it', () => {
  const timestamp = at('08:00:00');
  const nameless = { span_id: 'a1', service: 'web', name: 'GET /', start: timestamp, duration_ms: 1, trace_id: TRACE };
  const loaded = load({
    'logs.ndjson': JSON.stringify({ timestamp, service: 'web', msg: 'hello', severity_text: null, trace_id: null }),
    'traces.json': [nameless, { ...nameless, span_id: 'a2', attributes: null, error: true, status: null }],
    'context/commits.json': [{ sha: SHA, timestamp }],
    'context/deploys.json': [{ timestamp, service: 'web', commit_sha: null }],
    'context/flags.json': [{ timestamp, flag: 'rail' }],
  });
  expect(loaded.expectedRows).toEqual({ otel_traces: 2, otel_logs: 1, otel_metrics_gauge: 1 });
  expect(recordsOf(loaded, '/v1/traces').map(({ record }) => record['status'])).toEqual([
    { code: 0, message: '' },
    { code: 0, message: '' },
  ]);
  expect(loaded.changes.map(({ kind, summary, attributes }) => [kind, summary, attributes])).toEqual([
    ['commit', SHA, { files_changed: '' }],
    ['deploy', 'Deploy of web', {}],
    ['flag', 'Flag rail switched', { flag: 'rail', change: '' }],
  ]);
});

describe('the page', () => {
  test('opens the incident; the window runs from the first record to the last one that was there when somebody looked', () => {
    const loaded = load({
      'logs.ndjson': [at('07:30:00'), at('09:04:59'), at('09:05:00')]
        .map((timestamp) => JSON.stringify({ timestamp, service: 'web', severity_text: 'INFO', msg: 'hello' }))
        .join('\n'),
    });
    expect(loaded).toMatchObject({ service: 'web', title: 'web fails', severity: 'high' });
    expect(loaded.searchWindow).toEqual({ startMs: Date.parse(at('07:30:00')), endMs: Date.parse(at('09:04:59')) + 1 });
    expect(loaded.expectedRows).toEqual({ otel_traces: 0, otel_logs: 2, otel_metrics_gauge: 1 });
    expect(recordsOf(loaded, '/v1/logs')).toHaveLength(2);
  });

  test('without any telemetry there is nothing to look at', () => {
    expect(() => load({ 'metrics.csv': 'timestamp,service,metric,value\n' })).toThrow(InvariantError);
  });
});

test('a log line keeps its text, its severity and what else it carries', () => {
  const line = {
    timestamp: at('08:00:00'),
    service: 'web',
    severity_text: 'WARN',
    msg: 'slow',
    trace_id: TRACE,
    'http.status_code': 503,
    deadline_ms: 0.5,
    fields: { a: 1 },
    nothing: null,
  };
  const [sent] = recordsOf(load({ 'logs.ndjson': `${JSON.stringify(line)}\n` }), '/v1/logs');
  expect(sent).toEqual({
    service: 'web',
    record: {
      timeUnixNano: `${Date.parse(at('08:00:00'))}000000`,
      severityText: 'WARN',
      severityNumber: 13,
      body: { stringValue: 'slow' },
      traceId: TRACE,
      attributes: [
        { key: 'http.status_code', value: { intValue: '503' } },
        { key: 'deadline_ms', value: { doubleValue: 0.5 } },
        { key: 'fields', value: { stringValue: '{"a":1}' } },
      ],
    },
  });
});

test('a metric is a gauge whose unit is what its name says, or none', () => {
  const names = [
    'p99_ms',
    'error_ratio',
    'used_pct',
    'rss_mb',
    'rate_rps',
    'age_seconds',
    'flushed_per_min',
    'oom_total',
  ];
  const rows = [
    ...names.map((name, index) => `${at('08:00:00')},db,${name},${index}`),
    `${at('08:00:00')},db,gone,NaN`,
  ];
  const sent = recordsOf(
    load({ 'metrics.csv': ['timestamp,service,metric,value', ...rows].join('\n') }),
    '/v1/metrics',
  );
  expect(sent.map(({ record }) => [record['name'], record['unit']])).toEqual([
    ['p99_ms', 'ms'],
    ['error_ratio', '1'],
    ['used_pct', '%'],
    ['rss_mb', 'MBy'],
    ['rate_rps', '1/s'],
    ['age_seconds', 's'],
    ['flushed_per_min', '1/min'],
    ['oom_total', ''],
  ]);
  expect(sent[3]).toMatchObject({ service: 'db', record: { gauge: { dataPoints: [{ asDouble: 3 }] } } });
});

describe('spans', () => {
  const span = (span_id: string, parent_id: string | null, service: string, words: object = {}) => ({
    trace_id: TRACE,
    span_id,
    parent_id,
    service,
    name: `${service} ${span_id}`,
    start: at('08:00:00'),
    duration_ms: 80.6,
    status: 'OK',
    ...words,
  });

  test('children take the trace of their parent, and ids of the right length that lead to it', () => {
    const [first, child, grandchild] = recordsOf(
      load({
        'traces.json': [
          span('a1', null, 'web'),
          span('b1', 'a1', 'orders', { trace_id: 'same' }),
          span('c1', 'b1', 'stock', { trace_id: 'same' }),
        ],
      }),
      '/v1/traces',
    ).map(({ record }) => record);
    expect([first, child, grandchild].map((each) => each?.['traceId'])).toEqual([TRACE, TRACE, TRACE]);
    for (const each of [first, child, grandchild]) expect(each?.['spanId']).toMatch(/^[0-9a-f]{16}$/);
    expect(first?.['parentSpanId']).toBe('');
    expect(child?.['parentSpanId']).toBe(first?.['spanId']);
    expect(grandchild?.['parentSpanId']).toBe(child?.['spanId']);
    const startMs = Date.parse(at('08:00:00'));
    expect(first).toMatchObject({
      startTimeUnixNano: `${startMs}000000`,
      endTimeUnixNano: `${startMs + 80}600000`,
    });
  });

  test('a word for a trace becomes an id: the same for the same word, and spans of different traces stay apart', () => {
    const sent = recordsOf(
      load({
        'traces.json': [
          span('a1', null, 'web', { trace_id: 'one' }),
          span('b1', 'a1', 'orders', { trace_id: 'one' }),
          span('a1', null, 'web', { trace_id: 'two' }),
          span('b1', 'a1', 'orders', { trace_id: 'two' }),
        ],
      }),
      '/v1/traces',
    );
    const traces = sent.map(({ record }) => record['traceId']);
    expect(new Set(traces).size).toBe(2);
    expect(traces.every((id) => /^[0-9a-f]{32}$/.test(String(id)))).toBe(true);
    expect(new Set(sent.map(({ record }) => record['spanId'])).size).toBe(4);
  });

  test('kind follows from who is on the other side; status, message and attributes are kept', () => {
    const sent = recordsOf(
      load({
        'traces.json': [
          span('a1', null, 'web'),
          span('a2', 'a1', 'web'),
          span('b1', 'a2', 'orders', { status: 'ERROR', error: 'no room' }),
          span('b2', 'b1', 'orders', {
            'peer.service': 'bank',
            status: 'ERROR',
            attributes: { 'error.message': 'shut' },
          }),
          span('b3', 'b1', 'orders', { status: 'ODD' }),
        ],
      }),
      '/v1/traces',
    );
    const byName = new Map(sent.map(({ record }) => [String(record['name']), record]));
    expect([...byName].map(([name, { kind }]) => [name, kind])).toEqual([
      ['web a1', 2],
      ['web a2', 3],
      ['orders b1', 2],
      ['orders b2', 3],
      ['orders b3', 1],
    ]);
    expect(byName.get('orders b1')).toMatchObject({ status: { code: 2, message: 'no room' } });
    expect(byName.get('orders b2')).toMatchObject({
      status: { code: 2, message: 'shut' },
      attributes: [
        { key: 'peer.service', value: { stringValue: 'bank' } },
        { key: 'error.message', value: { stringValue: 'shut' } },
      ],
    });
    expect(byName.get('orders b3')).toMatchObject({ status: { code: 0 } });
    expect(byName.get('web a1')).toMatchObject({ status: { code: 1 } });
  });
});

describe('changes', () => {
  const commit = {
    sha: SHA,
    author: 'ann',
    timestamp: at('08:30:00'),
    message: 'tidy up',
    files_changed: ['a.go', 'b/c.go'],
    diff: '@@ a.go @@\n-x\n+y',
  };

  test('a commit is of no one service, a deploy tells which commit it brought', () => {
    const { changes } = load({
      'context/commits.json': [commit, { ...commit, sha: SHA.replace('a', 'f'), diff: null }],
      'context/deploys.json': [{ timestamp: at('08:31:00'), service: 'web', commit_sha: SHA, version: 'v7' }],
      'context/flags.json': [
        { timestamp: at('08:32:00'), flag: 'rail', service: 'web', change: 'off->on', actor: 'bob' },
      ],
    });
    expect(changes.map(({ kind, service, diff }) => [kind, service, diff])).toEqual([
      ['commit', '', commit.diff],
      ['commit', '', ''],
      ['deploy', 'web', ''],
      ['flag', 'web', ''],
    ]);
    const [first, , deploy, flag] = changes;
    expect(first).toMatchObject({ id: SHA, author: 'ann', summary: 'tidy up', at: commit.timestamp });
    expect(first?.attributes).toEqual({ files_changed: 'a.go\nb/c.go' });
    expect(deploy).toMatchObject({ version: 'v7', attributes: { commit: SHA } });
    expect(deploy?.id).toBeUndefined();
    expect(flag).toMatchObject({ author: 'bob', attributes: { flag: 'rail', change: 'off->on' } });
    for (const change of changes) expect(changeInputSchema.parse(change)).toEqual(change);
  });

  test('what came after somebody looked is left out', () => {
    const { changes } = load({ 'context/commits.json': [commit, { ...commit, timestamp: at('09:05:00') }] });
    expect(changes).toHaveLength(1);
  });

  test.each([
    [
      'one list of notes',
      {
        component: 'cluster DNS',
        events: [{ timestamp: at('08:40:00'), status: 'degraded', detail: 'forwarding fails' }],
      },
      'cluster DNS, degraded: forwarding fails',
    ],
    [
      'incidents with updates, measures beside them',
      {
        provider: 'bank',
        components: [{ name: 'API', status: 'degraded' }],
        incidents: [
          {
            name: 'charges fail',
            started_at: at('08:39:00'),
            updates: [{ timestamp: at('08:40:00'), body: 'we look' }],
          },
        ],
        error_rate: [{ timestamp: at('08:40:00'), endpoint: 'bank.example', value: 12.7 }],
      },
      'bank, charges fail: we look',
    ],
  ])('a status page is read as it comes: %s', (_, feed, summary) => {
    const { changes } = load({ 'status_feed.json': feed });
    expect(changes.map((change) => [change.kind, change.service, change.at, change.summary])).toEqual([
      ['infrastructure', '', at('08:40:00'), summary],
    ]);
  });
});
