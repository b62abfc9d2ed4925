/** How a call ended, with the codes that HTTP and gRPC have for it. */
import { intAttribute, type KeyValue, textAttribute } from './otlp-json.ts';
import type { Failure, Protocol } from './shop-model.ts';

export interface Outcome {
  readonly kind: 'ok' | 'rejected' | 'internal' | 'unavailable' | 'timeout' | 'unreachable';
  readonly http: number;
  readonly grpc: number;
  readonly exception: string;
  readonly message: string;
}

export const OK: Outcome = { kind: 'ok', http: 200, grpc: 0, exception: '', message: '' };

/** The service's own failure. @param message already filled in */
export function failed({ exception, http = 500 }: Failure, message: string): Outcome {
  return { kind: 'internal', http, grpc: http === 503 ? 14 : 13, exception, message };
}

/** Something that the service needs failed or did not answer in time. */
export function failedBelow(peer: string, protocol: Protocol, below: Outcome): Outcome {
  if (below.kind === 'rejected') return below;
  // A client's own exception goes up as it is; a service's answer is no more than a code.
  if (below.kind === 'unreachable') return { ...below, kind: 'unavailable' };
  const late = below.kind === 'timeout';
  return {
    kind: late ? 'timeout' : 'unavailable',
    http: late ? 504 : 503,
    grpc: late ? 4 : 14,
    exception: late ? 'DeadlineExceeded' : 'UpstreamError',
    message: late ? `${peer} did not answer in time` : `${peer} failed: ${reasonOf(protocol, below)}`,
  };
}

export function timedOut(timeoutUs: number): Outcome {
  const message = `deadline of ${Math.round(timeoutUs / 1000)} ms exceeded`;
  return { kind: 'timeout', http: 504, grpc: 4, exception: 'DeadlineExceeded', message };
}

/** Nobody answered: all there is are the words of the caller's own client. */
export function unreachable({ exception, message }: Failure): Outcome {
  return { kind: 'unreachable', http: 503, grpc: 14, exception, message };
}

export function rejected(http: number, grpc: number, message: string): Outcome {
  return { kind: 'rejected', http, grpc, exception: '', message };
}

const GRPC_NAMES: Readonly<Record<number, string>> = { 4: 'DEADLINE_EXCEEDED', 13: 'INTERNAL', 14: 'UNAVAILABLE' };

/** All that a caller learns: a code from a service, the driver's exception from a database. */
export function reasonOf(protocol: Protocol, outcome: Outcome): string {
  if (outcome.kind === 'timeout') return 'timeout';
  if (outcome.kind === 'unreachable') return outcome.message;
  if (protocol === 'grpc') return GRPC_NAMES[outcome.grpc] ?? `code ${outcome.grpc}`;
  return protocol === 'http' || protocol === 'external' ? `HTTP ${outcome.http}` : outcome.exception;
}

/** Neither fine nor the client's own fault. */
export function isFailure(outcome: Outcome): boolean {
  return outcome.kind !== 'ok' && outcome.kind !== 'rejected';
}

const codes = new Map<number, KeyValue>();

/** The status attribute of a span; undefined where the protocol has none. */
export function codeAttribute(protocol: Protocol, outcome: Outcome): KeyValue | undefined {
  if (protocol === 'grpc') return cachedCode('rpc.grpc.status_code', outcome.grpc);
  if (protocol === 'http' || protocol === 'external') return cachedCode('http.response.status_code', outcome.http);
  return undefined;
}

/** gRPC codes end at 16, HTTP's begin at 100. */
function cachedCode(key: string, code: number): KeyValue {
  let attribute = codes.get(code);
  if (!attribute) {
    attribute = intAttribute(key, code);
    codes.set(code, attribute);
  }
  return attribute;
}

/** The code that metrics group by. */
export function codeOf(protocol: Protocol, outcome: Outcome): number {
  return protocol === 'grpc' ? outcome.grpc : outcome.http;
}

/** `error.type`: the code where the protocol has one, else the exception. */
export function errorType(protocol: Protocol, outcome: Outcome): KeyValue {
  if (outcome.kind === 'timeout') return textAttribute('error.type', 'timeout');
  if (outcome.kind === 'unreachable') return textAttribute('error.type', outcome.exception);
  const hasCode = protocol === 'http' || protocol === 'grpc' || protocol === 'external';
  return textAttribute('error.type', hasCode ? String(codeOf(protocol, outcome)) : outcome.exception);
}
