/** The pods of a service run out of CPU: requests queue for it, collections take long, a few requests are turned away. */

import type { Visit } from '../disturbance.ts';
import type { Pod } from '../fleet.ts';
import type { Runtime } from '../shop-model.ts';
import { type FaultContext, type FaultDefinition, intensity, isNeededService } from './fault.ts';

const RAMP_MS = 20_000;
const OVERLOAD = { exception: 'OverloadError', message: 'worker queue full ({n} waiting), request dropped' };
const WARNINGS: Readonly<Record<Runtime, string>> = {
  jvm: 'GC overhead: collections took {n} ms of the last second',
  nodejs: 'Event loop blocked for {n} ms',
  go: 'scheduler latency {n} ms, GOMAXPROCS exhausted',
  python: 'worker busy for {n} ms, request queued',
};

export const cpuSaturation: FaultDefinition = {
  suits: isNeededService,
  plan(context: FaultContext) {
    const { victim, stream, onsetMs } = context;
    const selfFactor = stream.between(7, 14);
    const addedMs = stream.between(100, 200);
    const failShare = stream.between(0.005, 0.03);
    const warning = WARNINGS[victim.runtime ?? 'go'];
    return {
      causeType: 'cpu-saturation',
      hurt: victim.operations,
      preludeMs: onsetMs,
      rollouts: [],
      changes: [],
      onVisit({ operation, atMs }: Visit) {
        if (operation.service !== victim) return undefined;
        const strength = intensity(context, atMs, RAMP_MS);
        if (strength === 0) return undefined;
        const factor = 1 + (selfFactor - 1) * strength;
        return {
          selfFactor: factor,
          addedMs: addedMs * strength,
          failShare: failShare * strength,
          failure: OVERLOAD,
          warning,
          warningShare: 0.06 * strength,
        };
      },
      onPod(pod: Pod, atMs: number) {
        const strength = pod.service === victim ? intensity(context, atMs, RAMP_MS) : 0;
        if (strength === 0) return undefined;
        const idle = victim.cpu;
        return { cpuAtLeast: idle + (1 - idle) * Math.max(strength, 0.6), garbageFactor: 1 + 9 * strength };
      },
    };
  },
};
