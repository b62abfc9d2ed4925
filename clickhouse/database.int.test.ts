/** The contract of openDatabase on an engine of this process, on one of another process, and on a real server if there is one. */
import { it } from 'vitest';
import { silentLogger } from '../platform/logger.ts';
import { describeDatabase } from './database.contract.ts';
import { openEmbeddedEngine } from './embedded-engine.ts';
import { makeDataDir, startEngineHost, stopEngineHost } from './engine.fixture.ts';

describeDatabase('the embedded engine of this process', async () => {
  const { dataDir, remove } = makeDataDir();
  const engine = await openEmbeddedEngine({ dataDir, logger: silentLogger });
  const close = async () => {
    await engine.close();
    remove();
  };
  return { address: engine, database: 'contract', close };
});

// As with CLICKHOUSE_URL: nothing is known of it but address, user and password.
describeDatabase('an engine that another process started', async () => {
  const { dataDir, remove } = makeDataDir();
  const { process: host, address } = await startEngineHost(dataDir);
  const close = async () => {
    await stopEngineHost(host);
    remove();
  };
  return { address, database: 'contract', close };
});

const url = process.env['INQUEST_TEST_CLICKHOUSE_URL'];
const user = process.env['INQUEST_TEST_CLICKHOUSE_USER'] ?? 'default';
const password = process.env['INQUEST_TEST_CLICKHOUSE_PASSWORD'] ?? '';
if (url === undefined) {
  it.skip('database on a real server: none here, INQUEST_TEST_CLICKHOUSE_URL (_USER, _PASSWORD) names one', () =>
    undefined);
} else {
  describeDatabase('a real server', async () => ({
    address: { url, user, password },
    database: `inquest_contract_${process.pid}`,
    close: async () => undefined,
  }));
}
