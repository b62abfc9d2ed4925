/** What a receiver hands on once a request is decoded: its rows, and the bytes they came from for whoever buffers those. */
import type { TelemetryRows } from '../clickhouse/telemetry-rows.ts';
import type { OtlpSignal } from './otlp/otlp-schema.ts';
import type { OtlpEncoding } from './otlp/read-otlp-rows.ts';

export interface ReceivedBatch {
  readonly signal: OtlpSignal;
  readonly rows: TelemetryRows;
  readonly encoding: OtlpEncoding;
  /** The request, unzipped. */
  readonly body: Uint8Array;
  /** Time of receipt: which records are too old or too far ahead was judged by it. */
  readonly receivedMs: number;
}

/** Resolves when the batch cannot be lost any more; rejects with a retryable AppError when it may be sent again. */
export type StoreBatch = (batch: ReceivedBatch, signal: AbortSignal) => Promise<void>;
