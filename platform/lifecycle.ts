/** Opened things and the order in which they close: last opened, first closed, every one of them even if one fails. */
export interface Lifecycle {
  /** Registers how to close something that was just opened. */
  add(name: string, close: () => Promise<void> | void): void;
  /** Closes all in reverse order, once; later calls wait for the first. Rejects with an AggregateError naming what failed. */
  close(): Promise<void>;
}

export function createLifecycle(): Lifecycle {
  const opened: { name: string; close: () => Promise<void> | void }[] = [];
  let closing: Promise<void> | undefined;

  async function closeAll(): Promise<void> {
    const failures: unknown[] = [];
    for (const { name, close } of opened.reverse()) {
      try {
        await close();
      } catch (error) {
        failures.push(new AggregateError([error], `closing ${name} failed`));
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'not everything closed');
  }

  return {
    add: (name, close) => {
      opened.push({ name, close });
    },
    close: () => {
      closing ??= closeAll();
      return closing;
    },
  };
}
