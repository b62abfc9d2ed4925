/**
 * Several times as many users come at once, all for the same few pages: whoever serves those and has least room left queues, and
 * the gateway, at its own limit, turns some of them away.
 */
import { type Operation, type Service, type Shop, visitsFrom } from '../compile-shop.ts';
import type { Visit } from '../disturbance.ts';
import { type FaultContext, type FaultDefinition, intensity } from './fault.ts';

const RAMP_MS = 15_000;
/** Pages that they come for. */
const PAGES = 3;
const OVERLOAD = {
  exception: 'OverloadError',
  message: 'request {id} shed: {n} requests are waiting, 256 allowed',
  http: 503,
};
/** Below this utilization nobody waits. */
const ROOMY = 0.6;
const MOST = 0.96;
const SHED_SHARE = 0.15;

/** The pages that most users ask for anyway, each as likely as among themselves. */
function busiestPages(shop: Shop): Shop['entries'] {
  const weighed = shop.entries.map(({ operation, upTo }, index) => ({
    operation,
    weight: upTo - (shop.entries[index - 1]?.upTo ?? 0),
  }));
  const pages = weighed.sort((left, right) => right.weight - left.weight).slice(0, PAGES);
  const total = pages.reduce((sum, { weight }) => sum + weight, 0);
  let upTo = 0;
  return pages.map(({ operation, weight }) => {
    upTo += weight / total;
    return { operation, upTo };
  });
}

/** By how much a service's load grows when as many come for these pages as usually come for all. */
function growthOf(entries: Shop['entries']): (service: Service) => number {
  const visits = entries.map(({ operation, upTo }, index) => ({
    weight: upTo - (entries[index - 1]?.upTo ?? 0),
    visits: visitsFrom(operation),
  }));
  return (service) => {
    const usual = service.operations.reduce((sum, operation: Operation) => sum + operation.visitsPerRequest, 0);
    const more = visits.reduce((sum, entry) => sum + entry.weight * (entry.visits.get(service) ?? 0), 0);
    return usual === 0 ? 0 : more / usual;
  };
}

export const trafficSurge: FaultDefinition = {
  suits: (service) => service.index === 0,
  plan(context: FaultContext) {
    const { shop, victim, stream } = context;
    const { onsetMs } = context;
    const share = stream.between(3, 4.5);
    const entries = busiestPages(shop);
    const growth = growthOf(entries);
    const growths = new Map(shop.services.map((service) => [service, growth(service)]));
    return {
      causeType: 'traffic-surge',
      hurt: victim.operations,
      preludeMs: onsetMs,
      rollouts: [],
      changes: [],
      onArrivals(atMs: number) {
        const strength = intensity(context, atMs, RAMP_MS);
        return strength === 0 ? undefined : { share: share * strength, entries };
      },
      onVisit({ operation: { service }, atMs }: Visit) {
        const strength = intensity(context, atMs, RAMP_MS);
        const used = Math.min(MOST, service.cpu * (1 + share * strength * (growths.get(service) ?? 0)));
        if (strength === 0 || used <= ROOMY) return undefined;
        // Waiting grows as in a queue with one server: with what is left of its time.
        const waiting = (1 - ROOMY) / (1 - used);
        return {
          selfFactor: waiting,
          addedMs: 6 * (waiting - 1),
          failShare: service === victim ? SHED_SHARE * strength : 0,
          failure: OVERLOAD,
        };
      },
    };
  },
};
