/** A host in a process of its own, as people start it, that can be killed and asked again after it came back. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type ApiClient, createApiClient } from '../api/api-client.ts';
import { HOST_LOCK_FILE, hostRecordSchema } from '../api/host-lock.ts';
import { PACKAGE_ROOT } from '../api/inquest-version.ts';
import { type Database, openDatabase } from '../clickhouse/database.ts';
import { ENGINE_ADDRESS_FILE } from '../clickhouse/embedded-engine.ts';
import { UnavailableError } from '../platform/errors.ts';

export const BIN = fileURLToPath(new URL('bin/inquest.js', PACKAGE_ROOT));

/** A drill that was itself killed leaves a host behind, which then goes by itself. */
const ORPHAN_EXIT_SECONDS = 120;

export interface DrillHostOptions {
  readonly dataDir: string;
  /** 0: any free port. */
  readonly port: number;
  /** Of OTLP/gRPC; any free one by default. */
  readonly grpcPort?: number;
  /** Besides the PATH: a drill is not to depend on the settings of whoever runs it. */
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
}

export interface EndedHost {
  readonly code: number | null;
  readonly stderr: string;
}

export interface DrillHost {
  readonly url: string;
  readonly port: number;
  readonly grpcUrl: string | undefined;
  readonly pid: number;
  readonly client: ApiClient;
  /** Process id of its engine now. */
  enginePid(): number;
  openDatabase(): Promise<Database>;
  signal(name: NodeJS.Signals): void;
  /** What it wrote to stderr. */
  said(): string;
  readonly ended: Promise<EndedHost>;
}

const engineSchema = z.object({ url: z.url(), user: z.string(), password: z.string(), pid: z.int().positive() });

/** Resolves when it is ready; rejects with UnavailableError that carries its last words when it ends before. */
export async function startDrillHost(options: DrillHostOptions): Promise<DrillHost> {
  const { child, said, ended } = spawnHost(options);
  if (child.stdout === null) throw new UnavailableError('the host has no output');
  for await (const _line of createInterface({ input: child.stdout }))
    return describe(options.dataDir, child, said, ended);
  const { code, stderr } = await ended;
  throw new UnavailableError(`the host ended with ${code} before it was ready: ${stderr}`, { details: { code } });
}

/** One that is not expected to become ready. */
export function spawnHost({ dataDir, port, grpcPort = 0, env = {}, uid }: DrillHostOptions) {
  const flags = [
    '--port',
    String(port),
    '--grpc-port',
    String(grpcPort),
    '--data-dir',
    dataDir,
    '--idle-exit',
    String(ORPHAN_EXIT_SECONDS),
  ];
  const child = spawn(process.execPath, [BIN, 'serve', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: '/usr/bin:/bin', ...env },
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const ended: Promise<EndedHost> = once(child, 'close').then(([code]) => ({ code, stderr }));
  return { child, said: () => stderr, ended };
}

function describe(dataDir: string, child: ChildProcess, said: () => string, ended: Promise<EndedHost>): DrillHost {
  const { url, grpcUrl, token, pid } = hostRecordSchema.parse(
    JSON.parse(readFileSync(join(dataDir, HOST_LOCK_FILE), 'utf8')),
  );
  const engine = () => engineSchema.parse(JSON.parse(readFileSync(join(dataDir, ENGINE_ADDRESS_FILE), 'utf8')));
  return {
    url,
    port: Number(new URL(url).port),
    grpcUrl,
    pid,
    client: createApiClient({ url, token }),
    enginePid: () => engine().pid,
    openDatabase: () => openDatabase({ ...engine(), database: 'inquest' }),
    signal: (name) => void child.kill(name),
    said,
    ended,
  };
}
