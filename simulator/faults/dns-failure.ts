/** One name no longer resolves: calls to its owner fail before they leave, and its owner, who is fine, wonders where everybody is. */
import type { Hop } from '../disturbance.ts';
import { type FaultContext, type FaultDefinition, intensity, isNeeded } from './fault.ts';

/** Connections that were open stay open, and are used up one by one. */
const RAMP_MS = 12_000;

export const dnsFailure: FaultDefinition = {
  suits: (service) => service.index > 0 && service.protocol !== 'external' && isNeeded(service),
  plan(context: FaultContext) {
    const { victim, stream, onsetMs } = context;
    // Some resolvers still know the name.
    const brokenShare = stream.between(0.6, 0.9);
    return {
      causeType: 'name-resolution',
      hurt: victim.operations,
      preludeMs: onsetMs,
      rollouts: [],
      changes: [],
      onHop({ target, atMs }: Hop) {
        const strength = target.service === victim ? intensity(context, atMs, RAMP_MS) : 0;
        if (strength === 0) return undefined;
        return { delayMs: 0, brokenShare: brokenShare * strength, breakage: 'unresolved' };
      },
    };
  },
};
