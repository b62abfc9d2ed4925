/** Looks on while a shop is fed: shows the rates of the last seconds, and remembers those of the past and of the present apart. */
import type { Clock } from '../../platform/clock.ts';
import type { SimulatedBatch } from '../../simulator/simulate-shop.ts';
import { type FeedTotals, noTotals } from './feed-shop.ts';
import { type Amounts, type LoadPhase, loadHeadline, loadLine, loadTable, ratesOf } from './load-view.ts';
import type { Terminal } from './terminal.ts';

/** A terminal shows a table that changes, a log a line now and then. */
const TABLE_EVERY_MS = 500;
const LINE_EVERY_MS = 5_000;
/** Rates are those of the last so many looks. */
const LOOKS = 6;

export interface LoadWatch {
  onBatch(totals: FeedTotals, batch: SimulatedBatch): void;
  onRetry(totals: FeedTotals, reason: string): void;
  /** What was sent until now. */
  totals(): FeedTotals;
  phases(): LoadPhase[];
  close(): void;
}

/** @param presentMs from here on simulated time passes as the clock does; Infinity: it never does */
export function watchLoad(terminal: Terminal, clock: Clock, presentMs: number): LoadWatch {
  const block = terminal.openBlock();
  const everyMs = block ? TABLE_EVERY_MS : LINE_EVERY_MS;
  const startedMs = performance.now();
  let totals = noTotals();
  let past: Amounts | undefined;
  let latest: Amounts = totals;
  let looks: Amounts[] = [{ ...totals }];
  let shownMs = startedMs;
  let saidWhy = false;

  function look(): void {
    if (performance.now() - shownMs < everyMs) return;
    shownMs = performance.now();
    const now = { ...totals, elapsedMs: shownMs - startedMs };
    const phase = { name: 'now', rates: ratesOf(now, looks[0]) };
    looks = [...looks, now].slice(block ? -LOOKS : -1);
    const behindMs = totals.endMs > presentMs ? clock.nowMs() - totals.endMs : 0;
    if (block) block.update([loadHeadline(totals, behindMs), ...loadTable(totals, [phase])]);
    else terminal.note(loadLine(totals, phase, behindMs));
  }

  return {
    onBatch: (now, batch) => {
      if (batch.endMs > presentMs) past ??= latest;
      latest = { ...now };
      totals = now;
      look();
    },
    onRetry: (now, reason) => {
      totals = now;
      if (!saidWhy && !block) terminal.note(`Sending again: ${reason}`);
      saidWhy = true;
      look();
    },
    totals: () => totals,
    phases: () => {
      if (past === undefined || past.elapsedMs === 0) return [{ name: 'rate', rates: ratesOf(totals) }];
      return [
        { name: 'past', rates: ratesOf(past) },
        { name: 'present', rates: ratesOf(totals, past) },
      ];
    },
    close: () => block?.close(),
  };
}
