/** So many calls at one time; the others wait in the order in which they came. */
export interface CallSlots {
  /** Waits for a slot and runs the work in it. Rejects with the signal's reason when it aborts first. */
  run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T>;
}

export function createCallSlots(count: number): CallSlots {
  const waiting = new Set<() => void>();
  let free = count;

  async function take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (free > 0) {
      free--;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = () => {
      waiting.delete(resolve);
      reject(signal.reason);
    };
    waiting.add(resolve);
    signal.addEventListener('abort', leave, { once: true });
    await promise.finally(() => signal.removeEventListener('abort', leave));
  }

  /** The slot goes to the next one without becoming free in between. */
  function give(): void {
    const [next] = waiting;
    if (next === undefined) {
      free++;
      return;
    }
    waiting.delete(next);
    next();
  }

  return {
    async run(signal, work) {
      await take(signal);
      try {
        return await work();
      } finally {
        give();
      }
    },
  };
}
