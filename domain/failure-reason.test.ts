import { expect, test } from 'vitest';
import { dominantReason, FAILURE_REASONS, OUTSIDE_HOST } from './failure-reason.ts';

/** RE2's `(?i)` is JavaScript's flag. */
const classify = (text: string) =>
  FAILURE_REASONS.find(({ pattern }) => new RegExp(pattern.replace('(?i)', ''), 'i').test(text))?.causeType;

test.each([
  ['Error: getaddrinfo ENOTFOUND stock', 'name-resolution'],
  ['dial tcp: lookup stock on 10.0.0.10:53: no such host', 'name-resolution'],
  ['java.net.UnknownHostException: stock', 'name-resolution'],
  ['[Errno -3] Temporary failure in name resolution', 'name-resolution'],
  ['x509: certificate has expired or is not yet valid', 'expired-certificate'],
  ['HikariPool-1 - Connection is not available, request timed out after 30000ms', 'pool-exhaustion'],
  ['QueuePool limit of size 5 overflow 10 reached, connection timed out', 'pool-exhaustion'],
  ['timed out waiting for a connection from the pool', 'pool-exhaustion'],
  ['FATAL: remaining connection slots are reserved', 'pool-exhaustion'],
  ['sorry, too many clients already', 'pool-exhaustion'],
  ['java.lang.OutOfMemoryError: Java heap space', 'memory-exhaustion'],
  ['write /var/spool: no space left on device', 'disk-saturation'],
  ['lease 17 expired 4 ms before commit', undefined],
  ['deadline of 400 ms exceeded', undefined],
  ['carpool booking is full of errors', undefined],
  ['', undefined],
])('%s -> %s', (text, causeType) => {
  expect(classify(text)).toBe(causeType);
});

test('a reason speaks for all failures when at least half of them give it', () => {
  expect(dominantReason([5, 0, 4], 10)).toBe('name-resolution');
  expect(dominantReason([4, 0, 0], 10)).toBeUndefined();
  expect(dominantReason([], 0)).toBeUndefined();
});

test.each([
  ['api.bank.example', true],
  ['bank', false],
  ['stock.shop.svc', false],
  ['stock.shop.svc.cluster.local', false],
  ['db.internal', false],
  ['10.0.0.1', false],
  ['orders/main', false],
])('%s is outside: %s', (name, isOutside) => {
  const { pattern, except } = OUTSIDE_HOST;
  expect(new RegExp(pattern).test(name) && !new RegExp(except).test(name)).toBe(isOutside);
});
