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

const wrong: readonly [words: string[], says: RegExp][] = [
  [['incidnts'], /unknown command 'incidnts' \(did you mean incidents\?\)\. Help: inquest --help/],
  [['demo', '--fualt', 'x'], /unknown option '--fualt' \(did you mean --fault\?\)\. Help: inquest demo --help/],
  [['demo', '--fault', 'gremlins'], /'gremlins' is invalid.*slow-dependency.*Help: inquest demo --help/],
  [['demo', '--seed', '-3'], /--seed.*whole number/],
  [['show'], /missing required argument 'id'.*Help: inquest show --help/],
  [['show', 'a', 'b'], /too many arguments/],
  [['show', 'a', '--width', '20'], /--width.*[Aa]t least 60 columns/],
  [['investigate'], /Say which incident.*--since 15m/],
  [['investigate', '--since', 'soon'], /--since "soon" is not a time: write 15m/],
  [['investigate', '--since', '15m', '--until', '1h'], /--until 1h is not after --since 15m/],
  [['investigate', '--since', '15m', '--baseline', '2h'], /--baseline "2h" is not a span of time: write 2h\.\.1h/],
  [['investigate', '--since', '1h', '--baseline', '2h..30m'], /--baseline 2h\.\.30m reaches into the trouble/],
  [['investigate', 'inc_1', '--service', 'cart'], /--service.*give one of them/],
  [['simulate', '--fault', 'error-burst', '--fault-after', '20m'], /--fault-after 20m is not before the end/],
  [['simulate', '--url', 'nowhere'], /--url "nowhere" is not an address/],
  [['eval'], /say what to do.*Help: inquest eval --help/],
];

describe('wrong usage', () => {
  it.concurrent.each(wrong)('%j is answered by one helpful line', async (words, says) => {
    const { code, stdout, stderr } = await inquest(...words);
    expect({ code, stdout, lines: stderr.split('\n').length - 1 }).toEqual({ code: 2, stdout: '', lines: 1 });
    expect(stderr).toMatch(says);
    expect(stderr).toMatch(/^inquest: .* Help: inquest .*--help\n$/);
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
