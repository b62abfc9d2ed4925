/** A database, cache or leaf service answers slowly without failing: everybody who waits for it is late, some give up. */
import { isDependency, type Service } from '../compile-shop.ts';
import type { Visit } from '../disturbance.ts';
import { type FaultContext, type FaultDefinition, intensity, isNeeded } from './fault.ts';

const RAMP_MS = 8_000;

function callsOnlyDependencies(service: Service): boolean {
  const calls = service.operations.flatMap((operation) => operation.steps.flat());
  return calls.every((call) => isDependency(call.target.service));
}

export const slowDependency: FaultDefinition = {
  suits: (service) =>
    service.index > 0 && service.protocol !== 'external' && isNeeded(service) && callsOnlyDependencies(service),
  plan(context: FaultContext) {
    const { victim, stream, onsetMs } = context;
    const addedMs = stream.between(160, 420);
    const selfFactor = stream.between(2, 4);
    return {
      causeType: 'slow-processing',
      hurt: victim.operations,
      preludeMs: onsetMs,
      rollouts: [],
      changes: [],
      onVisit({ operation, atMs }: Visit) {
        if (operation.service !== victim) return undefined;
        const strength = intensity(context, atMs, RAMP_MS);
        if (strength === 0) return undefined;
        return { selfFactor: 1 + (selfFactor - 1) * strength, addedMs: addedMs * strength, failShare: 0 };
      },
    };
  },
};
