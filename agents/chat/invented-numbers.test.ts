import { describe, expect, it } from 'vitest';
import { findInventedNumber } from './invented-numbers.ts';

const SAID = {
  texts: ['{"figures":[200,40,0.3868],"p95Ms":2041.3,"bytes":1073741824}', 'asked: errors above 5,000 since 11:00'],
};

describe('a number is known', () => {
  it.each([
    'web served 200 requests',
    '38.7% of them failed',
    '38.68 percent',
    'p95 was 2.04 s, or 2,041 ms',
    'it is above 5000',
    '1 GiB, 1,024 MiB',
    'two of 3 services, since 11:00 on 2026-03-04, version 2.4.259, order-db-77',
    'no figure at all',
  ])('%s', (text) => expect(findInventedNumber(text, SAID)).toBeUndefined());
});

describe('a number is invented', () => {
  it.each([
    ['web served 4711 requests', '4711'],
    ['52% of them failed', '52%'],
    ['12% of them failed', '12%'],
    ['p95 is 9 s', '9 s'],
    ['7k requests', '7k'],
    ['it took "950 ms"', '950 ms'],
    ['p95 was 3.9 s', '3.9 s'],
    ['200 requests and 77 errors', '77'],
  ])('%s', (text, figure) => expect(findInventedNumber(text, SAID)).toBe(figure));
});
