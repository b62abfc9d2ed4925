/** What went through the receivers since the process started, for whoever exposes it. */
import type { Signal } from '../domain/signal.ts';

interface SignalCounts {
  /** Records stored and acknowledged. */
  received: number;
  /** Of these, records that arrived more than five minutes after they happened. */
  late: number;
  /** Records of answered requests that were not stored, each with a reason told to its sender. */
  rejected: number;
  /** Requests of which nothing was stored. */
  refused: number;
}

export type IngestCounts = Readonly<Record<Signal, SignalCounts>>;

export function createIngestCounts(): IngestCounts {
  const zero = (): SignalCounts => ({ received: 0, late: 0, rejected: 0, refused: 0 });
  return { metrics: zero(), logs: zero(), traces: zero(), changes: zero() };
}
