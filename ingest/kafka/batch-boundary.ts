/**
 * The boundaries of a batch: a range of offsets of one partition, recorded as metadata of the offset that is committed anyway. The
 * record is fenced by the group's generation and moves with the partition, so whoever gets the partition rebuilds the same batch.
 */
import { z } from 'zod';
import { newId } from '../../platform/ids.ts';

export interface BatchBoundary {
  /** Both ends belong to it. Offsets have 64 bits. */
  readonly first: bigint;
  readonly last: bigint;
  /** Of this batch alone: a topic or a cluster that is made anew counts its offsets from zero again. */
  readonly batchId: string;
}

const recordedSchema = z.object({ batchEnd: z.string().regex(/^\d{1,19}$/), batchId: z.string().min(1).max(64) });

export function drawBoundary(first: bigint, last: bigint): BatchBoundary {
  return { first, last, batchId: newId('kfk') };
}

/** Metadata for the commit of `first`. */
export function recordBoundary({ last, batchId }: BatchBoundary): string {
  return JSON.stringify({ batchEnd: last.toString(), batchId });
}

/** What a crashed owner left behind: the batch that begins at the committed offset; undefined when none was begun. */
export function readBoundary(committedOffset: bigint, metadata: string | null | undefined): BatchBoundary | undefined {
  if (!metadata || committedOffset < 0n) return undefined;
  let recorded: unknown;
  try {
    recorded = JSON.parse(metadata);
  } catch {
    return undefined; // somebody else's words: our own commits are JSON or empty
  }
  const parsed = recordedSchema.safeParse(recorded);
  if (!parsed.success) return undefined;
  const last = BigInt(parsed.data.batchEnd);
  return last >= committedOffset ? { first: committedOffset, last, batchId: parsed.data.batchId } : undefined;
}

/** Name of the insert of a batch, of one message of it where `offset` is given. */
export function batchToken(topic: string, partition: number, boundary: BatchBoundary, offset?: string): string {
  const { first, last, batchId } = boundary;
  const whole = `kafka:${topic}:${partition}:${first}-${last}:${batchId}`;
  return offset === undefined ? whole : `${whole}:${offset}`;
}
