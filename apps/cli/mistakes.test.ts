/** What people get wrong at the command line: each slip is answered by one line that helps, and by status 2. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { main as serve } from '../server/main.ts';
import { main } from './main.ts';

const root = mkdtempSync(join(tmpdir(), 'inquest-cli-'));
const file = join(root, 'a file');
const missing = join(root, 'nowhere');
const before = process.env['INQUEST_DATA_DIR'];

beforeAll(() => {
  writeFileSync(file, 'x');
  mkdirSync(join(root, 'data'));
  process.env['INQUEST_DATA_DIR'] = join(root, 'data');
});
afterEach(() => void vi.restoreAllMocks());
afterAll(() => {
  if (before === undefined) delete process.env['INQUEST_DATA_DIR'];
  else process.env['INQUEST_DATA_DIR'] = before;
  rmSync(root, { recursive: true, force: true });
});

/** The command line in this process: no mistake may get as far as starting anything. */
async function run(words: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      said[name] += String(text);
      return true;
    });
  }
  const code = words[0] === 'serve' ? await serve(words.slice(1)) : await main(words);
  return { code, ...said };
}

const mistakes: readonly [words: string[], says: RegExp][] = [
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
  [['simulate', '--fault', 'error-burst', '--fault-after', '20m'], /--fault-after 20 min is not before the end/],
  [['eval'], /say what to do.*Help: inquest eval --help/],
  [['sevre'], /unknown command 'sevre' \(did you mean serve\?\)/],
  [['--data-dir', root, 'serve'], /unknown command 'serve' here: it comes first \(inquest serve --help\)/],
  [['help', 'incidnts'], /unknown command 'incidnts' \(did you mean incidents\?\)/],
  [['INCIDENTS'], /unknown command 'INCIDENTS'/],
  [[''], /unknown command ''/],
  [['\u001b[31mred'], /unknown command 'red'/],
  [['-x'], /unknown option '-x'/],
  [['--jsn', 'incidents'], /unknown option '--jsn' \(did you mean --json\?\)/],
  [['incidents', 'extra'], /too many arguments for 'incidents'.*Help: inquest incidents --help/],
  [['incidents', '--data-dir'], /'--data-dir <path>' argument missing/],
  [['incidents', '--data-dir', ''], /'--data-dir <path>' argument '' is invalid\. Name a directory\./],
  [['incidents', '--data-dir', file], /a file is not a directory\./],
  [['incidents', '--width', 'wide'], /'--width <columns>' argument 'wide' is invalid/],
  [['incidents', '--width', '1e999'], /At least 60 columns/],
  [['show', '--ful', 'inc_1'], /unknown option '--ful' \(did you mean --full\?\)/],
  [['approve'], /missing required argument 'id'.*Help: inquest approve --help/],
  [['approve', 'inc_1', '--reason'], /'--reason <text>' argument missing/],
  [['reject'], /missing required argument 'id'/],
  [['feedback', 'inc_1'], /Say which: --noise or --real\./],
  [['feedback', 'inc_1', '--noise', '--real'], /Say which: --noise or --real\./],
  [['anomalies', 'anom_1', '--all'], /--all is for the list: leave it out with an anomaly's id/],
  [['anomalies', '--limit', '0'], /A whole number from 1/],
  [['rules', 'acept', 'rule_1'], /unknown command 'acept'|too many arguments/],
  [['rules', 'accept'], /missing required argument 'id'/],
  [['verify'], /missing required argument 'id'/],
  [['trace'], /missing required argument 'id'/],
  [['trace', 'inc_1'], /A trace id has 32 hex digits/],
  [['bench', 'query', '--spans', 'lots'], /A whole number, also as 200k or 20M/],
  [['bench', 'query', '--logs', '0'], /A whole number, also as 200k or 20M/],
  [['ingest'], /missing required argument 'file'/],
  [['ingest', missing], /There is no file .*nowhere\. Help: inquest ingest --help/],
  [['ingest', root], /is a directory: name the files in it\./],
  [['ingest', file, missing], /There is no file .*nowhere/],
  [['demo', '--seed', '1.5'], /'--seed <number>' argument '1\.5' is invalid\. A whole number, 0 or more\./],
  [['demo', '--seed', ''], /A whole number, 0 or more\./],
  [['demo', '--seed', '9007199254740993'], /A whole number, 0 or more\./],
  [['demo', '--fault'], /'--fault <kind>' argument missing/],
  [['demo', '--yes=no'], /unknown option '--yes=no' \(did you mean --yes\?\)/],
  [['simulate', '--rate', '0'], /'--rate <number\|max>' argument '0' is invalid\. A number greater than 0, or max\./],
  [['simulate', '--rate', 'NaN'], /A number greater than 0, or max\./],
  [['simulate', '--minutes', '-1'], /A number greater than 0\./],
  [['simulate', '--minutes', '1e12'], /--history and --for take at most 366 d each/],
  [['simulate', '--history', 'soon'], /'--history <duration>' argument 'soon' is invalid\. Write 90s, 15m, 2h or 7d\./],
  [['simulate', '--history', '99999999d'], /--history and --for take at most 366 d each/],
  [['simulate', '--rate', '2000'], /--rate takes at most 1000; beyond that, max\./],
  [['simulate', '--rate', 'max', '--fault', 'error-burst'], /--rate max sends a shop on which nothing breaks/],
  [
    ['simulate', '--out', 'x', '--url', 'http://127.0.0.1:1'],
    /'--out <directory>' cannot be used with option '--url <url>'/,
  ],
  [['simulate', '--fault-after', '5'], /'--fault-after <duration>' argument '5' is invalid/],
  [
    ['simulate', '--url', 'ftp://x'],
    /'--url <url>' argument 'ftp:\/\/x' is invalid\. Write http:\/\/127\.0\.0\.1:4318\./,
  ],
  [['simulate', '--url', ''], /'--url <url>' argument '' is invalid/],
  [['investigate', '--since', '2026-13-01'], /--since "2026-13-01" is not a time/],
  [['investigate', '--since', '2026-02-31'], /--since "2026-02-31" is not a time/],
  [['investigate', '--since', '2099-01-01'], /--since 2099-01-01 lies in the future/],
  [['investigate', '--since', '1h', '--until', '1h'], /--until 1h is not after --since 1h/],
  [['investigate', '--since', '1h', '--service'], /'--service <name>' argument missing/],
  [['eval', 'run'], /missing required argument 'suite'/],
  [['eval', 'runn', 'simulator'], /unknown command 'runn' \(did you mean run\?\)/],
  [['eval', 'run', 'nosuch'], /There is no suite "nosuch"; there are: /],
  [['audit'], /say what to do.*Help: inquest audit --help/],
  [['audit', 'lst'], /unknown command 'lst' \(did you mean list\?\)/],
  [['audit', 'list', '--limit', 'x'], /'--limit <count>' argument 'x' is invalid/],
  [['audit', 'verify', '--file', missing], /nowhere/],
  [['completion', 'tcsh'], /'tcsh' is invalid.*bash, zsh, fish/],
  [['serve', '--prot', '1'], /Unknown option '--prot'.*Help: inquest serve --help/],
  [['serve', 'extra'], /Unexpected argument 'extra'/],
  [['serve', '--port'], /Option '--port <value>' argument missing/],
  [['serve', '--port', 'x'], /INQUEST_PORT: a whole number/],
  [['serve', '--port', '99999'], /INQUEST_PORT: .*65535/],
  [['serve', '--idle-exit', 'soon'], /--idle-exit soon: give a number of seconds above 0/],
  [['serve', '--port', '0', '--host', '203.0.113.7'], /This machine has no address 203\.0\.113\.7/],
  [['serve', '--port', '0', '--data-dir', file], /a file is not a directory\./],
];

describe('a mistake', () => {
  it.each(mistakes)('%j', async (words, says) => {
    const { code, stdout, stderr } = await run(words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^inquest( serve)?: [^\n]+\n$/);
    expect(stderr).not.toMatch(/(?!\n)\p{C}/u);
    expect(stderr).toMatch(says);
  });

  it('a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    const { code, stdout, stderr } = await run(['serve', '--port', String(port)]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(
      new RegExp(`^inquest serve: Port ${port} on 127\\.0\\.0\\.1 is taken [^\n]*--port[^\n]*\n$`),
    );
    other.close();
  });
});
