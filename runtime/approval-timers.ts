/**
 * Tells when a request for approval is due: to be put before the next role, or to be closed. A timer is a convenience: what is
 * due is told by the clock, and a decision looks at it itself.
 */
import { type Approval, type Escalation, hasExpired } from '../domain/approval.ts';
import type { Clock } from '../platform/clock.ts';

export interface ApprovalTimers {
  /** Tells what is due by now, and what becomes due; watching it again replaces the first and tells again. */
  watch(approval: Approval, atLeastMs?: number): void;
  close(): void;
}

/** Looks at the clock at least this often: it may be set, and a machine may sleep. */
const MAX_PAUSE_MS = 10 * 60_000;

export function createApprovalTimers(
  clock: Clock,
  onDue: (approval: Approval, due: Escalation | 'expired') => void,
): ApprovalTimers {
  const timers = new Map<string, NodeJS.Timeout>();

  function watch(approval: Approval, atLeastMs = 0, toldUntilMs = -1): void {
    const { approvalId, escalations = [], expiresAtMs } = approval;
    clearTimeout(timers.get(approvalId));
    const next = escalations.find(({ atMs }) => atMs > toldUntilMs);
    const dueMs = Math.min(next?.atMs ?? Number.POSITIVE_INFINITY, expiresAtMs + 1); // expired is after its last moment
    const pauseMs = Math.max(atLeastMs, Math.min(MAX_PAUSE_MS, dueMs - clock.nowMs()));
    const timer = setTimeout(() => {
      timers.delete(approvalId);
      const nowMs = clock.nowMs();
      if (hasExpired(approval, nowMs)) {
        onDue(approval, 'expired');
        return;
      }
      const due = escalations.filter(({ atMs }) => atMs > toldUntilMs && atMs <= nowMs);
      watch(approval, 0, due.at(-1)?.atMs ?? toldUntilMs);
      for (const escalation of due) onDue(approval, escalation);
    }, pauseMs);
    timer.unref();
    timers.set(approvalId, timer);
  }

  return {
    watch: (approval, atLeastMs) => watch(approval, atLeastMs),
    close: () => {
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
    },
  };
}
