/**
 * The child process that owns the embedded engine (chdb) and speaks ClickHouse's own HTTP protocol on loopback, as much of
 * it as @clickhouse/client uses. Started and watched by embedded-engine.ts; never imported by anything that runs elsewhere.
 */

import { timingSafeEqual } from 'node:crypto';
import { createWriteStream, mkdirSync, rmSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { Session } from 'chdb';
import { errorMessage, InputError } from '../platform/errors.ts';
import { createSessionPool, quoteText, type SessionPool } from './session-pool.ts';

export interface EmbeddedServerOptions {
  /** Directory of the engine's files; one process at a time. */
  readonly engineDir: string;
  /** Directory for request bodies on their way into the engine; emptied at start. */
  readonly spoolDir: string;
  readonly password: string;
  /** 0: any free port. */
  readonly port: number;
}

const SESSIONS = 4;
/** Replayed history spans many days in one request; the default refuses an insert into more than 100 partitions. */
const CONNECTION_ARGS = ['--output_format_json_quote_64bit_integers=1', '--max_partitions_per_insert_block=0'];
const MAX_STATEMENT_BYTES = 1024 * 1024;
/** Room that inserts leave on the disk: merges, and whoever makes room, need some. */
const RESERVED_DISK_BYTES = 32 * 1024 * 1024;
/** Parameters travel in the URL; ClickHouse's own http_max_uri_size. Node's default is 16 KiB. */
const MAX_HEADER_BYTES = 1024 * 1024;

/** Opens the engine and listens on 127.0.0.1; resolves with the port once it answers. */
export async function startEmbeddedServer(options: EmbeddedServerOptions): Promise<number> {
  mkdirSync(options.engineDir, { recursive: true, mode: 0o700 });
  const pool = createSessionPool(
    SESSIONS,
    () => new Session(options.engineDir, { connectionArgs: [...CONNECTION_ARGS] }),
  );
  // Only now: while another engine has the directory, the bodies in there are its own.
  rmSync(options.spoolDir, { recursive: true, force: true });
  mkdirSync(options.spoolDir, { recursive: true, mode: 0o700 });
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) => {
    handle(request, response, pool, options).catch((error: unknown) => {
      if (response.headersSent) response.destroy(error instanceof Error ? error : undefined);
      else sendError(request, response, error);
    });
  });
  server.keepAliveTimeout = 30_000;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : options.port);
    });
  });
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  pool: SessionPool,
  options: EmbeddedServerOptions,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://engine.invalid');
  if (url.pathname === '/ping') {
    response.end('Ok.\n');
    return;
  }
  if (!isAuthorized(request, options.password)) {
    response.writeHead(403, { 'X-ClickHouse-Exception-Code': '516' });
    response.end('Code: 516. DB::Exception: default: Authentication failed. (AUTHENTICATION_FAILED)\n');
    return;
  }
  const database = url.searchParams.get('database') ?? 'default';
  const parameters = [...url.searchParams].filter(([key]) => key.startsWith('param_'));
  const insert = parseInsert(url.searchParams);
  if (insert) {
    await spoolInsert(request, pool, options.spoolDir, database, insert);
    response.writeHead(200, { 'Content-Type': 'text/plain' });
    response.end();
    return;
  }
  const statement = url.searchParams.get('query') ?? (await readStatement(request));
  const skeleton = skeletonOf(statement);
  refuseUnsafe(skeleton, parameters);
  const answer = await pool.use(database, parameters, async (session) => {
    if (/^(SELECT|WITH)\b/i.test(skeleton)) return collectRows(session, statement, response);
    return (await session.queryAsync(statement)).bytes();
  });
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson; charset=UTF-8' });
  response.end(answer);
}

/** The statement without what stands in quotes and comments, which may look like anything. */
function skeletonOf(statement: string): string {
  const aside = /'(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*"|`(?:[^`\\]|\\[\s\S])*`|--[^\n]*|\/\*[\s\S]*?\*\//g;
  return statement.replaceAll(aside, (text) => (/^['"`]/.test(text) ? "''" : ' ')).trim();
}

/** Refuses, as a server does, what the engine in this process would let through. */
function refuseUnsafe(skeleton: string, parameters: readonly (readonly [string, string])[]): void {
  // Inline data is where payloads turn into SQL: a blank line ends the data and the rest is executed.
  if (/^INSERT\b/i.test(skeleton) && !/^INSERT\s+INTO\s+[^;]+?\sSELECT\b/i.test(skeleton)) {
    throw refusal(62, 'rows belong in the body behind ?query=INSERT ... FORMAT ... (SYNTAX_ERROR)');
  }
  if (/;\s*\S/.test(skeleton)) throw refusal(62, 'Multi-statements are not allowed. (SYNTAX_ERROR)');
  // A parameter stays set on its session for ever: a statement must not find what another one left there.
  const given = new Set(parameters.map(([name]) => name));
  for (const [, name] of skeleton.matchAll(/\{\s*(\w+)\s*:/g)) {
    if (!given.has(`param_${name}`)) throw refusal(456, `Substitution ${name} is not set. (UNKNOWN_QUERY_PARAMETER)`);
  }
}

function refusal(code: number, message: string): InputError {
  return new InputError(`Code: ${code}. DB::Exception: ${message}`);
}

/**
 * All rows before the first is sent (as with a server's wait_end_of_query): what fails late still answers with its code, and
 * a slow reader does not hold the session. Readers bound their rows. Empty when the caller hung up.
 */
async function collectRows(session: Session, statement: string, response: ServerResponse): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of session.queryStream(statement)) {
    if (response.destroyed) return Buffer.alloc(0); // leaving the loop ends the statement
    chunks.push(chunk.raw());
  }
  return Buffer.concat(chunks);
}

interface Insert {
  readonly target: string;
  readonly format: string;
  /** The SETTINGS clause, or ''. */
  readonly settings: string;
}

/** Settings of one insert travel in its URL, as to a server; here they go into the statement, because others would stick. */
const INSERT_SETTINGS = [
  'insert_deduplication_token',
  'deduplicate_blocks_in_dependent_materialized_views',
  'max_execution_time',
  'log_comment',
];

/** `INSERT INTO t (a, b) FORMAT JSONEachRow` as the client puts it into the URL; anything else is not an insert of a body. */
function parseInsert(url: URLSearchParams): Insert | undefined {
  const match = /^\s*INSERT\s+INTO\s+([^'";]+?)\s+FORMAT\s+(\w+)\s*$/i.exec(url.get('query') ?? '');
  if (!(match?.[1] && match[2])) return undefined;
  const given = INSERT_SETTINGS.filter((name) => url.has(name));
  const settings = given.map((name) => `${name} = ${quoteText(url.get(name) ?? '')}`).join(', ');
  return { target: match[1], format: match[2], settings: settings && `SETTINGS ${settings}` };
}

let spooled = 0;

async function spoolInsert(
  request: IncomingMessage,
  pool: SessionPool,
  spoolDir: string,
  database: string,
  { target, format, settings }: Insert,
): Promise<void> {
  const path = join(spoolDir, `${++spooled}.body`);
  try {
    await refuseIfFull(spoolDir);
    const file = createWriteStream(path, { mode: 0o600 });
    if (request.headers['content-encoding'] === 'gzip') await pipeline(request, createGunzip(), file);
    else await pipeline(request, file);
    await pool.use(database, [], async (session) => {
      await session.queryAsync(`INSERT INTO ${target} FROM INFILE '${path}' ${settings} FORMAT ${format}`);
    });
  } catch (error) {
    throw isDiskFull(error) ? refusal(243, `No space left in ${spoolDir}. (NOT_ENOUGH_SPACE)`) : error;
  } finally {
    rmSync(path, { force: true });
  }
}

/** Before the disk is full to the last byte, while everything but inserts still works. */
async function refuseIfFull(directory: string): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const freeBytes = bavail * bsize;
  if (freeBytes >= RESERVED_DISK_BYTES) return;
  const [free, reserved] = [freeBytes, RESERVED_DISK_BYTES].map((bytes) => `${(bytes / 1024 ** 2).toFixed(1)} MiB`);
  throw refusal(243, `${free} left in ${directory}, ${reserved} are kept free. (NOT_ENOUGH_SPACE)`);
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

async function readStatement(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_STATEMENT_BYTES) throw refusal(62, 'statement too large. (SYNTAX_ERROR)');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function isAuthorized(request: IncomingMessage, password: string): boolean {
  const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  const given =
    basic === undefined
      ? String(request.headers['x-clickhouse-key'] ?? '')
      : Buffer.from(basic, 'base64')
          .toString('utf8')
          .replace(/^[^:]*:/, '');
  const [left, right] = [Buffer.from(given), Buffer.from(password)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Errors as ClickHouse writes them: the code in a header and in the text, from which the client builds its own error. */
function sendError(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  response.shouldKeepAlive = request.complete; // the rest of a body that nobody reads must not stand before the next one
  const text = errorMessage(error);
  const code = /Code: (\d+)/.exec(text)?.[1] ?? '1002';
  response.writeHead(500, { 'X-ClickHouse-Exception-Code': code, 'Content-Type': 'text/plain' });
  response.end(/^Code: /.test(text) ? `${text}\n` : `Code: ${code}. DB::Exception: ${text}. (UNKNOWN_EXCEPTION)\n`);
}

/** The process: options come in one message from the parent, the port goes back, and it ends when the parent is gone. */
if (import.meta.main && process.send) {
  // At once: what was acknowledged is on disk, and an orderly exit would wait for running statements with the lock held.
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  process.on('SIGINT', () => undefined); // Ctrl-C reaches the whole group; the parent closes us in order.
  process.once('message', (options: EmbeddedServerOptions) => {
    startEmbeddedServer(options).then(
      (port) => process.send?.({ port }, () => undefined), // a parent that is gone is seen by its disconnect
      (error: unknown) => process.send?.({ problem: errorMessage(error) }, () => process.exit(1)),
    );
  });
}
