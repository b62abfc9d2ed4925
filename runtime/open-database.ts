/**
 * Which ClickHouse: the server that the configuration names, or the embedded engine in the data directory. One code path after.
 * And where telemetry is read: there too, or in a database that somebody else fills.
 */
import { applyRetention } from '../clickhouse/apply-retention.ts';
import { type Database, openDatabase } from '../clickhouse/database.ts';
import { type EmbeddedEngine, openEmbeddedEngine } from '../clickhouse/embedded-engine.ts';
import { migrate } from '../clickhouse/migrate.ts';
import { createPatientDatabase } from '../clickhouse/patient-database.ts';
import { openTelemetrySource } from '../clickhouse/telemetry-source.ts';
import type { Config } from '../platform/config.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';

export interface OpenedDatabase {
  /** Inquest's own. */
  readonly database: Database;
  /** Where telemetry is read: `database` itself, or a source that is never written. */
  readonly source: Database;
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
  const database = createPatientDatabase(opened, engine);
  await migrate(database, { retentionDays });
  const changed = await applyRetention(database, retentionDays);
  if (changed.length > 0) logger.warn({ retentionDays, changed }, 'the retention of stored telemetry was changed');
  const source = config.clickhouse.source ? await openSource(config.clickhouse.source) : database;
  return { database, source, engine };

  async function openSource(their: NonNullable<Config['clickhouse']['source']>): Promise<Database> {
    const isElsewhere = their.url !== undefined;
    const found = await openTelemetrySource(
      {
        url: their.url ?? address.url,
        user: their.user ?? (isElsewhere ? 'default' : address.user),
        password: their.password?.reveal() ?? (isElsewhere ? '' : address.password),
        database: their.database,
        ...(engine && !isElsewhere ? { whyAway: engine.problem } : {}),
      },
      database,
    );
    lifecycle.add('source', found.database.close);
    const { missing } = found;
    if (missing.length > 0) logger.warn({ source: their.database, missing }, 'the source has no such telemetry');
    return engine && !isElsewhere ? createPatientDatabase(found.database, engine) : found.database;
  }
}
