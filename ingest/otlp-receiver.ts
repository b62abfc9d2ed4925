/**
 * OTLP over HTTP: POST /v1/traces, /v1/logs and /v1/metrics, protobuf or JSON, plain or gzip. A request is answered when
 * its rows are stored and not before; what cannot be stored is refused with the status the protocol gives for it, so that
 * senders know whether to retry.
 */
import type { TelemetryRows } from '../clickhouse/telemetry-rows.ts';
import type { Clock } from '../platform/clock.ts';
import { AppError, LimitError } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { createIngestCounts, type IngestCounts } from './ingest-counts.ts';
import { answerRefused, answerStored, type RefusalStatus } from './otlp/otlp-answer.ts';
import type { OtlpSignal } from './otlp/otlp-schema.ts';
import { type OtlpEncoding, readOtlpRows } from './otlp/read-otlp-rows.ts';
import { type BodyLimits, type ContentCoding, contentCodingOf, createByteBudget, readBody } from './read-body.ts';
import { DEFAULT_WRITE_TIMEOUT_MS, writeInTime } from './write-in-time.ts';

export interface OtlpReceiverOptions {
  /** Resolves when the rows are stored; rejects with a retryable AppError when they may be sent again. */
  readonly write: (rows: TelemetryRows, signal: AbortSignal) => Promise<void>;
  /** Limit of a body, as sent and as unzipped. */
  readonly maxBodyBytes: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Days after which the store deletes a row: an older record is rejected, not silently lost. 0, the default: never. */
  readonly retentionDays?: number;
  /** Bodies in work at one time; four full ones by default. Decoded, a body takes about ten times its size. */
  readonly maxInFlightBytes?: number;
  /** How long a write may take before the sender is told to retry. */
  readonly writeTimeoutMs?: number;
  readonly counts?: IngestCounts;
}

const RETRY_AFTER_SECONDS = { 429: '1', 503: '5' };

const SIGNALS: Readonly<Record<string, OtlpSignal>> = {
  '/v1/traces': 'traces',
  '/v1/logs': 'logs',
  '/v1/metrics': 'metrics',
};

const ENCODINGS: Readonly<Record<string, OtlpEncoding>> = {
  'application/x-protobuf': 'protobuf',
  'application/json': 'json',
};

/** A request handler that never rejects. */
export function createOtlpReceiver(options: OtlpReceiverOptions): (request: Request) => Promise<Response> {
  const { maxBodyBytes, clock, logger, retentionDays, writeTimeoutMs = DEFAULT_WRITE_TIMEOUT_MS } = options;
  const budget = createByteBudget(options.maxInFlightBytes ?? 4 * maxBodyBytes);
  const limits: BodyLimits = { maxBodyBytes, budget };
  const counts = options.counts ?? createIngestCounts();

  async function store(signal: OtlpSignal, encoding: OtlpEncoding, body: Buffer): Promise<Response> {
    const { rows, count } = readOtlpRows(signal, encoding, body, clock.nowMs(), retentionDays);
    if (count.accepted > 0) await writeInTime((abort) => options.write(rows, abort), writeTimeoutMs);
    counts[signal].received += count.accepted;
    counts[signal].rejected += count.rejected;
    return answerStored(signal, encoding, count);
  }

  async function receive(
    request: Request,
    coding: ContentCoding,
    signal: OtlpSignal,
    encoding: OtlpEncoding,
  ): Promise<Response> {
    let body: Buffer;
    try {
      body = await readBody(request, coding, limits);
    } catch (error) {
      return refuse(signal, encoding, error, 429);
    }
    try {
      return await store(signal, encoding, body);
    } catch (error) {
      return refuse(signal, encoding, error, 503);
    } finally {
      budget.give(body.length);
    }
  }

  function refuse(signal: OtlpSignal, encoding: OtlpEncoding, error: unknown, whenBusy: 429 | 503): Response {
    counts[signal].refused += 1;
    const status = statusOf(error, whenBusy);
    if (status === 500) logger.error({ err: error, signal }, 'a telemetry request failed');
    const message = error instanceof AppError && status !== 500 ? error.message : 'Storing the request failed.';
    const headers = status === 429 || status === 503 ? { 'retry-after': RETRY_AFTER_SECONDS[status] } : {};
    return answerRefused(encoding, status, message, headers);
  }

  return async (request) => {
    const path = new URL(request.url).pathname;
    const signal = SIGNALS[path];
    const encoding = encodingOf(request);
    const coding = contentCodingOf(request);
    if (signal === undefined) return answerRefused(encoding ?? 'json', 404, `No telemetry is received at ${path}.`);
    if (request.method === 'POST' && encoding && coding) return receive(request, coding, signal, encoding);
    counts[signal].refused += 1;
    if (request.method !== 'POST') {
      return answerRefused(encoding ?? 'json', 405, 'Send telemetry with POST.', { allow: 'POST' });
    }
    if (encoding) return answerRefused(encoding, 415, 'Content-Encoding must be gzip or identity.');
    return answerRefused('json', 415, 'Content-Type must be application/x-protobuf or application/json.');
  };
}

function encodingOf(request: Request): OtlpEncoding | undefined {
  const mediaType = (request.headers.get('content-type') ?? '').split(';')[0] ?? '';
  return ENCODINGS[mediaType.trim().toLowerCase()];
}

function statusOf(error: unknown, whenBusy: 429 | 503): RefusalStatus {
  if (error instanceof LimitError) return 413;
  if (!(error instanceof AppError)) return 500;
  if (error.retryable) return whenBusy;
  return error.code === 'invalid-input' ? 400 : 500;
}
