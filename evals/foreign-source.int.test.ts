/** A simulated incident in a database that the Collector's ClickHouse exporter might have filled: same verdict, nothing written. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDataDir, startEngineHost, stopEngineHost } from '../clickhouse/engine.fixture.ts';
import { fingerprint, makeExporterDatabase } from '../clickhouse/exporter-tables.fixture.ts';
import { openRecordingProxy, type RecordingProxy } from '../clickhouse/recording-proxy.fixture.ts';
import type { Investigation } from '../domain/investigation.ts';
import { loadConfig } from '../platform/config.ts';
import { ConfigError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import { silentLogger } from '../platform/logger.ts';
import { openRuntime, type Runtime } from '../runtime/open-runtime.ts';
import { simulateShop } from '../simulator/simulate-shop.ts';
import { telemetryOf } from './batch-telemetry.ts';
import { replayChanges, replayRequests } from './replay-case.ts';

const ONSET_MS = Date.UTC(2026, 2, 4, 11);
const CASE = {
  seed: 1,
  startMs: ONSET_MS - 6 * 60_000,
  endMs: ONSET_MS + 90_000,
  requestsPerSecond: 2,
  batchSeconds: 60,
  fault: { kind: 'bad-deploy', onsetMs: ONSET_MS },
} as const;
const { signal } = new AbortController();

const engineDir = makeDataDir();
const ownDir = makeDataDir();
let host: Awaited<ReturnType<typeof startEngineHost>>;
let native: Runtime;
/** On the way to the source. */
let recorder: RecordingProxy;

function open(environment: Record<string, string>): Promise<Runtime> {
  const { address } = host;
  return openRuntime(
    loadConfig({
      INQUEST_DATA_DIR: ownDir.dataDir,
      INQUEST_RETENTION_DAYS: '0',
      CLICKHOUSE_URL: address.url,
      CLICKHOUSE_USER: address.user,
      CLICKHOUSE_PASSWORD: address.password,
      ...environment,
    }),
    { logger: silentLogger },
  );
}

async function investigate(runtime: Runtime): Promise<Investigation> {
  const { finished } = await runtime.openIncident({
    incidentId: newId('inc'),
    title: 'replay',
    status: 'open',
    source: 'manual',
    service: '',
    openedAtMs: CASE.endMs,
    searchWindow: { startMs: CASE.startMs, endMs: CASE.endMs },
    severity: 'medium',
    anomalies: [],
  });
  return finished;
}

const batches = [...simulateShop(CASE)];

beforeAll(async () => {
  host = await startEngineHost(engineDir.dataDir);
  native = await open({ INQUEST_DATABASE: 'native' });
  await replayRequests(batches.flatMap(telemetryOf), native.receiveOtlp, signal);
  await makeExporterDatabase(native.database, 'theirs');
  recorder = await openRecordingProxy(host.address.url);
}, 60_000);
afterAll(async () => {
  await recorder?.close();
  await native?.close();
  if (host) await stopEngineHost(host.process);
  engineDir.remove();
  ownDir.remove();
});

describe('INQUEST_SOURCE_DATABASE', () => {
  it('is investigated like telemetry of our own, and stays as it is', async () => {
    const changes = batches.flatMap((batch) => batch.changes);
    await replayChanges(changes, native.receiveChanges, signal);
    const expected = await investigate(native);

    const before = await fingerprint(native.database, 'theirs');
    const runtime = await open({
      INQUEST_DATABASE: 'ours',
      INQUEST_SOURCE_DATABASE: 'theirs',
      INQUEST_SOURCE_URL: recorder.url,
      INQUEST_SOURCE_USER: host.address.user,
      INQUEST_SOURCE_PASSWORD: host.address.password,
    });
    try {
      await replayChanges(changes, runtime.receiveChanges, signal);
      const found = await investigate(runtime);
      expect(found.verdict?.suspects[0]?.service).toBe(expected.verdict?.suspects[0]?.service);
      expect(found.verdict?.suspects[0]?.service).toBeTruthy();

      const verified = await runtime.verify(found.investigationId);
      expect(verified.length).toBeGreaterThan(3);
      expect(new Set(verified.map(({ status }) => status))).toEqual(new Set(['holds']));
      await runtime.scanNow();
      expect((await runtime.status()).rows['otel_traces']).toBe((await native.status()).rows['otel_traces']);
      const week = { startMs: CASE.startMs + 12_345, endMs: CASE.endMs };
      const bounds = { maxRows: 100 };
      const [red, nativeRed] = [
        await runtime.telemetry.red.byService({ window: week }, bounds),
        await native.telemetry.red.byService({ window: week }, bounds),
      ];
      expect(red.rows).toEqual(nativeRed.rows);

      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify(batches.find((batch) => batch.traces)?.traces);
      const refused = await runtime.receiveOtlp(
        new Request('http://host/v1/traces', { method: 'POST', headers, body }),
      );
      expect(refused.status).toBe(400);
      expect(await refused.text()).toContain('INQUEST_SOURCE_DATABASE');
    } finally {
      await runtime.close();
    }
    expect(await fingerprint(native.database, 'theirs')).toEqual(before);
    const statements = recorder.statements.map(({ sql }) => sql);
    expect(statements.length).toBeGreaterThan(10);
    expect(statements.filter((sql) => !/^\s*(SELECT|WITH)\b/i.test(sql))).toEqual([]);
  }, 120_000);

  it('that is not there, or holds other tables, is told at start', async () => {
    const missing = open({ INQUEST_DATABASE: 'ours', INQUEST_SOURCE_DATABASE: 'nowhere' });
    await expect(missing).rejects.toBeInstanceOf(ConfigError);
    await expect(missing).rejects.toThrow('nowhere');
    await expect(missing).rejects.toThrow('otel_traces');
    const system = open({ INQUEST_DATABASE: 'ours', INQUEST_SOURCE_DATABASE: 'system' });
    await expect(system).rejects.toBeInstanceOf(ConfigError);
    const { rows } = await native.database.read(
      "SELECT name FROM system.databases WHERE name = 'nowhere'",
      {},
      { tag: 'test', maxRows: 1 },
    );
    expect(rows).toEqual([]);
  }, 30_000);
});
