/** Every refusal of the HTTP API: which status an error of ours has, and how its body reads. */
import { AppError, type ErrorCode, InvariantError, UnavailableError } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';

const STATUS: Readonly<Record<ErrorCode, number>> = {
  'invalid-input': 400,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'limit-exceeded': 422,
  'board-lost': 503,
  superseded: 503,
  'context-store-away': 503,
  unavailable: 503,
  aborted: 503,
  'invalid-config': 500,
  'invariant-violated': 500,
};

const RETRY_AFTER_SECONDS = '1';

/** A refusal with a code of ours, or one that only HTTP has (`unauthorized`, `payload-too-large` ...). */
export function refuse(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json({ error: { code, message } }, { status, headers });
}

/** The refusal that an error thrown by a handler stands for; what nobody expected is logged. */
export function refuseError(error: unknown, logger: Logger): Response {
  const { code, message } = toAppError(error);
  const status = STATUS[code];
  if (status === 500) logger.error({ err: error }, 'a request failed');
  return refuse(status, code, message, status === 503 ? { 'retry-after': RETRY_AFTER_SECONDS } : {});
}

/** Errors that are not ours tell their text to the log only: nobody knows what it holds. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError')) {
    return new UnavailableError('The request was given up before it was done.', { code: 'aborted', cause: error });
  }
  return new InvariantError('The host failed on this request: its log says how.', { cause: error });
}
