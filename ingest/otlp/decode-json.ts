/**
 * OTLP/JSON text to the shape of otlp-messages.ts: the ProtoJSON mapping with OTLP's exceptions (ids as hexadecimal, enums
 * as integers; protocol specification, section "JSON Protobuf Encoding"). Members are walked by the descriptor, so both
 * encodings give the same objects; what the descriptor does not know is ignored.
 */
import protobuf from 'protobufjs/light.js';
import { InputError, InvariantError, LimitError } from '../../platform/errors.ts';
import { parseJson } from '../parse-json.ts';
import type { OtlpRequests } from './otlp-messages.ts';
import { OTLP_RECORDS, OTLP_REQUESTS, type OtlpSignal } from './otlp-schema.ts';

/** As deep as the protobuf decoder goes. */
const MAX_DEPTH = 100;

/** See MAX_PARTS_PER_REQUEST in decode-proto.ts; here messages and plain items of lists are counted. */
const MAX_PARTS_PER_REQUEST = 2_000_000;

/** Has the wrong length on purpose: what reads ids sees that this is none. */
const NOT_AN_ID = new Uint8Array(1);

interface Walk {
  parts: number;
}
type Read = (value: unknown, depth: number, walk: Walk) => unknown;
interface Member {
  readonly name: string;
  readonly read: Read;
}
type Message = Record<string, unknown>;

/** Says what a value is not; whoever knows which member it was turns it into a located InputError. */
class Misfit extends InputError {}

function refuse(what: string): never {
  throw new Misfit(what);
}

function readText(value: unknown): string {
  return typeof value === 'string' ? value.toWellFormed() : refuse('is not a string');
}

function readBoolean(value: unknown): boolean {
  return typeof value === 'boolean' ? value : refuse('is not true or false');
}

function readDouble(value: unknown): number {
  if (typeof value === 'number') return value;
  if (value === 'NaN') return Number.NaN;
  if (value === 'Infinity') return Number.POSITIVE_INFINITY;
  if (value === '-Infinity') return Number.NEGATIVE_INFINITY;
  if (typeof value === 'string' && /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value)) return Number(value);
  return refuse('is not a number');
}

function readInteger(min: number, max: number): Read {
  return (value) => {
    const number = readDouble(value);
    return Number.isInteger(number) && number >= min && number <= max ? number : refuse('is not a 32-bit integer');
  };
}

function readBigInteger(min: bigint, max: bigint): Read {
  return (value) => {
    const isInteger = typeof value === 'string' ? /^-?\d{1,20}$/.test(value) : Number.isInteger(value);
    if (!isInteger) return refuse('is not a 64-bit integer');
    let integer = BigInt(value as string | number);
    // 2^64 - 1 written as a JSON number is read as the next double, which is one too large.
    if (typeof value === 'number' && integer === max + 1n) integer = max;
    return integer >= min && integer <= max ? integer : refuse('is not a 64-bit integer');
  };
}

/** A name that this version of the protocol does not know is unspecified (0), as an unknown number would be to its reader. */
function readEnum(type: protobuf.Enum): Read {
  const readNumber = readInteger(-0x8000_0000, 0x7fff_ffff);
  return (value, depth, walk) => {
    if (typeof value === 'string' && /^[A-Z]/.test(value)) return type.values[value] ?? 0;
    return readNumber(value, depth, walk);
  };
}

function readId(value: unknown): Uint8Array {
  if (typeof value !== 'string' || value.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(value)) return NOT_AN_ID;
  return Buffer.from(value, 'hex');
}

function readBase64(value: unknown): Uint8Array {
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(value)) return refuse('is not base64');
  return Buffer.from(value, 'base64');
}

const SIGNED_64 = readBigInteger(-(2n ** 63n), 2n ** 63n - 1n);
const UNSIGNED_64 = readBigInteger(0n, 2n ** 64n - 1n);
const SIGNED_32 = readInteger(-0x8000_0000, 0x7fff_ffff);
const UNSIGNED_32 = readInteger(0, 0xffff_ffff);

const SCALARS: Readonly<Record<string, Read>> = {
  string: readText,
  bool: readBoolean,
  double: readDouble,
  int32: SIGNED_32,
  sint32: SIGNED_32,
  uint32: UNSIGNED_32,
  fixed32: UNSIGNED_32,
  int64: SIGNED_64,
  sfixed64: SIGNED_64,
  uint64: UNSIGNED_64,
  fixed64: UNSIGNED_64,
};

const readers = new Map<protobuf.Type, Read>();

/** Reads messages of one type; made once for each type, its members on first use (types refer to themselves). */
function messageReader(type: protobuf.Type): Read {
  const known = readers.get(type);
  if (known) return known;
  let members: Map<string, Member> | undefined;
  const read: Read = (value, depth, walk) => {
    members ??= new Map(type.fieldsArray.map((field) => [field.name, describeMember(field)]));
    return readMessage(type, members, value, depth, walk);
  };
  readers.set(type, read);
  return read;
}

function readMessage(
  type: protobuf.Type,
  members: ReadonlyMap<string, Member>,
  value: unknown,
  depth: number,
  walk: Walk,
): Message {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    return refuse(`is not a ${type.name} object`);
  if (depth > MAX_DEPTH) return refuse(`is nested more than ${MAX_DEPTH} levels deep`);
  countParts(walk, 1);
  const message = new type.ctor() as Message;
  for (const name in value) {
    const member = members.get(name);
    const given = (value as Message)[name];
    if (member !== undefined && given !== null) message[name] = readMember(type, member, given, depth, walk);
  }
  return message;
}

function countParts(walk: Walk, parts: number): void {
  walk.parts += parts;
  if (walk.parts > MAX_PARTS_PER_REQUEST) {
    throw new LimitError(`The request holds more than ${MAX_PARTS_PER_REQUEST} parts: send smaller batches.`);
  }
}

function readMember(type: protobuf.Type, member: Member, value: unknown, depth: number, walk: Walk): unknown {
  try {
    return member.read(value, depth, walk);
  } catch (error) {
    // Only the innermost name is told: the path to it may be as long as the request is deep.
    if (error instanceof Misfit) throw new InputError(`${type.name}.${member.name} ${error.message}`);
    throw error;
  }
}

function describeMember(field: protobuf.Field): Member {
  return { name: field.name, read: field.repeated ? listReader(field) : valueReader(field) };
}

function valueReader(field: protobuf.Field): Read {
  if (field.resolvedType instanceof protobuf.Enum) return readEnum(field.resolvedType);
  if (field.resolvedType instanceof protobuf.Type) {
    const read = messageReader(field.resolvedType);
    return (value, depth, walk) => read(value, depth + 1, walk);
  }
  // Every byte string of OTLP is an id but for the one that users may send.
  if (field.type === 'bytes') return field.name === 'bytesValue' ? readBase64 : readId;
  const read = SCALARS[field.type];
  if (read === undefined) throw new InvariantError(`OTLP/JSON: no reader for the type ${field.type} of ${field.name}`);
  return read;
}

function listReader(field: protobuf.Field): Read {
  const readPlain = valueReader(field);
  const type = field.resolvedType instanceof protobuf.Type ? field.resolvedType : undefined;
  const read = type && OTLP_RECORDS.includes(type) ? recordReader(type, readPlain) : readPlain;
  return (value, depth, walk) => {
    if (!Array.isArray(value)) return refuse('is not an array');
    if (type === undefined) countParts(walk, value.length);
    return value.map((item) => read(item, depth, walk));
  };
}

function recordReader(type: protobuf.Type, read: Read): Read {
  return (value, depth, walk) => {
    try {
      return read(value, depth, walk);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return Object.assign(new type.ctor(), { malformed: error.message });
    }
  };
}

/**
 * Throws InputError when the text is not JSON, or something above the records of the request does not fit the protocol;
 * LimitError when the request has too many parts.
 */
export function decodeJson<S extends OtlpSignal>(signal: S, body: Uint8Array): OtlpRequests[S] {
  const value = parseJson(new TextDecoder().decode(body));
  try {
    return messageReader(OTLP_REQUESTS[signal])(value, 0, { parts: 0 }) as OtlpRequests[S];
  } catch (error) {
    if (error instanceof InputError) throw new InputError(`The body is not OTLP/JSON: ${error.message}.`);
    throw error;
  }
}
