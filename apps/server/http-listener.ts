/** The listening socket: bound before anything else is opened, closed after everything else. */
import type { Server } from 'node:http';
import { isIPv6 } from 'node:net';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import { ConfigError, errorMessage, InvariantError } from '../../platform/errors.ts';

export interface HttpListener {
  /** Where this machine reaches it: a wildcard address is named by loopback. */
  readonly url: string;
  /** Answers no more and hangs up on everybody. */
  close(): Promise<void>;
}

export interface ListenOptions {
  readonly fetch: (request: Request, env: Partial<HttpBindings>) => Response | Promise<Response>;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

/** Throws ConfigError when the address cannot be had. */
export async function listen({ fetch, host, port }: ListenOptions): Promise<HttpListener> {
  // Always plain HTTP/1: the other kinds of server come only with options that are not given here.
  const server = createAdaptorServer({
    fetch: (request, env) => fetch(request, env as HttpBindings),
    overrideGlobalObjects: false,
  }) as Server;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(translateListenError(error, host, port)));
    server.listen(port, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new InvariantError('the host listens at no port');
  return {
    url: `http://${reachable(host)}:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return isIPv6(host) ? `[${host}]` : host;
}

function translateListenError(error: Error, host: string, port: number): ConfigError {
  const code = 'code' in error ? error.code : undefined;
  const otherPort = 'choose another with --port or INQUEST_PORT (0: any free one)';
  const problems: Readonly<Record<string, string>> = {
    EADDRINUSE: `Port ${port} on ${host} is taken by another program: stop that, or ${otherPort}.`,
    EACCES: `Port ${port} may not be used by this user: ${otherPort}.`,
    EADDRNOTAVAIL: `This machine has no address ${host}: set --host or INQUEST_HOST to one that it has.`,
    ENOTFOUND: `The name ${host} has no address: set --host or INQUEST_HOST to one that this machine has.`,
  };
  const problem =
    problems[String(code)] ?? `${host}:${port} cannot be listened on (${errorMessage(error)}): ${otherPort}.`;
  return new ConfigError(problem, { cause: error });
}
