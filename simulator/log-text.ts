/** Log records of the shop: templates filled with what varies, exceptions with stack traces in each runtime's own manner. */
import type { Service } from './compile-shop.ts';
import type { Pod } from './fleet.ts';
import { type KeyValue, type LogRecord, nanosOf, textAttribute } from './otlp-json.ts';
import { RandomStream } from './random-stream.ts';
import type { Runtime } from './shop-model.ts';
import type { UserRequest } from './user-request.ts';

const SEVERITY = { INFO: 9, WARN: 13, ERROR: 17 } as const;
type Severity = keyof typeof SEVERITY;

const WORDS = ['wool', 'lamp', 'red', 'oak', 'running', 'kettle', 'linen', 'desk', 'winter', 'garden', 'silk', 'steel'];
const NONE: readonly KeyValue[] = [];

type Filler = (stream: RandomStream, request: UserRequest | undefined) => string;
const FILLERS: Readonly<Record<string, Filler>> = {
  id: (stream) => stream.fork('id').fork(stream.below(0x4000_0000)).id64().slice(0, 12),
  n: (stream) => String(1 + Math.floor(stream.next() ** 3 * 900)),
  digit: (stream) => String(1 + stream.below(9)),
  ttl: (stream) => String(60 + stream.below(1_740)),
  bytes: (stream) => String(300 + stream.below(60_000)),
  money: (stream) => `EUR ${(4 + stream.next() ** 2 * 480).toFixed(2)}`,
  sku: (stream) => `SKU-${100_000 + Math.floor(9_000 ** stream.next())}`,
  word: (stream) => WORDS[stream.below(WORDS.length)] ?? '',
  customer: (_, request) => request?.customer ?? '-',
  region: (_, request) => request?.region ?? '-',
  user: (_, request) => request?.user ?? '-',
  ip: (_, request) => request?.ip ?? '-',
};

/** Replaces each {placeholder}; `values` go before the usual ones, an unknown name stays as it is. */
export function fillTemplate(
  template: string,
  stream: RandomStream,
  request: UserRequest | undefined,
  values?: Readonly<Record<string, string>>,
): string {
  return template.replace(
    /\{(\w+)\}/g,
    (whole, name: string) => values?.[name] ?? FILLERS[name]?.(stream, request) ?? whole,
  );
}

export interface LogContext {
  readonly pod: Pod;
  readonly traceId: string;
  readonly spanId: string;
}

export function writeLog(
  context: LogContext,
  atUs: number,
  severity: Severity,
  text: string,
  attributes: readonly KeyValue[] = NONE,
): void {
  const timeUnixNano = nanosOf(atUs);
  const record: LogRecord = {
    timeUnixNano,
    observedTimeUnixNano: timeUnixNano,
    severityNumber: SEVERITY[severity],
    severityText: severity,
    body: { stringValue: text },
    attributes,
    traceId: context.traceId,
    spanId: context.spanId,
  };
  context.pod.logs.push(record);
}

/** `exception.*` of the semantic conventions, for records and span events. @param message already filled in */
export function exceptionAttributes(service: Service, where: string, exception: string, message: string): KeyValue[] {
  return [
    textAttribute('exception.type', exception),
    textAttribute('exception.message', message),
    textAttribute(
      'exception.stacktrace',
      `${headline(service.runtime, exception, message)}${framesOf(service, where, exception)}`,
    ),
  ];
}

function headline(runtime: Runtime | undefined, exception: string, message: string): string {
  if (runtime === 'go') return `${exception}: ${message}\n\ngoroutine running:`;
  if (runtime === 'python') return `Traceback (most recent call last): ${exception}: ${message}`;
  return `${exception}: ${message}`;
}

const LAYERS = ['Handler', 'Service', 'Policy', 'Repository', 'Mapper', 'Client'];
const VERBS = ['handle', 'apply', 'resolve', 'load', 'check', 'build'];
const frames = new Map<string, string>();

/** The same exception in the same place has the same frames, however often it is thrown. */
function framesOf(service: Service, where: string, exception: string): string {
  const key = `${service.name}/${where}/${exception}`;
  let text = frames.get(key);
  if (text === undefined) {
    const stream = RandomStream.fromSeed(7).fork(key);
    text = Array.from({ length: 5 }, () => frame(service, stream)).join('');
    frames.set(key, text);
  }
  return text;
}

function frame(service: Service, stream: RandomStream): string {
  const layer = LAYERS[stream.below(LAYERS.length)] ?? '';
  const verb = VERBS[stream.below(VERBS.length)] ?? '';
  const line = 20 + stream.below(400);
  switch (service.runtime) {
    case 'go':
      return `\nshop/${service.name}/internal.(*${layer}).${verb}(...)\n\t/src/${layer.toLowerCase()}.go:${line}`;
    case 'python':
      return `\n  File "/app/${service.name}/${layer.toLowerCase()}.py", line ${line}, in ${verb}`;
    case 'nodejs':
      return `\n    at ${layer}.${verb} (/app/dist/${layer.toLowerCase()}.js:${line}:${1 + stream.below(60)})`;
    default:
      return `\n\tat com.shop.${service.name}.${layer}.${verb}(${layer}.java:${line})`;
  }
}
