/** The embedded engine as a process: what its death costs its callers, what it leaves behind, whom it lets in. */
import { once } from 'node:events';
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, InputError, UnavailableError } from '../platform/errors.ts';
import { silentLogger } from '../platform/logger.ts';
import { retry } from '../platform/retry.ts';
import { type Database, openDatabase } from './database.ts';
import { type EmbeddedEngine, ENGINE_ADDRESS_FILE, openEmbeddedEngine } from './embedded-engine.ts';
import { makeDataDir, startEngineHost, stopEngineHost } from './engine.fixture.ts';

const PATIENCE = { attempts: 500, baseDelayMs: 10, maxDelayMs: 40 };
const bounds = { tag: 'test', maxRows: 1_000_000 };

let directory: ReturnType<typeof makeDataDir>;
beforeEach(() => {
  directory = makeDataDir();
});
afterEach(() => directory.remove());

async function withEngine(work: (engine: EmbeddedEngine, database: Database) => Promise<void>): Promise<void> {
  const engine = await openEmbeddedEngine({ dataDir: directory.dataDir, logger: silentLogger });
  try {
    const database = await openDatabase({ ...engine, database: 'engine_test' });
    await work(engine, database);
    await database.close();
  } finally {
    await engine.close();
  }
}

function killHard(pid: number | undefined): void {
  if (pid !== undefined) process.kill(pid, 'SIGKILL');
}

const LINES_PER_BATCH = 200;

/** Callers that always have one call under way, until they are stopped; how each call ended is counted. */
function startLoad(database: Database) {
  const seen = { calls: 0, refused: 0, others: [] as unknown[], acknowledged: [] as number[] };
  const stopping = new AbortController();
  let batch = 0;

  async function insertBatch(): Promise<void> {
    const mine = ++batch;
    const lines = Array.from({ length: LINES_PER_BATCH }, (_, line) => ({ Batch: mine, Line: line }));
    await database.insert('kept', lines);
    seen.acknowledged.push(mine);
  }
  async function readAll(): Promise<void> {
    await database.read('SELECT Batch, count() AS lines FROM kept GROUP BY Batch', {}, bounds);
  }
  async function callOnce(call: () => Promise<void>): Promise<void> {
    seen.calls++;
    try {
      await call();
    } catch (error) {
      if (error instanceof UnavailableError && error.retryable) seen.refused++;
      else seen.others.push(error);
      await retry(() => database.version(), PATIENCE);
    }
  }
  async function keepCalling(call: () => Promise<void>): Promise<void> {
    while (!stopping.signal.aborted) await callOnce(call);
  }

  const callers = [insertBatch, insertBatch, readAll, readAll, readAll, readAll].map(keepCalling);
  const stop = async () => {
    stopping.abort();
    await Promise.all(callers);
  };
  return { seen, callers: callers.length, stop };
}

describe('when it dies', () => {
  it('each call under way gets one retryable error, it comes back where it was, and nothing acknowledged is lost', async () => {
    await withEngine(async (engine, database) => {
      await database.command('CREATE TABLE kept (Batch UInt32, Line UInt32) ENGINE = MergeTree ORDER BY (Batch, Line)');
      const kills = 10;
      const { url } = engine;
      const { seen, callers, stop } = startLoad(database);
      for (let kill = 1; kill <= kills; kill++) {
        const [pid, stored] = [engine.pid(), seen.acknowledged.length];
        killHard(pid);
        await retry(async () => {
          await database.version();
          // Ready for the next kill when it serves again, and the load with it.
          if (engine.pid() === pid || seen.acknowledged.length <= stored) throw new UnavailableError('not yet');
        }, PATIENCE);
      }
      await stop();

      expect(seen.others).toEqual([]);
      expect(seen.refused).toBeGreaterThanOrEqual(kills);
      expect(seen.refused).toBeLessThanOrEqual(kills * callers);
      expect(engine.url).toBe(url);
      expect(engine.restarts()).toBe(kills);
      const sql = `SELECT toUInt32(Batch) AS batch, toUInt32(count()) AS lines, toUInt32(uniqExact(Line)) AS distinct
        FROM kept GROUP BY Batch`;
      const { rows } = await database.read<{ batch: number; lines: number; distinct: number }>(sql, {}, bounds);
      const stored = new Set(rows.map(({ batch }) => batch));
      expect(seen.acknowledged.filter((batch) => !stored.has(batch))).toEqual([]);
      // Without an answer a batch is there as a whole or not at all.
      const whole = { lines: LINES_PER_BATCH, distinct: LINES_PER_BATCH };
      expect(rows).toEqual(rows.map(({ batch }) => ({ batch, ...whole })));
      process.stderr.write(
        `${kills} kills, ${callers} callers: ${seen.calls} calls, ${seen.refused} refused with a retryable error, ` +
          `${seen.acknowledged.length} batches acknowledged, ${rows.length} stored\n`,
      );
    });
  });

  it('is closed while it starts again, and leaves nobody in its directory', async () => {
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    const engine = await openEmbeddedEngine({ dataDir: directory.dataDir, logger: silentLogger });
    killHard(engine.pid());
    while (engine.restarts() === 0) await turn();
    await engine.close();
    for (let turns = 0; turns < 5; turns++) await turn(); // Node needs some to forget a process that has ended
    expect(process.getActiveResourcesInfo()).not.toContain('ProcessWrap');
    await withEngine(async (_, database) => {
      expect(await database.version()).not.toBe('');
    });
  });

  it('says why it does not come back, tries again by itself, and serves as soon as it can', async () => {
    const engine = await openEmbeddedEngine({ dataDir: directory.dataDir, logger: silentLogger });
    const database = await openDatabase({ ...engine, database: 'engine_test', whyAway: engine.problem });
    await database.command('CREATE TABLE kept (n UInt32) ENGINE = MergeTree ORDER BY n');
    await database.insert('kept', [{ n: 1 }]);
    expect(engine.problem()).toBeUndefined();

    const engineDir = join(directory.dataDir, 'engine');
    renameSync(engineDir, `${engineDir}.aside`);
    writeFileSync(engineDir, 'not a directory');
    killHard(engine.pid());
    await retry(async () => {
      if (engine.restarts() < 3) throw new UnavailableError('it has not tried often enough yet');
    }, PATIENCE);
    const refusal = await database.version().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(UnavailableError);
    expect(String(refusal)).toMatch(/did not start: EEXIST.*tried 2 times/s);

    rmSync(engineDir);
    renameSync(`${engineDir}.aside`, engineDir);
    await engine.untilRunning(60_000);
    expect(engine.problem()).toBeUndefined();
    expect((await database.read('SELECT n FROM kept', {}, bounds)).rows).toEqual([{ n: 1 }]);
    await database.close();
    await engine.close();
  });

  it('takes the engine along when its host is killed, so that the next host starts at once', async () => {
    const { process: host, address } = await startEngineHost(directory.dataDir);
    const database = await openDatabase({ ...address, database: 'engine_test' });
    await database.command('CREATE TABLE kept (n UInt32) ENGINE = MergeTree ORDER BY n');
    await database.insert('kept', [{ n: 1 }]);
    const busy = Array.from({ length: 3 }, () =>
      database
        .read('SELECT count() AS n FROM numbers(10000000000000) WHERE cityHash64(number) = 1', {}, bounds)
        .catch((error: unknown) => error),
    );
    await database.version(); // a fourth call has been served: the three are at work

    const gone = once(host, 'exit');
    host.kill('SIGKILL');
    await gone;
    await withEngine(async (_, again) => {
      expect((await again.read('SELECT n FROM kept', {}, bounds)).rows).toEqual([{ n: 1 }]);
    });
    for (const failure of await Promise.all(busy)) expect(failure).toBeInstanceOf(UnavailableError);
    await database.close();
  });
});

describe('its directory', () => {
  it('has one engine: a second one is told so, and the first goes on undisturbed', async () => {
    await withEngine(async (engine, database) => {
      await database.command('CREATE TABLE kept (n UInt32) ENGINE = MergeTree ORDER BY n');
      const body = request(`${engine.url}/?database=engine_test&query=INSERT+INTO+kept+FORMAT+JSONEachRow`, {
        method: 'POST',
        headers: { 'x-clickhouse-key': engine.password },
      });
      const answer = once(body, 'response');
      body.write('{"n":1}\n'); // a request whose other half comes later
      await database.version();

      const second = await openEmbeddedEngine({ dataDir: directory.dataDir, logger: silentLogger }).catch((e) => e);
      expect(second).toBeInstanceOf(ConfigError);
      expect(String(second)).toContain(directory.dataDir);

      body.end('{"n":2}\n');
      const [response] = await answer;
      expect(response.statusCode).toBe(200);
      response.resume();
      expect((await database.read('SELECT n FROM kept', {}, bounds)).rows).toEqual([{ n: 1 }, { n: 2 }]);
    });
  });

  it('tells workers the address while it runs, and only its owner', async () => {
    const file = join(directory.dataDir, ENGINE_ADDRESS_FILE);
    await withEngine(async (engine) => {
      const { url, user, password } = engine;
      expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ url, user, password, pid: engine.pid() });
      expect(statSync(file).mode & 0o777).toBe(0o600);
    });
    expect(() => statSync(file)).toThrow();
  });
});

it('leaves no process when it is closed, whatever it was doing', async () => {
  const engine = await openEmbeddedEngine({ dataDir: directory.dataDir, logger: silentLogger });
  const database = await openDatabase({ ...engine, database: 'engine_test' });
  const sql = 'SELECT count() AS n FROM numbers(10000000000000) WHERE cityHash64(number) = 1';
  const busy = database.read(sql, {}, bounds).catch((error: unknown) => error);
  await database.version();
  const pid = engine.pid() ?? 0;
  await engine.close();
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  expect(await busy).toBeInstanceOf(UnavailableError);
  expect(await database.version().catch((error: unknown) => error)).toBeInstanceOf(UnavailableError);
  await database.close();
});

it('is stopped in order by a host whose input ends', async () => {
  const { process: host, address } = await startEngineHost(directory.dataDir);
  expect((await fetch(`${address.url}/ping`)).status).toBe(200);
  await stopEngineHost(host);
  await expect(fetch(`${address.url}/ping`)).rejects.toThrow();
});

describe('statements that a server would take another way', () => {
  const inline = [
    'INSERT INTO kept VALUES (1)',
    'INSERT INTO kept FORMAT JSONEachRow {"n":1}\n\nDROP TABLE kept',
    '/* rows */ INSERT INTO kept VALUES (1)',
    '-- rows\nINSERT INTO kept VALUES (1)',
    'INSERT INTO kept (n) SELECT 1; DROP TABLE kept',
  ];
  it('are refused when they bring rows of their own', async () => {
    await withEngine(async (_, database) => {
      await database.command('CREATE TABLE kept (n UInt32) ENGINE = MergeTree ORDER BY n');
      for (const sql of inline) {
        expect(await database.command(sql).catch((error: unknown) => error)).toBeInstanceOf(InputError);
      }
      await database.command('INSERT INTO kept SELECT 7');
      expect((await database.read('/* why */ SELECT n FROM kept', {}, bounds)).rows).toEqual([{ n: 7 }]);
    });
  });

  it('without the password get nothing but a ping', async () => {
    await withEngine(async (engine) => {
      const anonymous = await fetch(`${engine.url}/?query=SELECT+1`);
      expect([anonymous.status, anonymous.headers.get('x-clickhouse-exception-code')]).toEqual([403, '516']);
      expect(await (await fetch(`${engine.url}/ping`)).text()).toBe('Ok.\n');
    });
  });
});
