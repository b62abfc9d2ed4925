/** What a client says when it reaches nobody: the name is unknown, the port is closed, the connection broke. In each runtime's own words. */
import type { Service } from './compile-shop.ts';
import { type Outcome, unreachable } from './outcome.ts';
import type { Failure, Runtime } from './shop-model.ts';

export type Breakage = 'unresolved' | 'refused' | 'reset';

type Words = (host: string, port: number) => Failure;

const WORDS: Readonly<Record<Runtime, Readonly<Record<Breakage, Words>>>> = {
  jvm: {
    unresolved: (host) => ({
      exception: 'java.net.UnknownHostException',
      message: `${host}: Name or service not known`,
    }),
    refused: (host, port) => ({
      exception: 'java.net.ConnectException',
      message: `Failed to connect to ${host}:${port}: Connection refused`,
    }),
    reset: () => ({ exception: 'java.net.SocketException', message: 'Connection reset' }),
  },
  nodejs: {
    unresolved: (host) => ({ exception: 'ENOTFOUND', message: `getaddrinfo ENOTFOUND ${host}` }),
    refused: (host, port) => ({ exception: 'ECONNREFUSED', message: `connect ECONNREFUSED ${host}:${port}` }),
    reset: () => ({ exception: 'ECONNRESET', message: 'read ECONNRESET' }),
  },
  go: {
    unresolved: (host) => ({
      exception: '*net.DNSError',
      message: `dial tcp: lookup ${host} on 10.96.0.10:53: no such host`,
    }),
    refused: (host, port) => ({
      exception: '*net.OpError',
      message: `dial tcp ${host}:${port}: connect: connection refused`,
    }),
    reset: (host, port) => ({
      exception: '*net.OpError',
      message: `read tcp ${host}:${port}: connection reset by peer`,
    }),
  },
  python: {
    unresolved: (host) => ({
      exception: 'urllib3.exceptions.NameResolutionError',
      message: `Failed to resolve '${host}' ([Errno -2] Name or service not known)`,
    }),
    refused: () => ({ exception: 'ConnectionRefusedError', message: '[Errno 111] Connection refused' }),
    reset: () => ({ exception: 'ConnectionResetError', message: '[Errno 104] Connection reset by peer' }),
  },
};

/** @param caller whose client speaks; users' clients are not ours to quote */
export function brokenConnection(breakage: Breakage, caller: Service | undefined, { host, port }: Service): Outcome {
  return unreachable(WORDS[caller?.runtime ?? 'nodejs'][breakage](host, port));
}
