/** The demo deletes its own directory and nobody else's. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../../platform/errors.ts';
import { prepareDemoDirectory } from './prepare-demo-directory.ts';
import { openStubHost } from './stub-host.fixture.ts';

const signal = new AbortController().signal;
let root: string;
let dataDir: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'inquest-demo-'));
  dataDir = join(root, 'demo');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('prepareDemoDirectory', () => {
  it('empties what an earlier demo left, unless told to keep it', async () => {
    await prepareDemoDirectory(dataDir, false, signal);
    const leftover = join(dataDir, 'engine');
    mkdirSync(leftover);
    await prepareDemoDirectory(dataDir, true, signal);
    expect(existsSync(leftover)).toBe(true);
    await prepareDemoDirectory(dataDir, false, signal);
    expect(existsSync(leftover)).toBe(false);
  });

  it("refuses a directory that holds somebody's files", async () => {
    mkdirSync(dataDir);
    const theirs = join(dataDir, 'thesis.txt');
    writeFileSync(theirs, 'years of work');
    await expect(prepareDemoDirectory(dataDir, false, signal)).rejects.toBeInstanceOf(InputError);
    expect(existsSync(theirs)).toBe(true);
  });

  it("asks an earlier demo's host to end first", async () => {
    await prepareDemoDirectory(dataDir, false, signal);
    let closing: Promise<void> | undefined;
    const host = await openStubHost({
      dataDir,
      answers: {
        shutdown: () => {
          closing = host.close();
          return [200, { stopping: true }];
        },
      },
    });
    await prepareDemoDirectory(dataDir, false, signal);
    await closing;
    expect(host.requests).toEqual(['POST /api/shutdown']);
  });
});
