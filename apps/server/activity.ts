/** Which requests are in work, and since when none was: for the host that ends when idle, and for an orderly close. */

export interface Activity {
  /** Marks the start of some work; the returned function marks its end, once. */
  begin(): () => void;
  /** Milliseconds since the last work ended; 0 while something is in work. */
  idleMs(): number;
  /** Resolves when nothing is in work, or after `timeoutMs`. */
  drained(timeoutMs: number): Promise<void>;
}

export function createActivity(): Activity {
  let inWork = 0;
  let quietSinceMs = performance.now();
  let waiting: (() => void)[] = [];

  function end(): void {
    inWork--;
    if (inWork > 0) return;
    quietSinceMs = performance.now();
    for (const resume of waiting) resume();
    waiting = [];
  }

  return {
    begin: () => {
      inWork++;
      let ended = false;
      return () => {
        if (!ended) end();
        ended = true;
      };
    },
    idleMs: () => (inWork > 0 ? 0 : performance.now() - quietSinceMs),
    drained: (timeoutMs) => {
      if (inWork === 0) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    },
  };
}
