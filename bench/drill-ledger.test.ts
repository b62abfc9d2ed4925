import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { balance, readJournals } from './drill-ledger.ts';

const directory = mkdtempSync(join(tmpdir(), 'inquest-ledger-'));
afterAll(() => rmSync(directory, { recursive: true }));

function journal(...lines: string[]): string {
  const path = join(directory, `${lines.length}-${Math.random()}.journal`);
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  return path;
}
const stored = (request: string, rows: number, records = rows, unlisted = 0) => ({ request, rows, records, unlisted });
const EVEN = {
  acknowledgedRequests: 0,
  acknowledgedRecords: 0,
  lostRecords: 0,
  openRequests: 0,
  openRows: 0,
  repeatedRows: 0,
  unexplainedRows: 0,
  unlistedSpans: 0,
};

describe('the books of a drill', () => {
  it('are even when what was acknowledged is stored once', () => {
    const sent = readJournals([journal('S a 10', 'A a', 'S b 5', 'A b')]);
    expect(balance(sent, [stored('a', 10), stored('b', 5)])).toEqual({
      ...EVEN,
      acknowledgedRequests: 2,
      acknowledgedRecords: 15,
    });
  });

  it('show what is lost, wholly or in part', () => {
    const sent = readJournals([journal('S a 10', 'A a'), journal('S b 10', 'A b')]);
    expect(balance(sent, [stored('a', 7)])).toMatchObject({ lostRecords: 13 });
    // Repetitions of some records do not make up for the loss of others.
    const twice = readJournals([journal('S a 10', 'S a 10', 'A a')]);
    expect(balance(twice, [stored('a', 14, 7)])).toMatchObject({ lostRecords: 3, repeatedRows: 7 });
  });

  it('tell repetitions that were asked for from those that nobody asked for', () => {
    const sent = readJournals([journal('S a 10', 'S a 10', 'A a', 'S b 10', 'A b')]);
    const rows = [stored('a', 20, 10), stored('b', 20, 10), stored('nobody sent this', 3)];
    expect(balance(sent, rows)).toMatchObject({ lostRecords: 0, repeatedRows: 10, unexplainedRows: 13 });
  });

  it('keep what was never answered apart', () => {
    const cutOff = join(directory, 'cut-off.journal');
    writeFileSync(cutOff, 'S a 10\nS b 10\nA');
    const sent = readJournals([cutOff, join(directory, 'never-written.journal')]);
    expect(balance(sent, [stored('b', 10)])).toEqual({ ...EVEN, openRequests: 2, openRows: 10 });
  });

  it('show spans that their trace does not lead to', () => {
    const sent = readJournals([journal('S a 10', 'A a')]);
    expect(balance(sent, [stored('a', 10, 10, 4)])).toMatchObject({ unlistedSpans: 4, lostRecords: 0 });
  });
});
