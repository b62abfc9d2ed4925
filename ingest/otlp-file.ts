/**
 * Files as the OpenTelemetry Collector's file exporter writes them: one OTLP/JSON request a line, plain, or compressed as a
 * whole (.gz, .zst), or with its own `compression: zstd` (each request a zstd frame behind four bytes of length). Which of
 * these a file is, its first bytes tell. What cannot be read is told by its line and costs no other line.
 */
import { createReadStream, type ReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { pipeline, type Transform } from 'node:stream';
import { promisify } from 'node:util';
import { createGunzip, createZstdDecompress, zstdDecompress } from 'node:zlib';
import { errorMessage, InputError } from '../platform/errors.ts';
import type { OtlpSignal } from './otlp/otlp-schema.ts';

/** One line of a file: a request to be posted to `path` as application/json, or why it is none. Lines count from 1. */
export type OtlpFileLine =
  | { readonly line: number; readonly path: `/v1/${OtlpSignal}`; readonly body: string }
  | { readonly line: number; readonly problem: string };

const MAX_LINE_BYTES = 64 * 1024 * 1024;

const PATHS = {
  resourceSpans: '/v1/traces',
  resourceLogs: '/v1/logs',
  resourceMetrics: '/v1/metrics',
} as const;

const NEWLINE = 0x0a;
const unzipFrame = promisify(zstdDecompress);

/** A line before it is looked at. */
type Chunk = Buffer | { readonly problem: string };

/** Throws InputError when the file cannot be opened or its compression is broken; rejects when the signal aborts. */
export async function* readOtlpFile(path: string, signal: AbortSignal): AsyncGenerator<OtlpFileLine> {
  let line = 0;
  try {
    for await (const chunk of await openChunks(path, signal)) {
      line += 1;
      const read = readLine(chunk);
      if (read !== undefined) yield { line, ...read };
    }
  } catch (error) {
    signal.throwIfAborted();
    const where = line === 0 ? '' : ` after line ${line}`;
    throw new InputError(`${path} cannot be read${where}: ${errorMessage(error)}.`, { cause: error });
  }
}

/** Throws InputError when there is no such file, without reading any of it. */
export async function checkOtlpFile(path: string): Promise<void> {
  let isDirectory: boolean;
  try {
    isDirectory = (await stat(path)).isDirectory();
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw new InputError(isMissing ? `There is no file ${path}.` : `${path} cannot be read: ${errorMessage(error)}.`, {
      cause: error,
    });
  }
  if (isDirectory) throw new InputError(`${path} is a directory: name the files in it.`);
}

/** undefined for an empty line. */
function readLine(chunk: Chunk) {
  if (!Buffer.isBuffer(chunk)) return chunk;
  const body = new TextDecoder().decode(chunk).trim();
  if (body === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    return { problem: `not JSON: ${errorMessage(error)}` };
  }
  const members = value !== null && typeof value === 'object' ? value : {};
  for (const [name, path] of Object.entries(PATHS)) if (name in members) return { path, body };
  return { problem: `no OTLP request: none of ${Object.keys(PATHS).join(', ')} in it` };
}

async function openChunks(path: string, signal: AbortSignal): Promise<AsyncIterable<Chunk>> {
  const head = await readHead(path);
  const file = createReadStream(path, { signal });
  if (head.readUInt16BE(0) === 0x1f8b) return splitLines(unpacked(file, createGunzip()));
  if (isZstd(head, 0)) return splitLines(unpacked(file, createZstdDecompress()));
  return isZstd(head, 4) ? splitFrames(file) : splitLines(file);
}

/** What comes out of `transform`; errors of either stream come out of it too. */
function unpacked(file: ReadStream, transform: Transform): Transform {
  return pipeline(file, transform, () => undefined);
}

/** The first eight bytes, zeros where the file is shorter. */
async function readHead(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    return (await file.read(Buffer.alloc(8), 0, 8, 0)).buffer;
  } finally {
    await file.close();
  }
}

function isZstd(bytes: Buffer, offset: number): boolean {
  return bytes.readUInt32BE(offset) === 0x28b52ffd;
}

async function* splitLines(source: AsyncIterable<Buffer>): AsyncGenerator<Chunk> {
  let parts: Buffer[] = [];
  let partBytes = 0;

  function takeLine(): Chunk {
    const isTooLong = partBytes > MAX_LINE_BYTES;
    const whole = isTooLong ? { problem: `longer than ${MAX_LINE_BYTES} bytes` } : Buffer.concat(parts);
    parts = [];
    partBytes = 0;
    return whole;
  }

  function keep(part: Buffer): void {
    partBytes += part.length;
    if (partBytes > MAX_LINE_BYTES) parts = [];
    else parts.push(part);
  }

  for await (const block of source) {
    let start = 0;
    for (let end = block.indexOf(NEWLINE); end >= 0; end = block.indexOf(NEWLINE, start)) {
      keep(block.subarray(start, end));
      yield takeLine();
      start = end + 1;
    }
    keep(block.subarray(start));
  }
  if (partBytes > 0) yield takeLine();
}

/** The exporter's own framing: the length of a frame in four bytes, big-endian, then the frame. */
async function* splitFrames(source: AsyncIterable<Buffer>): AsyncGenerator<Chunk> {
  let pending: Buffer = Buffer.alloc(0);
  for await (const block of source) {
    pending = Buffer.concat([pending, block]);
    while (pending.length >= 4 && pending.length >= 4 + pending.readUInt32BE(0)) {
      const end = 4 + pending.readUInt32BE(0);
      yield await unzip(pending.subarray(4, end));
      pending = pending.subarray(end);
    }
    if (pending.length >= 4 && pending.readUInt32BE(0) > MAX_LINE_BYTES) {
      throw new InputError(`a frame longer than ${MAX_LINE_BYTES} bytes`);
    }
  }
  if (pending.length > 0) yield { problem: 'cut off' };
}

async function unzip(frame: Buffer): Promise<Chunk> {
  try {
    return await unzipFrame(frame, { maxOutputLength: MAX_LINE_BYTES });
  } catch (error) {
    return { problem: `not a zstd frame: ${errorMessage(error)}` };
  }
}
