/**
 * The child process that owns the embedded engine (chdb) and speaks ClickHouse's own HTTP protocol on loopback, as much of
 * it as @clickhouse/client uses. Started and watched by embedded-engine.ts; never imported by anything that runs elsewhere.
 */
import { createWriteStream, mkdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { timingSafeEqual } from 'node:crypto';
import { createGunzip } from 'node:zlib';
import { Session } from 'chdb';
import { errorMessage, InputError } from '../platform/errors.ts';
import { createSessionPool, type SessionPool } from './session-pool.ts';

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
const MAX_STATEMENT_BYTES = 1024 * 1024;

/** Opens the engine and listens on 127.0.0.1; resolves with the port once it answers. */
export async function startEmbeddedServer(options: EmbeddedServerOptions): Promise<number> {
  rmSync(options.spoolDir, { recursive: true, force: true });
  mkdirSync(options.spoolDir, { recursive: true, mode: 0o700 });
  mkdirSync(options.engineDir, { recursive: true, mode: 0o700 });
  const pool = createSessionPool(
    SESSIONS,
    () => new Session(options.engineDir, { connectionArgs: ['--output_format_json_quote_64bit_integers=1'] }),
  );
  const server = createServer((request, response) => {
    handle(request, response, pool, options).catch((error: unknown) => {
      if (response.headersSent) response.destroy(error instanceof Error ? error : undefined);
      else sendError(response, error);
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
  const insert = parseInsert(url.searchParams.get('query'));
  if (insert) {
    await spoolInsert(request, pool, options.spoolDir, database, insert);
    response.writeHead(200, { 'Content-Type': 'text/plain' });
    response.end();
    return;
  }
  const statement = url.searchParams.get('query') ?? (await readStatement(request));
  if (isInlineInsert(statement)) {
    throw new InputError('Code: 62. DB::Exception: rows belong in the body behind ?query=INSERT ... FORMAT ... (SYNTAX_ERROR)');
  }
  await pool.use(database, parameters, async (session) => {
    if (/^\s*(SELECT|WITH|SHOW|DESCRIBE|EXISTS|EXPLAIN)\b/i.test(statement)) {
      await streamRows(session, statement, response);
      return;
    }
    await session.queryAsync(statement);
    response.writeHead(200, { 'Content-Type': 'text/plain' });
    response.end();
  });
}

async function streamRows(session: Session, statement: string, response: ServerResponse): Promise<void> {
  for await (const chunk of session.queryStream(statement)) {
    if (!response.headersSent) response.writeHead(200, { 'Content-Type': 'application/x-ndjson; charset=UTF-8' });
    if (!response.write(chunk.raw())) await new Promise((resume) => response.once('drain', resume).once('close', resume));
    if (response.destroyed) break;
  }
  if (!response.headersSent) response.writeHead(200, { 'Content-Type': 'application/x-ndjson; charset=UTF-8' });
  response.end();
}

interface Insert {
  readonly target: string;
  readonly format: string;
}

/** `INSERT INTO t (a, b) FORMAT JSONEachRow` as the client puts it into the URL; anything else is not an insert of a body. */
function parseInsert(query: string | null): Insert | undefined {
  const match = /^\s*INSERT\s+INTO\s+([^'";]+?)\s+FORMAT\s+(\w+)\s*$/i.exec(query ?? '');
  return match?.[1] && match[2] ? { target: match[1], format: match[2] } : undefined;
}

/** Inline data is where payloads turn into SQL (a blank line ends the data and the rest is executed): refused outright. */
function isInlineInsert(statement: string): boolean {
  return /^\s*INSERT\b/i.test(statement) && !/^\s*INSERT\s+INTO\s+[^'";]+?\s+SELECT\b/i.test(statement);
}

let spooled = 0;

async function spoolInsert(
  request: IncomingMessage,
  pool: SessionPool,
  spoolDir: string,
  database: string,
  { target, format }: Insert,
): Promise<void> {
  const path = join(spoolDir, `${++spooled}.body`);
  try {
    const file = createWriteStream(path, { mode: 0o600 });
    if (request.headers['content-encoding'] === 'gzip') await pipeline(request, createGunzip(), file);
    else await pipeline(request, file);
    await pool.use(database, [], async (session) => {
      await session.queryAsync(`INSERT INTO ${target} FROM INFILE '${path}' FORMAT ${format}`);
    });
  } finally {
    rmSync(path, { force: true });
  }
}

async function readStatement(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_STATEMENT_BYTES) throw new InputError('Code: 62. DB::Exception: statement too large. (SYNTAX_ERROR)');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function isAuthorized(request: IncomingMessage, password: string): boolean {
  const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  const given =
    basic === undefined
      ? String(request.headers['x-clickhouse-key'] ?? '')
      : Buffer.from(basic, 'base64').toString('utf8').replace(/^[^:]*:/, '');
  const [left, right] = [Buffer.from(given), Buffer.from(password)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Errors as ClickHouse writes them: the code in a header and in the text, from which the client builds its own error. */
function sendError(response: ServerResponse, error: unknown): void {
  const text = errorMessage(error);
  const code = /Code: (\d+)/.exec(text)?.[1] ?? '1002';
  response.writeHead(500, { 'X-ClickHouse-Exception-Code': code, 'Content-Type': 'text/plain' });
  response.end(/^Code: /.test(text) ? `${text}\n` : `Code: ${code}. DB::Exception: ${text}. (UNKNOWN_EXCEPTION)\n`);
}

/** The process: options come in one message from the parent, the port goes back, and it ends when the parent is gone. */
if (import.meta.main && process.send) {
  process.once('disconnect', () => process.exit(0));
  process.on('SIGINT', () => undefined); // Ctrl-C reaches the whole group; the parent closes us in order.
  process.once('message', (options: EmbeddedServerOptions) => {
    startEmbeddedServer(options).then(
      (port) => process.send?.({ port }),
      (error: unknown) => process.send?.({ problem: errorMessage(error) }, () => process.exit(1)),
    );
  });
}
