/**
 * Telemetry in a database that somebody else fills: the OpenTelemetry Collector's ClickHouse exporter. It is read, never
 * written. What Inquest's readers expect and that database lacks (rollups, lookups, columns of other versions, whole signals)
 * stands in as common table expressions of the same names, so that the same statements run, and are evidence, on both.
 */
import { ConfigError, InvariantError } from '../platform/errors.ts';
import { type Database, type DatabaseOptions, openDatabase } from './database.ts';
import { listViews } from './migrate.ts';
import { addStandIns, type StandIn } from './stand-ins.ts';

export interface TelemetrySource {
  /** Reads take the readers' statements as they are; inserts and commands reject with InvariantError. */
  readonly database: Database;
  /** Tables that it does not have at all: nothing is known of their signals. */
  readonly missing: readonly string[];
}

/** Table, then column, to ClickHouse's type. */
type Schema = ReadonlyMap<string, ReadonlyMap<string, string>>;

async function refuseToWrite(): Promise<never> {
  throw new InvariantError("a statement that writes was meant for somebody else's database");
}

/** Without these there is nothing to investigate. */
const ESSENTIAL = ['otel_traces', 'otel_logs'];

/**
 * Connects and looks at what is there; sends nothing but SELECTs, now or later.
 * @param own Inquest's own database, migrated: its tables say what readers expect
 * @throws ConfigError when the database, or both its traces and logs, are missing, or its user may not read as Inquest reads
 */
export async function openTelemetrySource(
  options: Omit<DatabaseOptions, 'isForeign'>,
  own: Database,
  signal?: AbortSignal,
): Promise<TelemetrySource> {
  const database = await openDatabase({ ...options, isForeign: true });
  try {
    const [expected, found] = [await readSchema(own, own.name, signal), await readForeign(options, signal)];
    refuseUnreadable(options, found);
    const spellings = found.has('otel_traces') && (await hasLongNames(database, signal)) ? LONG_NAMES : [];
    const standIns = makeStandIns(expected, found, options.database, spellings);
    return {
      database: {
        ...database,
        read: async (sql, parameters, readOptions) => {
          const { rows, query } = await database.read<never>(addStandIns(sql, standIns), parameters, readOptions);
          return { rows, query: { ...query, sql: sql.trim() } };
        },
        insert: refuseToWrite,
        command: refuseToWrite,
      },
      missing: [...expected.keys()].filter((table) => table.startsWith('otel_') && !found.has(table)),
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function readSchema(database: Database, name: string, signal: AbortSignal | undefined): Promise<Schema> {
  const { rows } = await database.read<{ table: string; name: string; type: string }>(
    `SELECT table, name, type FROM system.columns
     WHERE database = {database:String} AND match(table, '^(otel|inquest)_') AND default_kind NOT IN ('ALIAS', 'EPHEMERAL')
     ORDER BY table, position`,
    { database: name },
    { tag: 'source', maxRows: 100_000, signal },
  );
  const tables = new Map<string, Map<string, string>>();
  for (const row of rows) tables.set(row.table, (tables.get(row.table) ?? new Map()).set(row.name, row.type));
  return tables;
}

/** From a connection that names no database of theirs: one that does not exist answers every statement with an error. */
async function readForeign(options: DatabaseOptions, signal: AbortSignal | undefined): Promise<Schema> {
  const catalog = await openDatabase({ ...options, database: 'system', isForeign: true });
  try {
    return await readSchema(catalog, options.database, signal);
  } catch (error) {
    if (!(error instanceof ConfigError) || !MAY_NOT_SET.has(String(error.details?.['clickhouseCode']))) throw error;
    throw new ConfigError(
      `The user ${options.user} of the source may not bound its own reads: Inquest gives each one a limit of time, memory and rows. ` +
        'Give it readonly = 2 (or 0 and no more than GRANT SELECT), and let it set max_execution_time and max_memory_usage.',
      { cause: error },
    );
  } finally {
    await catalog.close();
  }
}

/** READONLY, SETTING_CONSTRAINT_VIOLATION */
const MAY_NOT_SET = new Set(['164', '452']);

function refuseUnreadable({ database, user }: DatabaseOptions, found: Schema): void {
  if (!ESSENTIAL.some((table) => found.has(table))) {
    const what =
      found.size === 0 ? `there is no such database, or ${user} may read nothing in it` : 'they are not there';
    throw new ConfigError(
      `The source ${database} must hold ${ESSENTIAL.join(' or ')}, as the OpenTelemetry Collector's ClickHouse exporter makes them: ${what}.`,
    );
  }
  for (const [table, columns] of found) {
    const json = [...columns].find(([, type]) => type.startsWith('JSON') || type.startsWith('Object('));
    if (table.startsWith('otel_') && json) {
      throw new ConfigError(
        `${database}.${table} keeps ${json[0]} as JSON: Inquest reads the exporter's tables of maps (json: false).`,
      );
    }
  }
}

/** Exporters of 2024 and before wrote kinds and status codes by their protobuf names. */
async function hasLongNames(database: Database, signal: AbortSignal | undefined): Promise<boolean> {
  const { rows } = await database.read<{ long: string }>(
    `SELECT countIf(startsWith(SpanKind, 'SPAN_KIND_')) AS long FROM (SELECT SpanKind FROM otel_traces LIMIT 1000)`,
    {},
    { tag: 'source', maxRows: 1, signal },
  );
  return rows[0]?.long !== '0';
}

const inShort = (column: string, prefix: string) =>
  `if(startsWith(${column}, '${prefix}'), concat(substring(${column}, ${prefix.length + 1}, 1), lower(substring(${column}, ${prefix.length + 2}))), ${column}) AS ${column}`;
const LONG_NAMES = [inShort('SpanKind', 'SPAN_KIND_'), inShort('StatusCode', 'STATUS_CODE_')];

/** What a table of another version lacks, where its other columns tell it. */
const COMPUTED: Readonly<Record<string, string>> = { 'otel_logs.TimestampTime': 'toDateTime(Timestamp)' };

/** In an order in which each uses only those before it. */
function makeStandIns(expected: Schema, found: Schema, database: string, spanSpellings: readonly string[]): StandIn[] {
  const views = Map.groupBy(listViews(), ({ target }) => target);
  const raw: StandIn[] = [];
  const derived: StandIn[] = [];
  for (const [table, columns] of expected) {
    const theirs = found.get(table);
    const selects = views.get(table)?.map(({ select }) => select);
    if (theirs) {
      const changes = changesTo(table, columns, theirs, table === 'otel_traces' ? spanSpellings : []);
      if (changes !== '') raw.push({ table, select: `SELECT ${changes} FROM \`${database}\`.${table}` });
    } else if (selects) derived.push({ table, select: selects.join('\nUNION ALL\n') });
    else raw.push({ table, select: selectNothing(columns) });
  }
  return [...raw, ...derived];
}

/** The select list that makes their table look like ours; empty when it does already. */
function changesTo(
  table: string,
  expected: ReadonlyMap<string, string>,
  theirs: ReadonlyMap<string, string>,
  spellings: readonly string[],
): string {
  const replaced: string[] = [...spellings];
  const added: string[] = [];
  for (const [name, type] of expected) {
    const their = theirs.get(name);
    const isCoarse = their !== undefined && type.includes('DateTime64') && !their.includes('DateTime64');
    if (isCoarse) replaced.push(`CAST(\`${name}\`, '${type}') AS \`${name}\``);
    if (their === undefined) added.push(`${COMPUTED[`${table}.${name}`] ?? emptyOf(type)} AS \`${name}\``);
  }
  if (replaced.length + added.length === 0) return '';
  return [`*${replaced.length > 0 ? ` REPLACE (${replaced.join(', ')})` : ''}`, ...added].join(', ');
}

function selectNothing(columns: ReadonlyMap<string, string>): string {
  const list = [...columns].map(([name, type]) => `${emptyOf(type)} AS \`${name}\``);
  return `SELECT ${list.join(', ')} FROM system.one WHERE false`;
}

function emptyOf(type: string): string {
  return `defaultValueOfTypeName('${type.replaceAll("'", "\\'")}')`;
}
