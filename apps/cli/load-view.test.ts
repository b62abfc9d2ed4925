/** The table and the line of a load: what they say, and that they fit. */
import { describe, expect, it } from 'vitest';
import { type FeedTotals, noTotals } from './feed-shop.ts';
import { textWidth } from './layout.ts';
import { describeBottleneck, loadHeadline, loadLine, loadTable, ratesOf } from './load-view.ts';

const TOTALS: FeedTotals = {
  ...noTotals(),
  userRequests: 104_480,
  spans: 1_404_480,
  logRecords: 301_120,
  dataPoints: 2_200_000,
  requests: { accepted: 12_345, refused: 2, retried: 31 },
  elapsedMs: 100_000,
  busyMs: 90_000,
  heldUpMs: 72_000,
  endMs: Date.UTC(2026, 0, 31, 12, 4, 10),
};
const PAST = { ...TOTALS, spans: 1_004_480, elapsedMs: 20_000 };
const past = { name: 'past', rates: ratesOf(PAST) };
const present = { name: 'present', rates: ratesOf(TOTALS, PAST) };

describe('rates', () => {
  it('are those since the moment before', () => {
    expect(past.rates.spansPerSecond).toBe(50_224);
    expect(present.rates.spansPerSecond).toBe(5_000);
    expect(ratesOf(noTotals()).spansPerSecond).toBe(0);
  });
});

describe('the view of a load', () => {
  it('is a table with a column for each phase, narrower than a terminal', () => {
    const lines = loadTable(TOTALS, [past, present]);
    expect(lines[0]).toMatch(/accepted +past +present$/);
    expect(lines[2]).toMatch(/^ {2}spans +1,404,480 +50,224\/s +5,000\/s$/);
    expect(lines.at(-1)).toMatch(/12,345 {2}2 refused, 31 retried$/);
    for (const line of lines) expect(textWidth(line)).toBeLessThan(80);
  });

  it('is one line for a log', () => {
    expect(loadLine(TOTALS, present, 12_000)).toBe(
      '12:04:10: 5,000 spans/s, 0 logs/s, 0 points/s; 12,345 requests, 2 refused, 31 retried, 12 s behind',
    );
    const calm = { ...TOTALS, requests: { accepted: 1, refused: 0, retried: 0 } };
    expect(loadLine(calm, present, 900)).toBe('12:04:10: 5,000 spans/s, 0 logs/s, 0 points/s; 1 request');
    expect(loadHeadline(TOTALS, 12_000)).toBe('Simulated time: 12:04:10 UTC, 12 s behind');
  });

  it('says who set the pace', () => {
    expect(describeBottleneck(TOTALS)).toMatch(/^80% of the time .* the receiver set the pace\.$/);
    expect(describeBottleneck({ ...TOTALS, heldUpMs: 900 })).toMatch(/^Only 1% .* making and encoding/);
  });
});
