/**
 * Runs one user request through the shop: picks pods, spends time, calls on, retries, gives up, and leaves spans, logs and
 * counts with the pods. Every run draws from a stream named by its place in the trace, so that what happens to one call never
 * shifts the luck of another.
 */
import { type Arrival, drawOutcome, drawOwnTimeUs, sufferedBy, type World } from './arrival.ts';
import { type Call, isDependency, type Service } from './compile-shop.ts';
import { type Breakage, brokenConnection } from './connection-errors.ts';
import { type Impact, wireOf } from './disturbance.ts';
import { type Pod, tallyOf } from './fleet.ts';
import { codeOf, failedBelow, isFailure, OK, type Outcome, timedOut } from './outcome.ts';
import type { RandomStream } from './random-stream.ts';
import { logFallback, logRetry, logRun, logSlowStatement } from './request-logs.ts';
import { countRequest } from './tally.ts';
import type { UserRequest } from './user-request.ts';
import { writeClientSpan, writeServerSpan } from './write-span.ts';

const SLOW_STATEMENT_US = 250_000;

interface Reply {
  readonly endUs: number;
  readonly outcome: Outcome;
}

/** A run that is under way. */
interface Running {
  readonly arrival: Arrival;
  readonly pod: Pod;
  readonly spanId: string;
}

export function simulateRequest(world: World, request: UserRequest): void {
  const caller = { service: undefined, spanId: '' };
  serve({ world, request, operation: request.entry, caller, atUs: request.atUs, stream: request.stream.fork('root') });
}

function serve(arrival: Arrival): Reply {
  const { world, request, operation, caller, atUs, stream } = arrival;
  const pod = world.fleet.pick(operation.service, stream.next(), atUs / 1000);
  if (!pod) return unserved(arrival, 'refused', atUs);
  const impact = sufferedBy(arrival, pod);
  const spentUs = drawOwnTimeUs(arrival, pod, impact);
  const ownOutcome = drawOutcome(arrival, impact);
  const ownUs = spentUs + (ownOutcome.kind === 'internal' ? failTimeUs(impact) : 0);
  // Whoever fails does so somewhere on the way: what comes after is never called.
  const steps = ownOutcome.kind === 'ok' ? operation.steps.length : stream.below(operation.steps.length + 1);
  const running: Running = { arrival, pod, spanId: stream.id64() };
  const below = runSteps(running, steps, Math.max(1, Math.round(ownUs / (steps + 1))));
  const outcome = below.outcome.kind === 'ok' ? ownOutcome : below.outcome;
  const { endUs } = below;
  if (isLost(pod, endUs)) return unserved(arrival, 'reset', Math.round(pod.diesAtMs * 1000));
  const facts = { spanId: running.spanId, parentSpanId: caller.spanId, startUs: atUs, endUs, outcome };
  writeServerSpan(request, operation, pod, facts);
  const code = codeOf(operation.service.protocol, outcome);
  countRequest(tallyOf(pod, endUs, world.intervalUs), operation, code, endUs - atUs);
  logRun(arrival, pod, impact, facts);
  return { endUs, outcome };
}

function failTimeUs({ failAddedMs = 0 }: Impact): number {
  return Math.round(failAddedMs * 1000);
}

/** A process that is killed takes along what it has not finished: spans, logs and counts. */
function isLost({ diesAtMs }: Pod, endUs: number): boolean {
  return endUs > diesAtMs * 1000;
}

function unserved({ operation, caller }: Arrival, breakage: Breakage, endUs: number): Reply {
  return { endUs, outcome: brokenConnection(breakage, caller.service, operation.service) };
}

/** Own time is spent before the first step, between steps and after the last one. */
function runSteps(running: Running, steps: number, segmentUs: number): Reply {
  const { operation, atUs, stream } = running.arrival;
  let nowUs = atUs + segmentUs;
  for (let index = 0; index < steps && !isLost(running.pod, nowUs); index++) {
    const reply = runStep(running, operation.steps[index] ?? [], nowUs, stream.fork(index));
    nowUs = reply.endUs + segmentUs;
    if (reply.outcome.kind !== 'ok') return { endUs: nowUs, outcome: reply.outcome };
  }
  return { endUs: nowUs, outcome: OK };
}

function runStep(running: Running, calls: readonly Call[], atUs: number, stream: RandomStream): Reply {
  const { world } = running.arrival;
  let endUs = atUs;
  let outcome = OK;
  for (const [index, call] of calls.entries()) {
    const draws = stream.fork(index);
    if (call.probability < 1 && draws.next() >= probabilityOf(call, world, atUs)) continue;
    if (call.cache) countMiss(world, call.cache, atUs);
    const reply = callWithRetries(running, call, atUs, draws);
    endUs = Math.max(endUs, reply.endUs);
    if (reply.outcome.kind === 'ok') continue;
    if (!call.optional) outcome = failedBelow(call.target.service.name, call.target.service.protocol, reply.outcome);
    else if (isFailure(reply.outcome)) logFallback(running, call.target.service, reply);
  }
  return { endUs, outcome };
}

/** A call behind a cache is made as often as the cache finds nothing. */
function probabilityOf({ probability, cache }: Call, { disturbances }: World, atUs: number): number {
  if (!cache) return probability;
  return disturbances.reduce((most, { onLookup }) => Math.max(most, onLookup?.(cache, atUs / 1000) ?? 0), probability);
}

function callWithRetries(running: Running, call: Call, atUs: number, stream: RandomStream): Reply {
  if (call.target.service.queue) return publish(running, call, atUs, stream);
  let startUs = atUs;
  for (let attempt = 0; ; attempt++) {
    const draws = stream.fork(attempt);
    const reply = callOnce(running, call, attempt, startUs, draws);
    if (!isFailure(reply.outcome) || attempt >= call.retries) return reply;
    logRetry(running, call.target.service, attempt, startUs, reply);
    startUs = reply.endUs + Math.round(draws.between(15_000, 45_000) * 2 ** attempt);
  }
}

function callOnce(running: Running, call: Call, attempt: number, startUs: number, stream: RandomStream): Reply {
  const { arrival, pod } = running;
  const { world, request } = arrival;
  const spanId = stream.id64();
  const wireUs = Math.round(120 * Math.exp(0.5 * stream.normal()));
  const caller = { service: arrival.operation.service, spanId };
  const reply = travel(
    { world, request, operation: call.target, caller, atUs: startUs, stream: stream.fork('served') },
    stream.fork('wire'),
    wireUs,
  );
  const deadlineUs = startUs + call.timeoutUs;
  const endUs = Math.min(reply.endUs, deadlineUs);
  const outcome = reply.endUs <= deadlineUs ? reply.outcome : timedOut(call.timeoutUs);
  if (isLost(pod, endUs)) return { endUs, outcome };
  if (isDependency(call.target.service)) tallyOf(pod, endUs, world.intervalUs).poolUs += endUs - startUs;
  const facts = { spanId, parentSpanId: running.spanId, startUs, endUs, outcome };
  writeClientSpan(request, call.target, pod, facts, attempt);
  return { endUs, outcome };
}

/** There, being served, and back. @param wireUs one way, in ordinary time */
function travel(arrival: Arrival, stream: RandomStream, wireUs: number): Reply {
  const { world, request, operation, caller, atUs } = arrival;
  const target = operation;
  const hop = caller.service && { caller: caller.service, target, request, atMs: atUs / 1000 };
  const wire = hop && wireOf(world.disturbances, hop);
  const oneWayUs = wire ? wireUs + Math.round(500 * wire.delayMs * Math.exp(0.3 * stream.normal())) : wireUs;
  if (wire && stream.next() < wire.brokenShare) return unserved(arrival, wire.breakage, atUs + 3 * oneWayUs);
  const arrived = { ...arrival, atUs: atUs + oneWayUs };
  const { endUs, outcome } = isDependency(operation.service) ? query(arrived) : serve(arrived);
  return { endUs: endUs + oneWayUs, outcome };
}

/** A dependency makes no spans; it counts, and writes down statements that took long. */
function query(arrival: Arrival): Reply {
  const { world, operation, atUs, stream } = arrival;
  const pod = world.fleet.pick(operation.service, stream.next(), atUs / 1000);
  if (!pod) return unserved(arrival, 'refused', atUs);
  const impact = sufferedBy(arrival, pod);
  const tookUs = drawOwnTimeUs(arrival, pod, impact);
  const outcome = drawOutcome(arrival, impact);
  const endUs = atUs + tookUs;
  countRequest(tallyOf(pod, endUs, world.intervalUs), operation, codeOf(operation.service.protocol, outcome), tookUs);
  const isOurs = operation.service.protocol !== 'external';
  if (isOurs && tookUs > SLOW_STATEMENT_US) logSlowStatement(arrival, pod, tookUs);
  return { endUs, outcome };
}

function countMiss({ fleet, intervalUs }: World, cache: Service, atUs: number): void {
  const pod = fleet.pick(cache, 0, atUs / 1000);
  if (pod) tallyOf(pod, atUs, intervalUs).misses += 1;
}

/** The producer waits for the broker only; the consumer runs later, whatever becomes of the request. */
function publish(running: Running, call: Call, atUs: number, stream: RandomStream): Reply {
  const { arrival, pod } = running;
  const { world, request } = arrival;
  const carrier = call.target.service.queue?.operations[0];
  if (!carrier) return { endUs: atUs, outcome: OK };
  const spanId = stream.id64();
  const caller = { service: arrival.operation.service, spanId };
  const reply = query({ world, request, operation: carrier, caller, atUs, stream: stream.fork('broker') });
  writeClientSpan(request, call.target, pod, { spanId, parentSpanId: running.spanId, startUs: atUs, ...reply }, 0);
  if (reply.outcome.kind !== 'ok') return reply;
  const delayUs = Math.round(25_000 * Math.exp(0.6 * stream.normal()));
  const consumed = { world, request, operation: call.target, caller, atUs: reply.endUs + delayUs };
  serve({ ...consumed, stream: stream.fork('consumed') });
  return reply;
}
