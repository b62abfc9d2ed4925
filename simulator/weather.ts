/**
 * The ordinary unrest of a healthy shop: every service's speed wanders by a few per cent, has a slow half minute now and then,
 * and slows as its load nears its capacity; its background errors come and go.
 */
import type { Service } from './compile-shop.ts';
import type { RandomStream } from './random-stream.ts';

export interface Weather {
  /** Factor on own times. */
  readonly slowness: number;
  /** Share of requests that fail for no reason worth knowing. */
  readonly errorShare: number;
}

const BLIP_SLOT_MS = 600_000;
const ERROR_SLOT_MS = 300_000;

/** Smooth noise of standard deviation near 1 that forgets itself after `periodMs`. */
function wander(stream: RandomStream, atMs: number, periodMs: number): number {
  const position = atMs / periodMs;
  const knot = Math.floor(position);
  const share = position - knot;
  const ease = share * share * (3 - 2 * share);
  return 1.2 * (stream.fork(knot).normal() * (1 - ease) + stream.fork(knot + 1).normal() * ease);
}

/** One in six stretches of ten minutes holds 15 to 45 seconds at 1.15 to 1.5 times the usual. */
function blip(stream: RandomStream, atMs: number): number {
  const slot = Math.floor(atMs / BLIP_SLOT_MS);
  const draws = stream.fork(slot);
  if (draws.next() > 1 / 6) return 1;
  const startMs = slot * BLIP_SLOT_MS + draws.next() * (BLIP_SLOT_MS - 60_000);
  const endMs = startMs + draws.between(15_000, 45_000);
  return atMs >= startMs && atMs < endMs ? draws.between(1.15, 1.5) : 1;
}

/** M/M/1-like: 1 at season factor 1, more when utilization grows. */
function queueing(cpu: number, load: number): number {
  return (1 - cpu) / (1 - Math.min(0.92, cpu * load));
}

/** @param load the factor on the traffic at that moment */
export function weatherOf(service: Service, root: RandomStream, atMs: number, load: number): Weather {
  const stream = root.fork('weather').fork(service.index);
  const drift = 0.035 * wander(stream.fork('slow'), atMs, 240_000) + 0.025 * wander(stream.fork('fast'), atMs, 25_000);
  const slowness = Math.exp(drift) * blip(stream.fork('blip'), atMs) * queueing(service.cpu, load);
  const unrest = stream
    .fork('errors')
    .fork(Math.floor(atMs / ERROR_SLOT_MS))
    .next();
  return { slowness, errorShare: 0.001 + 0.003 * unrest ** 2 };
}
