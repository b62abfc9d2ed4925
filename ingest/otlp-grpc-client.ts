/** A sender of OTLP over gRPC that knows bytes only: what drills, tests and `inquest doctor` ask a host with. */
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { EXPORT_METHODS } from './otlp/export-methods.ts';
import type { OtlpSignal } from './otlp/otlp-schema.ts';

export interface GrpcAnswer {
  /** google.rpc.Code */
  readonly code: number;
  /** Empty with OK. */
  readonly message: string;
  /** With OK: an encoded Export*ServiceResponse. */
  readonly response: Uint8Array;
  /** The encoded google.rpc.Status with RetryInfo, where the answer carried one. */
  readonly details: Uint8Array | undefined;
}

export interface OtlpGrpcClient {
  /** Sends one Export request; resolves however it ends. */
  send(signal: OtlpSignal, request: Uint8Array, timeoutMs: number): Promise<GrpcAnswer>;
  close(): void;
}

export interface OtlpGrpcClientOptions {
  readonly token?: string | undefined;
  readonly gzip?: boolean;
}

const GZIP = 2;

/** @param address `host:port`, without TLS */
export function createOtlpGrpcClient(
  address: string,
  { token, gzip = false }: OtlpGrpcClientOptions = {},
): OtlpGrpcClient {
  const channel = gzip ? { 'grpc.default_compression_algorithm': GZIP } : {};
  const client = new Client(address, credentials.createInsecure(), channel);
  const asIs = (bytes: Buffer) => bytes;
  return {
    send: (signal, request, timeoutMs) =>
      new Promise((resolve) => {
        const metadata = new Metadata();
        if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
        const options = { deadline: Date.now() + timeoutMs };
        const bytes = Buffer.from(request);
        client.makeUnaryRequest(EXPORT_METHODS[signal], asIs, asIs, bytes, metadata, options, (error, response) =>
          resolve(error ? describeError(error) : { ...STORED, response: response ?? Buffer.alloc(0) }),
        );
      }),
    close: () => client.close(),
  };
}

const STORED = { code: status.OK, message: '', details: undefined };

function describeError({ code, details, metadata }: ServiceError): GrpcAnswer {
  const [status] = metadata.get('grpc-status-details-bin');
  return { code, message: details, response: Buffer.alloc(0), details: status instanceof Buffer ? status : undefined };
}
