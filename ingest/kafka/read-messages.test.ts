/** Encodings of a message, the time it is judged by, and how messages make batches. */
import { expect, test } from 'vitest';
import { InvariantError } from '../../platform/errors.ts';
import { jsonToProto } from '../otlp/json-to-proto.ts';
import { TABLES_HEADER } from './dead-letters.ts';
import { ENCODING_HEADER } from './kafka-buffer.ts';
import { readMessage, readMessages } from './read-messages.ts';

const SENT_MS = 1_780_000_000_000;
const DAY_MS = 86_400_000;
const clock = {
  nowMs: () => {
    throw new InvariantError('judged by the time of reading');
  },
};

function logsAt(timeMs: number, lines = 1): object {
  const logRecords = Array.from({ length: lines }, () => ({
    timeUnixNano: `${timeMs}000000`,
    body: { stringValue: 'a line' },
  }));
  return { resourceLogs: [{ scopeLogs: [{ logRecords }] }] };
}

function messageOf(value: Buffer | null, headers = {}, offset = '0') {
  return { key: null, value, timestamp: String(SENT_MS), attributes: 0, offset, headers };
}

test('reads protobuf, JSON that says so, and JSON that does not', () => {
  const json = JSON.stringify(logsAt(SENT_MS));
  const messages = [
    messageOf(jsonToProto('logs', logsAt(SENT_MS))),
    messageOf(Buffer.from(` ${json}`), { [ENCODING_HEADER]: Buffer.from('json') }),
    messageOf(Buffer.from(json)),
  ];
  for (const message of messages) {
    expect(readMessage('logs', message, { clock })).toMatchObject({ problem: undefined, count: { accepted: 1 } });
  }
});

test('says why a message cannot be read', () => {
  for (const value of [null, Buffer.from('this is no protobuf'), Buffer.from('{')]) {
    expect(readMessage('logs', messageOf(value), { clock }).problem).toBeTruthy();
  }
});

test('judges records as of the time at which the message was sent', () => {
  const old = messageOf(jsonToProto('logs', logsAt(SENT_MS - 10 * DAY_MS)));
  expect(readMessage('logs', old, { clock }).count.accepted).toBe(1);
  expect(readMessage('logs', old, { clock, retentionDays: 3 }).count).toMatchObject({ accepted: 0, rejected: 1 });
});

test('a letter that was put back brings the tables what they lack, and nothing twice', () => {
  const value = jsonToProto('logs', logsAt(SENT_MS));
  const rowsFor = (tables: string) =>
    readMessage('logs', messageOf(value, { [TABLES_HEADER]: tables }), { clock }).rows;
  expect(Object.keys(rowsFor('otel_logs,otel_traces'))).toEqual(['otel_logs']);
  expect(Object.keys(rowsFor('otel_traces'))).toEqual([]);
});

test('every message is in one batch, in order, and batches are not too large', () => {
  const messages = Array.from({ length: 9 }, (_, index) =>
    messageOf(jsonToProto('logs', logsAt(SENT_MS, 5_000)), {}, String(index)),
  );
  const batches = [...readMessages('logs', messages, { clock })];
  expect(batches.map((batch) => batch.map(({ message }) => message.offset).join(''))).toEqual(['0123', '4567', '8']);
});
