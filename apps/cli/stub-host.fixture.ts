/** A host for the CLI's tests: real HTTP, lock file and proof; canned answers instead of an engine. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { PROGRESS_PATH } from '../../api/api-client.ts';
import { ROUTES } from '../../api/api-shapes.ts';
import { formatStreamEvent } from '../../api/event-stream.ts';
import { proveHost, takeHostLock } from '../../api/host-lock.ts';
import { readInquestVersion } from '../../api/inquest-version.ts';
import type { Progress } from '../../domain/investigation.ts';

/** What a route answers: a status and a body. */
export type StubAnswer = readonly [status: number, body: unknown];
type Answerer = (id: string, input: unknown) => StubAnswer;

export interface StubHost {
  readonly url: string;
  /** Requests other than /healthz, as `POST /api/scan`. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

export interface StubHostOptions {
  readonly dataDir: string;
  readonly answers: Partial<Record<keyof typeof ROUTES, Answerer>>;
  /** Answers to telemetry under /v1. */
  readonly receive?: (path: string, body: unknown) => StubAnswer;
  readonly progress?: readonly Progress[];
  /** True: the stream of progress stays open after the last step. */
  readonly hangs?: boolean;
}

const TOKEN = 'the-token-of-the-stub';

export async function openStubHost(options: StubHostOptions): Promise<StubHost> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://stub');
    if (url.pathname === '/healthz') {
      const proof = proveHost(TOKEN, url.searchParams.get('challenge') ?? '');
      send(response, [200, { state: 'ready', version: readInquestVersion(), proof }]);
      return;
    }
    requests.push(`${request.method} ${url.pathname}`);
    void answer(options, request, url.pathname, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const record = { pid: process.pid, url, token: TOKEN, startedAtMs: Date.now(), version: readInquestVersion() };
  const lock = await takeHostLock(options.dataDir, record);
  return {
    url,
    requests,
    close: async () => {
      lock.release();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(options: StubHostOptions, request: IncomingMessage, path: string, response: ServerResponse) {
  if (path.startsWith('/v1/')) {
    const body = await json(request);
    send(response, options.receive?.(path, body) ?? [200, {}]);
    return;
  }
  if (idIn(PROGRESS_PATH, path) !== undefined) {
    streamProgress(options, response);
    return;
  }
  const input = request.method === 'POST' && request.headers['content-type'] ? await json(request) : undefined;
  for (const [name, route] of Object.entries(ROUTES)) {
    const id = idIn(route.path, path);
    if (id === undefined || route.method !== request.method) continue;
    const answerer = options.answers[name as keyof typeof ROUTES];
    send(response, answerer?.(id, input) ?? [404, { error: { code: 'not-found', message: `There is no ${id}.` } }]);
    return;
  }
  send(response, [404, { error: { code: 'not-found', message: path } }]);
}

function idIn(pattern: string, path: string): string | undefined {
  const match = new RegExp(`^${pattern.replace(':id', '([^/]+)')}$`).exec(path);
  return match ? decodeURIComponent(match[1] ?? '') : undefined;
}

function streamProgress({ progress = [], hangs = false }: StubHostOptions, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const step of progress) response.write(formatStreamEvent({ type: 'progress', data: JSON.stringify(step) }));
  if (!hangs) response.end(formatStreamEvent({ type: 'end', data: '{}' }));
}

function send(response: ServerResponse, [status, body]: StubAnswer): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
