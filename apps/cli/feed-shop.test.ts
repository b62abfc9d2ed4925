/** Feeding a host over real HTTP: the past at once, every record counted, an end when somebody has seen enough. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readOtlpFile } from '../../ingest/otlp-file.ts';
import { InvariantError } from '../../platform/errors.ts';
import { openBatchFiles } from '../../simulator/write-batches.ts';
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
    expect(totals.userRequests).toBeGreaterThan(totals.spans / 30);
    expect(totals.userRequests).toBeLessThan(totals.spans / 5);
    expect(totals.requests).toEqual({ accepted: host.requests.length, refused: 0, retried: 0 });
    expect(totals.busyMs).toBeLessThanOrEqual(totals.elapsedMs);
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
    const retries: number[] = [];
    const totals = await feedShop({
      simulation: { ...simulation, startMs: END_MS - 10_000 },
      target: { url: host.url },
      clock: { nowMs: () => END_MS },
      signal,
      onRetry: ({ requests }) => retries.push(requests.retried),
    });
    expect(totals).toMatchObject({ rejected: 1, reasons: ['too old'], requests: { refused: 0, retried: 2 } });
    expect(retries).toEqual([1, 2]);
    expect(describeTotals(totals)).toContain('1 REFUSED (too old)');
  });

  it('counts requests that the host refuses whole, and sends the others all the same', async () => {
    answer = (path) => (path === '/v1/logs' ? [413, { message: 'too large' }] : [200, {}]);
    const totals = await feedShop({
      simulation: { ...simulation, startMs: END_MS - 10_000 },
      target: { url: host.url, countRefusals: true },
      clock: { nowMs: () => END_MS },
      signal,
    });
    expect(totals.requests).toMatchObject({ accepted: 2, refused: 1 });
    expect(totals.logRecords).toBe(0);
    expect(totals.rejected).toBeGreaterThan(10);
    expect(totals.reasons).toEqual([expect.stringContaining('/v1/logs answered 413')]);
  });

  it('writes files that read as what would have been sent', async () => {
    const directory = join(dataDir, 'out');
    const files = await openBatchFiles(directory);
    const totals = await feedShop({ simulation, target: files, clock: { nowMs: () => END_MS }, signal });
    await files.close();
    const paths: string[] = [];
    for (const name of ['traces', 'logs', 'metrics']) {
      for await (const line of readOtlpFile(join(directory, `${name}.jsonl`), signal)) {
        if (!('path' in line)) throw new InvariantError(line.problem);
        paths.push(line.path);
      }
    }
    expect(paths.length).toBe(totals.requests.accepted);
    expect(new Set(paths)).toEqual(new Set(['/v1/traces', '/v1/logs', '/v1/metrics']));
    expect(totals.spans).toBeGreaterThan(1_000);
    await expect(openBatchFiles(directory)).rejects.toThrow(/holds such files already/);
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
