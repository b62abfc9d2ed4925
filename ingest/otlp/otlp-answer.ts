/**
 * What OTLP answers, over HTTP and over gRPC: partial success, and refusals from one table (protocol specification, sections
 * "OTLP/gRPC Response" and "OTLP/HTTP Response").
 */
import type protobuf from 'protobufjs/light.js';
import { OTLP_RESPONSES, type OtlpSignal, RETRY_INFO, RPC_STATUS } from './otlp-schema.ts';
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

interface RefusalCode {
  /** google.rpc.Code: the status over gRPC, and what a Status in an HTTP body carries. */
  readonly code: number;
  /** Set where the same request may be sent again: Retry-After over HTTP, google.rpc.RetryInfo over gRPC. */
  readonly retryAfterSeconds?: number;
}

/** Every refusal of telemetry, by its HTTP status. */
const REFUSALS = {
  400: { code: 3 },
  401: { code: 16 },
  403: { code: 7 },
  404: { code: 5 },
  405: { code: 12 },
  413: { code: 8 },
  415: { code: 3 },
  429: { code: 8, retryAfterSeconds: 1 },
  500: { code: 13 },
  503: { code: 14, retryAfterSeconds: 5 },
} as const satisfies Record<number, RefusalCode>;
export type RefusalStatus = keyof typeof REFUSALS;

/** In ProtoJSON form, which protobufjs reads as well. */
type Content = Record<string, unknown>;

/** A copy, because the encoder hands out views of a pool that it uses again. */
function encode(type: protobuf.Type, content: Content): Buffer {
  return Buffer.from(type.encode(type.fromObject(content)).finish());
}

/** Leaves `partial_success` unset when nothing was rejected or shortened. */
function describeStored(signal: OtlpSignal, count: RecordCount): Content {
  const errorMessage = count.describe();
  return errorMessage === ''
    ? {}
    : { partialSuccess: { [REJECTED_FIELDS[signal]]: String(count.rejected), errorMessage } };
}

function answer(
  type: protobuf.Type,
  encoding: OtlpEncoding,
  status: number,
  content: Content,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const body = encoding === 'json' ? JSON.stringify(content) : Uint8Array.from(encode(type, content));
  return new Response(body, { status, headers: { 'content-type': CONTENT_TYPES[encoding], ...headers } });
}

/** HTTP 200; tells what was rejected or shortened. */
export function answerStored(signal: OtlpSignal, encoding: OtlpEncoding, count: RecordCount): Response {
  return answer(OTLP_RESPONSES[signal], encoding, 200, describeStored(signal, count));
}

/** The same for gRPC: an encoded Export*ServiceResponse. */
export function encodeStored(signal: OtlpSignal, count: RecordCount): Buffer {
  return encode(OTLP_RESPONSES[signal], describeStored(signal, count));
}

/** A google.rpc.Status over HTTP that says why nothing of the request was stored. */
export function answerRefused(
  encoding: OtlpEncoding,
  status: RefusalStatus,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const { code, retryAfterSeconds }: RefusalCode = REFUSALS[status];
  const retry = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  return answer(RPC_STATUS, encoding, status, { code, message }, { ...retry, ...headers });
}

const RETRY_INFO_URL = 'type.googleapis.com/google.rpc.RetryInfo';

/** The same for gRPC; `details` is set where the sender may retry: the encoded Status with RetryInfo that senders look for. */
export function describeRefusedCall(status: RefusalStatus, message: string): { code: number; details?: Buffer } {
  const { code, retryAfterSeconds }: RefusalCode = REFUSALS[status];
  if (retryAfterSeconds === undefined) return { code };
  const value = encode(RETRY_INFO, { retryDelay: { seconds: retryAfterSeconds } });
  return { code, details: encode(RPC_STATUS, { code, message, details: [{ typeUrl: RETRY_INFO_URL, value }] }) };
}
