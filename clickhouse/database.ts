/**
 * The one way to ClickHouse: @clickhouse/client over HTTP, for the embedded engine and for a server alike. Every read is
 * bounded in time and rows, tagged with who asked (`log_comment`) and carries its parameters apart from its text; every
 * driver error becomes one of ours, by code.
 */
import { type ClickHouseClient, ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { digestRows, type ExecutedQuery, type QueryParameters } from '../domain/evidence.ts';
import {
  type AppError,
  ConfigError,
  errorMessage,
  InputError,
  InvariantError,
  LimitError,
  UnavailableError,
} from '../platform/errors.ts';

export interface ReadOptions {
  /** Who asks, for the server's query log: a tool's or a function's name. */
  readonly tag: string;
  /** More rows than this reject with LimitError; nothing is cut silently. */
  readonly maxRows: number;
  readonly timeoutMs?: number | undefined;
  /** What it may take in the engine; more rejects with LimitError. Two GiB by default. */
  readonly maxMemoryBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What each read of telemetry takes besides its question. */
export type Bounds = Pick<ReadOptions, 'maxRows' | 'timeoutMs' | 'signal'>;

/** Rows with the statement that gave them, ready to become Evidence. 64-bit integers come as decimal strings. */
export interface Reading<Row> {
  readonly rows: readonly Row[];
  readonly query: ExecutedQuery;
}

export interface InsertOptions {
  /** Twice is as good as once without a token: the rows replace each other, or are read DISTINCT. */
  readonly repeatable?: boolean;
  /**
   * Name of this insert. A second one with the same name stores nothing, here and in the rollups of this table, while it is
   * among the last 10,000 inserts of the table (migrations/0004); the same rows under another name are other rows.
   */
  readonly token?: string;
}

export interface Database {
  readonly name: string;
  /** A SELECT. Rejects with LimitError (rows, time), UnavailableError (engine away), InputError (refused statement). */
  read<Row extends object>(sql: string, parameters: QueryParameters, options: ReadOptions): Promise<Reading<Row>>;
  /**
   * Rows into a table of this database, as JSONEachRow. Resolves when they are stored. After an UnavailableError they may be
   * stored or not, unless `isNeverSent`; with a `token` or `repeatable` they may be sent again and change nothing.
   */
  insert(table: string, rows: readonly object[], signal?: AbortSignal, options?: InsertOptions): Promise<void>;
  /** DDL and other statements without rows. @param tag who asks, for the server's query log */
  command(sql: string, signal?: AbortSignal, tag?: string): Promise<void>;
  /** Version of the engine; rejects with UnavailableError while it is away. */
  version(signal?: AbortSignal): Promise<string>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  /** Made if it does not exist, unless it is foreign. */
  readonly database: string;
  /** Somebody else's: opening it makes nothing and asks nothing. */
  readonly isForeign?: boolean;
  /** Why nobody answers there just now, if the one who opens it knows: said to whoever asks meanwhile. */
  readonly whyAway?: () => string | undefined;
}

const DEFAULT_TIMEOUT_MS = 30_000;
/** What one read may hold in the engine, and what it may answer with: a question that needs more is too wide. */
const MAX_READ_MEMORY_BYTES = 2 * 1024 ** 3;
const MAX_READ_ANSWER_BYTES = 256 * 1024 ** 2;
/** An insert that takes longer is given up by the engine; its sender may send it again. */
const MAX_INSERT_SECONDS = 60;
const MAX_COMMAND_SECONDS = 110;
/** Longer than the engine takes for anything: it gives up first, and says why. */
const REQUEST_TIMEOUT_MS = 120_000;
/** Parameters travel in the URL, encoded; servers take a megabyte of it. */
const MAX_PARAMETER_CHARACTERS = 900_000;

/** Connects, makes the database if needed, and answers once the engine does. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const connection = { url: options.url, username: options.user, password: options.password };
  const settings = {
    max_open_connections: 8,
    keep_alive: { enabled: true, idle_socket_ttl: 2_500 },
    log: { level: ClickHouseLogLevel.OFF }, // every error is thrown; its own log would write to stdout
  };
  const ask: Ask = (work, signal) => translated(work, signal, options.whyAway);
  if (!options.isForeign) {
    const setup = createClient({ ...connection, ...settings });
    try {
      const query = `CREATE DATABASE IF NOT EXISTS \`${options.database}\` ENGINE = Atomic`;
      await ask(() => setup.command({ query, clickhouse_settings: commandSettings('database') }));
    } finally {
      await setup.close();
    }
  }
  const client = createClient({
    ...connection,
    ...settings,
    database: options.database,
    request_timeout: REQUEST_TIMEOUT_MS,
  });
  return {
    name: options.database,
    read: (sql, parameters, readOptions) => read(client, ask, sql, parameters, readOptions),
    insert: async (table, rows, signal, options) => {
      if (rows.length === 0) return;
      const insert = {
        table,
        values: rows,
        format: 'JSONEachRow',
        clickhouse_settings: insertSettings(table, options?.token),
        ...abortable(signal),
      } as const;
      try {
        await ask(() => client.insert(insert), signal);
      } catch (error) {
        throw error instanceof LimitError ? outOfMeans(error) : error;
      }
    },
    command: async (sql, signal, tag = 'command') => {
      const command = { query: sql, clickhouse_settings: commandSettings(tag), ...abortable(signal) };
      await ask(() => client.command(command), signal);
    },
    version: async (signal) => {
      const options = { tag: 'version', maxRows: 1, signal };
      const { rows } = await read<{ version: string }>(client, ask, 'SELECT version() AS version', {}, options);
      return rows[0]?.version ?? '';
    },
    close: () => client.close(),
  };
}

/** The embedded engine takes them from the statement's own SETTINGS only: what is given with a request would stay. */
function commandSettings(tag: string) {
  return { max_execution_time: MAX_COMMAND_SECONDS, log_comment: commentOf(tag) };
}

function commentOf(tag: string): string {
  return `inquest:${tag.replaceAll(/[^\w:.-]/g, '_')}`;
}

function insertSettings(table: string, token: string | undefined) {
  return {
    max_partitions_per_insert_block: '0', // replayed history spans many days in one request
    max_execution_time: MAX_INSERT_SECONDS,
    log_comment: commentOf(`insert.${table}`),
    // A view that failed after its table's rows were stored is caught up when the insert is repeated.
    ...(token === undefined
      ? {}
      : { insert_deduplication_token: token, deduplicate_blocks_in_dependent_materialized_views: 1 as const }),
  };
}

function abortable(signal: AbortSignal | undefined): { abort_signal?: AbortSignal } {
  return signal ? { abort_signal: signal } : {};
}

async function read<Row extends object>(
  client: ClickHouseClient,
  ask: Ask,
  sql: string,
  parameters: QueryParameters,
  options: ReadOptions,
): Promise<Reading<Row>> {
  const statement = `${sql.trim()}\n${settingsClause(options)}`;
  if (encodeURIComponent(JSON.stringify(parameters)).length > MAX_PARAMETER_CHARACTERS) {
    throw new LimitError(`The parameters of ${options.tag} are too large for one query: ask for less at a time.`);
  }
  const rows = await ask(async () => {
    const answer = await client.query({
      query: statement,
      query_params: { ...parameters },
      format: 'JSONEachRow',
      clickhouse_settings: { wait_end_of_query: 1 }, // an error after the first rows must not look like a lost connection
      ...abortable(options.signal),
    });
    return answer.json<Row>();
  }, options.signal);
  const query = {
    sql: sql.trim(),
    parameters: { ...parameters },
    rowCount: rows.length,
    digest: digestRows(rows as never),
  };
  return { rows, query };
}

/** Bounds travel in the statement: settings given with the connection would stick to it in the embedded engine. */
function settingsClause(options: ReadOptions): string {
  const { tag, maxRows, timeoutMs = DEFAULT_TIMEOUT_MS, maxMemoryBytes = MAX_READ_MEMORY_BYTES } = options;
  const settings = [
    `max_execution_time = ${Math.max(1, Math.ceil(timeoutMs / 1000))}`,
    `max_memory_usage = ${maxMemoryBytes}`,
    `max_result_rows = ${maxRows}`,
    `max_result_bytes = ${MAX_READ_ANSWER_BYTES}`,
    "result_overflow_mode = 'throw'",
    'output_format_json_quote_64bit_integers = 1',
    `log_comment = '${commentOf(tag)}'`,
  ];
  return `SETTINGS ${settings.join(', ')}`;
}

/** ClickHouse's own error numbers (src/Common/ErrorCodes.cpp), by who must act. */
const LIMIT_CODES = new Set(['158', '159', '160', '241', '307', '396']);
const AWAY_CODES = new Set(['202', '203', '209', '210', '225', '236', '242', '252', '394', '425', '439', '999']);
/** No room on the disk: the operator makes some, and whoever asked tries again. */
const FULL_CODES = new Set(['75', '243']);
/** Wrong user or password, or one that may not do this: the operator's to set right. */
const ACCESS_CODES = new Set(['164', '192', '193', '194', '291', '452', '497', '516']);
const INPUT_CODES = new Set(['6', '27', '38', '41', '53', '62', '69', '70', '72', '117', '130', '457']);
const SOCKET_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'UND_ERR_SOCKET',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

/** Runs one call to the driver; what it throws comes out as one of our errors, or as the signal's reason. */
type Ask = <T>(work: () => Promise<T>, signal?: AbortSignal) => Promise<T>;

async function translated<T>(
  work: () => Promise<T>,
  signal: AbortSignal | undefined,
  whyAway: DatabaseOptions['whyAway'],
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    signal?.throwIfAborted();
    throw translateError(error, whyAway);
  }
}

/** An insert is not to be made narrower: rows that the engine had no memory or time for may be stored, or can be later. */
function outOfMeans({ message, cause, details }: LimitError): UnavailableError {
  return new UnavailableError(message, { cause, details });
}

function translateError(error: unknown, whyAway: DatabaseOptions['whyAway']): AppError {
  const message = errorMessage(error).split('\n', 1)[0]?.slice(0, 500) ?? '';
  if (error instanceof ClickHouseError) {
    const options = { cause: error, details: { clickhouseCode: error.code } };
    if (LIMIT_CODES.has(error.code))
      return new LimitError(`ClickHouse stopped the query at its limit: ${message}`, options);
    if (AWAY_CODES.has(error.code)) return new UnavailableError(`ClickHouse cannot answer now: ${message}`, options);
    if (FULL_CODES.has(error.code)) {
      const problem = 'The disk of ClickHouse is full: nothing is stored until somebody makes room';
      return new UnavailableError(`${problem} (${message.trim()}).`, options);
    }
    if (ACCESS_CODES.has(error.code)) return new ConfigError(`ClickHouse refused the user: ${message}`, options);
    if (INPUT_CODES.has(error.code))
      return new InputError(`ClickHouse refused the data or parameters: ${message}`, options);
    return new InvariantError(`ClickHouse refused a statement of ours: ${message}`, options);
  }
  const code = socketCode(error);
  if (code !== undefined && SOCKET_CODES.has(code)) {
    const why = whyAway?.() ?? 'ClickHouse does not answer (it may be restarting): try again in a moment.';
    return new UnavailableError(why, { cause: error });
  }
  return new UnavailableError(`The connection to ClickHouse failed (${message}): try again in a moment.`, {
    cause: error,
  });
}

/** True when an UnavailableError says that nobody was there to take the rows: sending them again cannot store them twice. */
export function isNeverSent(error: unknown): boolean {
  return error instanceof UnavailableError && socketCode(error.cause) === 'ECONNREFUSED';
}

function socketCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
