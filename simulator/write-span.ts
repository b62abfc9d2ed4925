/** Writes the spans of one run: the server's (or consumer's) and the client's (or producer's), onto the pods that made them. */
import type { Operation } from './compile-shop.ts';
import type { Pod } from './fleet.ts';
import { exceptionAttributes } from './log-text.ts';
import { intAttribute, type KeyValue, nanosOf, SPAN_KIND, type Span, textAttribute } from './otlp-json.ts';
import { codeAttribute, errorType, isFailure, type Outcome } from './outcome.ts';
import type { UserRequest } from './user-request.ts';

const UNSET: Span['status'] = {};
const NO_EVENTS: Span['events'] = [];
const USER_AGENT = textAttribute('user_agent.original', 'Mozilla/5.0 (X11; Linux x86_64) Shop/4.2');
const METHOD_HAS_PATH = new Set(['http', 'external']);

export interface SpanFacts {
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly startUs: number;
  readonly endUs: number;
  readonly outcome: Outcome;
}

/** A path such as /products/48213: the route with its parameter filled, the same for one trace. */
function pathOf(route: string, request: UserRequest): string {
  return route.includes('{') ? route.replace('{id}', String(Number.parseInt(request.traceId.slice(0, 4), 16))) : route;
}

export function writeServerSpan(request: UserRequest, operation: Operation, pod: Pod, facts: SpanFacts): void {
  const { service, naming } = operation;
  const { outcome } = facts;
  const attributes: KeyValue[] = operation.server.concat(request.baggage);
  if (facts.parentSpanId === '') {
    attributes.push(
      textAttribute('app.user.id', request.user),
      textAttribute('client.address', request.ip),
      USER_AGENT,
    );
  }
  if (naming.route !== '') attributes.push(textAttribute('url.path', pathOf(naming.route, request)));
  const code = codeAttribute(service.protocol, outcome);
  if (code) attributes.push(code);
  const isError = isFailure(outcome);
  if (isError) attributes.push(errorType(service.protocol, outcome));
  pod.spans.push({
    traceId: request.traceId,
    spanId: facts.spanId,
    parentSpanId: facts.parentSpanId,
    name: naming.server,
    kind: service.protocol === 'consumer' ? SPAN_KIND.consumer : SPAN_KIND.server,
    startTimeUnixNano: nanosOf(facts.startUs),
    endTimeUnixNano: nanosOf(facts.endUs),
    attributes,
    events: isError ? [exceptionEvent(operation, facts)] : NO_EVENTS,
    status: isError ? { code: 2, message: outcome.message } : UNSET,
  });
}

function exceptionEvent(operation: Operation, { endUs, outcome }: SpanFacts): Span['events'][number] {
  const attributes = exceptionAttributes(operation.service, operation.name, outcome.exception, outcome.message);
  return { timeUnixNano: nanosOf(endUs), name: 'exception', attributes };
}

function isUnanswered({ kind }: Outcome): boolean {
  return kind === 'timeout' || kind === 'unreachable';
}

/** @param attempt 0 for the first; @param pod the caller's */
export function writeClientSpan(
  request: UserRequest,
  target: Operation,
  pod: Pod,
  facts: SpanFacts,
  attempt: number,
): void {
  const { service, naming } = target;
  const { outcome } = facts;
  const attributes = target.client.slice();
  if (service.protocol === 'http') {
    attributes.push(
      textAttribute('url.full', `http://${service.host}:${service.port}${pathOf(naming.route, request)}`),
    );
  }
  if (attempt > 0 && METHOD_HAS_PATH.has(service.protocol)) {
    attributes.push(intAttribute('http.request.resend_count', attempt));
  }
  const isError = outcome.kind !== 'ok';
  // Nobody answered a call that timed out or never arrived: it has no code, unless the protocol's client makes one up as gRPC does.
  const code =
    isUnanswered(outcome) && service.protocol !== 'grpc' ? undefined : codeAttribute(service.protocol, outcome);
  if (code) attributes.push(code);
  if (isError) attributes.push(errorType(service.protocol, outcome));
  pod.spans.push({
    traceId: request.traceId,
    spanId: facts.spanId,
    parentSpanId: facts.parentSpanId,
    name: naming.client,
    kind: service.protocol === 'consumer' ? SPAN_KIND.producer : SPAN_KIND.client,
    startTimeUnixNano: nanosOf(facts.startUs),
    endTimeUnixNano: nanosOf(facts.endUs),
    attributes,
    events: NO_EVENTS,
    status: isError ? { code: 2, message: outcome.message } : UNSET,
  });
}
