/**
 * The keys of a cache expire all at once. Lookups miss, what the cache kept away from the database behind it arrives there, and
 * the database slows for everybody, so that the cache fills again but slowly. The victim is the cache, because filling it (or
 * shedding its readers) is what helps: the database only suffers.
 */
import type { Operation, Service, Shop } from '../compile-shop.ts';
import type { Visit } from '../disturbance.ts';
import type { Pod } from '../fleet.ts';
import { type FaultContext, type FaultDefinition, intensity, isNeeded } from './fault.ts';

const RAMP_MS = 6_000;
/** Half of what was lost is back after this; the database has no room for more. */
const HALF_FILLED_MS = 900_000;

function readersOf(cache: Service, shop: Shop): Operation[] {
  return shop.operations.filter(({ steps }) => steps.flat().some((call) => call.cache === cache));
}

function storesBehind(cache: Service, readers: readonly Operation[]): Set<Service> {
  const misses = readers.flatMap(({ steps }) => steps.flat().filter((call) => call.cache === cache));
  return new Set(misses.map(({ target }) => target.service));
}

export const cacheStampede: FaultDefinition = {
  suits: (service, shop) => isNeeded(service) && readersOf(service, shop).length > 0,
  plan(context: FaultContext) {
    const { shop, victim, stream, onsetMs } = context;
    const readers = readersOf(victim, shop);
    const stores = storesBehind(victim, readers);
    const selfFactor = stream.between(8, 14);
    const addedMs = stream.between(110, 220);
    const emptiness = (atMs: number) =>
      intensity(context, atMs, 0) === 0 ? 0 : 0.97 * 0.5 ** ((atMs - onsetMs) / HALF_FILLED_MS);
    return {
      causeType: 'cache-stampede',
      hurt: [...readers, ...[...stores].flatMap(({ operations }) => operations)],
      preludeMs: onsetMs,
      rollouts: [],
      changes: [],
      onLookup: (cache: Service, atMs: number) => (cache === victim ? emptiness(atMs) : 0),
      onVisit({ operation, atMs }: Visit) {
        if (!stores.has(operation.service)) return undefined;
        const strength = intensity(context, atMs, RAMP_MS);
        if (strength === 0) return undefined;
        return { selfFactor: 1 + (selfFactor - 1) * strength, addedMs: addedMs * strength, failShare: 0 };
      },
      onPod(pod: Pod, atMs: number) {
        const strength = intensity(context, atMs, RAMP_MS);
        if (strength === 0) return undefined;
        if (pod.service === victim) return { keyShare: 1 - emptiness(atMs) };
        return stores.has(pod.service) ? { cpuAtLeast: 0.5 + 0.4 * strength } : undefined;
      },
    };
  },
};
