/** What services write down while they serve a request: its success, refusal or exception, slowness, retries, fallbacks. */
import type { Arrival } from './arrival.ts';
import type { Service } from './compile-shop.ts';
import type { Impact } from './disturbance.ts';
import type { Pod } from './fleet.ts';
import { exceptionAttributes, fillTemplate, type LogContext, writeLog } from './log-text.ts';
import { type Outcome, reasonOf } from './outcome.ts';
import type { SpanFacts } from './write-span.ts';

interface Running {
  readonly arrival: Arrival;
  readonly pod: Pod;
  readonly spanId: string;
}

interface Ended {
  readonly endUs: number;
  readonly outcome: Outcome;
}

const SLOW_FACTOR = 4;
const SLOW_ALLOWANCE_US = 150_000;

function contextOf({ arrival, pod, spanId }: Running): LogContext {
  return { pod, traceId: arrival.request.traceId, spanId };
}

export function logRun(
  arrival: Arrival,
  pod: Pod,
  impact: Impact,
  { spanId, startUs, endUs, outcome }: SpanFacts,
): void {
  const { operation, request } = arrival;
  const context = contextOf({ arrival, pod, spanId });
  const stream = arrival.stream.fork('logs');
  const infoDraw = stream.next();
  const warningDraw = stream.next();
  const name = operation.naming.server;
  if (outcome.kind === 'ok') {
    if (infoDraw < operation.infoShare) writeLog(context, endUs, 'INFO', fillTemplate(operation.info, stream, request));
  } else if (outcome.kind === 'rejected') {
    writeLog(context, endUs, 'INFO', `${name} refused: ${outcome.message}`);
  } else {
    const attributes = exceptionAttributes(operation.service, operation.name, outcome.exception, outcome.message);
    writeLog(context, endUs, 'ERROR', `${name} failed: ${outcome.exception}: ${outcome.message}`, attributes);
  }
  const tookUs = endUs - startUs;
  if (tookUs > SLOW_FACTOR * operation.typicalUs + SLOW_ALLOWANCE_US) {
    writeLog(context, endUs, 'WARN', `Slow ${name}: ${Math.round(tookUs / 1000)} ms`);
  }
  if (impact.warning !== undefined && warningDraw < (impact.warningShare ?? 0)) {
    writeLog(context, endUs, 'WARN', fillTemplate(impact.warning, stream.fork('warning'), request));
  }
}

/** @param attempt the one that failed; 0 for the first */
export function logRetry(running: Running, peer: Service, attempt: number, startUs: number, failed: Ended): void {
  const tookMs = Math.round((failed.endUs - startUs) / 1000);
  const reason = reasonOf(peer.protocol, failed.outcome);
  const text = `Attempt ${attempt + 1} to reach ${peer.name} failed after ${tookMs} ms (${reason}), retrying`;
  writeLog(contextOf(running), failed.endUs, 'WARN', text);
}

export function logFallback(running: Running, peer: Service, failed: Ended): void {
  const text = `No answer from ${peer.name} (${reasonOf(peer.protocol, failed.outcome)}), continuing without it`;
  writeLog(contextOf(running), failed.endUs, 'WARN', text);
}

/** The dependency's own log: it knows no trace. */
export function logSlowStatement({ operation, caller, atUs }: Arrival, pod: Pod, tookUs: number): void {
  const text = `duration: ${(tookUs / 1000).toFixed(3)} ms  statement: ${operation.name} from ${caller.service?.name ?? '-'}`;
  writeLog({ pod, traceId: '', spanId: '' }, atUs + tookUs, 'WARN', text);
}
