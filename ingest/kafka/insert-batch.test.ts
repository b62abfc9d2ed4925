/** Which refusals bury a message, which wait, and what is stored meanwhile. */
import { describe, expect, it } from 'vitest';
import type { TelemetryRows } from '../../clickhouse/telemetry-rows.ts';
import { ConfigError, InputError, InvariantError, LimitError, UnavailableError } from '../../platform/errors.ts';
import { silentLogger } from '../../platform/logger.ts';
import { RecordCount } from '../otlp/record-count.ts';
import { insertBatch } from './insert-batch.ts';
import type { ReadMessage } from './read-messages.ts';

type Write = (table: string, rows: readonly { MetricName: string }[]) => void;

function messageOf(offset: string, tables: readonly string[], problem?: string): ReadMessage {
  const rows = Object.fromEntries(tables.map((table) => [table, [{ MetricName: `${table} ${offset}` }]]));
  const message = { key: null, value: Buffer.alloc(1), timestamp: '1', attributes: 0, offset, headers: {} };
  return { message, rows: rows as TelemetryRows, count: new RecordCount(), problem };
}

/** A store that remembers tokens, as the real one does. */
async function insert(messages: readonly ReadMessage[], onWrite: Write, mayWait = () => true) {
  const tokens = new Set<string>();
  const stored: string[] = [];
  const write = async (rows: object, { token }: { readonly token: string }) => {
    const entries = Object.entries(rows) as [string, { MetricName: string }[]][];
    for (const [table, ofTable] of entries) {
      onWrite(table, ofTable);
      if (!tokens.has(`${token}:${table}`)) stored.push(...ofTable.map(({ MetricName }) => MetricName));
      tokens.add(`${token}:${table}`);
    }
  };
  const boundary = { first: 1n, last: 9n, batchId: 'b' };
  const batch = { topic: 'otlp_metrics', partition: 0, boundary, messages };
  const letters = await insertBatch({ write, logger: silentLogger, mayWait }, batch);
  return { letters, stored: stored.sort() };
}

const MESSAGES = [
  messageOf('1', ['otel_metrics_gauge', 'otel_metrics_sum']),
  messageOf('2', ['otel_metrics_gauge', 'otel_metrics_sum']),
];

describe('inserting a batch', () => {
  it('buries the message that one table refuses, with the table, and stores everything else once', async () => {
    const { letters, stored } = await insert(MESSAGES, (table, rows) => {
      const isBad = ({ MetricName }: { MetricName: string }) => MetricName === 'otel_metrics_sum 2';
      if (table === 'otel_metrics_sum' && rows.some(isBad)) throw new InputError('bad row');
    });
    expect(letters).toMatchObject([
      { message: { offset: '2' }, reason: 'bad row', tables: ['otel_metrics_sum'], topic: 'otlp_metrics' },
    ]);
    expect(stored).toEqual(['otel_metrics_gauge 1', 'otel_metrics_gauge 2', 'otel_metrics_sum 1']);
  });

  it('buries what cannot be read', async () => {
    const { letters, stored } = await insert([messageOf('3', [], 'no OTLP'), messageOf('4', ['otel_logs'])], () => {});
    expect(letters).toMatchObject([{ message: { offset: '3' }, reason: 'no OTLP' }]);
    expect(letters[0]?.tables).toBeUndefined();
    expect(stored).toEqual(['otel_logs 4']);
  });

  it.each([
    ['away', () => new UnavailableError('away')],
    ['shut to us', () => new ConfigError('wrong password')],
    ['short of memory', () => new LimitError('memory')],
    ['without a table', () => new InvariantError('unknown table')],
  ])('buries nothing because the store is %s for a while', async (_, problem) => {
    let refusals = 3;
    const { letters, stored } = await insert(MESSAGES, () => {
      if (refusals-- > 0) throw problem();
    });
    expect(letters).toEqual([]);
    expect(stored).toHaveLength(4);
  });

  it('does not wait where it may not: whoever has the partition next stores it', async () => {
    const away = () => {
      throw new UnavailableError('away');
    };
    await expect(insert(MESSAGES, away, () => false)).rejects.toThrow('away');
  });
});
