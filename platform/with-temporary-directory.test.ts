/** The directory is there while the work goes on, and not after it, however it ended. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { UnavailableError } from './errors.ts';
import { withTemporaryDirectory } from './with-temporary-directory.ts';

it('hands on what came of the work, and leaves nothing behind', async () => {
  const directory = await withTemporaryDirectory('some-work', async (given) => {
    await writeFile(join(given, 'a-file'), 'text');
    return given;
  });
  expect(basename(directory)).toMatch(/^inquest-some-work-/);
  expect(existsSync(directory)).toBe(false);
});

it('leaves nothing behind where the work fails, and says why it failed', async () => {
  let directory = '';
  const failing = withTemporaryDirectory('some-work', async (given) => {
    directory = given;
    throw new UnavailableError('away');
  });
  await expect(failing).rejects.toThrow('away');
  expect(directory).not.toBe('');
  expect(existsSync(directory)).toBe(false);
});
