/** Remembers what was announced of the newest investigations, so that a watcher who comes later sees the beginning too. */
import type { ContextStore } from '../context-store/context-store.ts';
import type { Progress } from '../domain/investigation.ts';

const MAX_INVESTIGATIONS = 50;
const MAX_ANNOUNCEMENTS = 1_000;

export interface ProgressJournal {
  /** Calls `listener` with what happened so far before it resolves, then with what happens; returns how to stop. */
  watch(investigationId: string, listener: (progress: Progress) => void): Promise<() => Promise<void>>;
  /** Starts to remember; call before the investigation starts. */
  record(investigationId: string): Promise<void>;
}

export function createProgressJournal(contextStore: ContextStore): ProgressJournal {
  const pages = new Map<string, Progress[]>();
  return {
    record: async (investigationId) => {
      if (pages.has(investigationId)) return;
      const page: Progress[] = [];
      pages.set(investigationId, page);
      const [oldest] = pages.keys();
      if (pages.size > MAX_INVESTIGATIONS && oldest !== undefined) pages.delete(oldest);
      await contextStore.subscribe(investigationId, (progress) => {
        if (page.length < MAX_ANNOUNCEMENTS) page.push(progress);
      });
    },
    watch: async (investigationId, listener) => {
      for (const progress of pages.get(investigationId) ?? []) listener(progress);
      return contextStore.subscribe(investigationId, listener);
    },
  };
}
