/**
 * Who is hurt under a seed, and whose innocent changes distract. Services are dealt into three groups by position; a seed's
 * victim comes from one group and its decoys from another, so that decoys are the same whatever the fault, never hit the
 * victim, and three seeds in a row have three victims.
 */
import { InvariantError } from '../platform/errors.ts';
import type { Service, Shop } from './compile-shop.ts';
import type { RandomStream } from './random-stream.ts';

const GROUPS = 3;

function groupOf(service: Service): number {
  return service.index % GROUPS;
}

function mayDistract(service: Service, seed: number): boolean {
  return service.runtime !== undefined && service.index > 0 && groupOf(service) === seed % GROUPS;
}

/** @param kind so that different faults under one seed may have different victims */
export function pickVictim(
  shop: Shop,
  seed: number,
  kind: string,
  suits: (service: Service, shop: Shop) => boolean,
): Service {
  const group = (seed + 1) % GROUPS;
  const suitable = shop.services.filter((service) => suits(service, shop));
  const grouped = suitable.filter((service) => groupOf(service) === group);
  // Few services suit some faults: those are dealt out in turn.
  const candidates = grouped.length > 0 ? grouped : suitable.filter((service) => !mayDistract(service, seed));
  const victim = candidates[(Math.floor(seed / GROUPS) + kind.length) % Math.max(1, candidates.length)];
  if (!victim) throw new InvariantError(`No service of group ${group} suits the fault ${kind}.`);
  return victim;
}

/** @param count at most four */
export function pickDecoyServices(shop: Shop, seed: number, count: number, stream: RandomStream): Service[] {
  return shop.services
    .filter((service) => mayDistract(service, seed))
    .map((service) => ({ service, order: stream.fork(service.index).next() }))
    .sort((left, right) => left.order - right.order)
    .slice(0, count)
    .map(({ service }) => service);
}
