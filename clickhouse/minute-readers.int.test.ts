/** What detection steps through beside requests and metrics: templates, presence and the facts of rules, on a real engine. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestDatabase, type TestDatabase } from './engine.fixture.ts';
import { createTemplateStore } from './log-templates.ts';
import { createPresenceMinuteReader } from './read-presence-minutes.ts';
import { createRuleFactReader } from './read-rule-facts.ts';
import { createTemplateMinuteReader } from './read-template-minutes.ts';
import { makeSpan } from './rollup-spans.fixture.ts';

const START_MS = Date.UTC(2026, 2, 4, 23, 59);
const MINUTE_MS = 60_000;
const window = { startMs: START_MS, endMs: START_MS + 2 * MINUTE_MS };
const bounds = { maxRows: 100 };
let test: TestDatabase;

beforeAll(async () => {
  test = await openTestDatabase();
  const alias = { tokens: ['x'], text: 'login of <*> refused', version: '2' };
  await createTemplateStore(test.database).save('web', [
    { ...alias, id: 'old', templateId: 'old', text: 'login of ann refused', version: '1' },
    { ...alias, id: 'old', templateId: 'new' },
    { ...alias, id: 'new', templateId: 'new' },
  ]);
  const line = (second: number, TemplateId: string, SeverityNumber: number) => {
    return {
      Timestamp: `${START_MS + second * 1_000}000000`,
      ServiceName: 'web',
      Body: '',
      TemplateId,
      SeverityNumber,
    };
  };
  await test.database.insert('otel_logs', [
    ...[line(1, 'old', 17), line(2, 'new', 18), line(61, 'new', 17), line(3, 'new', 9)],
    ...[line(4, '', 21), line(200, 'later', 9), line(-1, 'before', 9)],
  ]);
  const call = (second: number, isFailed: boolean, id: number) => {
    const common = { atMs: START_MS + second * 1_000, trace: id, service: 'web', isFailed };
    const client = makeSpan({ ...common, id: id * 2, kind: 'Client' });
    return [makeSpan({ ...common, id: id * 2 + 1 }), { ...client, SpanAttributes: { 'peer.service': 'cart' } }];
  };
  await test.database.insert('otel_traces', [...call(5, false, 1), ...call(12, true, 2), ...call(75, false, 3)]);
  const point = (second: number, MetricName: string, Value: number) => {
    return {
      TimeUnix: `${START_MS + second * 1_000}000000`,
      ServiceName: 'web',
      MetricName,
      Value,
      Attributes: { a: '1' },
    };
  };
  await test.database.insert('otel_metrics_gauge', [
    ...[point(10, 'disk.Utilization', 0.5), point(50, 'disk.Utilization', 0.99), point(70, 'disk.Utilization', 1)],
    point(10, 'unheard.of', 1),
  ]);
});
afterAll(() => test?.close());

it('templates by minute and level, under the id and the text that they have now', async () => {
  const reader = createTemplateMinuteReader(test.database);
  const { rows } = await reader.readMinutes({ window }, bounds);
  const template = { service: 'web', template: 'new', text: 'login of <*> refused' };
  expect(
    rows.map(({ service, template, level, text, atMs, lines }) => ({ service, template, level, text, atMs, lines })),
  ).toEqual([
    { ...template, template: '', level: 'FATAL', text: '', atMs: [START_MS], lines: [1] },
    { ...template, level: 'ERROR', atMs: [START_MS, START_MS + MINUTE_MS], lines: [2, 1] },
    { ...template, level: 'INFO', atMs: [START_MS], lines: [1] },
  ]);
  const aliases = await reader.readAliases({ templates: ['new', 'x'] }, bounds);
  expect(aliases.rows).toEqual([{ service: 'web', id: 'old', template: 'new' }]);
});

it('who sent what until when, took requests and was called, also where it sends nothing', async () => {
  const { rows } = await createPresenceMinuteReader(test.database).readMinutes({ window }, bounds);
  const minutes = [START_MS, START_MS + MINUTE_MS];
  expect(rows).toHaveLength(2);
  expect(rows[0]).toMatchObject({ service: 'cart', atMs: minutes, metricsMs: [0, 0], asked: [2, 1], refused: [1, 0] });
  expect(rows[1]).toMatchObject({
    service: 'web',
    atMs: minutes,
    tracesMs: [START_MS + 12_000, START_MS + 75_000],
    logsMs: [START_MS + 4_000, START_MS + 61_000],
    metricsMs: [START_MS + 50_000, START_MS + 70_000],
    requests: [2, 1],
    requestsMs: [START_MS + 20_000, START_MS + 80_000],
    asked: [0, 0],
  });
});

it('facts for rules: failures, fatal lines, and the metrics that are asked for', async () => {
  const reader = createRuleFactReader(test.database);
  const [requests] = (await reader.readRequests({ window }, bounds)).rows;
  expect(requests).toMatchObject({ service: 'web', calls: [2, 1], errors: [1, 0] });
  const [logs] = (await reader.readLogs({ window }, bounds)).rows;
  expect(logs).toMatchObject({ service: 'web', lines: [4, 1], fatalLines: [1, 0] });
  const metrics = await reader.readMetrics({ window, pattern: 'utili[sz]ation$|lag$' }, bounds);
  expect(metrics.rows).toHaveLength(1);
  expect(metrics.rows[0]).toMatchObject({ metric: 'disk.Utilization', attributes: { a: '1' }, lasts: [0.99, 1] });
});
