/** What this process works on now: tasks that it has claimed, investigations that it supervises. */
import type { Worker } from '../domain/worker.ts';
import type { Clock } from '../platform/clock.ts';

export interface WorkInHand {
  /** Call when it begins; what it answers, when it ends. Without `taskId`: supervising. */
  note(work: { readonly investigationId: string; readonly taskId?: string }): () => void;
  list(): Worker['holding'];
}

export function createWorkInHand(clock: Clock): WorkInHand {
  const held = new Set<Worker['holding'][number]>();
  return {
    note: ({ investigationId, taskId }) => {
      const work = { investigationId, ...(taskId === undefined ? {} : { taskId }), sinceMs: clock.nowMs() };
      held.add(work);
      return () => held.delete(work);
    },
    list: () => [...held],
  };
}
