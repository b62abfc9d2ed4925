/** A simulated fault goes in through the receiver, and the scanner opens an incident for it: what evals of detection stand on. */
import { expect, test } from 'vitest';
import { simulateShop } from '../simulator/simulate-shop.ts';
import { telemetryOf } from './batch-telemetry.ts';
import { withDetectionRun } from './detect-incidents.ts';

const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2026, 2, 4, 8);
const ONSET_MS = START_MS + 17 * MINUTE_MS;
const END_MS = ONSET_MS + 3 * MINUTE_MS;

test('twenty minutes with a fault: one shop, one incident, soon after the onset and none before', async () => {
  const { signal } = new AbortController();
  const courses = await withDetectionRun({ startMs: START_MS, signal }, async (run) => {
    const fault = { kind: 'error-burst', onsetMs: ONSET_MS } as const;
    const options = { seed: 1, startMs: START_MS, endMs: END_MS, requestsPerSecond: 2, metricsSeconds: 60, fault };
    for (const batch of simulateShop({ ...options, batchSeconds: 300 })) {
      await run.advance(batch.endMs, telemetryOf(batch), batch.changes);
    }
    return run.listCourses();
  });
  expect(courses).toHaveLength(1);
  const [course] = courses;
  expect(course?.openedAtMs).toBeGreaterThan(ONSET_MS);
  expect(course?.openedAtMs).toBeLessThan(ONSET_MS + 90_000);
  expect(course?.services.length).toBeGreaterThan(0);
}, 60_000);
