/** Which ClickHouse: the server that the configuration names, or the embedded engine in the data directory. One code path after. */
import { applyRetention } from '../clickhouse/apply-retention.ts';
import { type Database, openDatabase } from '../clickhouse/database.ts';
import { type EmbeddedEngine, openEmbeddedEngine } from '../clickhouse/embedded-engine.ts';
import { migrate } from '../clickhouse/migrate.ts';
import { createPatientDatabase } from '../clickhouse/patient-database.ts';
import type { Config } from '../platform/config.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';

export interface OpenedDatabase {
  readonly database: Database;
  /** Undefined when a server is used. */
  readonly engine: EmbeddedEngine | undefined;
}

/** Opens and migrates; what was opened is registered with `lifecycle`. */
export async function openConfiguredDatabase(
  config: Config,
  lifecycle: Lifecycle,
  logger: Logger,
): Promise<OpenedDatabase> {
  const { url, user, password, database: name, retentionDays } = config.clickhouse;
  const engine = url === undefined ? await openEmbeddedEngine({ dataDir: config.dataDir, logger }) : undefined;
  if (engine) lifecycle.add('embedded engine', engine.close);
  const address = engine ?? { url: url ?? '', user, password: password.reveal() };
  const opened = await openDatabase({
    url: address.url,
    user: address.user,
    password: address.password,
    database: name,
    ...(engine ? { whyAway: engine.problem } : {}),
  });
  lifecycle.add('database', opened.close);
  const database = engine ? createPatientDatabase(opened, engine) : opened;
  await migrate(database, { retentionDays });
  const changed = await applyRetention(database, retentionDays);
  if (changed.length > 0) logger.warn({ retentionDays, changed }, 'the retention of stored telemetry was changed');
  return { database, engine };
}
