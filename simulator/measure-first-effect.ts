/**
 * What a fault does that anybody could see: the run with it and its twin without it side by side, window by window. They differ in
 * nothing else (common random numbers), so what differs materially is the fault's doing.
 *
 * Compared are, for each service and each window of ten seconds (by the end of the span: nobody sees it before): the failures and the 95th percentile
 * (nearest rank) of the durations of its server and consumer spans; of a dependency, which makes none, of the client and producer
 * spans of those who call it. A service leaves its twin where
 * - failures: at least 2 more requests fail, and the share that fails is at least 2 percentage points higher; or
 * - p95: both runs have at least 5 requests, and it is at least 1.5 times and 5 ms above the twin's.
 * A service counts as affected when it does so in at least 3 windows (or 1, where nobody does so often): now and then a slow request
 * that the fault only moved falls into the next window. The first effect is the earliest window of an affected service; of several
 * services in it the deepest, by the longest way down the graph of calls. The beginning is 30 seconds before the first thing that the fault does.
 */
import { InputError } from '../platform/errors.ts';
import { isDependency, type Shop } from './compile-shop.ts';
import { type KeyValue, SPAN_KIND, type Span } from './otlp-json.ts';
import { planSimulation, withoutFault } from './plan-simulation.ts';
import { type SimulatedBatch, simulatePlan } from './simulate-shop.ts';
import type { SimulationOptions } from './simulation-options.ts';

export const EFFECT_WINDOW_MS = 10_000;
const LEAD_MS = 30_000;
/** So long after its onset a fault that does not develop is looked at. */
const WATCHED_MS = 150_000;

const MORE_FAILURES = 2;
const MORE_FAILURE_SHARE = 0.02;
const FEWEST_REQUESTS = 5;
const LASTING_WINDOWS = 3;
const SLOWER_FACTOR = 1.5;
const SLOWER_MS = 5;

/** One service in one window. */
export interface WindowFigures {
  readonly requests: number;
  readonly failures: number;
  /** 0 without requests. */
  readonly p95Ms: number;
}

export interface FirstEffect {
  readonly startMs: number;
  readonly endMs: number;
  readonly service: string;
  readonly by: 'failures' | 'p95';
  readonly withFault: WindowFigures;
  readonly without: WindowFigures;
}

export interface MeasuredEffects {
  /** Undefined: nothing ever differed materially. */
  readonly first: FirstEffect | undefined;
  /** Services that left their twin, sorted; the victim may be among them. */
  readonly affected: readonly string[];
  /** The stretch that was compared. */
  readonly startMs: number;
  readonly endMs: number;
}

/** Memory: a window or two of each run. Throws InputError without a fault. */
export function measureFirstEffect(options: SimulationOptions): MeasuredEffects {
  const given = planSimulation(options);
  const { fault } = given;
  if (!fault || !options.fault) throw new InputError('Nothing can be measured without a fault: set fault.');
  const startMs = Math.max(floorToWindow(options.startMs), floorToWindow(fault.preludeMs - LEAD_MS));
  const watchedMs = options.fault.onsetMs + WATCHED_MS + (fault.developsMs ?? 0);
  const endMs = Math.max(startMs + EFFECT_WINDOW_MS, Math.min(options.endMs, watchedMs));
  const batchSeconds = EFFECT_WINDOW_MS / 1000;
  const plan = { ...given, options: { ...given.options, startMs, endMs, batchSeconds } };
  const silent = new Set(given.shop.services.filter(isDependency).map(({ name }) => name));
  const twin = openWindows(simulatePlan(withoutFault(plan)), silent);
  const departures = new Map<string, Departures>();
  for (const { windowMs, services } of openWindows(simulatePlan(plan), silent)) {
    const usual = twin.next().value?.services;
    for (const [service, sample] of services) {
      const [withFault, without] = [figuresOf(sample), figuresOf(usual?.get(service))];
      const by = departure(withFault, without);
      if (!by) continue;
      const first = { startMs: windowMs, endMs: windowMs + EFFECT_WINDOW_MS, service, by, withFault, without };
      const known = departures.get(service) ?? { first, windows: 0 };
      departures.set(service, { ...known, windows: known.windows + 1 });
    }
  }
  const affected = lasting([...departures.values()]);
  const depths = depthsOf(given.shop);
  const depthOf = ({ service }: FirstEffect) => depths.get(service) ?? 0;
  const [first] = affected.sort((one, other) => one.startMs - other.startMs || depthOf(other) - depthOf(one));
  return { first, affected: affected.map(({ service }) => service).sort(), startMs, endMs };
}

interface Departures {
  readonly first: FirstEffect;
  readonly windows: number;
}

function lasting(departures: readonly Departures[]): FirstEffect[] {
  const often = departures.filter(({ windows }) => windows >= LASTING_WINDOWS);
  return (often.length > 0 ? often : departures).map(({ first }) => first);
}

function floorToWindow(atMs: number): number {
  return Math.floor(atMs / EFFECT_WINDOW_MS) * EFFECT_WINDOW_MS;
}

/** How the run with the fault has left its twin in one window; undefined: not materially. */
export function departure(withFault: WindowFigures, without: WindowFigures): FirstEffect['by'] | undefined {
  const more = withFault.failures - without.failures;
  if (more >= MORE_FAILURES && failureShare(withFault) - failureShare(without) >= MORE_FAILURE_SHARE) return 'failures';
  if (Math.min(withFault.requests, without.requests) < FEWEST_REQUESTS) return undefined;
  const isSlower = withFault.p95Ms >= SLOWER_FACTOR * without.p95Ms && withFault.p95Ms >= without.p95Ms + SLOWER_MS;
  return isSlower ? 'p95' : undefined;
}

function failureShare({ failures, requests }: WindowFigures): number {
  return requests === 0 ? 0 : failures / requests;
}

interface Sample {
  failures: number;
  readonly durationsMs: number[];
}

interface EffectWindow {
  readonly windowMs: number;
  readonly services: ReadonlyMap<string, Sample>;
}

/**
 * A batch holds whole requests, so a window is complete with the batch of the same time; later parts wait for theirs.
 * @param silent dependencies, which make no spans
 */
function* openWindows(
  batches: Iterable<SimulatedBatch>,
  silent: ReadonlySet<string>,
): Generator<EffectWindow, undefined, undefined> {
  const pending = new Map<number, Map<string, Sample>>();
  for (const batch of batches) {
    for (const { resource, scopeSpans } of batch.traces?.resourceSpans ?? []) {
      const owner = textOf(resource.attributes, 'service.name');
      for (const span of scopeSpans.flatMap(({ spans }) => spans)) {
        const service = subjectOf(owner, span, silent);
        if (service !== '') note(pending, service, span);
      }
    }
    const services = pending.get(batch.startMs) ?? new Map<string, Sample>();
    pending.delete(batch.startMs);
    yield { windowMs: batch.startMs, services };
  }
  return undefined;
}

function note(pending: Map<number, Map<string, Sample>>, service: string, span: Span): void {
  const windowMs = floorToWindow(Number(span.endTimeUnixNano) / 1e6);
  const services = pending.get(windowMs) ?? new Map<string, Sample>();
  pending.set(windowMs, services);
  const sample = services.get(service) ?? { failures: 0, durationsMs: [] };
  services.set(service, sample);
  if (span.status.code === 2) sample.failures += 1;
  sample.durationsMs.push(Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6);
}

/** Whose request a span is; empty: a call to a service that tells of it itself. */
function subjectOf(owner: string, { kind, attributes }: Span, silent: ReadonlySet<string>): string {
  if (kind === SPAN_KIND.server || kind === SPAN_KIND.consumer) return owner;
  const peer = textOf(attributes, 'peer.service');
  return silent.has(peer) ? peer : '';
}

function textOf(attributes: readonly KeyValue[], key: string): string {
  const value = attributes.find((attribute) => attribute.key === key)?.value;
  return value && 'stringValue' in value ? value.stringValue : '';
}

function figuresOf(sample: Sample | undefined): WindowFigures {
  const sorted = (sample?.durationsMs ?? []).toSorted((left, right) => left - right);
  const p95Ms = sorted[Math.ceil(0.95 * sorted.length) - 1] ?? 0;
  return { requests: sorted.length, failures: sample?.failures ?? 0, p95Ms };
}

/** The longest way down to each service; as many rounds as there are services reach every end, and end in a circle too. */
function depthsOf({ services }: Shop): ReadonlyMap<string, number> {
  const depths = new Map(services.map(({ name }) => [name, 0]));
  for (const _ of services) {
    for (const { name, operations } of services) {
      const below = (depths.get(name) ?? 0) + 1;
      for (const { target } of operations.flatMap(({ steps }) => steps.flat())) {
        const callee = target.service.name;
        depths.set(callee, Math.max(Math.min(below, services.length), depths.get(callee) ?? 0));
      }
    }
  }
  return depths;
}
