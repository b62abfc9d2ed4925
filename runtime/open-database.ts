/**
 * Which ClickHouse: the server that the configuration names, or the embedded engine in the data directory. One code path after.
 * And where telemetry is read: there too, or in a database that somebody else fills.
 */
import { applyRetention } from '../clickhouse/apply-retention.ts';
import { type Database, openDatabase } from '../clickhouse/database.ts';
import {
  type EmbeddedEngine,
  type EngineAddress,
  openEmbeddedEngine,
  readEngineAddress,
} from '../clickhouse/embedded-engine.ts';
import { checkMigrated, migrate } from '../clickhouse/migrate.ts';
import { createPatientDatabase } from '../clickhouse/patient-database.ts';
import { openTelemetrySource } from '../clickhouse/telemetry-source.ts';
import type { Config } from '../platform/config.ts';
import { UnavailableError } from '../platform/errors.ts';
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
  const { url, database: name, retentionDays } = config.clickhouse;
  const engine = url === undefined ? await openEmbeddedEngine({ dataDir: config.dataDir, logger }) : undefined;
  if (engine) lifecycle.add('embedded engine', engine.close);
  const address = engine ?? serverOf(config.clickhouse, url ?? '');
  const database = await connect({ ...address, database: name }, engine, lifecycle);
  await migrate(database, { retentionDays });
  const changed = await applyRetention(database, retentionDays);
  if (changed.length > 0) logger.warn({ retentionDays, changed }, 'the retention of stored telemetry was changed');
  return { database, source: await openSource(config, { address, database, engine, lifecycle, logger }), engine };
}

/**
 * As a worker does: the same server, or the engine of the host that runs in the data directory, and nothing in it is changed.
 * Rejects with UnavailableError while no host runs there, with ConfigError where the host is another version.
 */
export async function joinConfiguredDatabase(
  config: Config,
  lifecycle: Lifecycle,
  logger: Logger,
): Promise<Omit<OpenedDatabase, 'engine'>> {
  const address = findAddress(config);
  if (!address) {
    throw new UnavailableError(
      `No host runs in ${config.dataDir}: start one there (inquest serve --data-dir DIR), or name a server (CLICKHOUSE_URL).`,
    );
  }
  const database = await connect({ ...address, database: config.clickhouse.database }, undefined, lifecycle);
  await checkMigrated(database);
  return { database, source: await openSource(config, { address, database, engine: undefined, lifecycle, logger }) };
}

/** Where a worker finds the database now; undefined while no host runs in the data directory. */
export function findAddress({ clickhouse, dataDir }: Config): EngineAddress | undefined {
  return clickhouse.url === undefined ? readEngineAddress(dataDir) : serverOf(clickhouse, clickhouse.url);
}

function serverOf({ user, password }: Config['clickhouse'], url: string): EngineAddress {
  return { url, user, password: password.reveal() };
}

async function connect(
  { url, user, password, database }: EngineAddress & { readonly database: string },
  engine: EmbeddedEngine | undefined,
  lifecycle: Lifecycle,
): Promise<Database> {
  const opened = await openDatabase({ url, user, password, database, ...(engine ? { whyAway: engine.problem } : {}) });
  lifecycle.add('database', opened.close);
  return createPatientDatabase(opened, engine);
}

interface Own {
  readonly address: EngineAddress;
  readonly database: Database;
  readonly engine: EmbeddedEngine | undefined;
  readonly lifecycle: Lifecycle;
  readonly logger: Logger;
}

async function openSource({ clickhouse: { source: their } }: Config, own: Own): Promise<Database> {
  const { address, database, engine, lifecycle, logger } = own;
  if (!their) return database;
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
