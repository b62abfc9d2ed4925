/** The body of a request as bytes: unzipped, and never more of it than the limits allow. */
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { AppError, InputError, LimitError, UnavailableError } from '../platform/errors.ts';

/** Memory that the bodies of all requests in work may take together. */
export interface ByteBudget {
  /** Takes more, or answers false when it is used up. */
  take(bytes: number): boolean;
  give(bytes: number): void;
}

export function createByteBudget(maxBytes: number): ByteBudget {
  let takenBytes = 0;
  return {
    take: (bytes) => {
      if (takenBytes + bytes > maxBytes) return false;
      takenBytes += bytes;
      return true;
    },
    give: (bytes) => {
      takenBytes -= bytes;
    },
  };
}

export interface BodyLimits {
  /** Holds for the bytes as they come and for what they unzip to. */
  readonly maxBodyBytes: number;
  readonly budget: ByteBudget;
}

/** How a body may be coded on its way; undefined for a coding that is not supported. */
export type ContentCoding = 'identity' | 'gzip';

export function contentCodingOf(request: Request): ContentCoding | undefined {
  const coding = (request.headers.get('content-encoding') ?? 'identity').trim().toLowerCase();
  return coding === 'identity' || coding === 'gzip' ? coding : undefined;
}

/**
 * Reads, and unzips when the coding is gzip; stops at the limit, however little of a zip bomb that is. The bytes stay
 * taken from the budget: the caller gives `body.length` back when it is done with them.
 * Throws LimitError (too large), UnavailableError (budget used up) or InputError (not gzip, cut off).
 */
export async function readBody(request: Request, coding: ContentCoding, limits: BodyLimits): Promise<Buffer> {
  const { maxBodyBytes } = limits;
  const declaredBytes = Number(request.headers.get('content-length') ?? 0);
  const body = request.body ?? new Blob([]).stream();
  const sink = createSink(limits);
  try {
    if (declaredBytes > maxBodyBytes) throw tooLarge(maxBodyBytes);
    const source = limitedChunks(body.values({ preventCancel: true }), maxBodyBytes);
    if (coding === 'gzip') await pipeline(source, createGunzip({ chunkSize: 64 * 1024 }), sink.drain);
    else await sink.drain(source);
    return sink.whole();
  } catch (error) {
    sink.giveBack();
    // An endless stream has no rest; one within the limit that found no room has.
    const restBytes = declaredBytes || (error instanceof LimitError ? 0 : maxBodyBytes);
    if (restBytes <= MAX_BODIES_DISCARDED * maxBodyBytes) await discard(body, restBytes);
    if (error instanceof AppError) throw error;
    throw new InputError('The body is cut off or not valid gzip.', { cause: error });
  }
}

function tooLarge(maxBytes: number): LimitError {
  return new LimitError(`The body is larger than ${maxBytes} bytes: send smaller batches.`);
}

/** A sender that is still writing must not find its connection reset before it reads why it was refused. */
const MAX_BODIES_DISCARDED = 4;

async function discard(body: ReadableStream<Uint8Array>, maxBytes: number): Promise<void> {
  let bytes = 0;
  if (maxBytes === 0) return;
  try {
    for await (const chunk of body.values()) {
      bytes += chunk.length;
      if (bytes >= maxBytes) return;
    }
  } catch {
    // The sender hung up: nobody is left to be told.
  }
}

async function* limitedChunks(chunks: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array> {
  let totalBytes = 0;
  for await (const chunk of chunks) {
    totalBytes += chunk.length;
    if (totalBytes > maxBytes) throw tooLarge(maxBytes);
    yield chunk;
  }
}

/** Collects chunks within the limit and the budget. */
function createSink({ maxBodyBytes, budget }: BodyLimits) {
  const chunks: Uint8Array[] = [];
  let totalBytes = 0;
  return {
    drain: async (source: AsyncIterable<Uint8Array>): Promise<void> => {
      for await (const chunk of source) {
        if (totalBytes + chunk.length > maxBodyBytes) throw tooLarge(maxBodyBytes);
        if (!budget.take(chunk.length)) throw new UnavailableError('The receiver is full: retry in a moment.');
        totalBytes += chunk.length;
        chunks.push(chunk);
      }
    },
    whole: () => Buffer.concat(chunks, totalBytes),
    giveBack: () => budget.give(totalBytes),
  };
}
