/**
 * A process that sends numbered telemetry from several clients at once and keeps a journal of it. Whoever started it may kill
 * it at any moment: what the journal says was acknowledged, was. Started by start-sender.ts.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { jsonToProto } from '../ingest/otlp/json-to-proto.ts';
import { createOtlpGrpcClient, type OtlpGrpcClient } from '../ingest/otlp-grpc-client.ts';
import { DRILL_SIGNALS, type DrillSignal, numberedBody } from './numbered-telemetry.ts';

export interface SenderOrders {
  /** Base of the host; the same after a restart. */
  readonly url: string;
  /** `host:port` of its OTLP/gRPC; left out: telemetry goes over HTTP. */
  readonly grpcAddress?: string | undefined;
  /** Name of this sender: its requests are called NAME.CLIENT.N. */
  readonly name: string;
  readonly service: string;
  readonly clients: number;
  readonly recordsPerRequest: number;
  readonly journalPath: string;
  /** After so long without an answer it sends again; as impatient as it may be by default. */
  readonly attemptTimeoutMs?: number;
  readonly keys: { readonly request: string; readonly record: string };
}

/** What the process that started it is told of each attempt: an HTTP status, 0 for no answer or one that rejects records. */
export type AttemptOutcome = number;

/** Journal lines: `S REQUEST RECORDS` before every attempt, `A REQUEST` once it is acknowledged in full. */
export type JournalMark = 'S' | 'A';

/** Real senders wait longer, and find more done. */
const PAUSE_MS = 40;
const DEFAULT_ATTEMPT_TIMEOUT_MS = 20_000;

/** RESOURCE_EXHAUSTED and UNAVAILABLE: come back later. */
const HTTP_OF_GRPC: Readonly<Record<number, AttemptOutcome>> = { 8: 429, 14: 503 };

async function work(orders: SenderOrders, stopping: AbortSignal): Promise<void> {
  const journal = (mark: JournalMark, ...words: (string | number)[]) =>
    appendFileSync(orders.journalPath, `${[mark, ...words].join(' ')}\n`);

  const timeoutMs = orders.attemptTimeoutMs ?? DEFAULT_ATTEMPT_TIMEOUT_MS;
  const grpc = orders.grpcAddress === undefined ? undefined : createOtlpGrpcClient(orders.grpcAddress);

  async function attemptGrpc({ send }: OtlpGrpcClient, signal: DrillSignal, body: string): Promise<AttemptOutcome> {
    const { code, response } = await send(signal, jsonToProto(signal, JSON.parse(body)), timeoutMs);
    if (code === 0) return response.length === 0 ? 200 : 0; // a partial success has a body
    return HTTP_OF_GRPC[code] ?? 0;
  }

  async function attemptHttp(signal: DrillSignal, body: string): Promise<AttemptOutcome> {
    try {
      const response = await fetch(`${orders.url}/v1/${signal}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        signal: AbortSignal.timeout(timeoutMs),
      });
      const answer = await response.text();
      return answer.includes('partialSuccess') ? 0 : response.status;
    } catch {
      return 0;
    }
  }

  /** Until it is acknowledged: also when it has been told to stop, so that nothing is left open without need. */
  async function deliver(client: number, turn: number): Promise<void> {
    const request = `${orders.name}.${client}.${turn}`;
    const signal = DRILL_SIGNALS[turn % DRILL_SIGNALS.length] ?? 'logs';
    const { service, recordsPerRequest: records, keys } = orders;
    const body = numberedBody({ request, signal, service, records, keys, atMs: Date.now() });
    for (;;) {
      journal('S', request, records);
      const outcome = await (grpc ? attemptGrpc(grpc, signal, body) : attemptHttp(signal, body));
      if (outcome === 200) break;
      process.send?.(outcome);
      await delay(PAUSE_MS);
    }
    journal('A', request);
    process.send?.(200);
  }

  async function keepSending(client: number): Promise<void> {
    for (let turn = 1; !stopping.aborted; turn++) await deliver(client, turn);
  }
  await Promise.all(Array.from({ length: orders.clients }, (_, client) => keepSending(client)));
  grpc?.close();
}

if (import.meta.main && process.send) {
  const stopping = new AbortController();
  process.once('disconnect', () => process.exit()); // nobody reads its journal any more
  process.once('message', (orders: SenderOrders) => {
    process.once('message', () => stopping.abort());
    work(orders, stopping.signal).then(
      () => process.exit(),
      () => process.exit(1),
    );
  });
}
