/** The HTTP socket: bound before anything else is opened, closed after everything else. */
import type { Server } from 'node:http';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import { type Address, bindPort, type Listener } from './bind-port.ts';

export interface ListenOptions extends Address {
  readonly fetch: (request: Request, env: Partial<HttpBindings>) => Response | Promise<Response>;
}

/** Throws ConfigError when the address cannot be had. */
export async function listen({ fetch, host, port }: ListenOptions): Promise<Listener> {
  // Always plain HTTP/1: the other kinds of server come only with options that are not given here.
  const server = createAdaptorServer({
    fetch: (request, env) => fetch(request, env as HttpBindings),
    overrideGlobalObjects: false,
  }) as Server;
  return {
    url: await bindPort(server, { host, port }, ['--port', 'INQUEST_PORT']),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
