/**
 * Innocent changes at the worst moment: deploys with their commits just before it, a flag, a config change, and a new WARN that
 * means nothing; beside a fault also on a neighbour of the victim, and on the victim itself where no change did it.
 */
import type { ChangeInput, ChangeKind } from '../domain/change.ts';
import { formatInstant } from '../domain/time-window.ts';
import { InvariantError } from '../platform/errors.ts';
import { AUTHORS } from './commit-change.ts';
import type { Service, Shop } from './compile-shop.ts';
import type { Disturbance, TimedChange, Visit } from './disturbance.ts';
import { pickDecoyServices } from './pick-victim.ts';
import type { RandomStream } from './random-stream.ts';
import { changeIdOf, innocentDeploy, nextVersion } from './rollout-change.ts';

const WARNINGS = [
  "client {customer} sends deprecated field 'legacy_id', support ends with the next major version",
  'configuration key cache.ttl is deprecated, use cache.max_age (read {n} times)',
  'response of {bytes} bytes is larger than advised, consider paging',
];
const FLAGS = ['new-badge-style', 'compact-header', 'wishlist-beta', 'dark-mode-default'];

/** @param aroundMs the moment that they shall look guilty of */
export function planDecoys(shop: Shop, seed: number, stream: RandomStream, aroundMs: number): Disturbance {
  const [first, second, third] = pickDecoyServices(shop, seed, 3, stream.fork('services'));
  if (!first || !second || !third) throw new InvariantError('The shop has too few services for decoys.');
  const draws = stream.fork('times');
  const lateMs = aroundMs - Math.round(draws.between(20_000, 50_000));
  const earlyMs = aroundMs - Math.round(draws.between(240_000, 600_000));
  const flagMs = aroundMs - Math.round(draws.between(5_000, 25_000));
  const configMs = aroundMs - Math.round(draws.between(50_000, 110_000));
  const late = nextVersion(first.version, 'minor');
  const early = nextVersion(second.version, 'patch');
  const flag = FLAGS[draws.below(FLAGS.length)] ?? '';
  const impact = {
    selfFactor: 1,
    addedMs: 0,
    failShare: 0,
    warning: WARNINGS[draws.below(WARNINGS.length)] ?? '',
    warningShare: 0.04,
  };
  return {
    rollouts: [
      { service: first, version: late, atMs: lateMs },
      { service: second, version: early, atMs: earlyMs },
    ],
    changes: [
      ...innocentDeploy(second, early, earlyMs, draws.fork('early')).changes,
      announce('config', third, configMs, `${third.name}: log sampling raised from 0.10 to 0.12`, draws.fork('config')),
      ...innocentDeploy(first, late, lateMs, draws.fork('late')).changes,
      announce('flag', third, flagMs, `Flag ${flag} switched on for 50% of users`, draws.fork('flag')),
    ],
    onVisit: ({ operation, pod }: Visit) => (operation.service === first && pod.version === late ? impact : undefined),
  };
}

export interface Victim {
  readonly service: Service;
  /** True: what broke it was a change; its own deploys are no decoys then. */
  readonly isChanged: boolean;
  readonly onsetMs: number;
}

/** Innocent deploys near the victim of a fault. @param taken services that have decoys already */
export function planNearDecoys(
  shop: Shop,
  { service, isChanged, onsetMs }: Victim,
  taken: ReadonlySet<Service>,
  stream: RandomStream,
): Disturbance {
  const neighbours = neighboursOf(shop, service).filter((each) => !taken.has(each));
  const neighbour = neighbours[stream.below(Math.max(1, neighbours.length))];
  const nearMs = onsetMs - Math.round(stream.between(15_000, 90_000));
  // Its pods are warm again before the fault, which stays what it would have been.
  const ownMs = onsetMs - Math.round(stream.between(180_000, 260_000));
  const deploys = [
    ...(neighbour ? [{ service: neighbour, atMs: nearMs }] : []),
    ...(isChanged || !service.runtime || service.index === 0 ? [] : [{ service, atMs: ownMs }]),
  ].map((deploy) => ({ ...deploy, version: nextVersion(deploy.service.version, 'patch') }));
  return {
    rollouts: deploys,
    changes: deploys.flatMap(
      (deploy) =>
        innocentDeploy(deploy.service, deploy.version, deploy.atMs, stream.fork(deploy.service.index)).changes,
    ),
  };
}

/** Who calls it and whom it calls, as far as they have code; the gateway is everybody's neighbour. */
function neighboursOf(shop: Shop, service: Service): Service[] {
  return shop.services.filter((other) => {
    const isNear = calls(other, service) || calls(service, other);
    return other !== service && other.runtime !== undefined && other.index > 0 && isNear;
  });
}

function calls(caller: Service, callee: Service): boolean {
  return caller.operations.some(({ steps }) => steps.flat().some(({ target }) => target.service === callee));
}

function announce(
  kind: ChangeKind,
  service: Service,
  atMs: number,
  summary: string,
  stream: RandomStream,
): TimedChange {
  const input: ChangeInput = {
    id: changeIdOf(kind, service, atMs),
    kind,
    service: service.name,
    at: formatInstant(atMs),
    version: '',
    summary,
    author: AUTHORS[stream.below(AUTHORS.length)] ?? '',
    url: '',
    attributes: {},
    diff: '',
  };
  return { atMs, input };
}
