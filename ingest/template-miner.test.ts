import { beforeEach, expect, test } from 'vitest';
import type { StoredTemplate, TemplateStore } from '../clickhouse/log-templates.ts';
import type { LogRow } from '../clickhouse/telemetry-rows.ts';
import type { TemplateAlias } from '../domain/log-templates/template-groups.ts';
import { InputError, LimitError, UnavailableError } from '../platform/errors.ts';
import { silentLogger } from '../platform/logger.ts';
import { createTemplateMiner, type TemplateMiner, type TemplateMinerOptions, writeMined } from './template-miner.ts';

/** By service and id, as the table keeps it: the greatest version stays. */
let table: Map<string, StoredTemplate & TemplateAlias>;
let saves: number;
let isAway: boolean;

beforeEach(() => {
  table = new Map();
  saves = 0;
  isAway = false;
});

const store: TemplateStore = {
  load: async () => {
    if (isAway) throw new UnavailableError('away');
    return [...table.values()];
  },
  save: async (service, aliases) => {
    await Promise.resolve();
    if (isAway) throw new UnavailableError('away');
    saves++;
    for (const alias of aliases) {
      const key = `${service} ${alias.id}`;
      const before = table.get(key);
      if (!before || BigInt(alias.version) > BigInt(before.version)) {
        table.set(key, { ...alias, service, storedAtMs: saves });
      }
    }
  },
};

const open = (options: Partial<TemplateMinerOptions> = {}): TemplateMiner =>
  createTemplateMiner({ store, logger: silentLogger, ...options });

function rowOf(Body: string, ServiceName = 'cart'): LogRow {
  return {
    Timestamp: '1',
    TraceId: '',
    SpanId: '',
    TraceFlags: 0,
    SeverityText: '',
    SeverityNumber: 0,
    ServiceName,
    Body,
    ResourceSchemaUrl: '',
    ResourceAttributes: {},
    ScopeSchemaUrl: '',
    ScopeName: '',
    ScopeVersion: '',
    ScopeAttributes: {},
    LogAttributes: {},
    EventName: '',
  };
}

async function mine(miner: TemplateMiner, bodies: readonly string[], service = 'cart'): Promise<string[]> {
  const { otel_logs = [] } = await miner.mine({ otel_logs: bodies.map((body) => rowOf(body, service)) });
  expect(otel_logs.map(({ Body }) => Body)).toEqual(bodies);
  return otel_logs.map(({ TemplateId }) => TemplateId ?? '');
}
const textOf = (id: string, service = 'cart') => table.get(`${service} ${id}`)?.text;
const templateOf = (id: string) => table.get(`cart ${id}`)?.templateId;
const USERS = ['ann', 'bob', 'cleo', 'dora', 'emil', 'fritz', 'gina', 'hanna'];
const logins = USERS.map((user) => `login of ${user} refused`);

test('each line gets the id of its template, which is stored by then; other tables pass as they are', async () => {
  const miner = open();
  const ids = await mine(miner, ['order 1 placed', 'order 2 placed', 'no stock']);
  expect(ids[0]).toBe(ids[1]);
  expect(ids.map((id) => textOf(id))).toEqual(['order <*> placed', 'order <*> placed', 'no stock']);
  await mine(miner, ['order 3 placed']);
  expect(saves).toBe(1);
  const rows = { otel_traces: [] };
  expect(await miner.mine(rows)).toBe(rows);
  expect(miner.load()).toEqual({ services: 1, facts: 2, unminedLines: 0 });
});

test('templates are those of a service', async () => {
  const miner = open();
  const [first = ''] = await mine(miner, logins.slice(0, 4), 'cart');
  await mine(miner, logins.slice(4), 'shop');
  expect(textOf(first)).toBe('login of ann refused');
});

test('ids are the same after a restart, and go on to be resolved', async () => {
  const before = await mine(open(), logins.slice(0, 7));
  expect(new Set(before).size).toBe(7);
  const miner = open();
  expect(await mine(miner, logins.slice(0, 7))).toEqual(before);
  const after = await mine(miner, logins);
  expect(before.map(templateOf)).toEqual(before.map(() => after.at(-1)));
  expect(textOf(before[0] ?? '')).toBe('login of <*> refused');
});

test('two processes that saw different lines agree once each has read the other', async () => {
  const [left, right] = [open(), open()];
  await Promise.all([left.sync(), right.sync()]);
  const given = (await Promise.all([mine(left, logins.slice(0, 4)), mine(right, logins.slice(4))])).flat();
  expect(new Set(given.map(templateOf)).size).toBe(8);
  await left.sync();
  expect(new Set(given.map(templateOf)).size).toBe(1);
  await right.sync();
  expect(await mine(right, ['login of zoe refused'])).toEqual([templateOf(given[0] ?? '')]);
});

test('what another process learned is read while lines arrive', async () => {
  const miner = open({ syncMs: 0 });
  const [first = ''] = await mine(miner, logins.slice(0, 4));
  await mine(open(), logins.slice(4));
  await expect
    .poll(() => mine(miner, logins.slice(0, 1)).then(([id]) => id !== first && textOf(first)))
    .toBe('login of <*> refused');
});

test('no line is handed on whose template could not be stored, not even that of another batch', async () => {
  const miner = open();
  await miner.sync();
  const written: string[] = [];
  const write = writeMined(miner, async ({ otel_logs = [] }, _: { signal?: AbortSignal }) => {
    for (const { TemplateId = '' } of otel_logs) written.push(TemplateId);
  });
  isAway = true;
  const batch = { otel_logs: [rowOf('a new line')] };
  const outcomes = await Promise.allSettled([write(batch, {}), write(batch, {})]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(written).toEqual([]);
  isAway = false;
  await Promise.all([write(batch, {}), write(batch, {})]);
  expect(written.map((id) => textOf(id))).toEqual(['a new line', 'a new line']);
});

test('who waits for what another began to read is told to retry when that one runs out of time', async () => {
  const load: TemplateStore['load'] = (_since, signal) =>
    new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
  const miner = open({ store: { ...store, load } });
  const batch = { otel_logs: [rowOf('a line')] };
  const outcomes = await Promise.allSettled([
    miner.mine(batch, AbortSignal.timeout(10)),
    miner.mine(batch, new AbortController().signal),
  ]);
  for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { retryable: true } });
});

test('where there is no room a line has no id, and is counted', async () => {
  const miner = open({ limits: { maxFacts: 2, maxFactsOfTemplate: 2 }, maxServices: 1 });
  expect(await mine(miner, ['one thing', 'another matter', 'third kind of line', 'one thing'])).toMatchObject({
    2: '',
  });
  expect(await mine(miner, ['one thing'], 'shop')).toEqual(['']);
  expect(miner.load()).toEqual({ services: 1, facts: 2, unminedLines: 2 });
});

test('templates that the store refuses cost their lines the id, and no other service anything', async () => {
  const picky: TemplateStore = {
    ...store,
    save: async (service, aliases) => {
      if (service === 'odd') throw new InputError('refused');
      await store.save(service, aliases);
    },
  };
  const miner = open({ store: picky });
  const rows = { otel_logs: [rowOf('user 1 left', 'odd'), rowOf('user 2 left', 'cart')] };
  for (let turn = 0; turn < 2; turn++) {
    const { otel_logs: mined = [] } = await miner.mine(rows);
    expect(mined.map(({ TemplateId }) => TemplateId)).toEqual(['', expect.stringMatching(/./)]);
  }
  expect(miner.load().unminedLines).toBe(2);
});

test('templates that cannot be read are learned anew', async () => {
  const load = () => Promise.reject(new LimitError('too many'));
  const { otel_logs: mined = [] } = await open({ store: { ...store, load } }).mine({
    otel_logs: [rowOf('user 1 left')],
  });
  expect(mined[0]?.TemplateId).toBeTruthy();
});
