/**
 * A real Apache Kafka for drills: one broker in KRaft mode on loopback, in a process of its own that can be killed and
 * started again on the same port and data. Its jars are resolved once by Maven into an ignored folder.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { PACKAGE_ROOT } from '../api/inquest-version.ts';
import { inspectKafka } from '../ingest/kafka/inspect-kafka.ts';
import { InvariantError, UnavailableError } from '../platform/errors.ts';
import { silentLogger } from '../platform/logger.ts';

export interface KafkaBroker {
  /** `host:port`. */
  readonly address: string;
  /** Starts it again after `kill` or `stop`; resolves when it answers. */
  start(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
  /** SIGTERM, waits for its end, and removes its data. */
  close(): Promise<void>;
}

const ROOT = fileURLToPath(PACKAGE_ROOT);
const JARS = join(ROOT, '.services', 'kafka');
const POM = join(ROOT, 'bench', 'kafka-broker.pom.xml');
/** Any 16 bytes; the same for all brokers of tests, which never meet. */
const CLUSTER_ID = 'MkU3OEVBNTcwNTJENDM2Qg';
const START_TIMEOUT_MS = 60_000;
const LOOK_MS = 50;

/**
 * Resolves the jars if need be; a sentence when that is impossible here. With `required`, as CI asks for, that is
 * an error: skipped tests prove nothing.
 */
export function whyNoKafka(required: boolean): string | undefined {
  try {
    resolveJars();
    execFileSync('java', ['-version'], { stdio: 'ignore' });
    return undefined;
  } catch (error) {
    const reason = `No Kafka broker here (it takes java 17 and mvn): ${error instanceof Error ? error.message : error}`;
    if (required) throw new UnavailableError(reason, { cause: error });
    return reason;
  }
}

function resolveJars(): void {
  if (existsSync(JARS)) return;
  const parent = join(ROOT, '.services');
  mkdirSync(parent, { recursive: true });
  const unfinished = mkdtempSync(join(parent, 'kafka-'));
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${unfinished}`];
  execFileSync('mvn', ['-q', '-B', '-f', POM, ...goal], { stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    renameSync(unfinished, JARS);
  } catch (error) {
    rmSync(unfinished, { recursive: true });
    if (!existsSync(JARS)) throw error; // else another test process was quicker
  }
}

/** Resolves when it answers. */
export async function startKafkaBroker(): Promise<KafkaBroker> {
  resolveJars();
  const directory = mkdtempSync(join(tmpdir(), 'inquest-kafka-'));
  const [port, controllerPort] = await findFreePorts();
  const address = `127.0.0.1:${port}`;
  const configPath = join(directory, 'server.properties');
  writeFileSync(configPath, properties({ address, controller: `127.0.0.1:${controllerPort}`, directory }));
  run(['kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', configPath]);
  let child: ChildProcess | undefined;

  const end = async (name: NodeJS.Signals) => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(name);
    await gone;
  };
  const broker: KafkaBroker = {
    address,
    start: async () => {
      child = spawn('java', [...JAVA_FLAGS, 'kafka.Kafka', configPath], { stdio: ['ignore', 'ignore', 'ignore'] });
      await untilAnswering(address, child);
    },
    kill: () => end('SIGKILL'),
    close: async () => {
      await end('SIGTERM');
      rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
  await broker.start();
  return broker;
}

const JAVA_FLAGS = ['-Xmx384m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', `${JARS}/*`];

function run(words: readonly string[]): void {
  execFileSync('java', [...JAVA_FLAGS, ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
}

function properties({
  address,
  controller,
  directory,
}: Record<'address' | 'controller' | 'directory', string>): string {
  return [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@${controller}`,
    `listeners=PLAINTEXT://${address},CONTROLLER://${controller}`,
    `advertised.listeners=PLAINTEXT://${address}`,
    'controller.listener.names=CONTROLLER',
    `log.dirs=${join(directory, 'data')}`,
    'num.partitions=4',
    'offsets.topic.num.partitions=4',
    'offsets.topic.replication.factor=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'group.initial.rebalance.delay.ms=0',
    'group.min.session.timeout.ms=1000',
    // One that was killed may register again when its former life has been silent for so long.
    'broker.session.timeout.ms=1500',
    'broker.heartbeat.interval.ms=300',
    '',
  ].join('\n');
}

async function untilAnswering(address: string, child: ChildProcess): Promise<void> {
  const settings = { brokers: [address], groupId: 'start', ssl: false, sasl: undefined };
  const deadlineMs = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      await inspectKafka(settings, silentLogger);
      return;
    } catch (error) {
      if (child.exitCode !== null) {
        throw new InvariantError(`the Kafka broker ended with ${child.exitCode}`, { cause: error });
      }
      if (performance.now() > deadlineMs) throw error;
      await delay(LOOK_MS);
    }
  }
}

/** Both at once, so that they differ; someone else may take one before the broker does, then its start fails. */
async function findFreePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()];
  const ports = await Promise.all(
    servers.map(async (server) => {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      return typeof address === 'object' && address !== null ? address.port : 0;
    }),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return [ports[0] ?? 0, ports[1] ?? 0];
}
