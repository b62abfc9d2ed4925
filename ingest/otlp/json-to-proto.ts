/** For tests and benchmarks: the protobuf body of a request that is written down as OTLP/JSON. */
import { OTLP_REQUESTS, type OtlpSignal } from './otlp-schema.ts';

const ID_MEMBERS = new Set(['traceId', 'spanId', 'parentSpanId']);

/** @param request an OTLP/JSON value with ids in hexadecimal and 64-bit integers as strings */
export function jsonToProto(signal: OtlpSignal, request: object): Buffer {
  const type = OTLP_REQUESTS[signal];
  return Buffer.from(type.encode(type.fromObject(withBinaryIds(request))).finish());
}

/** protobufjs takes bytes, where OTLP/JSON differs from ProtoJSON. */
function withBinaryIds<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), function (this: unknown, name: string, member: unknown) {
    return ID_MEMBERS.has(name) ? Buffer.from(String(member), 'hex').toString('base64') : member;
  });
}
