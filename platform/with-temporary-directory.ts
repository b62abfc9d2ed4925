/** A directory of its own for as long as some work takes: an engine's, a broker's, a run's. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Resolves with what `work` resolves with; the directory is gone by then, also when `work` rejects. */
export async function withTemporaryDirectory<T>(name: string, work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), `inquest-${name}-`));
  try {
    return await work(directory);
  } finally {
    // A process that was killed in there may still be writing its last file.
    await rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}
