/** Sends a simulated shop to a host: past time as fast as the host takes it, the present as it passes. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../platform/clock.ts';
import { retry } from '../../platform/retry.ts';
import { type SendOptions, type SendReport, sendBatch } from '../../simulator/send-batches.ts';
import { type SimulatedBatch, simulateShop } from '../../simulator/simulate-shop.ts';
import type { SimulationOptions } from '../../simulator/simulation-options.ts';
import { countOf, formatCount, formatDuration } from './words.ts';

export interface FeedOptions {
  readonly simulation: SimulationOptions;
  readonly target: Pick<SendOptions, 'url' | 'token'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told after each batch. */
  onBatch?(totals: FeedTotals, batch: SimulatedBatch): void;
  /** Asked before each batch but the first, once the one before it is stored: true ends the feed. */
  isEnough?(next: SimulatedBatch): Promise<boolean>;
}

/** What the host accepted, and what it refused record by record. */
export interface FeedTotals {
  spans: number;
  logRecords: number;
  dataPoints: number;
  changes: number;
  rejected: number;
  /** What the host said about refused records. */
  reasons: string[];
  /** Wall clock time spent on making and sending. */
  busyMs: number;
  /** End of the last batch, in simulated time. */
  endMs: number;
}

/** Throws UnavailableError when the host stays away, InputError when it refuses, or the signal's reason. */
export async function feedShop(options: FeedOptions): Promise<FeedTotals> {
  const { simulation, clock, signal } = options;
  const totals: FeedTotals = {
    spans: 0,
    logRecords: 0,
    dataPoints: 0,
    changes: 0,
    rejected: 0,
    reasons: [],
    busyMs: 0,
    endMs: 0,
  };
  const startedMs = performance.now();
  let waitedMs = 0;
  // One batch is under way while the next one is made.
  let underWay: Promise<void> = Promise.resolve();
  for (const batch of simulateShop(simulation)) {
    await underWay;
    const pausedMs = performance.now();
    if (totals.endMs > 0 && (await options.isEnough?.(batch)) === true) break;
    const earlyMs = batch.endMs - clock.nowMs();
    if (earlyMs > 0) await delay(earlyMs, undefined, { signal });
    waitedMs += performance.now() - pausedMs;
    underWay = send(batch, options, totals).then(() => {
      totals.busyMs = performance.now() - startedMs - waitedMs;
      options.onBatch?.(totals, batch);
    });
    // Awaited in the next turn; until then a failure is not unhandled.
    underWay.catch(() => undefined);
  }
  await underWay;
  return totals;
}

async function send(batch: SimulatedBatch, { target, signal }: FeedOptions, totals: FeedTotals): Promise<void> {
  const attempt = () => sendBatch(batch, { ...target, signal });
  const report = await retry(attempt, { attempts: 6, baseDelayMs: 250, maxDelayMs: 4_000, signal });
  addReport(totals, report);
  totals.endMs = batch.endMs;
}

function addReport(totals: FeedTotals, { accepted, rejected, reasons }: SendReport): void {
  totals.spans += accepted.spans;
  totals.logRecords += accepted.logRecords;
  totals.dataPoints += accepted.dataPoints;
  totals.changes += accepted.changes;
  totals.rejected += rejected.spans + rejected.logRecords + rejected.dataPoints + rejected.changes;
  for (const reason of reasons) if (!totals.reasons.includes(reason)) totals.reasons.push(reason);
}

/** `12,480 spans, 3,120 log records, 9,200 metric points, 2 changes` */
export function describeTotals(totals: FeedTotals): string {
  const parts = [
    countOf(totals.spans, 'span'),
    countOf(totals.logRecords, 'log record'),
    countOf(totals.dataPoints, 'metric point'),
    ...(totals.changes > 0 ? [countOf(totals.changes, 'change')] : []),
    ...(totals.rejected > 0 ? [`${formatCount(totals.rejected)} REFUSED (${totals.reasons.join('; ')})`] : []),
  ];
  return parts.join(', ');
}

/** `in 4.2 s, 5,900 records/s` */
export function describeRate(totals: FeedTotals): string {
  const records = totals.spans + totals.logRecords + totals.dataPoints;
  const perSecond = totals.busyMs > 0 ? (records / totals.busyMs) * 1000 : 0;
  return `in ${formatDuration(totals.busyMs)}, ${formatCount(perSecond)} records/s`;
}
