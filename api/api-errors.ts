/** How refusals read on the wire, and which of our errors each of them is for a caller. */
import type { z } from 'zod';
import {
  type AppError,
  ConfigError,
  InputError,
  InvariantError,
  LimitError,
  UnavailableError,
} from '../platform/errors.ts';
import { apiErrorSchema } from './api-shapes.ts';

/** What is wrong, with where: `searchWindow.endMs: expected number; title: too long`. */
export function describeIssues(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.') || 'input'}: ${issue.message}`).join('; ');
}

type ErrorClass = new (
  message: string,
  options?: { code?: AppError['code']; details?: Record<string, unknown> },
) => AppError;

/** By the `code` of the answer; each class fills in its own code where that is the usual one. */
const CLASSES: Readonly<Record<AppError['code'], ErrorClass>> = {
  'invalid-input': InputError,
  forbidden: InputError,
  'not-found': InputError,
  conflict: InputError,
  'limit-exceeded': LimitError,
  'invalid-config': ConfigError,
  'invariant-violated': InvariantError,
  'board-lost': UnavailableError,
  superseded: UnavailableError,
  'context-store-away': UnavailableError,
  unavailable: UnavailableError,
  aborted: UnavailableError,
};

/** The error that an answer which is not a success stands for; `text` is its body. */
export function errorOf(status: number, text: string): AppError {
  const { code, message } = parseError(text) ?? {
    code: '',
    message: `The host answered ${status} without saying why: is something else listening at its address?`,
  };
  const details = { status };
  if (isErrorCode(code)) return errorOfCode(code, message, details);
  return status >= 500 ? new UnavailableError(message, { details }) : new InputError(message, { details });
}

/** The error of a refusal that is known by its code only. */
export function errorOfCode(code: string, message: string, details: Record<string, unknown> = {}): AppError {
  return isErrorCode(code) ? new CLASSES[code](message, { code, details }) : new InvariantError(message, { details });
}

function isErrorCode(code: string): code is AppError['code'] {
  return Object.hasOwn(CLASSES, code);
}

function parseError(text: string): { code: string; message: string } | undefined {
  try {
    return apiErrorSchema.parse(JSON.parse(text)).error;
  } catch {
    return undefined;
  }
}
