/** Posts simulated batches to a host over OTLP/HTTP (JSON) and its change webhook, and says what came of it. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { z } from 'zod';
import { errorMessage, InputError, UnavailableError } from '../platform/errors.ts';
import type { SimulatedBatch } from './simulate-shop.ts';

export interface SendOptions {
  /** Base address of the host; /v1/... is appended. */
  readonly url: string;
  readonly signal: AbortSignal;
  readonly fetch?: typeof globalThis.fetch;
  /** Left out: false. */
  readonly gzip?: boolean;
  /** Bearer token of a host that asks for one. */
  readonly token?: string;
  /** A request holds at most so many spans, records or metrics, unless one pod alone has more. Left out: 5000. */
  readonly maxRecordsPerRequest?: number;
}

interface SendCounts {
  spans: number;
  logRecords: number;
  dataPoints: number;
  changes: number;
}

export interface SendReport {
  readonly accepted: SendCounts;
  /** Refused one by one (partial success); the rest of their request was taken. */
  readonly rejected: SendCounts;
  /** What the host said about them. */
  readonly reasons: readonly string[];
}

const compress = promisify(gzip);
/** 64-bit integers are strings in JSON; lenient hosts write numbers. */
const countSchema = z.coerce.number().int().nonnegative().default(0);
const otlpAnswerSchema = z.object({
  partialSuccess: z
    .object({
      rejectedSpans: countSchema,
      rejectedLogRecords: countSchema,
      rejectedDataPoints: countSchema,
      errorMessage: z.string().default(''),
    })
    .optional(),
});

const changesAnswerSchema = z.object({ rejected: z.array(z.object({ problem: z.string() })) });

/** The statuses that OTLP/HTTP calls retryable; other 5xx are the host's trouble too, so they count as such here. */
function isHostTrouble(status: number): boolean {
  return status === 429 || status >= 500;
}

/**
 * Sends all of a batch, one request after another. UnavailableError (retryable; `details.retryAfterSeconds` when the host
 * names it) for connection failures, 429 and 5xx; InputError for other refusals; what was sent before stays sent, so a
 * repeated batch is stored twice in part. An abort rejects with the signal's reason.
 */
export async function sendBatch(batch: SimulatedBatch, options: SendOptions): Promise<SendReport> {
  const limit = options.maxRecordsPerRequest ?? 5_000;
  const rejected: SendCounts = { spans: 0, logRecords: 0, dataPoints: 0, changes: 0 };
  const reasons = new Set<string>();

  async function sendOtlp(path: string, body: object): Promise<void> {
    const partial = readAnswer(otlpAnswerSchema, await post(path, body, options))?.partialSuccess;
    if (!partial) return;
    rejected.spans += partial.rejectedSpans;
    rejected.logRecords += partial.rejectedLogRecords;
    rejected.dataPoints += partial.rejectedDataPoints;
    if (partial.errorMessage !== '') reasons.add(partial.errorMessage);
  }

  if (batch.changes.length > 0) {
    const answer = readAnswer(changesAnswerSchema, await post('/v1/changes', { changes: batch.changes }, options));
    rejected.changes += answer?.rejected.length ?? 0;
    for (const { problem } of answer?.rejected ?? []) reasons.add(problem);
  }
  const spans = split(batch.traces?.resourceSpans ?? [], limit, ({ scopeSpans }) => scopeSpans[0]?.spans.length ?? 0);
  for (const resourceSpans of spans) await sendOtlp('/v1/traces', { resourceSpans });
  const logs = split(batch.logs?.resourceLogs ?? [], limit, ({ scopeLogs }) => scopeLogs[0]?.logRecords.length ?? 0);
  for (const resourceLogs of logs) await sendOtlp('/v1/logs', { resourceLogs });
  const metrics = split(
    batch.metrics?.resourceMetrics ?? [],
    limit,
    ({ scopeMetrics }) => scopeMetrics[0]?.metrics.length ?? 0,
  );
  for (const resourceMetrics of metrics) await sendOtlp('/v1/metrics', { resourceMetrics });

  const accepted = {
    spans: batch.spanCount - rejected.spans,
    logRecords: batch.logCount - rejected.logRecords,
    dataPoints: batch.pointCount - rejected.dataPoints,
    changes: batch.changes.length - rejected.changes,
  };
  return { accepted, rejected, reasons: [...reasons] };
}

/** Runs of resources with at most `limit` records together; one that has more goes alone. */
function split<R>(resources: readonly R[], limit: number, sizeOf: (resource: R) => number): R[][] {
  const parts: R[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const resource of resources) {
    const more = sizeOf(resource);
    const part = parts.at(-1);
    if (part && size + more <= limit) {
      part.push(resource);
      size += more;
    } else {
      parts.push([resource]);
      size = more;
    }
  }
  return parts;
}

/** @returns the answer's text */
async function post(path: string, body: object, options: SendOptions): Promise<string> {
  const { url, signal, fetch = globalThis.fetch, token } = options;
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
  const text = JSON.stringify(body);
  if (options.gzip) headers['content-encoding'] = 'gzip';
  const payload = options.gzip ? new Uint8Array(await compress(text)) : text;
  let response: Response;
  let answer: string;
  try {
    response = await fetch(new URL(path, url), { method: 'POST', headers, body: payload, signal });
    answer = await response.text();
  } catch (error) {
    signal.throwIfAborted();
    throw new UnavailableError(`No answer from ${url}${path}: ${errorMessage(error)}. Is the host running?`, {
      cause: error,
    });
  }
  if (response.ok) return answer;
  const said = `${path} answered ${response.status}: ${answer.slice(0, 300)}`;
  if (!isHostTrouble(response.status)) throw new InputError(said, { details: { status: response.status } });
  const retryAfterSeconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const details = { status: response.status, ...(Number.isFinite(retryAfterSeconds) ? { retryAfterSeconds } : {}) };
  throw new UnavailableError(said, { details });
}

/** Full success is an empty object; a host that answers something else is taken to have accepted all. */
function readAnswer<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
