/** OTLP/HTTP answers, in the encoding of the request (protocol specification, section "OTLP/HTTP Response"). */
import type protobuf from 'protobufjs/light.js';
import { OTLP_RESPONSES, type OtlpSignal, RPC_STATUS } from './otlp-schema.ts';
import type { OtlpEncoding } from './read-otlp-rows.ts';
import type { RecordCount } from './record-count.ts';

const CONTENT_TYPES: Readonly<Record<OtlpEncoding, string>> = {
  protobuf: 'application/x-protobuf',
  json: 'application/json',
};

const REJECTED_FIELDS: Readonly<Record<OtlpSignal, string>> = {
  traces: 'rejectedSpans',
  logs: 'rejectedLogRecords',
  metrics: 'rejectedDataPoints',
};

/** The refusals of telemetry, and the google.rpc.Code that a gRPC receiver would give for each. */
const RPC_CODES = { 400: 3, 401: 16, 403: 7, 404: 5, 405: 12, 413: 8, 415: 3, 429: 8, 500: 13, 503: 14 } as const;
export type RefusalStatus = keyof typeof RPC_CODES;

/** @param content in ProtoJSON form, which protobufjs reads as well */
function answer(
  type: protobuf.Type,
  encoding: OtlpEncoding,
  status: number,
  content: Record<string, unknown>,
  headers: Readonly<Record<string, string>> = {},
): Response {
  // A copy, because the encoder hands out views of a pool that it uses again.
  const body =
    encoding === 'json' ? JSON.stringify(content) : Uint8Array.from(type.encode(type.fromObject(content)).finish());
  return new Response(body, { status, headers: { 'content-type': CONTENT_TYPES[encoding], ...headers } });
}

/** 200; tells what was rejected or shortened, and leaves `partial_success` unset when nothing was. */
export function answerStored(signal: OtlpSignal, encoding: OtlpEncoding, count: RecordCount): Response {
  const errorMessage = count.describe();
  const partialSuccess = { [REJECTED_FIELDS[signal]]: String(count.rejected), errorMessage };
  return answer(OTLP_RESPONSES[signal], encoding, 200, errorMessage === '' ? {} : { partialSuccess });
}

/** A google.rpc.Status that says why nothing of the request was stored. */
export function answerRefused(
  encoding: OtlpEncoding,
  status: RefusalStatus,
  message: string,
  headers?: Readonly<Record<string, string>>,
): Response {
  return answer(RPC_STATUS, encoding, status, { code: RPC_CODES[status], message }, headers);
}
