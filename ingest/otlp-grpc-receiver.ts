/**
 * OTLP over gRPC: the Export method of the trace, logs and metrics services, plain or gzip, answered as over HTTP. Speaks
 * gRPC on connections that are handed to it; who listens, and who may send, is its caller's.
 */
import type { Socket } from 'node:net';
import { Metadata, Server, ServerCredentials, type ServerReadableStream, type sendUnaryData } from '@grpc/grpc-js';
import { InputError, UnavailableError } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { createTurnstile } from './create-turnstile.ts';
import { EXPORT_METHODS } from './otlp/export-methods.ts';
import { describeRefusedCall, encodeStored } from './otlp/otlp-answer.ts';
import type { OtlpSignal } from './otlp/otlp-schema.ts';
import { type OtlpIntake, type OtlpOutcome, type OtlpRefusal, refusalOf } from './otlp-intake.ts';
import type { BodyLimits } from './read-body.ts';

/** Who calls, as far as the head of the call says. */
export interface GrpcSender {
  /** Address without the port. */
  readonly remoteAddress: string;
  readonly authorization: string | undefined;
}

export interface OtlpGrpcReceiverOptions {
  /** Limit of a message, as sent and as unzipped. */
  readonly maxBodyBytes: number;
  /** Judges a call before its message is read: takes it on, or says why not, also by an AppError that it throws. */
  readonly admit: (sender: GrpcSender) => OtlpIntake | OtlpRefusal;
  /** Told when a call begins; the function it returns, when that call has been answered. */
  readonly onCall?: () => () => void;
  readonly logger: Logger;
  /** How long a message may take to arrive. */
  readonly receiveTimeoutMs?: number;
}

export interface OtlpGrpcReceiver {
  /** Serves a connection that somebody else accepted. */
  accept(socket: Socket): void;
  /** Takes no more calls and hangs up, on who is still in work after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

const RECEIVE_TIMEOUT_MS = 30_000;
/** A sender opens one connection and seldom more than ten calls on it. */
const MAX_CALLS_PER_CONNECTION = 128;
/** grpc-js gives us messages whole: so many may be on their way at one time, the others wait with 64 kB at most each. */
const MAX_MESSAGES_ARRIVING = 16;

/**
 * The bytes are the same as those of a unary method; as a stream of requests the call is seen before its message is read,
 * so that strangers are refused unread and flow control holds back what would be too much.
 */
const AS_STREAM = 'clientStream';

type Call = ServerReadableStream<Buffer, Buffer>;
type Respond = sendUnaryData<Buffer>;

const asIs = (bytes: Buffer): Buffer => bytes;

export function createOtlpGrpcReceiver(options: OtlpGrpcReceiverOptions): OtlpGrpcReceiver {
  const { maxBodyBytes, admit, onCall, logger, receiveTimeoutMs = RECEIVE_TIMEOUT_MS } = options;
  const turnstile = createTurnstile(MAX_MESSAGES_ARRIVING);

  async function receive(signal: OtlpSignal, call: Call): Promise<OtlpOutcome> {
    try {
      const admitted = admit(senderOf(call));
      if ('kind' in admitted) return admitted;
      return await admitted.receive(signal, 'protobuf', (limits) => readMessage(call, limits));
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal.status === 500) logger.error({ err: error, signal }, 'a gRPC call failed');
      return refusal;
    }
  }

  async function readMessage(call: Call, { budget }: BodyLimits): Promise<Buffer> {
    const leave = await turnstile.enter();
    try {
      const message = await onlyMessage(call, AbortSignal.timeout(receiveTimeoutMs));
      if (!budget.take(message.length)) throw new UnavailableError('The receiver is full: retry in a moment.');
      return message;
    } finally {
      leave();
    }
  }

  function serve(signal: OtlpSignal, call: Call, respond: Respond): void {
    const end = onCall?.();
    receive(signal, call)
      .then((outcome) => answer(signal, outcome, respond))
      .finally(end)
      .catch((error: unknown) => logger.error({ err: error, signal }, 'a gRPC call could not be answered'));
  }

  const server = new Server({
    'grpc.max_receive_message_length': maxBodyBytes,
    'grpc.max_concurrent_streams': MAX_CALLS_PER_CONNECTION,
    'grpc.enable_channelz': 0,
  });
  for (const [signal, path] of Object.entries(EXPORT_METHODS) as [OtlpSignal, string][]) {
    server.register(path, (call: Call, respond: Respond) => serve(signal, call, respond), asIs, asIs, AS_STREAM);
  }
  const connections = server.createConnectionInjector(ServerCredentials.createInsecure());
  const sockets = new Set<Socket>();
  let isClosing = false;
  return {
    accept: (socket) => {
      if (isClosing) {
        socket.destroy();
        return;
      }
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      connections.injectConnection(socket);
    },
    close: async (graceMs) => {
      isClosing = true;
      const gone = [...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
      // Ends each connection when its calls are answered; its callback does not wait for that.
      server.tryShutdown(() => undefined);
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, graceMs);
      await Promise.all(gone);
      clearTimeout(timer);
    },
  };
}

function senderOf(call: Call): GrpcSender {
  const peer = call.getPeer();
  const [authorization] = call.metadata.get('authorization');
  return { remoteAddress: peer.slice(0, peer.lastIndexOf(':')), authorization: authorization?.toString() };
}

/** What is too large or cannot be unzipped is answered by grpc-js itself: then the call ends here, and nobody hears us. */
async function onlyMessage(call: Call, timeout: AbortSignal): Promise<Buffer> {
  const messages: Buffer[] = [];
  const onTimeout = () => call.destroy();
  timeout.addEventListener('abort', onTimeout, { once: true });
  try {
    for await (const message of call.iterator({ destroyOnReturn: false })) {
      if (messages.push(message) > 1) break;
    }
  } catch (error) {
    if (timeout.aborted) throw new UnavailableError('The message did not arrive in time: retry.', { cause: error });
    throw new InputError('The call ended before its message was whole.', { cause: error });
  } finally {
    timeout.removeEventListener('abort', onTimeout);
  }
  const [message] = messages;
  if (message === undefined || messages.length > 1) throw new InputError('A call carries exactly one request.');
  return message;
}

function answer(signal: OtlpSignal, outcome: OtlpOutcome, respond: Respond): void {
  if (outcome.kind === 'stored') {
    respond(null, encodeStored(signal, outcome.count));
    return;
  }
  // A header cannot carry half a character.
  const message = outcome.message.toWellFormed();
  const { code, details } = describeRefusedCall(outcome.status, message);
  const metadata = new Metadata();
  if (details) metadata.set('grpc-status-details-bin', details);
  respond({ code, details: message, metadata });
}
