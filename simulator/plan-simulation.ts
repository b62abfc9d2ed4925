/** Everything that is settled before the first request: the shop, the fault and its victim, the decoys. */
import { compileShop, type Shop } from './compile-shop.ts';
import { planDecoys } from './decoys.ts';
import type { Disturbance } from './disturbance.ts';
import type { FaultPlan } from './faults/fault.ts';
import { FAULTS } from './faults/fault-kinds.ts';
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
}

/** Throws InputError when the options are not valid. */
export function planSimulation(given: SimulationOptions): SimulationPlan {
  const options = readSimulationOptions(given);
  const shop = compileShop(SHOP);
  const root = RandomStream.fromSeed(options.seed);
  const aroundMs = options.decoysAroundMs ?? (options.decoys ? options.fault?.onsetMs : undefined);
  const decoys = aroundMs === undefined ? undefined : planDecoys(shop, options.seed, root.fork('decoys'), aroundMs);
  return { options, shop, root, fault: planFault(options, shop, root), decoys };
}

function planFault(options: SimulationPlan['options'], shop: Shop, root: RandomStream): SimulationPlan['fault'] {
  if (!options.fault) return undefined;
  const { kind, onsetMs, endMs = Number.POSITIVE_INFINITY } = options.fault;
  const victim = pickVictim(shop, options.seed, kind, FAULTS[kind].suits);
  const plan = FAULTS[kind].plan({ shop, victim, onsetMs, endMs, stream: root.fork('fault').fork(kind) });
  return { ...plan, victim: victim.name };
}
