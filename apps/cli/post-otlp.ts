/** Posts one OTLP/JSON request as its sender wrote it, and reads the host's answer as the OTLP specification defines it. */
import { z } from 'zod';
import { errorMessage, InputError, UnavailableError } from '../../platform/errors.ts';

export interface OtlpTarget {
  readonly url: string;
  readonly token: string;
  readonly signal: AbortSignal;
}

export type OtlpOutcome =
  | { readonly kind: 'accepted'; readonly rejected: number; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string };

const count = z.coerce.number().int().nonnegative().default(0);
/** Export<signal>ServiceResponse (opentelemetry-proto, collector/<signal>/v1); an empty object is full success. */
const answerSchema = z.object({
  partialSuccess: z
    .object({
      rejectedSpans: count,
      rejectedLogRecords: count,
      rejectedDataPoints: count,
      errorMessage: z.string().default(''),
    })
    .optional(),
});
/** google.rpc.Status, which refusals carry. */
const statusSchema = z.object({ message: z.string() });

/** Refusals are values; UnavailableError (retryable) when the host is away, busy or in trouble: 429 and 5xx. */
export async function postOtlp(path: string, body: string, { url, token, signal }: OtlpTarget): Promise<OtlpOutcome> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  let response: Response;
  let text: string;
  try {
    response = await fetch(new URL(path, url), { method: 'POST', headers, body, signal });
    text = await response.text();
  } catch (error) {
    signal.throwIfAborted();
    throw new UnavailableError(`The host at ${url} does not answer: ${errorMessage(error)}.`, { cause: error });
  }
  if (response.ok) {
    const partial = readJson(answerSchema, text)?.partialSuccess;
    if (!partial) return { kind: 'accepted', rejected: 0, reason: '' };
    const rejected = partial.rejectedSpans + partial.rejectedLogRecords + partial.rejectedDataPoints;
    return { kind: 'accepted', rejected, reason: partial.errorMessage };
  }
  const reason = readJson(statusSchema, text)?.message ?? text.slice(0, 200);
  if (response.status === 401) throw new InputError(`The host at ${url} wants a token: ${reason}`);
  if (response.status === 429 || response.status >= 500) {
    throw new UnavailableError(`${path} answered ${response.status}: ${reason}`);
  }
  return { kind: 'refused', reason: `${response.status}: ${reason}` };
}

function readJson<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
