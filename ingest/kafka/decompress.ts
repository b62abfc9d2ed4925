/**
 * What the producers of others compress with: kafkajs reads gzip only. Written from the formats' descriptions (google/snappy
 * format_description.txt, xerial's frame around it; the LZ4 frame and block formats); zstd is Node's own.
 */
import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import kafkajs from 'kafkajs';
import { InputError, InvariantError, LimitError } from '../../platform/errors.ts';

/** A record batch is a few megabytes; more is a mistake or meant ill. */
const MAX_BYTES = 256 * 1024 * 1024;

/** Tells kafkajs how; the same again changes nothing. */
export function registerCodecs(): void {
  const { LZ4, Snappy, ZSTD } = kafkajs.CompressionTypes;
  const unzstd = promisify(zstdDecompress);
  Object.assign(kafkajs.CompressionCodecs, {
    [Snappy]: () => toCodec(decompressSnappy),
    [LZ4]: () => toCodec(decompressLz4),
    [ZSTD]: () => toCodec((input) => unzstd(input, { maxOutputLength: MAX_BYTES })),
  });
}

function toCodec(decompress: (input: Buffer) => Buffer | Promise<Buffer>) {
  return {
    compress: async () => {
      throw new InvariantError('our own messages are compressed with gzip');
    },
    decompress: async (input: Buffer) => decompress(input),
  };
}

/** Bytes that are written at the end and copied from behind it. */
class Output {
  #bytes = Buffer.allocUnsafe(64 * 1024);
  #length = 0;

  append(bytes: Buffer): void {
    this.#reserve(bytes.length);
    this.#length += bytes.copy(this.#bytes, this.#length);
  }

  /** The source may reach into what is being written: then it repeats itself. */
  repeat(distance: number, count: number): void {
    if (distance < 1 || distance > this.#length)
      throw new InputError('A compressed message refers to what it does not have.');
    this.#reserve(count);
    for (let left = count; left > 0; ) {
      const from = this.#length - distance;
      const copied = this.#bytes.copy(this.#bytes, this.#length, from, Math.min(this.#length, from + left));
      this.#length += copied;
      left -= copied;
    }
  }

  toBuffer(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed > MAX_BYTES) throw new LimitError(`A message is larger than ${MAX_BYTES} bytes when decompressed.`);
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

const XERIAL_MAGIC = Buffer.from('\x82SNAPPY\x00', 'latin1');
const XERIAL_HEADER_BYTES = 16;

/** With xerial's frame, as Java writes it, or bare. */
export function decompressSnappy(input: Buffer): Buffer {
  if (!input.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return decompressSnappyBlock(input);
  const blocks: Buffer[] = [];
  for (let at = XERIAL_HEADER_BYTES; at < input.length; ) {
    const length = input.readUInt32BE(at);
    blocks.push(decompressSnappyBlock(take(input, at + 4, length)));
    at += 4 + length;
  }
  return Buffer.concat(blocks);
}

function decompressSnappyBlock(input: Buffer): Buffer {
  const output = new Output();
  let at = 0;
  while ((input.readUInt8(at++) & 0x80) !== 0); // the length of what comes out: it will be known
  while (at < input.length) {
    const tag = input.readUInt8(at++);
    const [kind, size] = [tag & 3, tag >> 2];
    if (kind === 0) {
      const { length, bytes } = literalLength(input, at, size);
      output.append(take(input, at + bytes, length));
      at += bytes + length;
    } else {
      const bytes = [0, 1, 2, 4][kind] ?? 0;
      const distance = input.readUIntLE(at, bytes);
      if (kind === 1) output.repeat(((tag >> 5) << 8) | distance, (size & 7) + 4);
      else output.repeat(distance, size + 1);
      at += bytes;
    }
  }
  return output.toBuffer();
}

/** In the tag, or in the bytes after it. */
function literalLength(input: Buffer, at: number, size: number): { length: number; bytes: number } {
  if (size < 60) return { length: size + 1, bytes: 0 };
  const bytes = size - 59;
  return { length: input.readUIntLE(at, bytes) + 1, bytes };
}

const LZ4_MAGIC = 0x184d2204;
const LZ4_FLAGS = { blockChecksum: 0x10, contentSize: 0x08, dictionaryId: 0x01 };
const LZ4_IS_RAW = 0x8000_0000;

/** The frame format. Checksums are not looked at: Kafka has its own. */
export function decompressLz4(input: Buffer): Buffer {
  if (input.readUInt32LE(0) !== LZ4_MAGIC) throw new InputError('A message that is marked as LZ4 has no LZ4 frame.');
  const flags = input.readUInt8(4);
  const has = (flag: number) => (flags & flag) !== 0;
  // Magic, flags, block size; then what the flags say; a checksum of these.
  let at = 6 + (has(LZ4_FLAGS.contentSize) ? 8 : 0) + (has(LZ4_FLAGS.dictionaryId) ? 4 : 0) + 1;
  const output = new Output();
  for (let size = input.readUInt32LE(at); size !== 0; size = input.readUInt32LE(at)) {
    const isRaw = size >= LZ4_IS_RAW;
    const length = isRaw ? size - LZ4_IS_RAW : size;
    const block = take(input, at + 4, length);
    if (isRaw) output.append(block);
    else decompressLz4Block(block, output);
    at += 4 + length + (has(LZ4_FLAGS.blockChecksum) ? 4 : 0);
  }
  return output.toBuffer();
}

const LZ4_MIN_MATCH = 4;

function decompressLz4Block(input: Buffer, output: Output): void {
  let at = 0;
  const lengthFrom = (nibble: number) => {
    let length = nibble;
    for (let more = nibble === 15 ? 255 : 0; more === 255; length += more) more = input.readUInt8(at++);
    return length;
  };
  while (at < input.length) {
    const token = input.readUInt8(at++);
    const literals = lengthFrom(token >> 4);
    output.append(take(input, at, literals));
    at += literals;
    if (at === input.length) return; // the last sequence has no match
    const distance = input.readUInt16LE(at);
    at += 2;
    output.repeat(distance, lengthFrom(token & 15) + LZ4_MIN_MATCH);
  }
}

function take(input: Buffer, start: number, length: number): Buffer {
  if (start + length > input.length) throw new InputError('A compressed message is cut off.');
  return input.subarray(start, start + length);
}
