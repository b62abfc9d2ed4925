/** What tells one kind of fault from another in the telemetry it leaves: each has the marks that an operator would look for. */
import { describe, expect, it } from 'vitest';
import { changeInputSchema } from '../../domain/change.ts';
import { describeTruth, type GroundTruth } from '../ground-truth.ts';
import type { KeyValue, Span } from '../otlp-json.ts';
import { type SimulatedBatch, simulateShop } from '../simulate-shop.ts';
import type { FaultKind } from './fault-kinds.ts';

const ONSET_MS = Date.UTC(2026, 0, 14, 10);

interface Located {
  readonly owner: string;
  readonly span: Span;
  readonly atMs: number;
}

interface Point {
  readonly pod: string;
  readonly instance: string;
  readonly endMs: number;
  readonly state: string;
  readonly value: number;
}

interface Scene {
  readonly truth: GroundTruth;
  readonly batches: readonly SimulatedBatch[];
  readonly before: readonly Located[];
  readonly after: readonly Located[];
}

function text(attributes: readonly KeyValue[], key: string): string {
  const value = attributes.find((attribute) => attribute.key === key)?.value;
  return value ? String(Object.values(value)[0]) : '';
}

function stage(kind: FaultKind, seed: number, afterMs = 60_000): Scene {
  const window = { startMs: ONSET_MS - 150_000, endMs: ONSET_MS + afterMs };
  const options = { seed, ...window, requestsPerSecond: 8, fault: { kind, onsetMs: ONSET_MS } };
  const batches = [...simulateShop(options)];
  const spans = batches
    .flatMap((batch) => batch.traces?.resourceSpans ?? [])
    .flatMap(({ resource, scopeSpans }) =>
      scopeSpans.flatMap((scope) => scope.spans.map((span) => locate(text(resource.attributes, 'service.name'), span))),
    );
  const truth = describeTruth(options);
  const before = spans.filter(({ atMs }) => atMs < truth.preludeMs);
  return { truth, batches, before, after: spans.filter(({ atMs }) => atMs >= ONSET_MS + 20_000) };
}

function locate(owner: string, span: Span): Located {
  return { owner, span, atMs: Number(span.startTimeUnixNano.slice(0, -6)) };
}

function pointsOf({ batches, truth }: Scene, name: string, service = truth.service): Point[] {
  return batches
    .flatMap((batch) => batch.metrics?.resourceMetrics ?? [])
    .filter(({ resource }) => text(resource.attributes, 'service.name') === service)
    .flatMap(({ resource: { attributes }, scopeMetrics }) =>
      scopeMetrics
        .flatMap(({ metrics }) => metrics.filter((metric) => metric.name === name))
        .flatMap(({ gauge, sum }) => (gauge ?? sum)?.dataPoints ?? [])
        .map((point) => ({
          pod: text(attributes, 'k8s.pod.name'),
          instance: text(attributes, 'service.instance.id'),
          endMs: Number(point.timeUnixNano.slice(0, -6)),
          state: text(point.attributes, 'db.client.connection.state'),
          value: Number(point.asInt ?? point.asDouble),
        })),
    );
}

function callsTo(spans: readonly Located[], service: string): Located[] {
  return spans.filter(({ span }) => span.kind === 3 && text(span.attributes, 'peer.service') === service);
}

function servedBy(spans: readonly Located[], service: string): Located[] {
  return spans.filter(({ owner, span }) => owner === service && span.kind === 2);
}

function errorShare(spans: readonly Located[]): number {
  return spans.filter(({ span }) => span.status.code === 2).length / Math.max(1, spans.length);
}

function medianMs(spans: readonly Located[]): number {
  const sorted = spans
    .map(({ span }) => Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6)
    .sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** Per second, so that stretches of different length compare. */
function rate(spans: readonly Located[]): number {
  const times = spans.map(({ atMs }) => atMs);
  return (1000 * spans.length) / Math.max(1, Math.max(...times) - Math.min(...times));
}

describe('each kind shows its own marks', () => {
  it('a leak fills the memory, kills the container and begins again in another process of the same pod', () => {
    const scene = stage('memory-leak', 2, 110_000);
    const [pod] = pointsOf(scene, 'k8s.container.restarts').filter(({ value }) => value > 0);
    const memory = pointsOf(scene, 'container.memory.utilization').filter((point) => point.pod === pod?.pod);
    expect(Math.max(...memory.map(({ value }) => value))).toBeGreaterThan(0.88);
    expect(memory.at(-1)?.value).toBeLessThan(0.8);
    expect(new Set(memory.map(({ instance }) => instance)).size).toBe(2);
    const counts = pointsOf(scene, 'http.server.request.count').filter(({ instance }) => instance === pod?.instance);
    expect(counts[0]?.value).toBeLessThan(60);
    const lost = callsTo(scene.after, scene.truth.service).filter(({ span }) => /refused|reset/i.test(message(span)));
    expect(lost.length).toBeGreaterThan(3);
    const parents = new Set(scene.after.map(({ span }) => span.parentSpanId));
    expect(lost.some(({ span }) => parents.has(span.spanId))).toBe(false);
  });

  it('an exhausted pool has no idle connection, a queue, and timeouts in the words of its client', () => {
    const scene = stage('pool-exhaustion', 2);
    const late = ({ endMs }: Point) => endMs > ONSET_MS + 20_000;
    const counts = pointsOf(scene, 'db.client.connection.count').filter(late);
    expect(counts.filter(({ state }) => state === 'idle').every(({ value }) => value === 0)).toBe(true);
    expect(pointsOf(scene, 'db.client.connection.pending_requests').filter(late)[0]?.value).toBeGreaterThan(3);
    const timeouts = pointsOf(scene, 'db.client.connection.timeouts').map(({ value }) => value);
    expect(Math.max(...timeouts)).toBeGreaterThan(5);
    const failures = servedBy(scene.after, scene.truth.service).filter(({ span }) => span.status.code === 2);
    expect(failures.some(({ span }) => /connection/i.test(message(span)))).toBe(true);
    expect(medianMs(failures)).toBeGreaterThan(1_000);
  });

  it('a flag is announced as a change, opens a path that fails for some, and leaves the version alone', () => {
    const scene = stage('flag-flip', 2);
    const changes = scene.batches.flatMap((batch) => batch.changes);
    const [change, ...more] = changes.filter(({ kind }) => kind !== 'commit');
    expect(more).toEqual([]);
    expect(changeInputSchema.parse(change)).toMatchObject({ kind: 'flag', id: scene.truth.changeId });
    const served = servedBy(scene.after, scene.truth.service);
    const share = errorShare(served);
    expect(share).toBeGreaterThan(0.2);
    expect(share).toBeLessThan(0.6);
    expect(errorShare(servedBy(scene.before, scene.truth.service))).toBeLessThan(0.02);
    const resources = scene.batches
      .flatMap((batch) => batch.traces?.resourceSpans ?? [])
      .map(({ resource }) => resource);
    const own = resources.filter(({ attributes }) => text(attributes, 'service.name') === scene.truth.service);
    expect(new Set(own.map(({ attributes }) => text(attributes, 'service.version'))).size).toBe(1);
  });

  it('an expired cache misses, and the database behind it is asked more often and answers late', () => {
    for (const seed of [1, 2, 3]) {
      const scene = stage('cache-stampede', seed);
      const misses = pointsOf(scene, 'redis.keyspace.misses').map(({ value }) => value);
      const growth = misses.map((value, index) => value - (misses[index - 1] ?? 0));
      expect(growth.at(-1)).toBeGreaterThan(3 * (growth[3] ?? 0));
      const database = scene.truth.blastRadius.find((service) => service.endsWith('-db')) ?? '';
      expect(rate(callsTo(scene.after, database))).toBeGreaterThan(1.4 * rate(callsTo(scene.before, database)));
      expect(medianMs(callsTo(scene.after, database))).toBeGreaterThan(10 * medianMs(callsTo(scene.before, database)));
      expect(medianMs(callsTo(scene.after, scene.truth.service))).toBeLessThan(3);
    }
  });

  it('a slow network shows with one caller only, and not where the calls are served', () => {
    const scene = stage('network-delay', 2);
    const { service, edge } = scene.truth;
    const [own, others] = [true, false].map((isOwn) =>
      callsTo(scene.after, service).filter(({ owner }) => (owner === edge?.from) === isOwn),
    );
    expect(medianMs(own ?? [])).toBeGreaterThan(250);
    expect(others?.length).toBeGreaterThan(5);
    expect(medianMs(others ?? [])).toBeLessThan(40);
    const [after, before] = [scene.after, scene.before].map((spans) => medianMs(servedBy(spans, service)));
    expect(after).toBeLessThan(1.3 * (before ?? 0));
  });

  it('an outage outside is seen in client spans alone', () => {
    for (const seed of [1, 2]) {
      const { truth, batches, after, before } = stage('external-outage', seed);
      expect(errorShare(callsTo(after, truth.service))).toBeGreaterThan(0.5);
      expect(errorShare(callsTo(before, truth.service))).toBeLessThan(0.05);
      expect(after.some(({ owner }) => owner === truth.service)).toBe(false);
      expect(pointsOf({ truth, batches, after, before }, 'container.cpu.utilization')).toEqual([]);
    }
  });

  it('a surge multiplies those who come, fills the gateway, and leaves what they do not ask for at its usual load', () => {
    const scene = stage('traffic-surge', 1);
    const doors = (spans: readonly Located[]) => spans.filter(({ span }) => span.parentSpanId === '');
    expect(rate(doors(scene.after))).toBeGreaterThan(3 * rate(doors(scene.before)));
    expect(rate(servedBy(scene.after, 'payment'))).toBeLessThan(2 * rate(servedBy(scene.before, 'payment')));
    const cpu = pointsOf(scene, 'container.cpu.utilization').filter(({ endMs }) => endMs > ONSET_MS + 20_000);
    expect(Math.max(...cpu.map(({ value }) => value))).toBeGreaterThan(0.85);
  });

  it('an unknown name fails its callers at once in the words of their runtime; nobody serves those calls', () => {
    const { truth, after } = stage('dns-failure', 2);
    const failures = callsTo(after, truth.service).filter(({ span }) => span.status.code === 2);
    expect(failures.length / callsTo(after, truth.service).length).toBeGreaterThan(0.5);
    expect(medianMs(failures)).toBeLessThan(10);
    const unresolved = failures.filter(({ span }) => /ENOTFOUND|no such host|not known/.test(message(span)));
    expect(unresolved.length).toBeGreaterThan(0.9 * failures.length);
    expect(unresolved.every(({ span }) => message(span).includes(truth.service))).toBe(true);
    const parents = new Set(after.map(({ span }) => span.parentSpanId));
    expect(unresolved.some(({ span }) => parents.has(span.spanId))).toBe(false);
  });

  it('the trouble of one customer or region is theirs alone', () => {
    for (const seed of [1, 3]) {
      const { truth, after } = stage('tenant-errors', seed);
      const { key = '', value = '' } = truth.attribute ?? {};
      const served = servedBy(after, truth.service);
      const theirs = served.filter(({ span }) => text(span.attributes, key) === value);
      expect(errorShare(theirs)).toBeGreaterThan(0.8);
      expect(errorShare(served.filter((located) => !theirs.includes(located)))).toBeLessThan(0.02);
    }
  });
});

function message({ status }: Span): string {
  return status.message ?? '';
}
