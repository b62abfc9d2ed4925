/**
 * A service keeps what it should let go. Its pods fill up one after another, collections eat their time and allocations fail;
 * at its limit a container is killed with all that is under way, starts anew with an empty heap, and leaks again.
 */
import type { Service } from '../compile-shop.ts';
import type { Visit } from '../disturbance.ts';
import type { Pod } from '../fleet.ts';
import type { Failure, Runtime } from '../shop-model.ts';
import { type FaultContext, type FaultDefinition, isNeededService, mainOperation } from './fault.ts';

/** Its pods are in trouble one at a time: where fewer users pass nobody would be woken. */
const MIN_REQUIRED_SHARE = 0.15;
/** What a leak begins with, as a share of the limit; it ends at 1. */
const BASE = 0.5;
const EMPTY = 0.3;
/** Above this share collections take longer and longer: users are hurt. */
const TIGHT = 0.8;
/** Each pod takes this share of the first one's time longer. */
const STAGGER = 0.35;

interface Symptoms {
  /** Factor on the own time when nothing is free. */
  readonly strain: number;
  readonly failure: Failure;
  readonly warning: string;
}

const SYMPTOMS: Readonly<Record<Runtime, Symptoms>> = {
  jvm: {
    strain: 9,
    failure: { exception: 'java.lang.OutOfMemoryError', message: 'Java heap space' },
    warning: 'GC: pause full (allocation failure) took {n} ms',
  },
  nodejs: {
    strain: 8,
    failure: { exception: 'RangeError', message: 'Array buffer allocation failed' },
    warning: 'mark-sweep took {n} ms, allocation failure; scavenge might not succeed',
  },
  go: {
    strain: 6,
    failure: { exception: 'fs.PathError', message: 'mmap /tmp/{id}: cannot allocate memory' },
    warning: 'gc {n}: assist time above 25%, heap is close to GOMEMLIMIT',
  },
  python: {
    strain: 6,
    failure: { exception: 'MemoryError', message: 'Unable to allocate {n} KiB for an array' },
    warning: 'gc: generation 2 took {n} ms, 0 objects collected',
  },
};

export const memoryLeak: FaultDefinition = {
  suits: (service) => isNeededService(service) && mainOperation(service).requiredShare >= MIN_REQUIRED_SHARE,
  plan(context: FaultContext) {
    const { victim, stream, onsetMs, endMs } = context;
    const drawnMs = stream.between(90_000, 120_000);
    const fillMs = context.fillMs ?? drawnMs;
    const addedMs = stream.between(240, 420);
    // The first pod is tight at the onset.
    const leakMs = Math.round(onsetMs - (fillMs * (TIGHT - BASE)) / (1 - BASE));
    const { strain, failure, warning } = SYMPTOMS[victim.runtime ?? 'go'];
    const lifeEnd = (service: Service, slot: number, startedMs: number) => {
      const diesMs = Math.round(Math.max(startedMs, leakMs) + fillMs * (1 + STAGGER * slot));
      return service === victim && diesMs < endMs ? diesMs : Number.POSITIVE_INFINITY;
    };
    const memoryOf = ({ service, slot, startedMs, restarts }: Pod, atMs: number) => {
      if (service !== victim || atMs < leakMs || atMs >= endMs) return undefined;
      const filled = (atMs - Math.max(startedMs, leakMs)) / (fillMs * (1 + STAGGER * slot));
      const base = restarts > 0 ? EMPTY : BASE;
      return base + (1 - base) * Math.min(1, Math.max(0, filled));
    };
    const tightness = (memory: number | undefined) => Math.max(0, ((memory ?? 0) - TIGHT) / (1 - TIGHT));
    return {
      causeType: 'memory-exhaustion',
      hurt: victim.operations,
      preludeMs: leakMs,
      // Until the first container is killed.
      developsMs: Math.round(leakMs + fillMs - onsetMs),
      rollouts: [],
      changes: [],
      lifeEnd,
      onVisit({ operation, pod, atMs }: Visit) {
        const tight = operation.service === victim ? tightness(memoryOf(pod, atMs)) : 0;
        if (tight === 0) return undefined;
        return {
          selfFactor: 1 + strain * tight,
          addedMs: addedMs * tight,
          failShare: 0.4 * tight,
          failure,
          warning,
          warningShare: 0.15 * tight,
        };
      },
      onPod(pod: Pod, atMs: number) {
        const memory = memoryOf(pod, atMs);
        if (memory === undefined) return undefined;
        const tight = tightness(memory);
        return { memory, garbageFactor: 1 + 14 * tight, cpuAtLeast: 0.7 * tight };
      },
    };
  },
};
