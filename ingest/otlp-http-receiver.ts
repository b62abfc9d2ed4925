/**
 * OTLP over HTTP: POST /v1/traces, /v1/logs and /v1/metrics, protobuf or JSON, plain or gzip. A request is answered when
 * its rows are stored and not before; what cannot be stored is refused with the status the protocol gives for it, so that
 * senders know whether to retry.
 */
import { answerRefused, answerStored, type RefusalStatus } from './otlp/otlp-answer.ts';
import type { OtlpSignal } from './otlp/otlp-schema.ts';
import type { OtlpEncoding } from './otlp/read-otlp-rows.ts';
import type { OtlpIntake } from './otlp-intake.ts';
import { contentCodingOf, readBody } from './read-body.ts';

const SIGNALS: Readonly<Record<string, OtlpSignal>> = {
  '/v1/traces': 'traces',
  '/v1/logs': 'logs',
  '/v1/metrics': 'metrics',
};

const ENCODINGS: Readonly<Record<string, OtlpEncoding>> = {
  'application/x-protobuf': 'protobuf',
  'application/json': 'json',
};

/** A request handler that never rejects. */
export function createOtlpHttpReceiver(intake: OtlpIntake): (request: Request) => Promise<Response> {
  return async (request) => {
    const path = new URL(request.url).pathname;
    const signal = SIGNALS[path];
    const encoding = encodingOf(request);
    const coding = contentCodingOf(request);
    if (signal === undefined) return answerRefused(encoding ?? 'json', 404, `No telemetry is received at ${path}.`);
    const refuse = (status: RefusalStatus, message: string, headers?: Record<string, string>) => {
      intake.refuse(signal, status, message);
      return answerRefused(encoding ?? 'json', status, message, headers);
    };
    if (request.method !== 'POST') return refuse(405, 'Send telemetry with POST.', { allow: 'POST' });
    if (!encoding) return refuse(415, 'Content-Type must be application/x-protobuf or application/json.');
    if (!coding) return refuse(415, 'Content-Encoding must be gzip or identity.');
    const outcome = await intake.receive(signal, encoding, (limits) => readBody(request, coding, limits));
    if (outcome.kind === 'stored') return answerStored(signal, encoding, outcome.count);
    return answerRefused(encoding, outcome.status, outcome.message);
  };
}

function encodingOf(request: Request): OtlpEncoding | undefined {
  const mediaType = (request.headers.get('content-type') ?? '').split(';')[0] ?? '';
  return ENCODINGS[mediaType.trim().toLowerCase()];
}
