/** Tells when a request for approval has run out of time. A timer is a convenience: a decision looks at the clock itself. */
import type { Approval } from '../domain/approval.ts';
import type { Clock } from '../platform/clock.ts';

export interface ExpiryTimers {
  /** Calls `onDue` once its time is over; watching it again replaces the first. */
  watch(approval: Approval, atLeastMs?: number): void;
  close(): void;
}

/** Looks at the clock at least this often: it may be set, and a machine may sleep. */
const MAX_PAUSE_MS = 10 * 60_000;

export function createExpiryTimers(clock: Clock, onDue: (approval: Approval) => void): ExpiryTimers {
  const timers = new Map<string, NodeJS.Timeout>();
  function watch(approval: Approval, atLeastMs = 0): void {
    clearTimeout(timers.get(approval.approvalId));
    const restMs = approval.expiresAtMs - clock.nowMs() + 1; // expired is after its last moment
    const pauseMs = Math.max(atLeastMs, Math.min(MAX_PAUSE_MS, restMs));
    const timer = setTimeout(() => {
      timers.delete(approval.approvalId);
      if (clock.nowMs() > approval.expiresAtMs) onDue(approval);
      else watch(approval);
    }, pauseMs);
    timer.unref();
    timers.set(approval.approvalId, timer);
  }
  return {
    watch,
    close: () => {
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
    },
  };
}
