/** Writes simulated batches as files that the Collector's file exporter could have written: one OTLP/JSON request a line. */
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage, InputError } from '../platform/errors.ts';
import { type BatchRequest, noCounts, requestsOf } from './batch-requests.ts';
import type { SendReport } from './send-batches.ts';
import type { SimulatedBatch } from './simulate-shop.ts';

const FILES = {
  '/v1/traces': 'traces.jsonl',
  '/v1/logs': 'logs.jsonl',
  '/v1/metrics': 'metrics.jsonl',
  /** A body for POST /v1/changes a line: OTLP has no such signal. */
  '/v1/changes': 'changes.jsonl',
} as const satisfies Readonly<Record<BatchRequest['path'], string>>;

export interface BatchFiles {
  readonly directory: string;
  /** Appends all of a batch. */
  write(batch: SimulatedBatch): Promise<SendReport>;
  close(): Promise<void>;
}

/** Makes the directory where there is none. InputError when it holds such files already: nothing is overwritten. */
export async function openBatchFiles(directory: string, maxRecordsPerLine = 1_000): Promise<BatchFiles> {
  const paths = Object.keys(FILES) as BatchRequest['path'][];
  const handles = new Map<BatchRequest['path'], Awaited<ReturnType<typeof open>>>();
  const close = async () => {
    for (const handle of handles.values()) await handle.close();
  };
  try {
    await mkdir(directory, { recursive: true });
    for (const path of paths) handles.set(path, await open(join(directory, FILES[path]), 'wx'));
  } catch (error) {
    await close();
    const isTaken = (error as NodeJS.ErrnoException).code === 'EEXIST';
    const problem = isTaken ? 'holds such files already' : `cannot be written to: ${errorMessage(error)}`;
    throw new InputError(`${directory} ${problem}. Name a directory that is new or empty.`, { cause: error });
  }
  return {
    directory,
    write: async (batch) => {
      const accepted = noCounts();
      const requests = requestsOf(batch, maxRecordsPerLine);
      for (const { path, body, holds, count } of requests) {
        await handles.get(path)?.appendFile(`${JSON.stringify(body)}\n`);
        accepted[holds] += count;
      }
      return { accepted, rejected: noCounts(), requests: { accepted: requests.length, refused: 0 }, reasons: [] };
    },
    close,
  };
}
