/** Kafka as it is: the drill with one round of each scenario, and what a receiver and a reader of dead letters rely on. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { replayDeadLetters } from '../ingest/kafka/dead-letters.ts';
import { inspectKafka } from '../ingest/kafka/inspect-kafka.ts';
import { openKafkaBuffer } from '../ingest/kafka/kafka-buffer.ts';
import { startKafkaConsumer } from '../ingest/kafka/kafka-consumer.ts';
import { createKafka } from '../ingest/kafka/kafka-settings.ts';
import { jsonToProto } from '../ingest/otlp/json-to-proto.ts';
import { loadConfig } from '../platform/config.ts';
import { LimitError, UnavailableError } from '../platform/errors.ts';
import { silentLogger } from '../platform/logger.ts';
import { openRuntime } from '../runtime/open-runtime.ts';
import { whyNoKafka } from './kafka-broker.ts';
import { KAFKA_SCENARIOS, renderKafkaFindings, runKafkaDrill } from './kafka-drill.ts';
import { type KafkaShop, type KafkaStage, openKafkaStage } from './kafka-stage.ts';

const TIMEOUT_MS = 120_000;
const missing = whyNoKafka(Boolean(process.env['INQUEST_REQUIRE_SERVICES']));
if (missing) process.stderr.write(`${missing}\n`);
const directory = mkdtempSync(join(tmpdir(), 'inquest-kafka-'));
afterAll(() => rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));

describe.skipIf(missing)('Kafka', { timeout: TIMEOUT_MS }, () => {
  it('delivers each span once, whoever is killed', async () => {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const findings = await runKafkaDrill({ directory: join(directory, 'drill'), rounds: 1, signal });
    expect(findings.map(({ scenario }) => scenario)).toEqual(KAFKA_SCENARIOS);
    for (const finding of findings) {
      expect(finding).toMatchObject({ lost: 0, doubled: 0, viewOff: 0 });
      expect(finding.produced).toBeGreaterThanOrEqual(1_000);
    }
    expect(renderKafkaFindings(findings)).toContain('Every span is stored once.');
  });

  describe('and its neighbours', () => {
    let stage: KafkaStage;
    beforeAll(async () => {
      stage = await openKafkaStage(join(directory, 'buffer'));
    }, TIMEOUT_MS);
    afterAll(() => stage?.close());

    const batch = { signal: 'traces', rows: {}, receivedMs: Date.now(), encoding: 'protobuf' } as const;
    const { signal } = new AbortController();
    const bufferOf = (groupId: string) => ({
      settings: stage.settingsOf(groupId),
      logger: silentLogger,
      maxPendingBytes: 4_000_000,
    });

    function hostConfig(groupId: string) {
      const { url, user, password } = stage.engine;
      return loadConfig({
        INQUEST_DATA_DIR: join(directory, 'host'),
        INQUEST_RETENTION_DAYS: '0',
        INQUEST_DATABASE: stage.database,
        CLICKHOUSE_URL: url,
        CLICKHOUSE_USER: user,
        CLICKHOUSE_PASSWORD: password,
        KAFKA_BROKERS: stage.broker.address,
        KAFKA_GROUP: groupId,
        INQUEST_INGEST_BUFFER: 'kafka',
      });
    }

    async function expectExactly(shop: KafkaShop, groupId: string): Promise<void> {
      await stage.untilRead(groupId, AbortSignal.timeout(TIMEOUT_MS));
      const { spans, messages } = shop.produced();
      expect(await stage.count(shop.service)).toEqual({ rows: spans, spans, listed: messages });
    }

    it('buries what is no OTLP, and its neighbours go on; a letter can be put back', async () => {
      const groupId = await stage.newGroup();
      const shop = stage.openShop();
      stage.startConsumer(groupId);
      await shop.produce(30, { poison: [7, 12] });
      await expectExactly(shop, groupId);
      const kafka = createKafka(stage.settingsOf(groupId), silentLogger);
      const replay = (limit: number) => replayDeadLetters(kafka, { groupId, limit, signal });
      expect(await inspectKafka(stage.settingsOf(groupId), silentLogger)).toMatchObject({ deadLetters: 2 });
      expect(await replay(1)).toEqual({ replayed: 1, skipped: 0 });
      expect(await replay(10)).toEqual({ replayed: 1, skipped: 0 });
      await expectExactly(shop, groupId); // still no OTLP: buried again
      expect(await replay(10)).toEqual({ replayed: 2, skipped: 0 });
      await stage.killConsumers();
    });

    it('rebuilds a batch from several fetches, though a part of it is gone, and tells what is', async () => {
      const groupId = await stage.newGroup();
      const shop = stage.openShop();
      for (let fetch = 0; fetch < 3; fetch++) await shop.produce(10, { partition: 0 });
      const victim = stage.startConsumer(groupId, { holdFirstCommit: true });
      await victim.hears('stored');
      await stage.killConsumers();
      await stage.expire(0, 10);
      const heir = await startKafkaConsumer({ ...stage.partsOf(groupId), maxPartitionBytes: 1 });
      await expectExactly(shop, groupId);
      expect(heir.counts).toMatchObject({ rebuiltBatches: 1, expiredMessages: 10, deadLetters: 0 });
      await heir.close();
    });

    it('is what a host answers for: protobuf, JSON, and a request that is larger than a message', async () => {
      const groupId = await stage.newGroup();
      const shop = stage.openShop();
      const runtime = await openRuntime(hostConfig(groupId), { logger: silentLogger });
      const post = async (body: Buffer, type = 'application/x-protobuf') => {
        const request = { method: 'POST', headers: { 'content-type': type }, body: new Uint8Array(body) };
        return (await runtime.receiveOtlp(new Request('http://localhost/v1/traces', request))).status;
      };
      const first = jsonToProto('traces', shop.next());
      await expect.poll(() => post(first), { timeout: 30_000 }).toBe(200); // its first requests are told to come back
      expect(await post(Buffer.from(JSON.stringify(shop.next())), 'application/json')).toBe(200);
      expect(await post(jsonToProto('traces', withBallast(shop.next(), 200_000)))).toBe(200);
      await stage.untilRead(groupId, AbortSignal.timeout(TIMEOUT_MS));
      const { spans } = shop.produced();
      expect(await stage.count(shop.service)).toMatchObject({ rows: spans, spans });
      expect(await post(jsonToProto('traces', withBallast(shop.next(), 2_000_000)))).toBe(413);
      const { ingest } = await runtime.status(signal);
      expect(ingest).toMatchObject({ 'kafka away': 0, 'kafka lag': 0, 'kafka records': spans });
      await runtime.close();
    });

    it('refuses what the broker does not take, for good and for now', async () => {
      const buffer = await openKafkaBuffer(bufferOf('refused'));
      const huge = { ...batch, body: randomBytes(2_000_000) };
      await expect(buffer.store(huge, signal)).rejects.toBeInstanceOf(LimitError);
      await stage.broker.kill();
      const small = { ...batch, body: randomBytes(10) };
      await expect(buffer.store(small, AbortSignal.timeout(500))).rejects.toBeInstanceOf(UnavailableError);
      await stage.broker.start();
      await expect.poll(() => buffer.store(small, signal).then(() => 'stored'), { timeout: 30_000 }).toBe('stored');
      await buffer.close();
    });
  });
});

/** So much in each span that gzip cannot make smaller. */
function withBallast(request: object, bytes: number): object {
  return JSON.parse(JSON.stringify(request), (name, member) =>
    name === 'spans'
      ? member.map((span: object) => ({ ...span, traceState: randomBytes(bytes).toString('base64') }))
      : member,
  );
}
