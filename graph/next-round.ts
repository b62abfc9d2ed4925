/** What a further round looks at: the services that lead so far, over a longer time. Pure. */
import type { Hypothesis, Tally } from '../domain/hypothesis.ts';
import type { OnsetGrid, Scope } from '../domain/investigation.ts';
import { durationMs, type TimeWindow } from '../domain/time-window.ts';

const MAX_FOCUS_SERVICES = 5;

/** The services of the best hypotheses that have any score, best first. */
export function leadingServices(tally: Tally, hypotheses: readonly Hypothesis[]): string[] {
  const serviceOf = new Map(hypotheses.map((hypothesis) => [hypothesis.hypothesisId, hypothesis.service]));
  const services = tally.ranked.filter((one) => one.score > 0).map((one) => serviceOf.get(one.hypothesisId));
  return [...new Set(services.filter((service) => service !== undefined))].slice(0, MAX_FOCUS_SERVICES);
}

/**
 * The scope of a round. The first looks at the located scope; each further one begins half a window earlier, because causes
 * precede what they cause, and ends where the search ends. The baseline gives way, but keeps at least half its length.
 */
export function scopeOfRound(located: Scope, searchWindow: TimeWindow, round: number): Scope {
  if (round <= 1) return located;
  const { window, baseline } = located;
  const earliestMs = Math.max(searchWindow.startMs, baseline.startMs + Math.ceil(durationMs(baseline) / 2));
  const widenedMs = Math.round(window.startMs - ((round - 1) * durationMs(window)) / 2);
  const startMs = Math.min(window.startMs, Math.max(earliestMs, widenedMs));
  return {
    ...located,
    window: { startMs, endMs: Math.max(window.endMs, searchWindow.endMs) },
    baseline: { startMs: baseline.startMs, endMs: Math.min(baseline.endMs, startMs) },
    onsetGrid: extendGrid(located.onsetGrid, startMs),
  };
}

const MAX_CANDIDATES = 400;

/** Candidates from the earlier start on, in the same steps and at the same instants as before. */
function extendGrid(grid: OnsetGrid, startMs: number): OnsetGrid {
  const stepMs = grid.stepSeconds * 1000;
  const earlier = Math.min(MAX_CANDIDATES - grid.count, Math.max(0, Math.floor((grid.firstMs - startMs) / stepMs)));
  return { ...grid, firstMs: grid.firstMs - earlier * stepMs, count: grid.count + earlier };
}
