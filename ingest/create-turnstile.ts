/** Lets so many in at one time; the others wait in their order. */

export interface Turnstile {
  /** Resolves when there is room, with how to leave: once. */
  enter(): Promise<() => void>;
}

export function createTurnstile(maxInside: number): Turnstile {
  const waiting: (() => void)[] = [];
  let inside = 0;

  function leave(): void {
    const next = waiting.shift();
    if (next) next();
    else inside--;
  }

  return {
    enter: async () => {
      if (inside < maxInside) inside++;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      return leave;
    },
  };
}
