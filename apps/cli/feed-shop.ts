/** Sends a simulated shop to a host or into files: past time as fast as it is taken, the present as it passes. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../platform/clock.ts';
import { type SendOptions, type SendReport, sendBatch } from '../../simulator/send-batches.ts';
import { type SimulatedBatch, simulateShop } from '../../simulator/simulate-shop.ts';
import type { SimulationOptions } from '../../simulator/simulation-options.ts';
import type { BatchFiles } from '../../simulator/write-batches.ts';
import { countOf, formatCount, formatDuration } from './words.ts';

export interface FeedOptions {
  readonly simulation: SimulationOptions;
  readonly target: HostTarget | BatchFiles;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told after each batch. */
  onBatch?(totals: FeedTotals, batch: SimulatedBatch): void;
  /** Told when the host turned a request away that is sent again. */
  onRetry?(totals: FeedTotals, reason: string): void;
  /** Asked before each batch but the first, once the one before it is stored: true ends the feed. */
  isEnough?(next: SimulatedBatch): Promise<boolean>;
}

export type HostTarget = Pick<SendOptions, 'url' | 'token' | 'connections' | 'countRefusals'>;

/** What was accepted, and what the host refused, alone or with its whole request. */
export interface FeedTotals {
  /** What users did; each of them made a trace. */
  userRequests: number;
  spans: number;
  logRecords: number;
  dataPoints: number;
  changes: number;
  rejected: number;
  /** What the host said about what it refused. */
  reasons: string[];
  /** HTTP requests; those that were sent again count once for each time in `retried`. */
  requests: { accepted: number; refused: number; retried: number };
  /** Wall clock time since the beginning. */
  elapsedMs: number;
  /** That without waiting for simulated time to pass. */
  busyMs: number;
  /** Of that: nothing to do but to wait until the host had taken the last batch. */
  heldUpMs: number;
  /** End of the last batch, in simulated time. */
  endMs: number;
}

export function noTotals(): FeedTotals {
  return {
    userRequests: 0,
    spans: 0,
    logRecords: 0,
    dataPoints: 0,
    changes: 0,
    rejected: 0,
    reasons: [],
    requests: { accepted: 0, refused: 0, retried: 0 },
    elapsedMs: 0,
    busyMs: 0,
    heldUpMs: 0,
    endMs: 0,
  };
}

/** Throws UnavailableError when the host stays away, InputError when it refuses, or the signal's reason. */
export async function feedShop(options: FeedOptions): Promise<FeedTotals> {
  const { simulation, clock, signal } = options;
  const totals = noTotals();
  const startedMs = performance.now();
  let waitedMs = 0;
  let heldUpMs = 0;
  // One batch is under way while the next one is made.
  let underWay: Promise<void> = Promise.resolve();
  for (const batch of simulateShop(simulation)) {
    const madeMs = performance.now();
    await underWay;
    const pausedMs = performance.now();
    heldUpMs += pausedMs - madeMs;
    totals.heldUpMs = Math.round(heldUpMs);
    if (totals.endMs > 0 && (await options.isEnough?.(batch)) === true) break;
    const earlyMs = batch.endMs - clock.nowMs();
    if (earlyMs > 0) await delay(earlyMs, undefined, { signal });
    signal.throwIfAborted();
    waitedMs += performance.now() - pausedMs;
    underWay = deliver(batch, options, totals).then((report) => {
      addReport(totals, report);
      totals.userRequests += countUserRequests(batch);
      totals.endMs = batch.endMs;
      totals.elapsedMs = Math.round(performance.now() - startedMs);
      totals.busyMs = Math.max(0, totals.elapsedMs - Math.round(waitedMs));
      options.onBatch?.(totals, batch);
    });
    // Awaited in the next turn; until then a failure is not unhandled.
    underWay.catch(() => undefined);
  }
  await underWay;
  return totals;
}

function deliver(batch: SimulatedBatch, options: FeedOptions, totals: FeedTotals): Promise<SendReport> {
  const { target, signal, onRetry } = options;
  if ('write' in target) return target.write(batch);
  return sendBatch(batch, {
    ...target,
    signal,
    patient: true,
    onRetry: (reason) => {
      totals.requests.retried += 1;
      onRetry?.(totals, reason);
    },
  });
}

function addReport(totals: FeedTotals, { accepted, rejected, requests, reasons }: SendReport): void {
  totals.spans += accepted.spans;
  totals.logRecords += accepted.logRecords;
  totals.dataPoints += accepted.dataPoints;
  totals.changes += accepted.changes;
  totals.rejected += rejected.spans + rejected.logRecords + rejected.dataPoints + rejected.changes;
  totals.requests.accepted += requests.accepted;
  totals.requests.refused += requests.refused;
  for (const reason of reasons) if (!totals.reasons.includes(reason)) totals.reasons.push(reason);
}

/** Spans that nobody called. */
function countUserRequests({ traces }: SimulatedBatch): number {
  let count = 0;
  for (const { scopeSpans } of traces?.resourceSpans ?? []) {
    for (const { spans } of scopeSpans) for (const { parentSpanId } of spans) if (parentSpanId === '') count += 1;
  }
  return count;
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
