/** Answers questions about single requests, who calls whom, where errors begin, and whom they hit. */
import { formatQuantity } from '../../domain/quantity.ts';
import { formatMinute } from '../../domain/time-window.ts';
import { compareAttributes } from '../../tools/read/compare-attributes.ts';
import { findErrorOrigins } from '../../tools/read/find-error-origins.ts';
import { findTraces } from '../../tools/read/find-traces.ts';
import { getServiceGraph } from '../../tools/read/get-service-graph.ts';
import { getTrace } from '../../tools/read/get-trace.ts';
import { type Asking, listOf, nothingThere, placeOf, type Said, tableOf, windowsToCompare } from './asking.ts';

const TEXT = { quantity: 'text' as const };
const LISTED = 5;
const MAX_LISTED = 50;

export async function answerTraces(asking: Asking): Promise<Said> {
  const { question, run } = asking;
  const [service] = question.services;
  const { operation, failing, time } = question;
  const limit = Math.min(question.limit ?? LISTED, MAX_LISTED);
  const { traces, totalRows } = await run(findTraces, {
    window: time.window,
    sort: failing ? 'most-errors' : 'slowest',
    limit,
    ...(service === undefined ? {} : { service }),
    ...(operation === undefined ? {} : { operation }),
    ...(failing ? { errorsOnly: true } : {}),
    ...(question.minDurationMs === undefined ? {} : { minDurationMs: question.minDurationMs }),
  });
  const what = `${failing ? 'traces with errors' : 'traces'} through ${placeOf(question)}`;
  const [first] = traces;
  if (!first) return nothingThere(asking, `no ${what}`);
  const rows = traces.map((trace) => [
    trace.traceId,
    trace.durationMs,
    trace.errors,
    trace.startMs,
    `${trace.rootService} ${trace.rootOperation}`,
  ]);
  const columns = [
    { heading: 'trace', ...TEXT },
    { heading: 'duration', quantity: 'duration' as const },
    { heading: 'errors', quantity: 'count' as const },
    { heading: 'start (UTC)', quantity: 'instant' as const },
    { heading: 'root', ...TEXT },
  ];
  const lead = failing ? 'one with most errors' : 'slowest';
  const spent = await timeSpent(asking, first.traceId);
  return {
    kind: 'answered',
    text: `${formatQuantity('count', totalRows)} ${what}; the ${lead}: ${first.traceId}, ${formatQuantity('duration', first.durationMs)}, ${first.errors} failed spans${spent}.`,
    tables: [tableOf(columns, rows, { limit, totalRows })],
    notes: [`inquest trace ${first.traceId} shows it whole.`],
  };
}

/** `, most of it in order (3.9 s itself)` */
async function timeSpent({ run }: Asking, traceId: string): Promise<string> {
  const { spans } = await run(getTrace, { traceId });
  const byService = Map.groupBy(spans, ({ service }) => service);
  const [most] = [...byService]
    .map(([service, own]) => ({ service, selfMs: own.reduce((sum, { selfMs }) => sum + selfMs, 0) }))
    .sort((left, right) => right.selfMs - left.selfMs);
  return most ? `, most of the time in ${most.service} itself (${formatQuantity('duration', most.selfMs)})` : '';
}

export async function answerTrace(asking: Asking): Promise<Said> {
  const traceId = asking.question.traceId ?? '';
  const { startMs, spans, totalSpans } = await asking.run(getTrace, { traceId });
  if (startMs === null) return { kind: 'empty', text: `No span, log line or exemplar carries trace ${traceId}.` };
  const lengthMs = Math.max(...spans.map(({ offsetMs, durationMs }) => offsetMs + durationMs), 0);
  const failed = spans.filter(({ status }) => status === 'Error');
  const rows = (failed.length > 0 ? failed : spans).map((span) => [
    span.service,
    span.operation,
    span.durationMs,
    span.selfMs,
    span.statusMessage ?? '',
  ]);
  const columns = [
    { heading: 'service', ...TEXT },
    { heading: failed.length > 0 ? 'failed operation' : 'operation', ...TEXT },
    { heading: 'duration', quantity: 'duration' as const },
    { heading: 'itself', quantity: 'duration' as const },
    { heading: 'message', ...TEXT },
  ];
  return {
    kind: 'answered',
    text: `Trace ${traceId}: ${totalSpans} spans from ${formatMinute(startMs)} UTC, ${formatQuantity('duration', lengthMs)}, ${failed.length} failed.`,
    tables: [tableOf(columns, rows, { limit: asking.question.limit })],
    window: { startMs: Math.floor(startMs), endMs: Math.floor(startMs + lengthMs) + 1 },
    notes: [`inquest trace ${traceId} shows it whole.`],
  };
}

export async function answerCalls(asking: Asking): Promise<Said> {
  const { question, run } = asking;
  const [service = ''] = question.services;
  const isCallers = question.topic === 'callers';
  const { edges } = await run(getServiceGraph, { window: question.time.window, service });
  const wanted = edges
    .filter(({ caller, callee }) => (isCallers ? callee : caller) === service)
    .sort((left, right) => right.window.calls - left.window.calls);
  if (wanted.length === 0) {
    return nothingThere(asking, isCallers ? `nobody calls ${service}` : `${service} calls nobody`);
  }
  const others = wanted.map(({ caller, callee }) => (isCallers ? caller : callee));
  const rows = wanted.map((edge, index) => [
    others[index] ?? '',
    edge.kind,
    edge.window.calls,
    edge.window.calls > 0 ? edge.window.errors / edge.window.calls : null,
    edge.window.clientP95Ms ?? edge.window.serverP95Ms,
  ]);
  const columns = [
    { heading: isCallers ? 'caller' : 'callee', ...TEXT },
    { heading: 'kind', ...TEXT },
    { heading: 'calls', quantity: 'count' as const },
    { heading: 'failed', quantity: 'ratio' as const },
    { heading: 'p95', quantity: 'duration' as const },
  ];
  const text = isCallers ? `${service} is called by ${listOf(others)}.` : `${service} calls ${listOf(others)}.`;
  return { kind: 'answered', text, tables: [tableOf(columns, rows, { limit: question.limit ?? 30 })] };
}

export async function answerErrorOrigins(asking: Asking): Promise<Said> {
  const { question, run } = asking;
  const windows = windowsToCompare(question);
  const { origins, totalRows } = await run(findErrorOrigins, windows);
  const wanted = origins.filter(({ windowCount }) => windowCount > 0);
  const [first] = wanted;
  if (!first) return { ...nothingThere(asking, 'no failing request', windows.window), ...windows };
  const rows = wanted.map((one) => [
    one.service,
    one.operation,
    one.reason || one.message,
    one.windowCount,
    one.baselineCount,
  ]);
  const columns = [
    ...['service', 'operation', 'reason'].map((heading) => ({ heading, ...TEXT })),
    { heading: 'errors', quantity: 'count' as const },
    { heading: 'before', quantity: 'count' as const },
  ];
  const share =
    first.failingTraceShare === null
      ? ''
      : `, in ${formatQuantity('ratio', first.failingTraceShare)} of the failing traces`;
  return {
    kind: 'answered',
    text: `Most errors begin in ${first.service}: ${first.operation}, ${first.reason || first.message || 'without a reason'} (${first.windowCount} times${share}).`,
    tables: [tableOf(columns, rows, { limit: question.limit, totalRows })],
    ...windows,
  };
}

/** Values that many of the affected, and few of the others, have. */
const MIN_Z = 3;

export async function answerAffected(asking: Asking): Promise<Said> {
  const { question, run } = asking;
  const windows = windowsToCompare(question);
  const [service] = question.services;
  const split = question.measures.includes('p95') && !question.failing ? 'slow' : 'failing';
  const found = await run(compareAttributes, {
    ...windows,
    split,
    limit: 50,
    ...(service === undefined ? {} : { service }),
    ...(question.operation === undefined ? {} : { operation: question.operation }),
  });
  const telling = found.attributes.filter(({ isOutcome, zScore, lift }) => !isOutcome && zScore >= MIN_Z && lift > 1);
  const affected = found.affectedTotal;
  const place = placeOf(question);
  if (affected === null && telling.length === 0) {
    return {
      kind: 'answered',
      text: `No value of any attribute stands out among ${split} requests of ${place}: nobody in particular is hit.`,
      ...windows,
    };
  }
  const [first] = telling;
  const text = first
    ? `${first.key} ${first.value} stands out: ${formatQuantity('ratio', first.affectedShare)} of the ${split} requests of ${place} have it, and ${formatQuantity('ratio', first.otherShare)} of the others.`
    : `No value of any attribute stands out among the ${affected} ${split} requests of ${place}.`;
  const rows = telling.map((one) => [one.key, one.value, one.affectedCount, one.affectedShare, one.otherShare]);
  const columns = [
    ...['attribute', 'value'].map((heading) => ({ heading, ...TEXT })),
    { heading: split, quantity: 'count' as const },
    { heading: `of ${split}`, quantity: 'ratio' as const },
    { heading: 'of others', quantity: 'ratio' as const },
  ];
  return { kind: 'answered', text, tables: [tableOf(columns, rows, { limit: question.limit })], ...windows };
}
