/** Where the host listens: a port taken before anything else is opened, and what to do when it cannot be had. */
import { isIPv6, type Server } from 'node:net';
import { ConfigError, errorMessage, InvariantError } from '../../platform/errors.ts';

export interface Listener {
  /** Where this machine reaches it: a wildcard address is named by loopback. */
  readonly url: string;
  /** Answers no more and hangs up on everybody. */
  close(): Promise<void>;
}

export interface Address {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

/** How people choose another port: a flag and a variable. */
export type PortChoice = readonly [flag: string, variable: string];

/** Resolves with the URL that the server is reached by; throws ConfigError when the address cannot be had. */
export async function bindPort(server: Server, { host, port }: Address, choice: PortChoice): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    const onError = (error: Error) => reject(translateListenError(error, { host, port }, choice));
    server.once('error', onError);
    server.listen(port, host, () => {
      server.off('error', onError);
      resolve();
    });
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new InvariantError('the host listens at no port');
  return `http://${reachable(host)}:${address.port}`;
}

function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return isIPv6(host) ? `[${host}]` : host;
}

function translateListenError(error: Error, { host, port }: Address, [flag, variable]: PortChoice): ConfigError {
  const code = 'code' in error ? error.code : undefined;
  const otherPort = `choose another with ${flag} or ${variable} (0: any free one)`;
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
