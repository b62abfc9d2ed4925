/** What a benchmark asks of the engine itself: quiet after inserts, sizes of tables, rows a statement would read, a fixed chore. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ExecutedQuery } from '../domain/evidence.ts';
import type { Database } from './database.ts';

export interface TableSize {
  readonly table: string;
  readonly rows: number;
  readonly bytes: number;
  readonly parts: number;
}

export interface EngineMeter {
  /** Waits until nothing is merged or mutated, twice in a row; false when `patienceMs` was not enough. */
  settle(patienceMs: number, signal: AbortSignal): Promise<boolean>;
  /** Tables with rows, the largest first. */
  tableSizes(signal: AbortSignal): Promise<readonly TableSize[]>;
  /** Rows of the granules that a statement's conditions and indexes leave to be read; from the engine's own plan. */
  estimateRows(query: ExecutedQuery, signal: AbortSignal): Promise<number>;
  /** Always the same work, of all cores and no table: to compare what was measured on other machines and days. */
  runChore(signal: AbortSignal): Promise<void>;
  /** CPU time that statements have taken since the engine started. */
  cpuMs(signal: AbortSignal): Promise<number>;
}

const PAUSE_MS = 500;

export function createEngineMeter(database: Database): EngineMeter {
  const isQuiet = async (signal: AbortSignal) => {
    const { rows } = await database.read<{ busy: number }>(BUSY, {}, { tag: 'measure.merges', maxRows: 1, signal });
    return rows[0]?.busy === 0;
  };
  return {
    settle: async (patienceMs, signal) => {
      const deadlineMs = performance.now() + patienceMs;
      let quiet = 0;
      while (quiet < 2 && performance.now() < deadlineMs) {
        quiet = (await isQuiet(signal)) ? quiet + 1 : 0;
        await delay(PAUSE_MS, undefined, { signal });
      }
      return quiet >= 2;
    },
    tableSizes: async (signal) =>
      (await database.read<TableSize>(SIZES, {}, { tag: 'measure.sizes', maxRows: 1_000, signal })).rows,
    estimateRows: async ({ sql, parameters }, signal) => {
      const options = { tag: 'measure.estimate', maxRows: 100, signal };
      const { rows } = await database.read<{ rows: string }>(`EXPLAIN ESTIMATE ${sql}`, parameters, options);
      return rows.reduce((sum, each) => sum + Number(each.rows), 0);
    },
    runChore: async (signal) => {
      await database.read(CHORE, {}, { tag: 'measure.chore', maxRows: 1, signal });
    },
    cpuMs: async (signal) => {
      const { rows } = await database.read<{ ms: number }>(CPU, {}, { tag: 'measure.cpu', maxRows: 1, signal });
      return rows[0]?.ms ?? 0;
    },
  };
}

const BUSY = `
SELECT toFloat64((SELECT count() FROM system.merges WHERE database = currentDatabase())
  + (SELECT count() FROM system.mutations WHERE database = currentDatabase() AND NOT is_done)) AS busy`;

const SIZES = `
SELECT table, toFloat64(sum(rows)) AS rows, toFloat64(sum(bytes_on_disk)) AS bytes, toFloat64(count()) AS parts
FROM system.parts
WHERE active AND database = currentDatabase()
GROUP BY table
HAVING rows > 0
ORDER BY bytes DESC, table`;

const CPU = `
SELECT toFloat64(sum(value)) / 1000 AS ms
FROM system.events
WHERE event IN ('UserTimeMicroseconds', 'SystemTimeMicroseconds')`;

const CHORE = 'SELECT count() AS count FROM numbers_mt(30000000) WHERE cityHash64(number) % 1000 = 0';
