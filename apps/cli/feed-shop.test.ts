/** Feeding a host over real HTTP: the past at once, every record counted, an end when somebody has seen enough. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeRate, describeTotals, feedShop } from './feed-shop.ts';
import { openStubHost, type StubAnswer, type StubHost } from './stub-host.fixture.ts';

const END_MS = Date.UTC(2026, 0, 31, 12, 0, 0);
const simulation = { seed: 3, startMs: END_MS - 60_000, endMs: END_MS, requestsPerSecond: 2, batchSeconds: 10 };
const signal = new AbortController().signal;

let dataDir: string;
let host: StubHost;
let answer: (path: string) => StubAnswer;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'inquest-feed-'));
  answer = () => [200, {}];
  host = await openStubHost({ dataDir, answers: {}, receive: (path) => answer(path) });
});
afterEach(async () => {
  await host.close();
  rmSync(dataDir, { recursive: true, force: true });
});

describe('feedShop', () => {
  it('sends all of the past and counts what was accepted', async () => {
    const ends: number[] = [];
    const totals = await feedShop({
      simulation,
      target: { url: host.url },
      clock: { nowMs: () => END_MS },
      signal,
      onBatch: (_totals, { endMs }) => ends.push(endMs),
    });
    expect(ends).toEqual([50, 40, 30, 20, 10, 0].map((seconds) => END_MS - seconds * 1000));
    expect(totals).toMatchObject({ endMs: END_MS, rejected: 0, reasons: [] });
    expect(totals.spans).toBeGreaterThan(1_000);
    expect(describeTotals(totals)).toMatch(/^[\d,]+ spans, [\d,]+ log records, [\d,]+ metric points$/);
    expect(describeRate(totals)).toMatch(/^in [\d.]+ s, [\d,]+ records\/s$/);
  });

  it('stops before the batch at which somebody has seen enough', async () => {
    const asked: number[] = [];
    const totals = await feedShop({
      simulation,
      target: { url: host.url },
      clock: { nowMs: () => END_MS },
      signal,
      isEnough: async ({ endMs }) => {
        asked.push(endMs);
        return endMs === END_MS - 20_000;
      },
    });
    expect(totals.endMs).toBe(END_MS - 30_000);
    expect(asked).toEqual([END_MS - 40_000, END_MS - 30_000, END_MS - 20_000]);
  });

  it('sends again what a busy host turned away, and says what it refused', async () => {
    let busy = 2;
    answer = (path) => {
      if (busy-- > 0) return [503, { message: 'busy' }];
      return path === '/v1/logs'
        ? [200, { partialSuccess: { rejectedLogRecords: 1, errorMessage: 'too old' } }]
        : [200, {}];
    };
    const totals = await feedShop({
      simulation: { ...simulation, startMs: END_MS - 10_000 },
      target: { url: host.url },
      clock: { nowMs: () => END_MS },
      signal,
    });
    expect(totals).toMatchObject({ rejected: 1, reasons: ['too old'] });
    expect(describeTotals(totals)).toContain('1 REFUSED (too old)');
  });

  it('ends with the signal', async () => {
    const aborted = new AbortController();
    const feeding = feedShop({
      simulation,
      target: { url: host.url },
      clock: { nowMs: () => END_MS - 45_000 },
      signal: aborted.signal,
      onBatch: () => aborted.abort(),
    });
    await expect(feeding).rejects.toThrow(/abort/i);
  });
});
