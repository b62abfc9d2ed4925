/** Sends simulated batches to a host over OTLP/HTTP (JSON) and its change webhook, and says what came of it. */
import { z } from 'zod';
import { InputError } from '../platform/errors.ts';
import { type BatchCounts, type BatchRequest, noCounts, requestsOf } from './batch-requests.ts';
import { type PostOptions, postRequest } from './post-request.ts';
import type { SimulatedBatch } from './simulate-shop.ts';

export interface SendOptions extends PostOptions {
  /** A request holds at most so many spans, records or metrics, unless one pod alone has more. Left out: 5000. */
  readonly maxRecordsPerRequest?: number;
  /** Requests under way at a time. Left out: 1, one after another. */
  readonly connections?: number;
  /** True: a refused request is counted, and the others are sent all the same, unless none of them can fare better (401, 403, 404). */
  readonly countRefusals?: boolean;
}

export interface SendReport {
  readonly accepted: BatchCounts;
  /** Refused one by one (partial success), or with their request. */
  readonly rejected: BatchCounts;
  readonly requests: { accepted: number; refused: number };
  /** What the host said about refused ones. */
  readonly reasons: readonly string[];
}

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

const HOPELESS = new Set([401, 403, 404]);

/**
 * Sends all of a batch. UnavailableError (retryable; `details.retryAfterSeconds` when the host names it) for connection
 * failures, 429 and 5xx; InputError for other refusals; what was sent before stays sent, so a repeated batch is stored twice in
 * part. An abort rejects with the signal's reason.
 */
export async function sendBatch(batch: SimulatedBatch, options: SendOptions): Promise<SendReport> {
  const waiting = requestsOf(batch, options.maxRecordsPerRequest ?? 5_000);
  const accepted = noCounts();
  const rejected = noCounts();
  const requests = { accepted: 0, refused: 0 };
  const reasons = new Set<string>();

  async function send(request: BatchRequest): Promise<void> {
    const { holds, count } = request;
    const answer = await sendRequest(request, options);
    requests[answer.isRefused ? 'refused' : 'accepted'] += 1;
    accepted[holds] += count - answer.rejected;
    rejected[holds] += answer.rejected;
    for (const reason of answer.reasons) reasons.add(reason);
  }

  async function work(): Promise<void> {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      try {
        await send(next);
      } catch (error) {
        waiting.length = 0;
        throw error;
      }
    }
  }

  await Promise.all(Array.from({ length: options.connections ?? 1 }, work));
  return { accepted, rejected, requests, reasons: [...reasons] };
}

interface Answer {
  readonly isRefused: boolean;
  readonly rejected: number;
  readonly reasons: readonly string[];
}

async function sendRequest({ path, body, count }: BatchRequest, options: SendOptions): Promise<Answer> {
  try {
    const text = await postRequest(path, body, options);
    return { isRefused: false, ...(path === '/v1/changes' ? readChangesAnswer(text) : readOtlpAnswer(text)) };
  } catch (error) {
    const isCounted = options.countRefusals && error instanceof InputError;
    if (!isCounted || HOPELESS.has(Number(error.details['status']))) throw error;
    return { isRefused: true, rejected: count, reasons: [error.message] };
  }
}

function readChangesAnswer(text: string): Omit<Answer, 'isRefused'> {
  const problems = (readAnswer(changesAnswerSchema, text)?.rejected ?? []).map(({ problem }) => problem);
  return { rejected: problems.length, reasons: problems };
}

function readOtlpAnswer(text: string): Omit<Answer, 'isRefused'> {
  const partial = readAnswer(otlpAnswerSchema, text)?.partialSuccess;
  if (!partial) return { rejected: 0, reasons: [] };
  const { rejectedSpans, rejectedLogRecords, rejectedDataPoints, errorMessage } = partial;
  const rejected = rejectedSpans + rejectedLogRecords + rejectedDataPoints;
  return { rejected, reasons: errorMessage === '' ? [] : [errorMessage] };
}

/** Full success is an empty object; a host that answers something else is taken to have accepted all. */
function readAnswer<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
