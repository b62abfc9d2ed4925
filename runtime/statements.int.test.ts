/**
 * Every statement that leaves for ClickHouse is bounded in time, bounded in rows where it has some, and says who asks: a whole
 * runtime and every tool, recorded on the wire between the driver and a real engine.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { z } from 'zod';
import { openEmbeddedEngine } from '../clickhouse/embedded-engine.ts';
import { makeDataDir } from '../clickhouse/engine.fixture.ts';
import { generateTelemetry } from '../clickhouse/generate-telemetry.ts';
import { createEngineMeter } from '../clickhouse/measure-engine.ts';
import { openRecordingProxy, type RecordedStatement } from '../clickhouse/recording-proxy.fixture.ts';
import { planTelemetry, traceIdOf } from '../clickhouse/telemetry-plan.ts';
import { loadConfig } from '../platform/config.ts';
import { silentLogger } from '../platform/logger.ts';
import { getFigures } from '../tools/read/get-figures.ts';
import { TOOLS } from '../tools/registry.ts';
import { runTool } from '../tools/tool.ts';
import { openRuntime, type Runtime } from './open-runtime.ts';

const HOUR_MS = 3_600_000;
const directory = makeDataDir();
const { signal } = new AbortController();
let statements: readonly RecordedStatement[] = [];
let problems: string[] = [];

beforeAll(async () => {
  const engine = await openEmbeddedEngine({ dataDir: directory.dataDir, logger: silentLogger });
  const proxy = await openRecordingProxy(engine.url);
  statements = proxy.statements;
  const runtime = await openRuntime(
    loadConfig({
      INQUEST_DATA_DIR: directory.dataDir,
      INQUEST_RETENTION_DAYS: '30',
      CLICKHOUSE_URL: proxy.url,
      CLICKHOUSE_USER: engine.user,
      CLICKHOUSE_PASSWORD: engine.password,
    }),
    { logger: silentLogger },
  );
  problems = await useEverything(runtime);
  await runtime.close();
  await proxy.close();
  await engine.close();
});
afterAll(() => directory.remove());

/** Resolves with what went wrong. */
async function useEverything(runtime: Runtime): Promise<string[]> {
  const { database, telemetry, clock } = runtime;
  const plan = planTelemetry({ spans: 2_000, logs: 500, points: 1 }, clock.nowMs());
  await generateTelemetry(database, plan, { signal });
  await createEngineMeter(database).settle(1, signal);
  await createEngineMeter(database).tableSizes(signal);

  await post(runtime.receiveOtlp, '/v1/logs', {
    resourceLogs: [
      { scopeLogs: [{ logRecords: [{ timeUnixNano: `${clock.nowMs()}000000`, body: { stringValue: 'hi' } }] }] },
    ],
  });
  await post(runtime.receiveChanges, '/v1/changes', { kind: 'deploy', service: 'cart', version: '2', summary: '2' });

  const startMs = plan.window.endMs - 6 * HOUR_MS;
  const window = { startMs, endMs: startMs + HOUR_MS };
  const question = {
    ...{ window, baseline: { startMs: startMs - 3 * HOUR_MS, endMs: startMs }, service: 'cart', traceId: traceIdOf(7) },
    ...{ metric: 'queue.depth', stepSeconds: 60, split: 'failing', atMs: startMs, elements: 'operations' },
    onsets: { firstMs: startMs + 600_000, stepSeconds: 60, count: 10 },
  };
  const refused: string[] = [];
  // A strict shape of its own: from every source, so that all of its statements are seen.
  const figures = [
    { from: 'requests', measures: ['p95'], by: ['service'] },
    { from: 'logs', measures: ['count'], by: ['severity'], stepSeconds: 600 },
    { from: 'metrics', measures: ['max'], metric: 'queue.depth' },
  ].map((one) => ({ tool: getFigures, input: { ...one, window } }));
  const others = TOOLS.filter(({ tool }) => tool.name !== getFigures.name).map(({ tool }) => ({
    tool,
    input: question,
  }));
  for (const { tool, input } of [...others, ...figures]) {
    const outcome = await runTool<z.ZodType, z.ZodType>(tool, input, { telemetry, clock, signal });
    if (!outcome.ok) refused.push(`${tool.name}: ${outcome.error.message}`);
  }
  await runtime.scanNow(signal);
  await runtime.openIncident({
    ...{ incidentId: 'inc_statements', title: 'cart', status: 'open', source: 'manual', service: 'cart' },
    ...{ openedAtMs: window.endMs, searchWindow: window, severity: 'medium', anomalies: [] },
  });
  await runtime.status(signal);
  await runtime.audit.verify(signal);
  return refused;
}

async function post(receive: (request: Request) => Promise<Response>, path: string, body: unknown): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const answer = await receive(
    new Request(`http://host${path}`, { method: 'POST', headers, body: JSON.stringify(body) }),
  );
  expect([answer.status, await answer.text()]).toEqual([200, expect.anything()]);
}

const verbOf = ({ sql }: RecordedStatement) => /^\s*(\w+)/.exec(sql)?.[1]?.toUpperCase() ?? '';
/** `inquest:` and a name. */
const TAG = /^inquest:[\w:.-]+$/;
const lastClause = (sql: string) => sql.slice(sql.lastIndexOf('SETTINGS'));
const readBoundsOf = ({ sql }: RecordedStatement) => ({
  seconds: Number(/max_execution_time = (\d+)/.exec(lastClause(sql))?.[1]),
  rows: Number(/max_result_rows = (\d+)/.exec(lastClause(sql))?.[1]),
  mode: /result_overflow_mode = '(\w+)'/.exec(lastClause(sql))?.[1],
  tag: /log_comment = '([^']*)'/.exec(lastClause(sql))?.[1] ?? '',
});

it('was used: every tool answered, and reads, inserts and other statements left', () => {
  expect(problems).toEqual([]);
  const verbs = new Set(statements.map(verbOf));
  expect([...verbs]).toEqual(expect.arrayContaining(['SELECT', 'WITH', 'INSERT', 'CREATE', 'ALTER']));
  expect(statements.length).toBeGreaterThan(100);
});

it('reads no longer and no more than it says, and says who asks', () => {
  const reads = statements.filter((statement) => ['SELECT', 'WITH', 'EXPLAIN', 'SHOW'].includes(verbOf(statement)));
  const loose = reads.filter((read) => {
    const { seconds, rows, mode, tag } = readBoundsOf(read);
    return !(seconds >= 1 && seconds <= 120 && rows >= 1 && rows <= 1_000_000 && mode === 'throw' && TAG.test(tag));
  });
  expect(loose.map(({ sql }) => sql)).toEqual([]);
});

it('writes and changes tables no longer than it says, and says who asks', () => {
  const others = statements.filter((statement) => !['SELECT', 'WITH', 'EXPLAIN', 'SHOW'].includes(verbOf(statement)));
  const loose = others.filter(({ settings }) => {
    const seconds = Number(settings.get('max_execution_time'));
    return !(seconds >= 1 && seconds <= 120 && TAG.test(settings.get('log_comment') ?? ''));
  });
  expect(loose.map(({ sql }) => sql)).toEqual([]);
});

it('gives values apart from the text: the service that was asked for is in no statement', () => {
  const asked = statements.filter((statement) => ['SELECT', 'WITH'].includes(verbOf(statement)));
  expect(asked.filter(({ sql }) => sql.includes(traceIdOf(7)) || sql.includes("'cart'"))).toEqual([]);
});
