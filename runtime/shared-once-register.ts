/**
 * First write wins among many processes: Redis says who was first, the table remembers it. A Redis that has lost what it said is
 * overruled by the table.
 */
import type { OnceTable } from '../clickhouse/once-register.ts';
import type { Register } from '../context-store/redis-register.ts';
import type { OnceRegister } from '../graph/once-register.ts';

export function createSharedOnceRegister(table: OnceTable, register: Register): OnceRegister {
  const nameOf = (key: string) => `once:${key}`;
  return {
    get: async (key, signal) => (await table.get(key, signal)) ?? (await register.get(nameOf(key), signal)),
    putOnce: async (key, text, signal) => {
      const durable = await table.get(key, signal);
      if (durable !== undefined) return { stored: false, text: durable };
      const { isSet, standing = text } = await register.compareAndSet(nameOf(key), undefined, text, signal);
      // Also for whoever was first and died before it was durable.
      const kept = await table.putOnce(key, standing);
      return { stored: isSet && kept.text === text, text: kept.text };
    },
  };
}
