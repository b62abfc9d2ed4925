/** Somebody else's service is down: it answers with an error, or not in time, and nothing inside the shop is the cause. */
import type { Impact, Visit } from '../disturbance.ts';
import { type FaultContext, type FaultDefinition, intensity, isNeeded } from './fault.ts';

export const externalOutage: FaultDefinition = {
  suits: (service) => service.protocol === 'external' && isNeeded(service),
  plan(context: FaultContext) {
    const { victim, stream, onsetMs } = context;
    const message = `503 Service Unavailable from ${victim.host}`;
    const refuses: Impact = {
      selfFactor: stream.between(1, 2),
      addedMs: stream.between(40, 200),
      failShare: stream.between(0.6, 0.9),
      failure: { exception: 'HttpException', message, http: 503 },
    };
    const hangs: Impact = { selfFactor: 1, addedMs: stream.between(3_500, 6_000), failShare: 0 };
    const impact = stream.next() < 0.5 ? refuses : hangs;
    return {
      causeType: 'external-dependency',
      hurt: victim.operations,
      preludeMs: onsetMs,
      rollouts: [],
      changes: [],
      onVisit: ({ operation, atMs }: Visit) =>
        operation.service === victim && intensity(context, atMs, 0) > 0 ? impact : undefined,
    };
  },
};
