/** From the options of `inquest simulate` to a plan: where the simulated time lies, how dense it is, and when it is enough. Pure. */
import { InputError } from '../../platform/errors.ts';
import type { FaultKind } from '../../simulator/faults/fault-kinds.ts';
import type { SimulationOptions } from '../../simulator/simulation-options.ts';
import { formatDuration } from './words.ts';

export interface LoadOptions {
  readonly fault?: FaultKind;
  /** Durations in milliseconds. */
  readonly faultAfter: number;
  readonly seed: number;
  /** User requests a second at average load. */
  readonly rate: number | 'max';
  readonly for: number;
  readonly history: number;
  readonly decoys?: true;
  readonly fast?: true;
  readonly out?: string;
}

export interface LoadPlan {
  readonly simulation: SimulationOptions;
  /** From here on simulated time passes as the clock does; Infinity: nowhere. */
  readonly presentMs: number;
  /** Wall clock time after which it is enough, wherever the simulated time has come to; Infinity: all of it is sent. */
  readonly wallMs: number;
  /** Requests under way at a time. */
  readonly connections: number;
}

/** Longer ones would take days to send. */
const MAX_SPAN_MS = 366 * 86_400_000;
/** `max`: so busy a shop that its simulated time cannot outrun the clock by far, so that it starts not far back either. */
const BUSIEST = 1_000;
const OUTRUN = 10;
const CONNECTIONS = 4;
/** From here on there is a batch a second; below, services export every ten. */
const BUSY = 100;

/** Throws InputError when the options do not fit together. */
export function planLoad(options: LoadOptions, nowMs: number): LoadPlan {
  const { history: historyMs, for: runMs } = options;
  if (Math.max(historyMs, runMs) > MAX_SPAN_MS) {
    throw new InputError(`--history and --for take at most ${formatDuration(MAX_SPAN_MS)} each.`);
  }
  return options.rate === 'max' ? planFlood(options, nowMs) : planShop(options, options.rate, nowMs);
}

function planFlood({ seed, for: runMs, history: historyMs, ...rest }: LoadOptions, nowMs: number): LoadPlan {
  if (rest.fault !== undefined || rest.decoys) {
    throw new InputError('--rate max sends a shop on which nothing breaks: with --fault or --decoys name a rate.');
  }
  if (rest.out !== undefined) throw new InputError('--out writes as fast as it can anyway: name a --rate.');
  const startMs = nowMs - Math.min(MAX_SPAN_MS, Math.max(historyMs, OUTRUN * runMs));
  return {
    simulation: { seed, startMs, endMs: nowMs + runMs, requestsPerSecond: BUSIEST, batchSeconds: 1 },
    presentMs: Number.POSITIVE_INFINITY,
    wallMs: runMs,
    connections: CONNECTIONS,
  };
}

function planShop(options: LoadOptions, requestsPerSecond: number, nowMs: number): LoadPlan {
  const { seed, history: historyMs, for: runMs, faultAfter: faultAfterMs } = options;
  if (requestsPerSecond > BUSIEST) throw new InputError(`--rate takes at most ${BUSIEST}; beyond that, max.`);
  if (options.fault && faultAfterMs >= runMs) {
    const after = formatDuration(faultAfterMs);
    throw new InputError(`--fault-after ${after} is not before the end: it runs --for ${formatDuration(runMs)}.`);
  }
  const isPast = options.fast ?? options.out !== undefined;
  const turnMs = nowMs - (isPast ? runMs : 0);
  const onsetMs = turnMs + faultAfterMs;
  return {
    simulation: {
      seed,
      startMs: turnMs - historyMs,
      endMs: turnMs + runMs,
      requestsPerSecond,
      batchSeconds: requestsPerSecond < BUSY ? 10 : 1,
      ...(options.fault ? { fault: { kind: options.fault, onsetMs } } : {}),
      ...(options.decoys ? { decoys: true, decoysAroundMs: onsetMs } : {}),
    },
    presentMs: isPast ? Number.POSITIVE_INFINITY : turnMs,
    wallMs: Number.POSITIVE_INFINITY,
    connections: requestsPerSecond < BUSY ? 1 : CONNECTIONS,
  };
}
