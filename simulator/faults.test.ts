/** Faults: they hurt whom the truth names, from the onset on, and leave all else as the same seed without them has it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeInputSchema } from '../domain/change.ts';
import { InputError } from '../platform/errors.ts';
import { compileShop } from './compile-shop.ts';
import { FAULT_KINDS, FAULTS } from './faults/fault-kinds.ts';
import { describeTruth, type GroundTruth } from './ground-truth.ts';
import type { Span } from './otlp-json.ts';
import { pickVictim } from './pick-victim.ts';
import { SHOP } from './shop.ts';
import { type SimulatedBatch, simulateShop } from './simulate-shop.ts';
import type { SimulationOptions } from './simulation-options.ts';

const START_MS = Date.UTC(2026, 0, 14, 10);
const ONSET_MS = START_MS + 240_000;
const SEEDS = [1, 2, 3];

function optionsFor(kind: (typeof FAULT_KINDS)[number], seed: number): SimulationOptions {
  const fault = { kind, onsetMs: ONSET_MS };
  return { seed, startMs: START_MS, endMs: ONSET_MS + 60_000, requestsPerSecond: 12, fault, decoys: true };
}

function text(attributes: Span['attributes'], key: string): string {
  const value = attributes.find((attribute) => attribute.key === key)?.value;
  return value ? String(Object.values(value)[0]) : '';
}

interface Run {
  readonly ms: number;
  readonly isError: boolean;
  readonly isAfter: boolean;
}

/** Server spans of a service, or its callers' client spans when it is a dependency. */
function runsOf(batches: readonly SimulatedBatch[], service: string): Run[] {
  const runs: Run[] = [];
  for (const { resource, scopeSpans } of batches.flatMap((batch) => batch.traces?.resourceSpans ?? [])) {
    const owner = text(resource.attributes, 'service.name');
    for (const span of scopeSpans.flatMap((scope) => scope.spans)) {
      const isServed = span.kind === 2 && owner === service;
      const isQuery = text(span.attributes, 'db.system') !== '' && text(span.attributes, 'peer.service') === service;
      if (!isServed && !isQuery) continue;
      const startMs = Number(span.startTimeUnixNano.slice(0, 13));
      const ms = Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6;
      runs.push({ ms, isError: span.status.code === 2, isAfter: startMs >= ONSET_MS + 10_000 });
    }
  }
  return runs;
}

function p95(runs: readonly Run[]): number {
  const sorted = runs.map(({ ms }) => ms).sort((left, right) => left - right);
  return sorted[Math.floor(0.95 * sorted.length)] ?? 0;
}

function errorShare(runs: readonly Run[]): number {
  return runs.filter(({ isError }) => isError).length / Math.max(1, runs.length);
}

function isHurt(runs: readonly Run[]): boolean {
  const before = runs.filter(({ isAfter }) => !isAfter);
  const after = runs.filter(({ isAfter }) => isAfter);
  return p95(after) > 2 * p95(before) || errorShare(after) > errorShare(before) + 0.1;
}

function isVisible(runs: readonly Run[]): boolean {
  const before = runs.filter(({ isAfter }) => !isAfter);
  const after = runs.filter(({ isAfter }) => isAfter);
  return p95(after) > 1.25 * p95(before) || errorShare(after) > errorShare(before) + 0.015;
}

describe.each(FAULT_KINDS)('%s', (kind) => {
  it.each(SEEDS)('with seed %i hurts the service that the truth names, and its users', (seed) => {
    const options = optionsFor(kind, seed);
    const truth = describeTruth(options);
    const batches = [...simulateShop(options)];
    expect(isHurt(runsOf(batches, truth.service))).toBe(true);
    expect(isVisible(runsOf(batches, 'gateway'))).toBe(true);
    expect(truth.blastRadius).toContain('gateway');
    expect(truth.blastRadius).not.toContain(truth.service);
    expect(truth.onsetMs).toBe(ONSET_MS);
    const bystanders = ['recommendation', 'user', 'review'].filter((service) => !truth.blastRadius.includes(service));
    for (const service of bystanders) expect(isHurt(runsOf(batches, service))).toBe(false);
  });

  it('has three victims under three seeds in a row', () => {
    const shop = compileShop(SHOP);
    fc.assert(
      fc.property(fc.nat({ max: 100_000 }), (seed) => {
        const victims = [seed, seed + 1, seed + 2].map((each) => pickVictim(shop, each, kind, FAULTS[kind].suits).name);
        expect(new Set(victims).size).toBe(3);
      }),
    );
  });

  it('changes nothing before its prelude, and later nothing that it does not touch', () => {
    fc.assert(
      fc.property(fc.nat({ max: 100_000 }), (seed) => {
        const options = { ...optionsFor(kind, seed), requestsPerSecond: 4 };
        const truth = describeTruth(options);
        const { fault: _, decoys: __, ...rest } = options;
        const faulty = [...simulateShop(options)];
        const healthy = [...simulateShop({ ...rest, decoysAroundMs: ONSET_MS })];
        const quietUntilMs = truth.preludeMs - 20_000;
        const early = (batch: SimulatedBatch) => batch.endMs <= quietUntilMs;
        expect(JSON.stringify(faulty.filter(early))).toBe(JSON.stringify(healthy.filter(early)));
        const [untouched, same] = [untouchedTraces(faulty, truth), untouchedTraces(healthy, truth)];
        expect(untouched.size).toBeGreaterThan(100);
        for (const [traceId, spans] of untouched) expect(spans).toEqual(same.get(traceId));
      }),
      { numRuns: 3 },
    );
  });
});

/** Spans by trace, of the traces that never come near the victim. */
function untouchedTraces(batches: readonly SimulatedBatch[], truth: GroundTruth): Map<string, Span[]> {
  const traces = new Map<string, Span[]>();
  const touched = new Set<string>();
  for (const { resource, scopeSpans } of batches.flatMap((batch) => batch.traces?.resourceSpans ?? [])) {
    for (const span of scopeSpans.flatMap((scope) => scope.spans)) {
      const isOwn = text(resource.attributes, 'service.name') === truth.service;
      if (isOwn || text(span.attributes, 'peer.service') === truth.service) touched.add(span.traceId);
      traces.set(span.traceId, [...(traces.get(span.traceId) ?? []), span]);
    }
  }
  for (const traceId of touched) traces.delete(traceId);
  for (const spans of traces.values()) spans.sort((left, right) => (left.spanId < right.spanId ? -1 : 1));
  return traces;
}

describe('what faults show', () => {
  it('errors make callers retry and hide behind larger latencies above', () => {
    const options = optionsFor('error-burst', 2);
    const truth = describeTruth(options);
    const clients = [...simulateShop(options)]
      .flatMap((batch) => batch.traces?.resourceSpans ?? [])
      .flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans))
      .filter((span) => span.kind === 3 && text(span.attributes, 'peer.service') === truth.service);
    const after = clients.filter((span) => Number(span.startTimeUnixNano.slice(0, 13)) >= ONSET_MS);
    const before = clients.filter((span) => Number(span.startTimeUnixNano.slice(0, 13)) < ONSET_MS);
    expect(after.length / 60).toBeGreaterThan((1.15 * before.length) / 240);
  });

  it('callers of a slow dependency are slower than it in absolute terms', () => {
    const options = optionsFor('slow-dependency', 5);
    const truth = describeTruth(options);
    const batches = [...simulateShop(options)];
    const runsAfter = (service: string) => runsOf(batches, service).filter(({ isAfter }) => isAfter);
    expect(Math.max(...truth.blastRadius.map((caller) => p95(runsAfter(caller))))).toBeGreaterThan(
      p95(runsAfter(truth.service)),
    );
  });

  it('saturation fills the CPU of the victim alone', () => {
    const options = optionsFor('cpu-saturation', 1);
    const truth = describeTruth(options);
    const metrics = [...simulateShop(options)].filter(({ endMs }) => endMs > ONSET_MS + 40_000);
    for (const { resource, scopeMetrics } of metrics.flatMap((batch) => batch.metrics?.resourceMetrics ?? [])) {
      const cpu = scopeMetrics[0]?.metrics.find(({ name }) => name === 'container.cpu.utilization')?.gauge
        ?.dataPoints[0]?.asDouble;
      if (cpu === undefined) continue;
      if (text(resource.attributes, 'service.name') === truth.service) expect(cpu).toBeGreaterThan(0.94);
      else expect(cpu).toBeLessThan(0.9);
    }
  });

  it('a bad deploy rolls out one to three minutes before anybody is hurt, under a new version', () => {
    const options = optionsFor('bad-deploy', 3);
    const truth = describeTruth(options);
    const leadMs = ONSET_MS - truth.preludeMs;
    expect(leadMs).toBeGreaterThanOrEqual(60_000);
    expect(leadMs).toBeLessThanOrEqual(180_000);
    const batches = [...simulateShop(options)];
    const deploy = batches.flatMap((batch) => batch.changes).find((change) => change.id === truth.changeId);
    expect(deploy?.service).toBe(truth.service);
    const versions = batches
      .flatMap((batch) => batch.traces?.resourceSpans ?? [])
      .filter(({ resource }) => text(resource.attributes, 'service.name') === truth.service)
      .map(({ resource }) => text(resource.attributes, 'service.version'));
    expect(new Set(versions).size).toBe(2);
    expect(versions).toContain(deploy?.version);
  });
});

describe('decoys', () => {
  it('surround the onset with valid changes of services that are not to blame', () => {
    const options = optionsFor('error-burst', 7);
    const truth = describeTruth(options);
    const changes = [...simulateShop({ ...options, startMs: START_MS - 600_000 })].flatMap((batch) => batch.changes);
    expect(changes.map(({ kind }) => kind).sort()).toEqual(['config', 'deploy', 'deploy', 'flag']);
    expect(truth.decoys.map(({ changeId }) => changeId).sort()).toEqual(changes.map(({ id }) => id).sort());
    for (const change of changes) {
      expect(changeInputSchema.parse(change)).toEqual(change);
      expect(change.service).not.toBe(truth.service);
      const atMs = Date.parse(change.at ?? '');
      expect(atMs).toBeLessThan(ONSET_MS);
      expect(atMs).toBeGreaterThan(ONSET_MS - 660_000);
    }
  });

  it('never belong to the victim, whatever the seed and the fault', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(...FAULT_KINDS), (seed, kind) => {
        const truth = describeTruth(optionsFor(kind, seed));
        expect(truth.decoys.every(({ service }) => service !== truth.service)).toBe(true);
      }),
    );
  });

  it('are left out unless asked for; a quiet simulation has no truth', () => {
    const { fault: _, decoys: __, ...quiet } = optionsFor('error-burst', 1);
    expect([...simulateShop({ ...quiet, endMs: START_MS + 60_000 })].flatMap((batch) => batch.changes)).toEqual([]);
    expect(() => describeTruth(quiet)).toThrow(InputError);
  });
});
