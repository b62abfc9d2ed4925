import { describe, expect, it } from 'vitest';
import {
  AppError,
  ConfigError,
  errorMessage,
  InputError,
  InvariantError,
  LimitError,
  UnavailableError,
} from './errors.ts';

describe.each([
  [InputError, 'invalid-input', false],
  [ConfigError, 'invalid-config', false],
  [UnavailableError, 'unavailable', true],
  [LimitError, 'limit-exceeded', false],
  [InvariantError, 'invariant-violated', false],
] as const)('%o', (Kind, code, retryable) => {
  it('says who must act', () => {
    const cause = new TypeError('socket');
    const error = new Kind('what is wrong', { cause, details: { table: 'otel_logs' } });
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ name: Kind.name, message: 'what is wrong', code, retryable, cause });
    expect(error.details).toEqual({ table: 'otel_logs' });
    expect(String(error)).toBe(`${Kind.name}: what is wrong`);
  });

  it('has no cause when none is given, and may have a code of its own', () => {
    expect('cause' in new Kind('x')).toBe(false);
    expect(new Kind('x', { code: 'conflict' }).code).toBe('conflict');
  });
});

it('gives the text of whatever was thrown', () => {
  expect(errorMessage(new InputError('bad'))).toBe('bad');
  expect(errorMessage('text')).toBe('text');
  expect(errorMessage(undefined)).toBe('undefined');
});
