/** `inquest doctor`: is everything there that an investigation needs, and what to do about what is not. */
import { stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { HostStatus } from '../../../api/api-shapes.ts';
import { readInquestVersion } from '../../../api/inquest-version.ts';
import type { JoinedHost } from '../../../api/join-or-start-host.ts';
import { signalSchema } from '../../../domain/signal.ts';
import { AppError, errorMessage } from '../../../platform/errors.ts';
import { silentLogger } from '../../../platform/logger.ts';
import { type Cli, joinHost, pageOf, type RunWork, shellWord } from '../cli.ts';
import { EXIT } from '../exit-codes.ts';
import { hangingText } from '../layout.ts';
import { type Page, paragraph } from '../page.ts';
import { plainCopy } from '../plain-text.ts';
import { postOtlp } from '../post-otlp.ts';
import { countOf, formatCount, formatDuration } from '../words.ts';

/** `warning`: it works, but something is worth knowing. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'failed';
  readonly text: string;
}

const LOW_DISK_BYTES = 2e9;
const STALE_MS = 10 * 60_000;
/** Files of the data directory that hold tokens, passwords and keys. */
const SECRET_FILES = ['host.json', 'engine.json', 'audit.key'];

export function addDoctorCommand(program: Command, run: RunWork): void {
  program
    .command('doctor')
    .description('check everything that Inquest depends on')
    .action(() =>
      run(async (cli) => {
        const checks = [
          checkNode(),
          ...(await checkHost(cli)),
          ...(await checkKafka(cli)),
          await checkDisk(cli),
          await checkSecrets(cli.config.dataDir),
          describeActions(cli),
        ];
        cli.terminal.printJson({ healthy: checks.every(({ status }) => status !== 'failed'), checks });
        cli.terminal.print(renderChecks(checks, pageOf(cli)));
        return checks.some(({ status }) => status === 'failed') ? EXIT.failure : EXIT.ok;
      }),
    );
}

function checkNode(): Check {
  return { name: 'node', status: 'ok', text: `${process.version}, Inquest ${readInquestVersion()}` };
}

async function checkDisk({ config }: Cli): Promise<Check> {
  try {
    const { bavail, bsize } = await statfs(config.dataDir);
    const free = bavail * bsize;
    const text = `${config.dataDir} is writable by the host, ${(free / 1e9).toFixed(1)} GB free`;
    if (free > LOW_DISK_BYTES) return { name: 'disk', status: 'ok', text };
    return { name: 'disk', status: 'warning', text: `${text}: make room before telemetry has to be refused` };
  } catch (error) {
    return { name: 'disk', status: 'failed', text: `${config.dataDir}: ${errorMessage(error)}` };
  }
}

/** What is in the data directory opens everything: nobody else may read it. */
export async function checkSecrets(dataDir: string): Promise<Check> {
  const name = 'secrets';
  const open: string[] = [];
  for (const file of SECRET_FILES) {
    const mode = await modeOf(join(dataDir, file));
    if (mode !== undefined && (mode & 0o077) !== 0) open.push(file);
  }
  if (open.length === 0) return { name, status: 'ok', text: 'readable by their owner only' };
  const fix = open.map((file) => shellWord(join(dataDir, file))).join(' ');
  return { name, status: 'failed', text: `others may read ${open.join(', ')}: chmod 600 ${fix}` };
}

/** Undefined where the file is not there. */
async function modeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ mode }) => mode,
    () => undefined,
  );
}

/** Asked here, not through the host: a host may be well while its brokers are away. */
async function checkKafka({ config }: Cli): Promise<Check[]> {
  if (config.kafka === undefined) return [];
  const name = 'Kafka';
  // The driver comes with it: loaded by this command only.
  const { inspectKafka } = await import('../../../ingest/kafka/inspect-kafka.ts');
  try {
    const { partitions, deadLetters } = await inspectKafka(config.kafka, silentLogger);
    const lag = partitions.reduce((sum, each) => sum + each.lag, 0);
    const behind = `${countOf(partitions.length, 'partition')}, ${countOf(lag, 'message')} behind`;
    const text = `${config.kafka.brokers.join(', ')}: ${behind}`;
    if (deadLetters === 0) return [{ name, status: 'ok', text }];
    const buried = `${countOf(deadLetters, 'dead letter')} (when the reason is gone: inquest kafka replay)`;
    return [{ name, status: 'warning', text: `${text}, ${buried}` }];
  } catch (error) {
    return [{ name, status: 'failed', text: errorMessage(error) }];
  }
}

function describeActions({ config }: Cli): Check {
  const { webhook } = config.approval;
  const text = webhook
    ? `approved actions go to ${new URL(webhook.url).host}, signed`
    : 'tickets are files; other actions are dry runs until INQUEST_WEBHOOK_URL is set';
  return { name: 'actions', status: 'ok', text };
}

async function checkAudit({ client }: JoinedHost, signal: AbortSignal): Promise<Check> {
  const { whole, entries, last, problems } = await client.verifyAudit(signal);
  const name = 'audit log';
  if (whole)
    return {
      name,
      status: 'ok',
      text: `${countOf(entries, 'entry', 'entries')}, whole, ends in ${last.hash.slice(0, 12)}`,
    };
  const [first] = problems;
  const where = first?.sequence === undefined ? '' : `entry ${first.sequence}: `;
  return { name, status: 'failed', text: `${where}${first?.problem ?? 'broken'} (see: inquest audit verify)` };
}

/** The host keeps the list of workers there. */
async function checkRedis({ client }: JoinedHost, { config, signal }: Cli): Promise<Check[]> {
  if (config.redis === undefined) return [];
  const name = 'Redis';
  try {
    const { workers } = await client.listWorkers(signal);
    const [others, is] = [workers.length - 1, workers.length === 2 ? 'takes' : 'take'];
    return [{ name, status: 'ok', text: `${countOf(others, 'other process', 'other processes')} ${is} part` }];
  } catch (error) {
    signal.throwIfAborted();
    return [{ name, status: 'failed', text: errorMessage(error) }];
  }
}

async function checkHost(cli: Cli): Promise<Check[]> {
  try {
    const host = await joinHost(cli);
    const status = await host.client.status(cli.signal);
    return [
      describeHost(host, status, cli.clock.nowMs()),
      describeEngine(status),
      await checkReceiver(host, cli.signal),
      await checkGrpcReceiver(host, status),
      await checkAudit(host, cli.signal),
      ...(await checkRedis(host, cli)),
      ...signalSchema.options.map((signal) => describeSignal(signal, status, cli.clock.nowMs())),
      describeIngest(status),
    ];
  } catch (error) {
    cli.signal.throwIfAborted();
    if (!(error instanceof AppError)) throw error;
    return [{ name: 'host', status: 'failed', text: error.message }];
  }
}

function describeHost({ url, started }: JoinedHost, status: HostStatus, nowMs: number): Check {
  const age = started ? 'started for this command' : `up for ${formatDuration(nowMs - status.startedAtMs)}`;
  const text = `${url}, pid ${status.pid}, ${age}`;
  if (status.version === readInquestVersion()) return { name: 'host', status: 'ok', text };
  return {
    name: 'host',
    status: 'warning',
    text: `${text}; it is version ${status.version}: stop it, so that a new one starts`,
  };
}

function describeEngine({ clickhouse, rows }: HostStatus): Check {
  const { kind, engineVersion, database, restarts } = clickhouse;
  const total = Object.values(rows).reduce((sum, each) => sum + each, 0);
  const text = `ClickHouse ${engineVersion}, ${kind === 'embedded' ? 'embedded' : 'separate server'}, database ${database}, ${countOf(total, 'row')}`;
  if (engineVersion === '')
    return { name: 'engine', status: 'failed', text: 'the engine does not answer: see host.log in the data directory' };
  if (restarts === 0) return { name: 'engine', status: 'ok', text };
  return {
    name: 'engine',
    status: 'warning',
    text: `${text}; it died and was restarted ${countOf(restarts, 'time')}: see host.log`,
  };
}

/** An empty request is valid OTLP and stores nothing. */
async function checkReceiver({ url, token }: JoinedHost, signal: AbortSignal): Promise<Check> {
  try {
    const outcome = await postOtlp('/v1/traces', '{"resourceSpans":[]}', { url, token, signal });
    if (outcome.kind === 'accepted')
      return { name: 'receiver', status: 'ok', text: `OTLP/HTTP at ${url}/v1/{traces,logs,metrics}` };
    return { name: 'receiver', status: 'failed', text: outcome.reason };
  } catch (error) {
    signal.throwIfAborted();
    return { name: 'receiver', status: 'failed', text: errorMessage(error) };
  }
}

const GRPC_TIMEOUT_MS = 5_000;

async function checkGrpcReceiver({ token }: JoinedHost, { grpcUrl }: HostStatus): Promise<Check> {
  const name = 'gRPC receiver';
  if (grpcUrl === undefined) return { name, status: 'ok', text: 'off (INQUEST_GRPC_PORT)' };
  // The driver comes with it: loaded by this command only.
  const { createOtlpGrpcClient } = await import('../../../ingest/otlp-grpc-client.ts');
  const client = createOtlpGrpcClient(new URL(grpcUrl).host, { token });
  const { code, message } = await client.send('traces', new Uint8Array(), GRPC_TIMEOUT_MS);
  client.close();
  if (code === 0) return { name, status: 'ok', text: `OTLP/gRPC at ${grpcUrl}` };
  return { name, status: 'failed', text: `${grpcUrl}: ${message} (gRPC status ${code})` };
}

function describeSignal(signal: string, { newest }: HostStatus, nowMs: number): Check {
  const atMs = newest[signal];
  if (atMs === undefined) return { name: signal, status: 'warning', text: `none yet: ${remedyFor(signal)}` };
  const ageMs = nowMs - atMs;
  const text =
    ageMs >= 0 ? `newest is ${formatDuration(ageMs)} old` : `newest is ${formatDuration(-ageMs)} in the future`;
  // Changes are rare by nature.
  const isFresh = signal === 'changes' || Math.abs(ageMs) < STALE_MS;
  return {
    name: signal,
    status: isFresh ? 'ok' : 'warning',
    text: isFresh ? text : `${text}: has its sender stopped?`,
  };
}

function remedyFor(signal: string): string {
  return signal === 'changes'
    ? 'POST deploys, flags and commits to /v1/changes'
    : `point an OTLP exporter for ${signal} at the receiver`;
}

function describeIngest({ ingest }: HostStatus): Check {
  const counts = Object.entries(ingest).filter(([, value]) => value > 0);
  const text = counts.map(([name, value]) => `${name} ${formatCount(value)}`).join(', ');
  return { name: 'ingest', status: 'ok', text: text === '' ? 'nothing received since the host started' : text };
}

/** One line or more for each check. Pure. */
export function renderChecks(raw: readonly Check[], page: Page): string {
  const checks = plainCopy(raw);
  const nameColumns = Math.max(...checks.map(({ name }) => name.length));
  const words = { ok: 'ok     ', warning: 'warning', failed: 'FAILED ' };
  const paint = { ok: page.palette.good, warning: page.palette.warn, failed: page.palette.bad };
  const lines = checks.flatMap(({ name, status, text }) => {
    const [first = '', ...rest] = hangingText(name, text, { indent: 11, labelWidth: nameColumns, width: page.width });
    return [`  ${paint[status](words[status])}  ${first.slice(11)}`, ...rest];
  });
  const failed = checks.filter(({ status }) => status === 'failed').length;
  const warnings = checks.filter(({ status }) => status === 'warning').length;
  const summary = failed === 0 ? 'Inquest can work.' : `${countOf(failed, 'check')} failed.`;
  const remark = warnings === 0 ? '' : ` ${countOf(warnings, 'warning')}.`;
  return [...lines, '', ...paragraph(page, summary + remark)].join('\n');
}
