/**
 * What every OTLP receiver does with a request, whatever carried it: the body within its limits, its rows, the store's word,
 * the counts. How an outcome is told is the protocol's own.
 */
import type { Clock } from '../platform/clock.ts';
import { AppError, LimitError } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { createIngestCounts, type IngestCounts } from './ingest-counts.ts';
import type { RefusalStatus } from './otlp/otlp-answer.ts';
import type { OtlpSignal } from './otlp/otlp-schema.ts';
import { type OtlpEncoding, readOtlpRows } from './otlp/read-otlp-rows.ts';
import type { RecordCount } from './otlp/record-count.ts';
import { type BodyLimits, createByteBudget } from './read-body.ts';
import type { StoreBatch } from './received-batch.ts';
import { DEFAULT_WRITE_TIMEOUT_MS, writeInTime } from './write-in-time.ts';

export interface OtlpIntakeOptions {
  readonly store: StoreBatch;
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

/** Nothing of the request was stored; `message` is for its sender. */
export interface OtlpRefusal {
  readonly kind: 'refused';
  readonly status: RefusalStatus;
  readonly message: string;
}

export type OtlpOutcome = { readonly kind: 'stored'; readonly count: RecordCount } | OtlpRefusal;

export interface OtlpIntake {
  /**
   * The whole way of one request; resolves when its rows are stored or refused, and never rejects.
   * @param readBody takes the bytes of the body from the budget; they are given back here
   */
  receive(
    signal: OtlpSignal,
    encoding: OtlpEncoding,
    readBody: (limits: BodyLimits) => Promise<Buffer>,
  ): Promise<OtlpOutcome>;
  /** Counts a request that a receiver refuses by its head. */
  refuse(signal: OtlpSignal, status: RefusalStatus, message: string): OtlpRefusal;
}

export function createOtlpIntake(options: OtlpIntakeOptions): OtlpIntake {
  const { maxBodyBytes, clock, logger, retentionDays, writeTimeoutMs = DEFAULT_WRITE_TIMEOUT_MS } = options;
  const budget = createByteBudget(options.maxInFlightBytes ?? 4 * maxBodyBytes);
  const counts = options.counts ?? createIngestCounts();

  async function store(signal: OtlpSignal, encoding: OtlpEncoding, body: Buffer): Promise<OtlpOutcome> {
    const receivedMs = clock.nowMs();
    const { rows, count } = readOtlpRows(signal, encoding, body, receivedMs, retentionDays);
    const batch = { signal, rows, encoding, body, receivedMs };
    if (count.accepted > 0) await writeInTime((abort) => options.store(batch, abort), writeTimeoutMs);
    counts[signal].received += count.accepted;
    counts[signal].late += count.late;
    counts[signal].rejected += count.rejected;
    return { kind: 'stored', count };
  }

  function refuse(signal: OtlpSignal, status: RefusalStatus, message: string): OtlpRefusal {
    counts[signal].refused += 1;
    return { kind: 'refused', status, message };
  }

  function refuseFor(signal: OtlpSignal, error: unknown, whenBusy: 429 | 503): OtlpRefusal {
    const { status, message } = refusalOf(error, whenBusy);
    if (status === 500) logger.error({ err: error, signal }, 'a telemetry request failed');
    return refuse(signal, status, message);
  }

  return {
    refuse,
    receive: async (signal, encoding, readBody) => {
      let body: Buffer;
      try {
        body = await readBody({ maxBodyBytes, budget });
      } catch (error) {
        return refuseFor(signal, error, 429);
      }
      try {
        return await store(signal, encoding, body);
      } catch (error) {
        return refuseFor(signal, error, 503);
      } finally {
        budget.give(body.length);
      }
    },
  };
}

/** How an error is told to a sender; what is ours to correct keeps its detail for the log. */
export function refusalOf(error: unknown, whenBusy: 429 | 503 = 503): OtlpRefusal {
  const status = statusOf(error, whenBusy);
  const message = error instanceof AppError && status !== 500 ? error.message : 'Storing the request failed.';
  return { kind: 'refused', status, message };
}

function statusOf(error: unknown, whenBusy: 429 | 503): RefusalStatus {
  if (error instanceof LimitError) return 413;
  if (!(error instanceof AppError)) return 500;
  if (error.retryable) return whenBusy;
  return error.code === 'invalid-input' ? 400 : 500;
}
