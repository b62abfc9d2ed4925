/** Packets between one service and one of its callers take long: the caller waits, the callee is as quick as ever. */
import type { Operation, Service, Shop } from '../compile-shop.ts';
import type { Hop } from '../disturbance.ts';
import { type FaultContext, type FaultDefinition, intensity, isNeededService } from './fault.ts';

function callsTo(victim: Service): (operation: Operation) => boolean {
  return ({ steps }) => steps.flat().some(({ target, optional }) => target.service === victim && !optional);
}

/** The service whose users wait most often for the victim. */
function mainCaller(shop: Shop, victim: Service): Service | undefined {
  const callers = shop.operations.filter(callsTo(victim));
  return callers.sort((left, right) => right.requiredShare - left.requiredShare)[0]?.service;
}

export const networkDelay: FaultDefinition = {
  suits: (service, shop) => isNeededService(service) && mainCaller(shop, service) !== undefined,
  plan(context: FaultContext) {
    const { shop, victim, stream, onsetMs } = context;
    const caller = mainCaller(shop, victim);
    const delayMs = stream.between(350, 800);
    return {
      causeType: 'network-delay',
      // Other callers of the victim are fine.
      hurt: caller?.operations.filter(callsTo(victim)) ?? [],
      preludeMs: onsetMs,
      rollouts: [],
      changes: [],
      edge: { from: caller?.name ?? '', to: victim.name },
      onHop: (hop: Hop) =>
        hop.caller === caller && hop.target.service === victim && intensity(context, hop.atMs, 0) > 0
          ? { delayMs, brokenShare: 0, breakage: 'reset' }
          : undefined,
    };
  },
};
