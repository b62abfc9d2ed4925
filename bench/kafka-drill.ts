/** Consumers of Kafka that are killed, frozen, joined and left, a broker and an engine that die: every span is counted after. */
import { type KafkaShop, type KafkaStage, openKafkaStage } from './kafka-stage.ts';

type Play = (stage: KafkaStage, groupId: string, shop: KafkaShop) => Promise<void>;

/** What happens while messages are produced; all have been produced when it resolves. */
const SCENARIOS = {
  'members join and leave': async ({ startConsumer }, groupId, shop) => {
    const first = startConsumer(groupId);
    await first.hears('ready');
    await shop.produce(200);
    const second = startConsumer(groupId);
    await second.hears('ready');
    await shop.produce(100);
    first.kill('SIGTERM');
    await first.hears('left');
    await shop.produce(50);
  },
  'kill -9 between insert and commit': async ({ startConsumer }, groupId, shop) => {
    await shop.produce(100);
    const victim = startConsumer(groupId, { holdFirstCommit: true });
    await victim.hears('stored');
    victim.kill('SIGKILL');
    await shop.produce(40); // a batch without recorded boundaries would now be a larger one
    startConsumer(groupId);
  },
  'the same, with a rebalance': async ({ startConsumer }, groupId, shop) => {
    await shop.produce(100);
    const victim = startConsumer(groupId, { holdFirstCommit: true });
    await victim.hears('stored');
    const heir = startConsumer(groupId);
    await shop.produce(40);
    victim.kill('SIGKILL');
    await heir.hears('stored');
    startConsumer(groupId);
    await shop.produce(40);
  },
  'frozen past its session, then woken': async ({ startConsumer }, groupId, shop) => {
    await shop.produce(100);
    const frozen = startConsumer(groupId);
    await frozen.hears('stored');
    frozen.kill('SIGSTOP');
    await shop.produce(100);
    const heir = startConsumer(groupId);
    await heir.hears('stored');
    frozen.kill('SIGCONT');
    await shop.produce(100);
    heir.kill('SIGKILL'); // what is left is for the one that was woken
    await shop.produce(20);
  },
  'the broker is killed and comes back': async ({ broker, startConsumer }, groupId, shop) => {
    const consumer = startConsumer(groupId);
    await shop.produce(50);
    await consumer.hears('stored');
    await broker.kill();
    await broker.start();
    await shop.produce(50);
  },
  'the engine is killed and comes back': async ({ engine, startConsumer }, groupId, shop) => {
    const consumer = startConsumer(groupId);
    await shop.produce(50);
    await consumer.hears('stored');
    process.kill(engine.pid() ?? 0, 'SIGKILL');
    await shop.produce(50);
    await engine.untilRunning(ENGINE_PATIENCE_MS);
  },
} satisfies Record<string, Play>;

export const KAFKA_SCENARIOS = Object.keys(SCENARIOS) as (keyof typeof SCENARIOS)[];

export interface KafkaFinding {
  readonly scenario: keyof typeof SCENARIOS;
  readonly rounds: number;
  readonly produced: number;
  /** Spans that are not there. */
  readonly lost: number;
  /** Rows beyond the first of a span. */
  readonly doubled: number;
  /** Rows of a view beyond or short of one for each trace. */
  readonly viewOff: number;
}

export interface KafkaDrillOptions {
  /** An empty directory of the drill's own. */
  readonly directory: string;
  readonly rounds: number;
  readonly signal: AbortSignal;
  readonly onFinding?: (finding: KafkaFinding) => void;
}

const ENGINE_PATIENCE_MS = 30_000;
const READ_TIMEOUT_MS = 120_000;

export async function runKafkaDrill({
  directory,
  rounds,
  signal,
  onFinding,
}: KafkaDrillOptions): Promise<KafkaFinding[]> {
  const stage = await openKafkaStage(directory);
  try {
    const findings: KafkaFinding[] = [];
    for (const scenario of KAFKA_SCENARIOS) {
      const sum = { scenario, rounds, produced: 0, lost: 0, doubled: 0, viewOff: 0 };
      for (let round = 0; round < rounds; round++) {
        const found = await playRound(stage, SCENARIOS[scenario], signal);
        sum.produced += found.produced;
        sum.lost += found.lost;
        sum.doubled += found.doubled;
        sum.viewOff += found.viewOff;
      }
      findings.push(sum);
      onFinding?.(sum);
    }
    return findings;
  } finally {
    await stage.close();
  }
}

async function playRound(stage: KafkaStage, play: Play, signal: AbortSignal) {
  const groupId = await stage.newGroup();
  const shop = stage.openShop();
  await play(stage, groupId, shop);
  await stage.untilRead(groupId, AbortSignal.any([signal, AbortSignal.timeout(READ_TIMEOUT_MS)]));
  const { rows, spans, listed } = await stage.count(shop.service);
  const { spans: produced, messages } = shop.produced();
  await stage.killConsumers();
  return { produced, lost: produced - spans, doubled: rows - spans, viewOff: Math.abs(listed - messages) };
}

/** At most 80 columns wide. */
export function renderKafkaFindings(findings: readonly KafkaFinding[]): string {
  const row = (label: string, ...cells: (string | number)[]) =>
    label.padEnd(38) +
    cells.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en-US') : cell).padStart(8)).join('');
  const lines = findings.map(({ scenario, rounds, produced, lost, doubled, viewOff }) =>
    row(scenario, rounds, produced, lost, doubled, viewOff),
  );
  const verdict = isSound(findings) ? 'Every span is stored once.' : 'SPANS WERE LOST OR DOUBLED.';
  return [row('spans', 'rounds', 'sent', 'lost', 'doubled', 'in view'), ...lines, '', verdict].join('\n');
}

export function isSound(findings: readonly KafkaFinding[]): boolean {
  return findings.every(({ lost, doubled, viewOff }) => lost + doubled + viewOff === 0);
}
