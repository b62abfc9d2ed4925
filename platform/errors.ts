/**
 * The error vocabulary, one class for each party who must act. Drivers' errors are translated into these at the folder
 * door, by code; what is an expected outcome (a refused vote, a dropped row) is a value and never comes through here.
 */
export type ErrorCode =
  | 'invalid-input'
  | 'forbidden'
  | 'not-found'
  | 'conflict'
  | 'invalid-config'
  | 'unavailable'
  | 'board-lost'
  | 'superseded'
  | 'context-store-away'
  | 'limit-exceeded'
  | 'invariant-violated'
  | 'aborted';

export interface AppErrorOptions {
  /** Small, loggable facts: never secrets, never whole payloads. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
  readonly code?: ErrorCode;
}

/** Base of every error Inquest throws itself. `message` names what is wrong, where, and what to do. */
export abstract class AppError extends Error {
  readonly code: ErrorCode;
  /** True when the same call may succeed later without a change by anybody. */
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(message: string, code: ErrorCode, retryable: boolean, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = options.code ?? code;
    this.retryable = retryable;
    this.details = options.details ?? {};
  }
}

/** The caller sent something wrong: correct it and call again. */
export class InputError extends AppError {
  constructor(message: string, options?: AppErrorOptions) {
    super(message, 'invalid-input', false, options);
  }
}

/** The operator configured something wrong: found at start, every problem at once. */
export class ConfigError extends AppError {
  constructor(message: string, options?: AppErrorOptions) {
    super(message, 'invalid-config', false, options);
  }
}

/** A dependency is away or restarting: retry. */
export class UnavailableError extends AppError {
  constructor(message: string, options?: AppErrorOptions) {
    super(message, 'unavailable', true, options);
  }
}

/** A budget, row or time limit was reached: narrow the question. */
export class LimitError extends AppError {
  constructor(message: string, options?: AppErrorOptions) {
    super(message, 'limit-exceeded', false, options);
  }
}

/** Our own mistake: a state that must not exist. */
export class InvariantError extends AppError {
  constructor(message: string, options?: AppErrorOptions) {
    super(message, 'invariant-violated', false, options);
  }
}

/** The text of any thrown value, for messages and logs. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
