import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { InputError } from '../../platform/errors.ts';
import { readNabFiles, readNabWindows, windowsOfRows } from './nab.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'inquest-series-'));
  mkdirSync(join(root, 'data', 'some'), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const write = (file: string, text: string) => writeFileSync(join(root, 'data', 'some', file), text);

test('reads every series under data/ in name order, a missing number as not observed', () => {
  write('b.csv', 'timestamp,value\n2014-02-14 14:30:00,1.5\n');
  write('a.csv', 'timestamp,value\r\n2014-02-14 14:30:00,-2e3\r\n2014-02-14 14:35:00,\r\n');
  write('notes.txt', 'no series');
  const atMs = Date.UTC(2014, 1, 14, 14, 30);
  expect(readNabFiles(root, '')).toEqual([
    {
      file: 'some/a.csv',
      rows: [
        { atMs, value: -2000 },
        { atMs: atMs + 300_000, value: Number.NaN },
      ],
    },
    { file: 'some/b.csv', rows: [{ atMs, value: 1.5 }] },
  ]);
  expect(readNabFiles(root, 'b.c').map(({ file }) => file)).toEqual(['some/b.csv']);
});

test('a file of another shape is named', () => {
  write('a.csv', 'time,value\n2014-02-14 14:30:00,1\n');
  expect(() => readNabFiles(root, '')).toThrow(InputError);
  expect(() => readNabFiles(root, '')).toThrow('a.csv');
});

test('windows hold the rows from their first to their last timestamp; a window without rows is none', () => {
  const path = join(root, 'labels.json');
  const window = (start: string, end: string) => [`2014-02-14 ${start}.000000`, `2014-02-14 ${end}.000000`];
  writeFileSync(
    path,
    JSON.stringify({ windows: { x: [window('14:05:00', '14:10:00')], y: [], z: [window('15:00:00', '16:00:00')] } }),
  );
  const windows = readNabWindows(path);
  const rows = [0, 5, 10, 15].map((minute) => ({ atMs: Date.UTC(2014, 1, 14, 14, minute), value: 0 }));
  expect(windowsOfRows(rows, windows['x'])).toEqual([[1, 2]]);
  expect(windowsOfRows(rows, windows['z'])).toEqual([]);
  expect(windowsOfRows(rows, windows['unheard of'])).toEqual([]);
});
