/** The demo's own data directory: emptied for each demo, and never a directory that the demo did not make. */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createApiClient } from '../../api/api-client.ts';
import { type HostRecord, inspectHost } from '../../api/host-lock.ts';
import { errorMessage, InputError, UnavailableError } from '../../platform/errors.ts';

/** Its presence says that everything beside it may be deleted. */
const MARK_FILE = 'made-by-inquest-demo';
const STOP_POLL_MS = 50;
const STOP_TIMEOUT_MS = 20_000;

/**
 * Ends the host of an earlier demo, deletes what it left (unless `keep`) and makes the directory. Throws InputError when the
 * directory holds something else, UnavailableError when an old host does not end.
 */
export async function prepareDemoDirectory(dataDir: string, keep: boolean, signal: AbortSignal): Promise<void> {
  const names = await listOrNothing(dataDir);
  if (names.length > 0 && !names.includes(MARK_FILE)) {
    throw new InputError(
      `${dataDir} is not empty and was not made by the demo: move it away or choose another --data-dir.`,
    );
  }
  if (!keep) {
    await stopHost(dataDir, signal);
    await rm(dataDir, { recursive: true, force: true });
  }
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await writeFile(join(dataDir, MARK_FILE), 'inquest demo deletes this directory when it starts.\n');
}

async function listOrNothing(dataDir: string): Promise<string[]> {
  try {
    return await readdir(dataDir);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw new InputError(`${dataDir} cannot be read: ${errorMessage(error)}.`, { cause: error });
  }
}

async function stopHost(dataDir: string, signal: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + STOP_TIMEOUT_MS;
  for (let asked = false; ; ) {
    const presence = await inspectHost(dataDir, signal);
    if (presence.kind === 'none' || presence.kind === 'stale') return;
    if (presence.kind === 'held' && presence.state === 'ready' && !asked) {
      asked = true;
      await askToStop(presence.record, signal);
    }
    if (performance.now() > deadlineMs) {
      throw new UnavailableError(
        `The host of an earlier demo (pid ${presence.record.pid}) does not end: try again in a moment.`,
      );
    }
    await delay(STOP_POLL_MS, undefined, { signal });
  }
}

async function askToStop(host: HostRecord, signal: AbortSignal): Promise<void> {
  try {
    await createApiClient(host).shutdown(signal);
  } catch (error) {
    // It may have ended by itself just now: the next look tells.
    if (!(error instanceof UnavailableError)) throw error;
  }
}
