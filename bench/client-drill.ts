/**
 * Clients that other people wrote against a host as people start it: telemetrygen by itself, and through a real OpenTelemetry
 * Collector, over every protocol and coding. What they sent is compared with the rows that came to be stored.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { errorMessage } from '../platform/errors.ts';
import { runTelemetrygen } from './collector/real-clients.ts';
import {
  type CollectorExporters,
  kafkaExporter,
  otlpGrpcExporter,
  otlpHttpExporter,
  startCollector,
} from './collector/start-collector.ts';
import { type DrillHost, startDrillHost } from './drill-host.ts';

export const CLIENT_SIGNALS = ['traces', 'logs', 'metrics'] as const;
type ClientSignal = (typeof CLIENT_SIGNALS)[number];
type Rows = Readonly<Record<ClientSignal, number>>;

/** One way in. */
interface Leg {
  readonly client: string;
  readonly protocol: string;
  /** The exporter of the Collector in between; left out: there is none. */
  readonly through?: CollectorExporters;
  /** How telemetrygen speaks, to the host or to the Collector. */
  readonly over: 'grpc' | 'http';
  /** Acknowledged is not yet stored: how long the rest may take. */
  readonly settleMs?: number;
}

export interface LegFinding {
  readonly client: string;
  readonly protocol: string;
  readonly sent: Rows;
  readonly stored: Rows;
  /** Why the client gave up, if it did. */
  readonly problem?: string;
}

export interface ClientDrillOptions {
  /** An empty directory of the drill's own. */
  readonly directory: string;
  /** Of each signal on each way; even. */
  readonly records: number;
  /** `host:port` of each: then also through Kafka. Its topics are to be there, and empty. */
  readonly kafkaBrokers?: readonly string[];
  readonly signal: AbortSignal;
  readonly onLeg?: (finding: LegFinding) => void;
}

export async function runClientDrill(options: ClientDrillOptions): Promise<LegFinding[]> {
  const { directory, kafkaBrokers = [] } = options;
  const env: Record<string, string> = kafkaBrokers.length === 0 ? {} : { KAFKA_BROKERS: kafkaBrokers.join(',') };
  const host = await startDrillHost({ dataDir: directory, port: 0, env });
  const findings: LegFinding[] = [];
  try {
    for (const leg of [...legsTo(host), ...legsThroughKafka(kafkaBrokers)]) {
      const finding = await runLeg(leg, host, options);
      findings.push(finding);
      options.onLeg?.(finding);
    }
    return findings;
  } finally {
    host.signal('SIGTERM');
    await host.ended;
  }
}

const COLLECTOR = 'telemetrygen, Collector';

function legsTo({ url, grpcUrl = '' }: DrillHost): Leg[] {
  const codings = ['none', 'gzip'] as const;
  return [
    { client: 'telemetrygen', protocol: 'OTLP/gRPC', over: 'grpc' },
    { client: 'telemetrygen', protocol: 'OTLP/HTTP, protobuf', over: 'http' },
    ...codings.flatMap((coding): Leg[] => [
      { client: COLLECTOR, protocol: `OTLP/gRPC, ${coding}`, through: otlpGrpcExporter(grpcUrl, coding), over: 'grpc' },
      ...(['proto', 'json'] as const).map((encoding): Leg => {
        const protocol = `OTLP/HTTP, ${encoding === 'proto' ? 'protobuf' : 'JSON'}, ${coding}`;
        return { client: COLLECTOR, protocol, through: otlpHttpExporter(url, encoding, coding), over: 'http' };
      }),
    ]),
  ];
}

const KAFKA_SETTLE_MS = 30_000;
const SETTLE_POLL_MS = 100;

function legsThroughKafka(brokers: readonly string[]): Leg[] {
  if (brokers.length === 0) return [];
  const through = kafkaExporter(brokers);
  const protocol = 'Kafka, otlp_proto';
  return [{ client: COLLECTOR, protocol, through, over: 'grpc', settleMs: KAFKA_SETTLE_MS }];
}

async function runLeg(leg: Leg, host: DrillHost, { records, signal }: ClientDrillOptions): Promise<LegFinding> {
  const { client, protocol, settleMs = 0 } = leg;
  const before = await countStored(host, signal);
  const problem = await sendAll(leg, host, records, signal).then(
    () => undefined,
    (error: unknown) => errorMessage(error),
  );
  signal.throwIfAborted();
  const sent: Rows = { traces: records, logs: records, metrics: records };
  const deadlineMs = performance.now() + settleMs;
  let stored = subtract(await countStored(host, signal), before);
  while (performance.now() < deadlineMs && CLIENT_SIGNALS.some((kind) => stored[kind] < sent[kind])) {
    await delay(SETTLE_POLL_MS, undefined, { signal });
    stored = subtract(await countStored(host, signal), before);
  }
  return { client, protocol, sent, stored, ...(problem === undefined ? {} : { problem }) };
}

async function sendAll({ through, over }: Leg, host: DrillHost, records: number, signal: AbortSignal): Promise<void> {
  const collector = through && (await startCollector(through, signal));
  const { url, grpcUrl = '' } = collector ? { url: collector.httpUrl, grpcUrl: collector.grpcUrl } : host;
  try {
    for (const kind of CLIENT_SIGNALS) {
      await runTelemetrygen({ url: over === 'grpc' ? grpcUrl : url, over, signal: kind, records }, signal);
    }
  } finally {
    await collector?.stop();
  }
}

const METRIC_TABLES = ['gauge', 'sum', 'histogram', 'exponential_histogram', 'summary'];

async function countStored({ client }: DrillHost, signal: AbortSignal): Promise<Rows> {
  const { rows } = await client.status(signal);
  const of = (table: string) => rows[`otel_${table}`] ?? 0;
  const metrics = METRIC_TABLES.reduce((sum, kind) => sum + of(`metrics_${kind}`), 0);
  return { traces: of('traces'), logs: of('logs'), metrics };
}

function subtract(after: Rows, before: Rows): Rows {
  const { traces, logs, metrics } = before;
  return { traces: after.traces - traces, logs: after.logs - logs, metrics: after.metrics - metrics };
}
