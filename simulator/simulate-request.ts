/**
 * Runs one user request through the shop: picks pods, spends time, calls on, retries, gives up, and leaves spans, logs and
 * counts with the pods. Every run draws from a stream named by its place in the trace, so that what happens to one call never
 * shifts the luck of another.
 */
import { type Arrival, drawOutcome, drawOwnTimeUs, sufferedBy, type World } from './arrival.ts';
import { type Call, isDependency } from './compile-shop.ts';
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
  const caller = { service: '', spanId: '' };
  serve({ world, request, operation: request.entry, caller, atUs: request.atUs, stream: request.stream.fork('root') });
}

function serve(arrival: Arrival): Reply {
  const { world, request, operation, caller, atUs, stream } = arrival;
  const pod = world.fleet.pick(operation.service, stream.next());
  const impact = sufferedBy(arrival, pod);
  const ownUs = drawOwnTimeUs(arrival, pod, impact);
  const ownOutcome = drawOutcome(arrival, impact);
  // Whoever fails does so somewhere on the way: what comes after is never called.
  const steps = ownOutcome.kind === 'ok' ? operation.steps.length : stream.below(operation.steps.length + 1);
  const running: Running = { arrival, pod, spanId: stream.id64() };
  const below = runSteps(running, steps, Math.max(1, Math.round(ownUs / (steps + 1))));
  const outcome = below.outcome.kind === 'ok' ? ownOutcome : below.outcome;
  const { endUs } = below;
  const facts = { spanId: running.spanId, parentSpanId: caller.spanId, startUs: atUs, endUs, outcome };
  writeServerSpan(request, operation, pod, facts);
  const code = codeOf(operation.service.protocol, outcome);
  countRequest(tallyOf(pod, endUs, world.intervalUs), operation, code, endUs - atUs);
  logRun(arrival, pod, impact, facts);
  return { endUs, outcome };
}

/** Own time is spent before the first step, between steps and after the last one. */
function runSteps(running: Running, steps: number, segmentUs: number): Reply {
  const { operation, atUs, stream } = running.arrival;
  let nowUs = atUs + segmentUs;
  for (let index = 0; index < steps; index++) {
    const reply = runStep(running, operation.steps[index] ?? [], nowUs, stream.fork(index));
    nowUs = reply.endUs + segmentUs;
    if (reply.outcome.kind !== 'ok') return { endUs: nowUs, outcome: reply.outcome };
  }
  return { endUs: nowUs, outcome: OK };
}

function runStep(running: Running, calls: readonly Call[], atUs: number, stream: RandomStream): Reply {
  let endUs = atUs;
  let outcome = OK;
  for (const [index, call] of calls.entries()) {
    const draws = stream.fork(index);
    if (call.probability < 1 && draws.next() >= call.probability) continue;
    const reply = callWithRetries(running, call, atUs, draws);
    endUs = Math.max(endUs, reply.endUs);
    if (reply.outcome.kind === 'ok') continue;
    if (!call.optional) outcome = failedBelow(call.target.service.name, call.target.service.protocol, reply.outcome);
    else if (isFailure(reply.outcome)) logFallback(running, call.target.service, reply);
  }
  return { endUs, outcome };
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
  const caller = { service: arrival.operation.service.name, spanId };
  const called = {
    world,
    request,
    operation: call.target,
    caller,
    atUs: startUs + wireUs,
    stream: stream.fork('served'),
  };
  const isQuery = isDependency(call.target.service);
  const reply = isQuery ? query(called) : serve(called);
  const answeredUs = reply.endUs + wireUs;
  const deadlineUs = startUs + call.timeoutUs;
  const endUs = Math.min(answeredUs, deadlineUs);
  const outcome = answeredUs <= deadlineUs ? reply.outcome : timedOut(call.timeoutUs);
  if (isQuery) tallyOf(pod, endUs, world.intervalUs).poolUs += endUs - startUs;
  writeClientSpan(
    request,
    call.target,
    pod,
    { spanId, parentSpanId: running.spanId, startUs, endUs, outcome },
    attempt,
  );
  return { endUs, outcome };
}

/** A dependency makes no spans; it counts, and writes down statements that took long. */
function query(arrival: Arrival): Reply {
  const { world, operation, atUs, stream } = arrival;
  const pod = world.fleet.pick(operation.service, stream.next());
  const impact = sufferedBy(arrival, pod);
  const tookUs = drawOwnTimeUs(arrival, pod, impact);
  const outcome = drawOutcome(arrival, impact);
  const endUs = atUs + tookUs;
  countRequest(tallyOf(pod, endUs, world.intervalUs), operation, codeOf(operation.service.protocol, outcome), tookUs);
  const isOurs = operation.service.protocol !== 'external';
  if (isOurs && tookUs > SLOW_STATEMENT_US) logSlowStatement(arrival, pod, tookUs);
  return { endUs, outcome };
}

/** The producer waits for the broker only; the consumer runs later, whatever becomes of the request. */
function publish(running: Running, call: Call, atUs: number, stream: RandomStream): Reply {
  const { arrival, pod } = running;
  const { world, request } = arrival;
  const carrier = call.target.service.queue?.operations[0];
  if (!carrier) return { endUs: atUs, outcome: OK };
  const spanId = stream.id64();
  const caller = { service: arrival.operation.service.name, spanId };
  const reply = query({ world, request, operation: carrier, caller, atUs, stream: stream.fork('broker') });
  writeClientSpan(request, call.target, pod, { spanId, parentSpanId: running.spanId, startUs: atUs, ...reply }, 0);
  if (reply.outcome.kind !== 'ok') return reply;
  const delayUs = Math.round(25_000 * Math.exp(0.6 * stream.normal()));
  const consumed = { world, request, operation: call.target, caller, atUs: reply.endUs + delayUs };
  serve({ ...consumed, stream: stream.fork('consumed') });
  return reply;
}
