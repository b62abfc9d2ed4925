/** A real OpenTelemetry Collector (build-collector.sh) that takes OTLP in and hands it on by the exporters it is given. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UnavailableError } from '../../platform/errors.ts';
import { startClient } from './real-clients.ts';

/** By the Collector's own names, e.g. `{otlp_grpc: {endpoint: '127.0.0.1:4317', tls: {insecure: true}}}`. */
export type CollectorExporters = Readonly<Record<string, object>>;

export interface Collector {
  /** Where it takes OTLP in. */
  readonly grpcUrl: string;
  readonly httpUrl: string;
  /** Ends it in order: what it has taken in goes out first. Throws UnavailableError when some of it could not. */
  stop(): Promise<void>;
}

export function otlpGrpcExporter(url: string, compression: 'gzip' | 'none'): CollectorExporters {
  return { otlp_grpc: { endpoint: new URL(url).host, tls: { insecure: true }, compression } };
}

export function otlpHttpExporter(
  url: string,
  encoding: 'proto' | 'json',
  compression: 'gzip' | 'none',
): CollectorExporters {
  return { otlp_http: { endpoint: url, encoding, compression } };
}

/** @param brokers `host:port` of each */
export function kafkaExporter(brokers: readonly string[]): CollectorExporters {
  const encoding = 'otlp_proto';
  return {
    kafka: {
      brokers,
      traces: { topic: 'otlp_spans', encoding },
      logs: { topic: 'otlp_logs', encoding },
      metrics: { topic: 'otlp_metrics', encoding },
    },
  };
}

const READY_TIMEOUT_MS = 30_000;

/** Resolves when it listens; rejects with UnavailableError and its last words when it does not start. */
export async function startCollector(exporters: CollectorExporters, signal: AbortSignal): Promise<Collector> {
  const directory = mkdtempSync(join(tmpdir(), 'inquest-collector-'));
  const [grpc, http] = await freeAddresses();
  const path = join(directory, 'config.json'); // JSON is YAML
  writeFileSync(path, JSON.stringify(configOf(exporters, grpc, http)));
  const { child, said, says, ended } = startClient('otelcol', ['--config', `file:${path}`], signal);
  const gone = ended.finally(() => rmSync(directory, { recursive: true, force: true }));
  const tooLate = setTimeout(() => child.kill('SIGKILL'), READY_TIMEOUT_MS);
  const isReady = await says('Everything is ready');
  clearTimeout(tooLate);
  if (!isReady) {
    await gone;
    throw new UnavailableError(`the Collector did not start: ${said().slice(-1_000)}`);
  }
  return {
    grpcUrl: `http://${grpc}`,
    httpUrl: `http://${http}`,
    stop: async () => {
      child.kill('SIGTERM');
      const status = await gone;
      const lost = /.*(Exporting failed|Dropping data|dropped).*/i.exec(said());
      if (status !== 0 || lost) {
        throw new UnavailableError(
          `the Collector lost data, or failed (${status}): ${lost?.[0] ?? said().slice(-1_000)}`,
        );
      }
    },
  };
}

function configOf(exporters: CollectorExporters, grpc: string, http: string): object {
  const pipeline = { receivers: ['otlp'], processors: ['batch'], exporters: Object.keys(exporters) };
  return {
    receivers: { otlp: { protocols: { grpc: { endpoint: grpc }, http: { endpoint: http } } } },
    processors: { batch: { timeout: '100ms', send_batch_size: 1_000 } },
    exporters,
    service: {
      pipelines: { traces: pipeline, logs: pipeline, metrics: pipeline },
      // Its own metrics would take a fixed port.
      telemetry: { metrics: { level: 'none' } },
    },
  };
}

/** It cannot tell which port it was given, so it is told one that was free just now. */
async function freeAddresses(): Promise<[string, string]> {
  const servers = [createServer(), createServer()];
  for (const server of servers) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const [grpc = '', http = ''] = servers.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`);
  for (const server of servers) await new Promise((resolve) => server.close(resolve));
  return [grpc, http];
}
