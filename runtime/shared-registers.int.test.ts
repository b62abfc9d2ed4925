/** Decisions and the audit chain of many processes, on a real Redis and a real engine: one wins, nothing is lost, a Redis that forgets is overruled. */
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { type AuditLog, createAuditLog } from '../clickhouse/audit-log.ts';
import { openTestDatabase, type TestDatabase } from '../clickhouse/engine.fixture.ts';
import { createOnceTable } from '../clickhouse/once-register.ts';
import { openTestRedis } from '../context-store/board.fixture.ts';
import type { RedisParts } from '../context-store/open-redis.ts';
import { flushServer, itOnRedis } from '../context-store/redis.fixture.ts';
import { type RedisServer, startRedis } from '../context-store/redis-server.ts';
import { HEAD_REPLACED } from '../domain/audit.ts';
import { createSharedAuditHead } from './shared-audit-head.ts';
import { createSharedOnceRegister } from './shared-once-register.ts';

const PROCESSES = 4;
const TIMEOUT_MS = 60_000;

let server: RedisServer;
let opened: TestDatabase;
let redis: RedisParts[];
beforeAll(async () => {
  server = await startRedis();
  opened = await openTestDatabase();
  redis = await Promise.all(Array.from({ length: PROCESSES }, () => openTestRedis(server.path)));
});
beforeEach(async () => {
  await flushServer(server.path);
  await opened.database.command('TRUNCATE TABLE inquest_audit');
});
afterAll(async () => {
  for (const one of redis ?? []) await one.close();
  await opened?.close();
  await server?.stop();
});

const openRegisters = () =>
  redis.map(({ register }) => createSharedOnceRegister(createOnceTable(opened.database), register));

const openLogs = (): AuditLog[] =>
  redis.map(({ register }) => createAuditLog(opened.database, createSharedAuditHead(register)));

const content = (subject: string) => ({ atMs: 1, actor: 'alice', kind: 'tested', subject, details: {} });

itOnRedis('of many who write at the same time one is first, and all see what it wrote', async () => {
  const registers = openRegisters();
  for (let round = 0; round < 10; round++) {
    const key = `decision/${round}`;
    const writes = registers.flatMap((register, index) =>
      [1, 2, 3].map((click) => register.putOnce(key, `${index} ${click}`)),
    );
    const answers = await Promise.all(writes);
    expect(answers.filter(({ stored }) => stored)).toHaveLength(1);
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set([await registers[0]?.get(key)]));
  }
});

itOnRedis('what was first stays first when Redis has forgotten it', async () => {
  const [one, other] = openRegisters();
  expect(await one?.putOnce('kept', 'first')).toEqual({ stored: true, text: 'first' });
  await flushServer(server.path);
  expect(await other?.putOnce('kept', 'second')).toEqual({ stored: false, text: 'first' });
  expect(await other?.get('kept')).toBe('first');
});

itOnRedis('what was first stands, and becomes durable, though its writer died before that', async () => {
  const [, other] = openRegisters();
  await redis[0]?.register.compareAndSet('once:cut off', undefined, 'first');
  expect(await other?.get('cut off')).toBe('first');
  expect(await other?.putOnce('cut off', 'second')).toEqual({ stored: false, text: 'first' });
  await flushServer(server.path);
  expect(await other?.get('cut off')).toBe('first');
});

itOnRedis('many processes append to one chain', { timeout: TIMEOUT_MS }, async () => {
  const logs = openLogs();
  const subjects = logs.flatMap((_, process) => Array.from({ length: 10 }, (__, index) => `${process} ${index}`));
  await Promise.all(subjects.map((subject) => logs[Number(subject.split(' ')[0])]?.append(content(subject))));
  const [log] = logs;
  const entries = (await log?.list(1, 100)) ?? [];
  expect(entries.map((entry) => 'subject' in entry && entry.subject).toSorted()).toEqual(subjects.toSorted());
  expect(await log?.verify()).toMatchObject({ whole: true, entries: subjects.length });
});

itOnRedis('verifies while others append', { timeout: TIMEOUT_MS }, async () => {
  const [reader, ...writers] = openLogs();
  const writing = Promise.all(
    writers.map(async (log, process) => {
      for (let index = 0; index < 10; index++) await log.append(content(`${process} ${index}`));
    }),
  );
  for (let look = 0; look < 5; look++) expect((await reader?.verify())?.problems).toEqual([]);
  await writing;
});

itOnRedis(
  'goes on with a mark where Redis has lost the head, and nobody can hide that',
  { timeout: TIMEOUT_MS },
  async () => {
    const [one, other] = openLogs();
    await one?.append(content('before'));
    await flushServer(server.path);
    expect((await one?.verify())?.whole).toBe(false);
    await other?.append(content('after'));
    const entries = (await one?.list(1, 100)) ?? [];
    expect(entries.map((entry) => 'kind' in entry && entry.kind)).toEqual(['tested', HEAD_REPLACED, 'tested']);
    expect((await one?.verify())?.problems).toMatchObject([{ sequence: 2 }]);
  },
);
