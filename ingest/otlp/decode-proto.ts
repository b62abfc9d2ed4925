/** OTLP/protobuf bytes to the shape of otlp-messages.ts. */
import protobuf from 'protobufjs/light.js';
import { AppError, errorMessage, InputError, LimitError } from '../../platform/errors.ts';
import type { OtlpRequests } from './otlp-messages.ts';
import { OTLP_RECORDS, OTLP_REQUESTS, type OtlpSignal } from './otlp-schema.ts';

/**
 * Messages, texts, byte strings and varints of 64 bits that one request may hold. An empty message costs its sender two bytes and us a few
 * hundred, so the size of a body alone does not bound the memory its decoding takes.
 */
const MAX_PARTS_PER_REQUEST = 4_000_000;

/** Reads 64-bit integers as bigint, so that nanoseconds stay exact, and counts what it is asked to allocate. */
class OtlpReader extends protobuf.BufferReader {
  #parts = 0;

  override size(): number {
    this.#countPart();
    return super.size();
  }

  #countPart(): void {
    this.#parts += 1;
    if (this.#parts > MAX_PARTS_PER_REQUEST) {
      throw new LimitError(`The request holds more than ${MAX_PARTS_PER_REQUEST} parts: send smaller batches.`);
    }
  }

  /** One text of invalid UTF-8 must not cost its neighbours: protobufjs would refuse the whole request. */
  override stringVerify(): string {
    return this.string();
  }

  // protobufjs declares Long here; its generated decoders only store what they get.
  override fixed64(): never {
    return this.#readFixed64().getBigUint64(this.pos - 8, true) as never;
  }

  override sfixed64(): never {
    return this.#readFixed64().getBigInt64(this.pos - 8, true) as never;
  }

  override int64(): never {
    return BigInt.asIntN(64, this.#readVarint64()) as never;
  }

  override uint64(): never {
    return this.#readVarint64() as never;
  }

  #readFixed64(): DataView {
    if (this.pos + 8 > this.len) throw new InputError(`A 64-bit field is cut off at byte ${this.pos}.`);
    this.pos += 8;
    this.view ??= new DataView(this.buf.buffer, this.buf.byteOffset, this.buf.byteLength);
    return this.view;
  }

  #readVarint64(): bigint {
    this.#countPart();
    const { low, high } = super.uint64();
    return high === 0 ? BigInt(low >>> 0) : (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  }
}

/**
 * Makes a record that cannot be read cost only itself: its length says where the next one begins. Without that, one value
 * nested too deep would cost its sender thousands of good neighbours.
 */
function isolateRecord(type: protobuf.Type): void {
  const { decode } = type.setup();
  // The arguments that generated decoders pass on: reader, length, end tag, depth, message.
  const decodeAlone = (reader: protobuf.Reader, length?: number, ...rest: unknown[]): unknown => {
    const outerEnd = reader.len;
    const end = reader.pos + (length ?? 0);
    try {
      return Reflect.apply(decode, type, [reader, length, ...rest]);
    } catch (error) {
      if (error instanceof LimitError || length === undefined || end > outerEnd) throw error;
      reader.len = outerEnd;
      reader.pos = end;
      const isTooDeep = error instanceof Error && error.message === 'max depth exceeded';
      const problem = isTooDeep ? 'is nested more than 100 levels deep' : 'is not valid protobuf';
      return Object.assign(new type.ctor(), { malformed: `${type.name} ${problem}` });
    }
  };
  Object.assign(type, { decode: decodeAlone });
}
for (const type of OTLP_RECORDS) isolateRecord(type);

/**
 * Throws InputError when the bytes are not such a message, LimitError when it has too many parts. Invalid UTF-8 inside texts
 * becomes U+FFFD; a broken record is marked `malformed`.
 */
export function decodeProto<S extends OtlpSignal>(signal: S, body: Uint8Array): OtlpRequests[S] {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  try {
    return OTLP_REQUESTS[signal].decode(new OtlpReader(bytes)) as unknown as OtlpRequests[S];
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new InputError(`The body is not a protobuf ${OTLP_REQUESTS[signal].name}: ${errorMessage(error)}.`, {
      cause: error,
    });
  }
}
