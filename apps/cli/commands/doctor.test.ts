import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { plainPalette } from '../palette.ts';
import { checkSecrets, renderChecks } from './doctor.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'inquest-doctor-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

test('names the files that others may read, and how to close them', async () => {
  expect(await checkSecrets(dataDir)).toMatchObject({ status: 'ok' });
  for (const file of ['host.json', 'audit.key']) await writeFile(join(dataDir, file), 'x', { mode: 0o600 });
  expect(await checkSecrets(dataDir)).toMatchObject({ status: 'ok' });
  await chmod(join(dataDir, 'audit.key'), 0o640);
  const { status, text } = await checkSecrets(dataDir);
  expect(status).toBe('failed');
  expect(text).toBe(`others may read audit.key: chmod 600 ${join(dataDir, 'audit.key')}`);
});

test('one line for each check, then what they mean together', () => {
  const page = { width: 60, palette: plainPalette, command: ['inquest'] };
  const text = renderChecks(
    [
      { name: 'node', status: 'ok', text: 'v24' },
      { name: 'audit log', status: 'failed', text: 'entry 4: edited \u001b[2J' },
    ],
    page,
  );
  expect(text).toContain('  ok       node       v24');
  expect(text).toContain('FAILED   audit log  entry 4: edited');
  expect(text).toContain('1 check failed.');
  expect(text).not.toContain('\u001b');
});
