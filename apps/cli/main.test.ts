/** The CLI as a process: what wrong usage says and returns, and that stdout carries only what was asked for. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type FinishedInquest, startInquest } from './run-inquest.fixture.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'inquest-cli-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

function inquest(...words: string[]): Promise<FinishedInquest> {
  return startInquest(words, { ...process.env, INQUEST_DATA_DIR: dataDir }).finished;
}

it('ends without a word when nobody reads on', async () => {
  const { child, finished } = startInquest(['--help'], { ...process.env, INQUEST_DATA_DIR: dataDir });
  child.stdout?.destroy();
  expect(await finished).toEqual({ code: 0, stdout: '', stderr: '' });
});

describe('wrong usage', () => {
  it('is answered by one helpful line, and by nothing on stdout (mistakes.test.ts has the table)', async () => {
    const { code, stdout, stderr } = await inquest('incidnts');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe("inquest: unknown command 'incidnts' (did you mean incidents?). Help: inquest --help\n");
  });

  it('tells machines the same in one JSON document', async () => {
    const { code, stdout, stderr } = await inquest('show', '--json');
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toEqual({
      error: { code: 'invalid-input', message: expect.stringContaining("argument 'id'") },
    });
    expect(stderr.split('\n')).toHaveLength(2);
  });

  it('names every bad variable of the environment', async () => {
    const { code, stderr } = await startInquest(['incidents'], {
      ...process.env,
      INQUEST_PORT: 'many',
      INQUEST_SCAN_SECONDS: '0',
    }).finished;
    expect(code).toBe(2);
    expect(stderr).toMatch(/INQUEST_PORT.*INQUEST_SCAN_SECONDS/);
  });
});

describe('help', () => {
  it('lists commands and exit codes on stdout', async () => {
    const { code, stdout, stderr } = await inquest('--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const word of ['demo', 'investigate', 'verify', 'serve', '130', 'Exit status']) expect(stdout).toContain(word);
  });

  it('is also the answer to nothing at all', async () => {
    expect((await inquest()).stdout).toBe((await inquest('--help')).stdout);
  });
});
