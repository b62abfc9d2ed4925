/** Everything that is settled before the first request: the shop, the fault and its victim, the decoys, the ordinary changes. */
import { planRoutine, versionAt } from './commit-routine.ts';
import { compileShop, type Shop } from './compile-shop.ts';
import { planDecoys, planNearDecoys } from './decoys.ts';
import type { Disturbance } from './disturbance.ts';
import type { FaultPlan } from './faults/fault.ts';
import { FAULTS } from './faults/fault-kinds.ts';
import type { Rollout } from './fleet.ts';
import { planOrdinaryLife, withOrdinaryLife } from './ordinary-life.ts';
import { pickVictim } from './pick-victim.ts';
import { RandomStream } from './random-stream.ts';
import { SHOP } from './shop.ts';
import { readSimulationOptions, type SimulationOptions } from './simulation-options.ts';

export interface SimulationPlan {
  readonly options: ReturnType<typeof readSimulationOptions>;
  readonly shop: Shop;
  readonly root: RandomStream;
  readonly fault: (FaultPlan & { readonly victim: string }) | undefined;
  readonly decoys: Disturbance | undefined;
  readonly routine: Disturbance;
  readonly life: readonly Disturbance[];
}

/** Nobody deploys out of habit so shortly before a fault or decoys, nor after: those are to be told apart. */
const FREEZE_MS = 20 * 60_000;

/** Throws InputError when the options are not valid. */
export function planSimulation(given: SimulationOptions): SimulationPlan {
  const options = readSimulationOptions(given);
  const root = RandomStream.fromSeed(options.seed);
  const habits = root.fork('routine');
  const anchorMs = options.decoysAroundMs ?? options.fault?.onsetMs ?? Number.POSITIVE_INFINITY;
  const restMs = anchorMs - FREEZE_MS;
  const model = options.ordinaryLife ? withOrdinaryLife(SHOP) : SHOP;
  const versionsAt = (atMs: number) =>
    model.services.map(({ version }, index) => versionAt(index, version, habits, atMs));
  // What is done to the shop around the fault builds on what routine has made of it by then.
  const latest = versionsAt(Number.isFinite(restMs) ? restMs : options.startMs);
  const services = model.services.map((service, index) => ({ ...service, version: latest[index] ?? service.version }));
  const shop = compileShop({ ...model, services });
  const initial = versionsAt(Math.min(options.startMs, restMs));
  const ordinary = planRoutine(shop, habits, options.startMs, Math.min(options.endMs, restMs));
  const routine = { ...ordinary, rollouts: [...earlierRollouts(shop, initial, options.startMs), ...ordinary.rollouts] };
  const fault = planFault(options, shop, root);
  const life = options.ordinaryLife ? planOrdinaryLife(shop, root.fork('ordinary life')) : [];
  return { options, shop, root, fault, decoys: planAllDecoys(options, shop, root, fault), routine, life };
}

/** So long before the beginning that every pod is warm. */
const EARLIER_MS = 600_000;

/** Puts the versions in place that run at the beginning, where they are not the latest. */
function earlierRollouts({ services }: Shop, initial: readonly string[], startMs: number): Rollout[] {
  return services.flatMap((service, index) => {
    const version = initial[index] ?? service.version;
    return version === service.version ? [] : [{ service, version, atMs: startMs - EARLIER_MS }];
  });
}

/** The same day without its fault: what its effects are measured against. */
export function withoutFault(plan: SimulationPlan): SimulationPlan {
  return { ...plan, fault: undefined };
}

/** All that sets the plan apart from an ordinary hour. */
export function disturbancesOf({ routine, life, decoys, fault }: SimulationPlan): Disturbance[] {
  return [routine, ...life, decoys, fault].filter((disturbance) => disturbance !== undefined);
}

function planFault(options: SimulationPlan['options'], shop: Shop, root: RandomStream): SimulationPlan['fault'] {
  if (!options.fault) return undefined;
  const { kind, onsetMs, endMs = Number.POSITIVE_INFINITY, fillMs } = options.fault;
  const victim = pickVictim(shop, options.seed, kind, FAULTS[kind].suits);
  const stream = root.fork('fault').fork(kind);
  const plan = FAULTS[kind].plan({ shop, victim, onsetMs, endMs, stream, ...(fillMs === undefined ? {} : { fillMs }) });
  return { ...plan, victim: victim.name };
}

function planAllDecoys(
  options: SimulationPlan['options'],
  shop: Shop,
  root: RandomStream,
  fault: SimulationPlan['fault'],
): Disturbance | undefined {
  const aroundMs = options.decoysAroundMs ?? (options.decoys ? options.fault?.onsetMs : undefined);
  if (aroundMs === undefined) return undefined;
  const anywhere = planDecoys(shop, options.seed, root.fork('decoys'), aroundMs);
  if (!fault || !options.fault) return anywhere;
  const taken = new Set(anywhere.changes.map(({ input }) => shop.find(input.service)));
  const victim = {
    service: shop.find(fault.victim),
    isChanged: fault.changeId !== undefined,
    onsetMs: options.fault.onsetMs,
  };
  const near = planNearDecoys(shop, victim, taken, root.fork('near decoys').fork(options.fault.kind));
  return {
    ...anywhere,
    rollouts: [...anywhere.rollouts, ...near.rollouts],
    changes: [...anywhere.changes, ...near.changes],
  };
}
