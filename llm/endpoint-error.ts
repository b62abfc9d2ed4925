/** Failures of an endpoint by who must act, from status and code. Nothing of the request, and no key, gets into an error. */
import { ContextOverflowError } from '@langchain/core/errors';
import { z } from 'zod';
import { AppError, ConfigError, LimitError, UnavailableError } from '../platform/errors.ts';
import { createRedactor } from './redaction.ts';

const failureShape = z.object({
  status: z.number().optional().catch(undefined),
  code: z.string().optional().catch(undefined),
  headers: z.instanceof(Headers).optional().catch(undefined),
  error: z.object({ message: z.string() }).optional().catch(undefined),
  cause: z.unknown().optional(),
});

/** Worth another try: too early, too many, or the server's fault. */
const PASSING = new Set([408, 409, 425, 429]);
const REFUSED = new Set([401, 402, 403]);
const TOO_LONG = new Set(['context_length_exceeded', 'string_above_max_length', 'request_too_large']);
const SHOWN_CHARACTERS = 300;

interface Asked {
  readonly url: string;
  readonly model: string;
  readonly key: { reveal(): string } | undefined;
}

/** @param error whatever the client threw */
export function translateFailure(error: unknown, endpoint: Asked): AppError {
  if (error instanceof AppError) return error;
  const { status, code, error: body, cause } = failureShape.catch({}).parse(error);
  if (cause instanceof AppError) return cause;
  const who = `The model ${endpoint.model} at ${new URL(endpoint.url).host}`;
  const said = body === undefined ? '' : ` It says: ${quote(body.message, endpoint)}`;
  const details = { model: endpoint.model, ...(status === undefined ? {} : { status }) };
  if (ContextOverflowError.isInstance(error) || status === 413 || (code && TOO_LONG.has(code))) {
    return new LimitError(`${who} takes no text of that length: ask about less.${said}`, { details });
  }
  if (status === undefined) return new UnavailableError(`${who} cannot be reached, or broke off.`, { details });
  if (REFUSED.has(status) || code === 'insufficient_quota') {
    return new ConfigError(`${who} refuses the key or its account: check INQUEST_LLM_KEY.${said}`, { details });
  }
  if (status >= 500 || PASSING.has(status)) {
    return new UnavailableError(`${who} answered ${status}.${said}`, { details });
  }
  if (status === 404) {
    return new ConfigError(`${who} is not there: check INQUEST_LLM_URL and INQUEST_LLM_MODEL.${said}`, { details });
  }
  return new ConfigError(`${who} does not take such requests (${status}).${said}`, { details });
}

/** How long the endpoint asked to be left alone (seconds, or a date), in milliseconds. */
export function readRetryAfterMs(error: unknown, nowMs: number): number | undefined {
  const header = failureShape.catch({}).parse(error).headers?.get('retry-after')?.trim();
  if (!header) return undefined;
  const seconds = Number(header);
  const afterMs = Number.isNaN(seconds) ? Date.parse(header) - nowMs : seconds * 1_000;
  return Number.isNaN(afterMs) ? undefined : Math.max(0, afterMs);
}

/** Some endpoints repeat the key, or what they were sent. */
function quote(message: string, { key }: Asked): string {
  const hidden = key === undefined ? message : message.replaceAll(key.reveal(), '***');
  return createRedactor().redact(hidden).replaceAll(/\s+/g, ' ').slice(0, SHOWN_CHARACTERS);
}
