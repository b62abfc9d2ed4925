/** Errors by template: the same counts from kept counts, from lines of cut minutes and from lines that no miner saw. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestDatabase, type TestDatabase } from './engine.fixture.ts';
import { readErrorsByTemplate } from './read-errors-by-template.ts';

const MINUTE_MS = 60_000;
const T0_MS = Date.UTC(2026, 2, 4, 10);
let opened: TestDatabase;

interface Line {
  readonly atMs: number;
  readonly id: string;
  readonly body: string;
  readonly severity?: string;
  readonly service?: string;
}

const rowOf = ({ atMs, id, body, severity = 'ERROR', service = 'pay' }: Line) => ({
  ...{ Timestamp: `${T0_MS + atMs}000000`, ServiceName: service, Body: body, TemplateId: id },
  ...{ SeverityText: severity, SeverityNumber: 0 },
});
const templateOf = (Id: string, TemplateId: string, Text: string, Version: string) => {
  return { ServiceName: 'pay', Id, TemplateId, Text, Shape: Text.split(' '), Version };
};

beforeAll(async () => {
  opened = await openTestDatabase();
  const { database } = opened;
  await database.insert('inquest_log_templates', [
    templateOf('a', 'a', 'card 7 declined', '1'),
    templateOf('a', 'a', 'card <*> declined', '2'),
    templateOf('b', 'a', 'card <*> declined', '2'),
  ]);
  await database.insert('otel_logs', [
    rowOf({ atMs: 30_000, id: 'a', body: 'card 7 declined' }),
    rowOf({ atMs: 70_000, id: 'b', body: 'card 8 declined' }),
    rowOf({ atMs: 80_000, id: 'b', body: 'card 9 declined', severity: 'INFO' }),
    rowOf({ atMs: 3 * MINUTE_MS, id: 'a', body: 'card 10 declined' }),
    rowOf({ atMs: 3 * MINUTE_MS + 1, id: '', body: 'older than mining: 12 ms' }),
    rowOf({ atMs: 4 * MINUTE_MS + 2_000, id: 'a', body: 'card 11 declined' }),
    rowOf({ atMs: 4 * MINUTE_MS + 9_000, id: 'a', body: 'card 12 declined' }),
    rowOf({ atMs: 70_000, id: 'a', body: 'of another service 5', service: 'web' }),
  ]);
});
afterAll(() => opened?.close());

async function errorsOf(fromMs: number, toMs: number): Promise<unknown[]> {
  const window = { startMs: T0_MS + fromMs, endMs: T0_MS + toMs };
  const { rows } = await readErrorsByTemplate(opened.database, { window }, { maxRows: 10 });
  expect(rows.every(({ totalRows }) => totalRows === rows.length)).toBe(true);
  return rows.map(({ service, template, lines }) => `${lines} ${service}: ${template}`);
}

it('counts superseded ids under what they stand for now, and masks lines that were never mined', async () => {
  expect(await errorsOf(0, 5 * MINUTE_MS)).toEqual([
    '5 pay: card <*> declined',
    '1 pay: older than mining: <*> ms',
    '1 web: of another service <*>',
  ]);
});

it('takes of cut minutes what lies in the window', async () => {
  expect(await errorsOf(31_000, 4 * MINUTE_MS + 5_000)).toEqual([
    '3 pay: card <*> declined',
    '1 pay: older than mining: <*> ms',
    '1 web: of another service <*>',
  ]);
  expect(await errorsOf(4 * MINUTE_MS + 1_000, 4 * MINUTE_MS + 3_000)).toEqual(['1 pay: card <*> declined']);
  expect(await errorsOf(10 * MINUTE_MS, 20 * MINUTE_MS)).toEqual([]);
});
