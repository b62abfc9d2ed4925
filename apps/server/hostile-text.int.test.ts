/**
 * SQL and terminal escapes in every text that a sender controls: stored as they came, found by every tool under their own
 * names, and shown by the real command line without anything that a terminal would obey.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiClient } from '../../api/api-client.ts';
import { TOOLS } from '../../tools/registry.ts';
import { runTool } from '../../tools/tool.ts';
import {
  attributesOf,
  encode,
  nanos,
  openRealHost,
  postOtlp,
  type RealHost,
  requestOf,
  send,
} from './bad-input.fixture.ts';

const BIN = fileURLToPath(new URL('../../bin/inquest.js', import.meta.url));

/** Quotes, placeholders, wildcards and comments; colours, links, the clipboard, 8-bit control, bidi, NUL, broken lines. */
const HOSTILE = `'";\`\\ ) OR 1=1; DROP TABLE otel_logs; -- {x:String} %_ \u001b[31m\u001b]8;;http://evil\u0007\u001b]52;c;ZQ==\u0007\u009b2J\u202e\u2066\u200b\ufeff\u0000\r\n\t\u2028<b>`;
const named = (word: string) => `${word}${HOSTILE}`;
const SERVICE = named('shop');
const CALLER = named('gate');
const TEXTS = ['error.type', 'db.system', 'http.route', 'exception.message'].map((key) => named(key));

const MINUTE_MS = 60_000;
const END_MS = Math.floor(Date.now() / 10_000) * 10_000;
const ONSET_MS = END_MS - 5 * MINUTE_MS;
const START_MS = END_MS - 25 * MINUTE_MS;
const STEP_MS = 5_000;

let host: RealHost;

beforeAll(async () => {
  host = await openRealHost({});
  await sendTelemetry();
  await sendChange();
});
afterAll(() => host?.close());

const attributes = attributesOf([
  ...TEXTS.map((key) => [key, HOSTILE] as const),
  ['error.type', named('Timeout')],
  ['exception.type', named('Timeout')],
  ['exception.message', named('timed out')],
]);
const resource = [
  ['k8s.pod.name', named('pod')],
  ['service.version', named('2')],
] as const;

/** Twenty good minutes, five bad ones: every text of every signal is hostile. */
async function sendTelemetry(): Promise<void> {
  const steps = Array.from({ length: (END_MS - START_MS) / STEP_MS }, (_, step) => START_MS + step * STEP_MS);
  const isBad = (atMs: number) => atMs >= ONSET_MS;
  const idOf = (atMs: number, length: number) => atMs.toString(16).padStart(length, '1');
  const spanOf = (atMs: number, id: string, patch: object) => ({
    traceId: idOf(atMs, 32),
    spanId: `${id}${idOf(atMs, 15)}`,
    traceState: HOSTILE,
    name: named('pay'),
    kind: 2,
    startTimeUnixNano: nanos(atMs),
    endTimeUnixNano: nanos(atMs + (isBad(atMs) ? 2_000 : 50)),
    attributes,
    events: [{ timeUnixNano: nanos(atMs), name: isBad(atMs) ? 'exception' : HOSTILE, attributes }],
    links: [{ traceId: idOf(atMs, 32), spanId: idOf(atMs, 16), traceState: HOSTILE, attributes }],
    status: { code: isBad(atMs) ? 2 : 1, message: named('failed') },
    ...patch,
  });
  const traces = steps.map((atMs) => spanOf(atMs, '3', { parentSpanId: `2${idOf(atMs, 15)}` }));
  const callers = steps.flatMap((atMs) => [
    spanOf(atMs, '1', { name: named('buy') }),
    spanOf(atMs, '2', { kind: 3, parentSpanId: `1${idOf(atMs, 15)}` }),
  ]);
  const logs = steps.map((atMs) => ({
    timeUnixNano: nanos(atMs),
    severityNumber: isBad(atMs) ? 17 : 9,
    severityText: named('LEVEL'),
    eventName: HOSTILE,
    body: { stringValue: named(isBad(atMs) ? 'refused' : 'paid') },
    attributes,
    traceId: idOf(atMs, 32),
    spanId: idOf(atMs, 16),
  }));
  const dataPoints = steps.map((atMs) => ({
    timeUnixNano: nanos(atMs),
    asDouble: isBad(atMs) ? 97 : 20 + (atMs % 7),
    attributes,
  }));
  const metrics = [
    { name: named('cpu'), description: HOSTILE, unit: named('%'), gauge: { dataPoints } },
    { name: 'container.cpu.utilization', unit: HOSTILE, gauge: { dataPoints } },
  ];
  const sent = [
    { otlp: 'traces', records: callers, service: CALLER },
    { otlp: 'traces', records: traces, service: SERVICE },
    { otlp: 'logs', records: logs, service: SERVICE },
    { otlp: 'metrics', records: metrics, service: SERVICE },
  ] as const;
  for (const { otlp, records, service } of sent) {
    for (const encoding of ['json', 'protobuf'] as const) {
      const half = (records as readonly object[]).filter(
        (_record, index) => (index % 2 === 0) === (encoding === 'json'),
      );
      const answer = await postOtlp(
        host.url,
        otlp,
        encoding,
        encode(otlp, encoding, requestOf(otlp, service, half, resource)),
      );
      expect(answer).toMatchObject({ status: 200, rejected: 0, message: '' });
    }
  }
}

async function sendChange(): Promise<void> {
  const change = {
    id: named('deploy').slice(0, 128),
    kind: 'deploy',
    service: SERVICE,
    at: new Date(ONSET_MS - 30_000).toISOString(),
    version: HOSTILE,
    summary: named('ship it'),
    author: named('mira'),
    url: named('https://ci.example/'),
    attributes: { [HOSTILE]: HOSTILE },
    diff: `--- a/pay.ts\n+++ b/pay.ts\n@@ -1 +1 @@\n-const timeoutMs = 3000;\n+const timeoutMs = 30; // ${HOSTILE}\n`,
  };
  const headers = { 'content-type': 'application/json' };
  const answer = await send(host.url, { path: '/v1/changes', headers, body: JSON.stringify(change) });
  expect([answer.status, JSON.parse(answer.body.toString())]).toMatchObject([200, { changeIds: [change.id] }]);
}

describe('the store', () => {
  it.each([
    [
      'otel_traces',
      ['TraceState', 'Events.Name[1]', 'Links.TraceState[1]', `SpanAttributes['${'db.system'}' || {text:String}]`],
    ],
    ['otel_logs', ['EventName', `LogAttributes['db.system' || {text:String}]`]],
    ['otel_metrics_gauge', [`Attributes['db.system' || {text:String}]`]],
    ['inquest_changes', ['Version', 'Attributes[{text:String}]']],
  ])('%s holds every text as it came', async (table, columns) => {
    const sql = `SELECT ${columns.map((column, index) => `${column} AS c${index}`).join(', ')} FROM ${table} WHERE ServiceName = {service:String} LIMIT 1`;
    const { rows } = await host.runtime.database.read(
      sql,
      { service: SERVICE, text: HOSTILE },
      { tag: 'test', maxRows: 1 },
    );
    expect(rows).toEqual([Object.fromEntries(columns.map((_column, index) => [`c${index}`, HOSTILE]))]);
  });
});

describe('the tool', () => {
  const window = { startMs: ONSET_MS, endMs: END_MS };
  /** What any tool may ask for; each takes its own. A new tool's own words belong in here. */
  const everything = {
    window,
    baseline: { startMs: START_MS, endMs: ONSET_MS },
    service: SERVICE,
    operation: named('pay'),
    atMs: ONSET_MS - 30_000,
    changed: [CALLER],
    pod: named('pod'),
    metric: named('cpu'),
    text: named('refused'),
    stepSeconds: 10,
    split: 'failing',
    elements: 'operations',
    traceId: ONSET_MS.toString(16).padStart(32, '1'),
    onsets: { firstMs: ONSET_MS - MINUTE_MS, stepSeconds: 10, count: 12 },
  };
  /** These count and compare without naming; every other tool must tell the names as they are. */
  const NAMELESS = /^(get_coverage|compare_(attributes|traces|before_after)|rank_)/;

  it.each(TOOLS.map(({ tool }) => tool))('$name takes hostile names and answers with them', async (tool) => {
    const { telemetry, clock } = host.runtime;
    const looksBack = tool.name.startsWith('rank_') || tool.name === 'list_changes';
    const figures = { from: 'requests', measures: ['count'], by: ['service', 'operation'], window: everything.window };
    const own = tool.name === 'get_figures' ? figures : everything;
    const input = looksBack ? { ...everything, window: { startMs: START_MS, endMs: END_MS } } : own;
    const outcome = await runTool(tool, input, { telemetry, clock, signal: new AbortController().signal });
    expect(outcome).toMatchObject({ ok: true });
    if (!outcome.ok || NAMELESS.test(tool.name)) return;
    expect(JSON.stringify(outcome.output)).toContain(JSON.stringify(HOSTILE).slice(1, 20));
  });
});

/** Whatever is not a visible character, a space or a new line: escapes, control, bidi, invisible. */
const UNSAFE = /(?!\n)[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/u;

describe('the command line', () => {
  let incidentId: string;

  beforeAll(async () => {
    const client = createApiClient(host);
    const searchWindow = { startMs: START_MS, endMs: END_MS };
    const opened = await client.openIncident({ service: SERVICE, title: named('slow'), searchWindow });
    incidentId = opened.incident.incidentId;
    for await (const _progress of client.watchInvestigation(incidentId));
    const { status, verdict } = await client.getInvestigation(incidentId);
    expect(status).not.toBe('failed');
    expect(JSON.stringify(verdict)).toContain(JSON.stringify(HOSTILE).slice(1, 20));
  });

  const commands = {
    incidents: () => ['incidents'],
    show: () => ['show', incidentId, '--full'],
    investigate: () => ['investigate', incidentId],
    'a mistake': () => ['show', HOSTILE.replaceAll('\u0000', '')],
  };

  it.concurrent.for(Object.entries(commands))(
    '%s prints nothing that a terminal obeys',
    async ([, words], { expect }) => {
      const { stdout, stderr } = await inquest(words());
      expect(stdout + stderr).not.toMatch(UNSAFE);
      expect((stdout + stderr).includes('DROP TABLE otel_logs')).toBe(true);
    },
  );

  it('show --json tells machines the whole text, escaped', async () => {
    const { stdout } = await inquest([...commands.show(), '--json']);
    expect(stdout).not.toMatch(UNSAFE);
    expect(JSON.stringify(JSON.parse(stdout)).includes(JSON.stringify(HOSTILE).slice(1, -1))).toBe(true);
  });
});

function inquest(words: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [BIN, ...words, '--data-dir', host.dataDir], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve({ stdout, stderr }));
  });
}
