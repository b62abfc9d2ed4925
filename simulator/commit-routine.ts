/** What people do to a healthy shop day by day: every service is deployed about every two days, and commits come in between. */
import { innocentCommit } from './commit-change.ts';
import type { Service, Shop } from './compile-shop.ts';
import type { Disturbance } from './disturbance.ts';
import type { RandomStream } from './random-stream.ts';
import { innocentDeploy } from './rollout-change.ts';

const SLOT_MS = 2 * 86_400_000;
/** In other slots nobody finds the time. */
const DEPLOYED_SHARE = 0.9;
/** Commits that wait for a later deploy. */
const MOST_WAITING = 2;
/** Versions begin anew after so many slots, which is years. */
const VERSIONS = 1_000;

/** Everything in it belongs to the seed and the clock: another window shows the same. Times: [startMs, endMs). */
export function planRoutine(shop: Shop, stream: RandomStream, startMs: number, endMs: number): Disturbance {
  const services = shop.services.filter(({ runtime }) => runtime !== undefined);
  const plans = services.map((service) => planService(service, stream.fork(service.index), startMs, endMs));
  return {
    rollouts: plans.flatMap(({ rollouts }) => rollouts),
    changes: plans.flatMap(({ changes }) => changes),
  };
}

function planService(service: Service, stream: RandomStream, startMs: number, endMs: number): Disturbance {
  const isInside = (atMs: number) => atMs >= startMs && atMs < endMs;
  const first = Math.floor(startMs / SLOT_MS);
  const slots = Array.from({ length: Math.max(0, Math.floor(endMs / SLOT_MS) - first + 1) }, (_, index) =>
    planSlot(service, stream, first + index, isInside),
  );
  return {
    rollouts: slots.flatMap(({ rollouts }) => rollouts),
    changes: slots.flatMap(({ changes }) => changes),
  };
}

function planSlot(
  service: Service,
  stream: RandomStream,
  slot: number,
  isInside: (atMs: number) => boolean,
): Disturbance {
  const draws = stream.fork(slot);
  const isDeployed = draws.next() < DEPLOYED_SHARE;
  const waiting = Array.from({ length: draws.below(MOST_WAITING + 1) }, (_, index) => {
    const pushedMs = Math.round((slot + draws.next()) * SLOT_MS);
    return innocentCommit(service, pushedMs, draws.fork('waiting').fork(index)).change;
  }).filter(({ atMs }) => isInside(atMs));
  const atMs = deployTimeMs(stream, slot);
  if (!isDeployed || !isInside(atMs)) return { rollouts: [], changes: waiting };
  const version = routineVersion(service.version, slot);
  const previous = lastVersion(service.version, stream, atMs - 1);
  const { changes } = innocentDeploy(service, version, atMs, draws.fork('deploy'), previous);
  return { rollouts: [{ service, version, atMs }], changes: [...waiting, ...changes] };
}

function deployTimeMs(stream: RandomStream, slot: number): number {
  return Math.round((slot + stream.fork(slot).fork('time').next()) * SLOT_MS);
}

/** The version that a service runs at a moment, if only routine has changed it. @param stream as given to planRoutine */
export function versionAt(index: number, version: string, stream: RandomStream, atMs: number): string {
  return lastVersion(version, stream.fork(index), atMs);
}

function lastVersion(version: string, own: RandomStream, atMs: number): string {
  for (let slot = Math.floor(atMs / SLOT_MS); ; slot--) {
    if (deployTimeMs(own, slot) <= atMs && own.fork(slot).next() < DEPLOYED_SHARE) return routineVersion(version, slot);
  }
}

/** Patches grow with time; a slot without a deploy leaves one out. */
function routineVersion(version: string, slot: number): string {
  const [major = '0', minor = '0'] = version.split('.');
  return `${major}.${minor}.${slot % VERSIONS}`;
}
