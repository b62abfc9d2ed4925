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
import { planSimulation, withoutFault } from './plan-simulation.ts';
import { SHOP } from './shop.ts';
import { type SimulatedBatch, simulatePlan, simulateShop } from './simulate-shop.ts';
import type { SimulationOptions } from './simulation-options.ts';

const START_MS = Date.UTC(2026, 0, 14, 10);
const ONSET_MS = START_MS + 240_000;
const SEEDS = [1, 2, 3];

function optionsFor(kind: (typeof FAULT_KINDS)[number], seed: number): SimulationOptions {
  const fault = { kind, onsetMs: ONSET_MS };
  return { seed, startMs: START_MS, endMs: ONSET_MS + 60_000, requestsPerSecond: 8, fault, decoys: true };
}

function text(attributes: Span['attributes'], key: string): string {
  const value = attributes.find((attribute) => attribute.key === key)?.value;
  return value ? String(Object.values(value)[0]) : '';
}

interface Run {
  readonly ms: number;
  readonly isError: boolean;
  readonly isBefore: boolean;
  readonly isAfter: boolean;
}

interface Located {
  readonly owner: string;
  readonly span: Span;
}

function spansOf(batches: readonly SimulatedBatch[]): Located[] {
  return batches
    .flatMap((batch) => batch.traces?.resourceSpans ?? [])
    .flatMap(({ resource, scopeSpans }) => {
      const owner = text(resource.attributes, 'service.name');
      return scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ owner, span })));
    });
}

/** Calls to a service as its callers see them; at the door, what it serves. `from`: by this caller only. */
function runsOf(
  batches: readonly SimulatedBatch[],
  service: string,
  { attribute, from }: { attribute?: GroundTruth['attribute']; from?: string | undefined } = {},
): Run[] {
  const all = spansOf(batches);
  const carrying = all.filter(({ span }) => !attribute || text(span.attributes, attribute.key) === attribute.value);
  const carriers = new Set(carrying.map(({ span }) => span.traceId));
  return all
    .filter(({ owner, span }) => {
      if (!carriers.has(span.traceId)) return false;
      if (service === 'gateway') return span.kind === 2 && owner === service;
      return span.kind === 3 && text(span.attributes, 'peer.service') === service && (from ?? owner) === owner;
    })
    .map(({ span }) => {
      const startMs = Number(span.startTimeUnixNano.slice(0, 13));
      const ms = Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6;
      const isAfter = startMs >= ONSET_MS + 10_000;
      return { ms, isError: span.status.code === 2, isBefore: startMs < ONSET_MS, isAfter };
    });
}

/** Where the harm shows first. */
function whereHurt(truth: GroundTruth): string {
  // A cache that is empty is as quick as a full one: the database behind it is not.
  if (truth.faultKind !== 'cache-stampede') return truth.service;
  return truth.blastRadius.find((service) => service.endsWith('-db')) ?? '';
}

function p95(runs: readonly Run[]): number {
  const sorted = runs.map(({ ms }) => ms).sort((left, right) => left - right);
  return sorted[Math.floor(0.95 * sorted.length)] ?? 0;
}

function errorShare(runs: readonly Run[]): number {
  return runs.filter(({ isError }) => isError).length / Math.max(1, runs.length);
}

function isHurt(runs: readonly Run[]): boolean {
  const before = runs.filter(({ isBefore }) => isBefore);
  const after = runs.filter(({ isAfter }) => isAfter);
  return p95(after) > 2 * p95(before) || errorShare(after) > errorShare(before) + 0.1;
}

function isVisible(runs: readonly Run[]): boolean {
  const before = runs.filter(({ isBefore }) => isBefore);
  const after = runs.filter(({ isAfter }) => isAfter);
  return p95(after) > 1.25 * p95(before) || errorShare(after) > errorShare(before) + 0.015;
}

describe.each(FAULT_KINDS)('%s', (kind) => {
  it.each(SEEDS)('with seed %i hurts the service that the truth names, and its users', (seed) => {
    const options = optionsFor(kind, seed);
    const truth = describeTruth(options);
    const batches = [...simulateShop(options)];
    const seen = { attribute: truth.attribute, from: truth.edge?.from };
    expect(isHurt(runsOf(batches, whereHurt(truth), seen))).toBe(true);
    expect(isVisible(runsOf(batches, 'gateway'))).toBe(true);
    if (truth.service !== 'gateway') expect(truth.blastRadius).toContain('gateway');
    expect(truth.blastRadius).not.toContain(truth.service);
    expect(truth.onsetMs).toBe(ONSET_MS);
    const bystanders = ['recommendation', 'user', 'review'].filter((service) => !truth.blastRadius.includes(service));
    if (kind === 'traffic-surge') return;
    for (const service of bystanders) expect(isHurt(runsOf(batches, service))).toBe(false);
  });

  it('has three victims under three seeds in a row, or as many as there are', () => {
    const shop = compileShop(SHOP);
    const suitable = shop.services.filter((service) => FAULTS[kind].suits(service, shop));
    expect(suitable.length).toBeGreaterThan(0);
    fc.assert(
      fc.property(fc.nat({ max: 100_000 }), (seed) => {
        const victims = [seed, seed + 1, seed + 2].map((each) => pickVictim(shop, each, kind, FAULTS[kind].suits).name);
        expect(new Set(victims).size).toBe(Math.min(3, suitable.length));
      }),
    );
  });

  it('changes nothing before its prelude, and later nothing that it does not touch', () => {
    fc.assert(
      fc.property(fc.nat({ max: 100_000 }), (seed) => {
        const options = { ...optionsFor(kind, seed), requestsPerSecond: 4 };
        const truth = describeTruth(options);
        const faulty = [...simulateShop(options)];
        const healthy = [...simulatePlan(withoutFault(planSimulation(options)))];
        const quietUntilMs = truth.preludeMs - 20_000;
        expect(telemetryUntil(quietUntilMs, faulty)).toBe(telemetryUntil(quietUntilMs, healthy));
        const isTouched = touchOf(options);
        const [after, before] = [tracesOf(faulty), tracesOf(healthy)];
        const untouched = [...before].filter(([, located]) => !located.some(isTouched));
        // Everybody comes in through the door.
        if (truth.service !== 'gateway') expect(untouched.length).toBeGreaterThan(100);
        for (const [traceId, spans] of untouched) expect(after.get(traceId)).toEqual(spans);
        // Nobody who would have come stays away.
        for (const traceId of before.keys()) expect(after.has(traceId)).toBe(true);
      }),
      { numRuns: 1 },
    );
  });
});

/** A commit may come hours before it does harm: what was changed is left out. */
function telemetryUntil(endMs: number, batches: readonly SimulatedBatch[]): string {
  const early = batches.filter((batch) => batch.endMs <= endMs);
  return JSON.stringify(early.map((batch) => ({ ...batch, changes: [] })));
}

function tracesOf(batches: readonly SimulatedBatch[]): Map<string, Located[]> {
  const traces = Map.groupBy(spansOf(batches), ({ span }) => span.traceId);
  for (const located of traces.values()) located.sort((left, right) => (left.span.spanId < right.span.spanId ? -1 : 1));
  return traces;
}

/** Whether a span comes near what the fault hurts: its services; with an edge, that edge. */
function touchOf(options: SimulationOptions): (located: Located) => boolean {
  const { fault } = planSimulation(options);
  const owners = (fault?.hurt ?? []).map(({ service }) => service.name);
  const near = new Set([fault?.victim ?? '', ...(fault?.edge ? [] : owners)]);
  return ({ owner, span }) => near.has(owner) || near.has(text(span.attributes, 'peer.service'));
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
  it('surround the onset with valid changes of services that are not to blame, each deploy with its commit', () => {
    const options = optionsFor('bad-deploy', 7);
    const truth = describeTruth(options);
    const changes = [...simulateShop(options)].flatMap((batch) => batch.changes);
    const decoys = changes.filter(({ id }) => truth.decoys.some(({ changeId }) => changeId === id));
    expect(decoys.length).toBe(truth.decoys.length);
    expect(decoys.map(({ kind }) => kind).sort()).toEqual(
      'commit commit commit config deploy deploy deploy flag'.split(' '),
    );
    const commits = new Map(decoys.map((change) => [change.id, change]));
    for (const change of decoys) {
      expect(changeInputSchema.parse(change)).toEqual(change);
      expect(change.service).not.toBe(truth.service);
      const beforeMs = ONSET_MS - Date.parse(change.at ?? '');
      expect(beforeMs).toBeGreaterThan(0);
      expect(beforeMs).toBeLessThan(change.kind === 'commit' ? 4 * 3_600_000 : 660_000);
      if (change.kind === 'deploy') expect(commits.get(change.attributes['commit'])?.kind).toBe('commit');
    }
  });

  it('belong to the victim itself only where no change broke it', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(...FAULT_KINDS), (seed, kind) => {
        const truth = describeTruth(optionsFor(kind, seed));
        const own = truth.decoys.filter(({ service }) => service === truth.service);
        expect(own.every(({ kind: change }) => change === 'deploy' || change === 'commit')).toBe(true);
        if (truth.changeId !== undefined) expect(own).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  it('are left out unless asked for; a quiet simulation has no truth', () => {
    const { fault: _, decoys: __, ...quiet } = optionsFor('error-burst', 1);
    expect([...simulateShop({ ...quiet, endMs: START_MS + 60_000 })].flatMap((batch) => batch.changes)).toEqual([]);
    expect(() => describeTruth(quiet)).toThrow(InputError);
  });
});
