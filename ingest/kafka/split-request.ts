/**
 * An OTLP request in protobuf, cut in two where a broker takes no message that large. The records stay as they are: only the
 * lists that hold them are written anew. All three requests have the same frame (opentelemetry-proto: field 1 of a request is a
 * list by resource, field 2 of its members a list by scope, field 2 of theirs the records).
 */
import protobuf from 'protobufjs/light.js';

/** Field numbers of the lists, from the outside in. */
const LIST_FIELDS = [1, 2, 2];

const LENGTH_DELIMITED = 2;

interface Field {
  readonly id: number;
  readonly wireType: number;
  /** Tag and all. */
  readonly bytes: Uint8Array;
  /** Of a length-delimited one. */
  readonly content: Uint8Array;
}

/** Undefined when there is one record only, or the bytes are no such request. */
export function splitRequest(request: Uint8Array): readonly [Uint8Array, Uint8Array] | undefined {
  try {
    const records = countRecords(request, 0);
    if (records < 2) return undefined;
    const middle = Math.ceil(records / 2);
    return [takeRecords(request, 0, 0, middle), takeRecords(request, 0, middle, records)];
  } catch {
    return undefined; // cut off: it was decoded before, so that this is a request in which a record is broken
  }
}

function countRecords(message: Uint8Array, depth: number): number {
  const lists = readFields(message).filter((field) => isList(field, depth));
  if (depth === LIST_FIELDS.length - 1) return lists.length;
  return lists.reduce((sum, { content }) => sum + countRecords(content, depth + 1), 0);
}

/** The message with its records from `start` to before `end`, counted through all lists of it, and without lists that are empty. */
function takeRecords(message: Uint8Array, depth: number, start: number, end: number): Uint8Array {
  const isLeaf = depth === LIST_FIELDS.length - 1;
  const parts: Uint8Array[] = [];
  let seen = 0;
  for (const field of readFields(message)) {
    if (!isList(field, depth)) {
      parts.push(field.bytes);
      continue;
    }
    const [from, count] = [seen, isLeaf ? 1 : countRecords(field.content, depth + 1)];
    seen += count;
    if (seen <= start || from >= end) continue;
    if (isLeaf || (from >= start && seen <= end)) parts.push(field.bytes);
    else parts.push(lengthDelimited(field.id, takeRecords(field.content, depth + 1, start - from, end - from)));
  }
  return Buffer.concat(parts);
}

function isList({ id, wireType }: Field, depth: number): boolean {
  return id === LIST_FIELDS[depth] && wireType === LENGTH_DELIMITED;
}

function readFields(message: Uint8Array): Field[] {
  const reader = protobuf.Reader.create(message);
  const fields: Field[] = [];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const tag = reader.uint32();
    const [id, wireType] = [tag >>> 3, tag & 7];
    const content = wireType === LENGTH_DELIMITED ? reader.bytes() : new Uint8Array();
    if (wireType !== LENGTH_DELIMITED) reader.skipType(wireType);
    fields.push({ id, wireType, bytes: message.subarray(start, reader.pos), content });
  }
  return fields;
}

function lengthDelimited(id: number, content: Uint8Array): Uint8Array {
  return protobuf.Writer.create()
    .uint32((id << 3) | LENGTH_DELIMITED)
    .bytes(content)
    .finish();
}
