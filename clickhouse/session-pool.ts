/**
 * A few engine sessions, each used by one statement at a time. chdb runs the statements of one session one after another and
 * parameterised calls one after another for the whole process; `SET param_x` on a pooled session keeps them parallel.
 */
import type { Session } from 'chdb';

export interface SessionPool {
  /** Waits for a free session, puts it into `database` with `parameters` (names with their `param_` prefix), runs `work`. */
  use<T>(
    database: string,
    parameters: readonly (readonly [string, string])[],
    work: (session: Session) => Promise<T>,
  ): Promise<T>;
}

interface Slot {
  readonly session: Session;
  database: string;
}

export function createSessionPool(size: number, open: () => Session): SessionPool {
  const free: Slot[] = Array.from({ length: size }, () => ({ session: open(), database: 'default' }));
  const waiting: ((slot: Slot) => void)[] = [];

  async function acquire(): Promise<Slot> {
    const slot = free.pop();
    return slot ?? new Promise((resolve) => waiting.push(resolve));
  }

  function release(slot: Slot): void {
    const next = waiting.shift();
    if (next) next(slot);
    else free.push(slot);
  }

  return {
    use: async (database, parameters, work) => {
      const slot = await acquire();
      try {
        if (slot.database !== database) {
          await slot.session.queryAsync(`USE ${quoteIdentifier(database)}`);
          slot.database = database;
        }
        if (parameters.length > 0) {
          const settings = parameters.map(([name, value]) => `${quoteIdentifier(name)} = ${quoteText(value)}`);
          await slot.session.queryAsync(`SET ${settings.join(', ')}`);
        }
        return await work(slot.session);
      } finally {
        release(slot);
      }
    },
  };
}

function quoteIdentifier(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}

/** A text as a literal of SQL. */
export function quoteText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
