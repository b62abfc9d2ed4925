/** A call that has just arrived where it is served, and its luck: the impact it suffers, the time it takes, how it ends. */
import type { Operation, Service } from './compile-shop.ts';
import { type Disturbance, type Impact, impactOf, NO_IMPACT } from './disturbance.ts';
import type { Fleet, Pod } from './fleet.ts';
import { fillTemplate } from './log-text.ts';
import { failed, OK, type Outcome, rejected } from './outcome.ts';
import type { RandomStream } from './random-stream.ts';
import type { Failure } from './shop-model.ts';
import type { UserRequest } from './user-request.ts';
import type { Weather } from './weather.ts';

export interface World {
  readonly fleet: Fleet;
  readonly disturbances: readonly Disturbance[];
  /** By the service's index; of the second that is being simulated. */
  readonly weather: readonly Weather[];
  readonly intervalUs: number;
}

export interface Arrival {
  readonly world: World;
  readonly request: UserRequest;
  readonly operation: Operation;
  /** The waiting service and its client span: none and an empty id for a user. */
  readonly caller: { readonly service: Service | undefined; readonly spanId: string };
  readonly atUs: number;
  /** Named by the call's place in the trace. */
  readonly stream: RandomStream;
}

const WARM_UP_FACTOR = 1.35;
const TAIL_SHARE = 0.008;
const CALM: Weather = { slowness: 1, errorShare: 0 };

function weatherAt({ world, operation }: Arrival): Weather {
  return world.weather[operation.service.index] ?? CALM;
}

export function sufferedBy({ world, operation, caller, request, atUs }: Arrival, pod: Pod): Impact {
  if (world.disturbances.length === 0) return NO_IMPACT;
  return impactOf(world.disturbances, {
    operation,
    pod,
    caller: caller.service?.name ?? '',
    request,
    atMs: atUs / 1000,
  });
}

/** Lognormal, and in one of 125 runs a heavy tail on top (Pareto, up to 25 times). Whole microseconds. */
export function drawOwnTimeUs(arrival: Arrival, pod: Pod, impact: Impact): number {
  const { operation, stream, atUs } = arrival;
  const spread = Math.exp(operation.sigma * stream.normal());
  const tailDraw = stream.next();
  const tail = tailDraw < TAIL_SHARE ? Math.min(25, 2 * (tailDraw / TAIL_SHARE) ** -0.7) : 1;
  const medianUs = operation.selfUs * impact.selfFactor + impact.addedMs * 1000;
  const warmUp = atUs < pod.warmAtMs * 1000 ? WARM_UP_FACTOR : 1;
  const tookUs = medianUs * spread * tail * weatherAt(arrival).slowness * pod.speed * warmUp;
  return Math.max(20, Math.round(Math.min(operation.mostUs, tookUs)));
}

/** What becomes of the run if nothing that it calls fails. Always the same number of draws, so that a fault moves no other luck. */
export function drawOutcome(arrival: Arrival, impact: Impact): Outcome {
  const { operation, request, stream } = arrival;
  const noiseDraw = stream.next();
  const faultDraw = stream.next();
  const rejectDraw = stream.next();
  if (faultDraw < impact.failShare) return fail(impact.failure ?? operation.failure, arrival);
  if (noiseDraw < weatherAt(arrival).errorShare) return fail(operation.failure, arrival);
  const refusal = operation.rejected;
  if (refusal && rejectDraw < refusal.share) {
    return rejected(refusal.http, refusal.grpc, fillTemplate(refusal.message, stream.fork('rejected'), request));
  }
  return OK;
}

function fail(failure: Failure, { request, stream }: Arrival): Outcome {
  return failed(failure, fillTemplate(failure.message, stream.fork('failure'), request));
}
