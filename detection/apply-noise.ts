/** What people taught about noise, applied to what is abnormal at a moment: bars that feedback raised, and rules that hide. Pure. */
import type { Anomaly } from '../domain/anomaly.ts';
import { type Tolerance, toleranceAt } from '../domain/feedback.ts';
import { hides, type NoiseRule } from '../domain/noise-rule.ts';
import { seriesKey } from '../domain/series-name.ts';

export interface KnownNoise {
  readonly rules: readonly NoiseRule[];
  /** By seriesKey. */
  readonly tolerances: ReadonlyMap<string, Tolerance>;
}

/**
 * The same anomalies in the same order: with the rule that hides them, or else with the deviation from the bar as feedback raised
 * it. None is taken out: what is hidden still is to be written down.
 */
export function applyNoise(anomalies: readonly Anomaly[], noise: KnownNoise, atMs: number): Anomaly[] {
  return anomalies.map((anomaly) => {
    const rule = noise.rules.find((each) => hides(each, anomaly, atMs));
    if (rule) return { ...anomaly, hiddenBy: rule.ruleId };
    const tolerance = toleranceAt(noise.tolerances.get(seriesKey(anomaly.series)), atMs);
    return tolerance === 1 ? anomaly : { ...anomaly, deviation: anomaly.deviation / tolerance, tolerance };
  });
}
