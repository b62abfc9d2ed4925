/** The gRPC socket: the same door for telemetry as /v1 over HTTP, with the same rules for who may send, and when. */
import { createServer } from 'node:net';
import { createOtlpGrpcReceiver } from '../../ingest/otlp-grpc-receiver.ts';
import { type Address, bindPort, type Listener } from './bind-port.ts';
import type { Host } from './host.ts';
import { judgeSender } from './request-guards.ts';

/** Calls that nobody waits for any more get so long to read their answer. */
const CLOSE_GRACE_MS = 1_000;

/** Throws ConfigError when the address cannot be had. */
export async function listenGrpc(host: Host, address: Address): Promise<Listener> {
  const receiver = createOtlpGrpcReceiver({
    maxBodyBytes: host.config.ingest.maxBodyBytes,
    admit: (sender) => {
      const refusal = judgeSender(host, sender);
      if (refusal === undefined) return host.runtime().intake;
      return { kind: 'refused', status: refusal.status, message: refusal.message };
    },
    onCall: host.activity.begin,
    logger: host.logger,
  });
  const server = createServer((socket) => receiver.accept(socket));
  return {
    url: await bindPort(server, address, ['--grpc-port', 'INQUEST_GRPC_PORT']),
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await receiver.close(CLOSE_GRACE_MS);
      await closed;
    },
  };
}
