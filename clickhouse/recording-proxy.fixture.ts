/** A real HTTP server between the driver and an engine: passes everything on, and keeps what each statement was sent with. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface RecordedStatement {
  /** The SQL, without the rows of an insert. */
  readonly sql: string;
  /** What stands in the address: settings, and parameters as `param_NAME`. */
  readonly settings: URLSearchParams;
}

export interface RecordingProxy {
  readonly url: string;
  readonly statements: readonly RecordedStatement[];
  close(): Promise<void>;
}

/** @param target base address of the engine */
export async function openRecordingProxy(target: string): Promise<RecordingProxy> {
  const statements: RecordedStatement[] = [];
  const server = createServer({ maxHeaderSize: 1024 * 1024 }, (request, response) => {
    pass(target, request, response, statements).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    statements,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function pass(
  target: string,
  request: IncomingMessage,
  response: ServerResponse,
  statements: RecordedStatement[],
): Promise<void> {
  const body = await buffer(request);
  const { pathname, searchParams } = new URL(request.url ?? '/', target);
  if (pathname !== '/ping') {
    statements.push({ sql: searchParams.get('query') ?? body.toString('utf8'), settings: searchParams });
  }
  const { method, headers } = request;
  const onward = send(new URL(request.url ?? '/', target), { method, headers: { ...headers, connection: 'close' } });
  onward.end(body);
  const [answer] = (await once(onward, 'response')) as [IncomingMessage];
  const content = await buffer(answer);
  // Its length is known by now.
  const { 'transfer-encoding': _, ...answerHeaders } = answer.headers;
  response.writeHead(answer.statusCode ?? 502, { ...answerHeaders, 'content-length': content.length }).end(content);
}
