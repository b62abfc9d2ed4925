/** Faults and the incidents opened for them: delays from the first effect, false ones before it, what closed again. */
import { expect, test } from 'vitest';
import type { IncidentCourse } from '../../domain/incident-course.ts';
import { describeDelays, matchFaults, summarizeDelays } from './detection-delays.ts';

const MINUTE_MS = 60_000;

function course(openedAtMs: number, service: string, closedAtMs?: number): IncidentCourse {
  return {
    incidentId: `inc-${openedAtMs}`,
    openedAtMs,
    updatedAtMs: openedAtMs,
    onsetMs: openedAtMs - 20_000,
    severity: 'low',
    firstAffected: service,
    mostAffected: service,
    services: [{ service, sinceMs: openedAtMs, deviation: 2, aspects: ['errors'] }],
    anomalies: [],
    lastAbnormalMs: openedAtMs,
    ...(closedAtMs === undefined ? {} : { closedAtMs }),
  };
}

const faultAt = (name: string, startMs: number, effectMs: number, signsMs = 0) => {
  const endMs = effectMs + 3 * MINUTE_MS;
  return { name, seed: 1, options: { startMs }, effectMs, beginsMs: effectMs - signsMs, endMs, service: 'cart' };
};
const FAULTS = [
  faultAt('burst', 0, 60 * MINUTE_MS),
  faultAt('leak', 63 * MINUTE_MS, 90 * MINUTE_MS, 10 * MINUTE_MS),
  faultAt('delay', 93 * MINUTE_MS, 110 * MINUTE_MS),
];

test('each fault has the first incident opened in its time; those before it are false', () => {
  const [burst, leak, delay] = matchFaults(FAULTS, [
    course(5 * MINUTE_MS, 'search'),
    course(60 * MINUTE_MS + 25_000, 'cart', 66 * MINUTE_MS),
    course(61 * MINUTE_MS, 'web'),
    // Right after a fault's end: about it still.
    course(64 * MINUTE_MS, 'web'),
    course(85 * MINUTE_MS, 'web'),
  ]);
  expect(burst).toMatchObject({ falseIncidents: 1, delaySeconds: 25, onsetErrorSeconds: 5, namesService: true });
  expect(burst?.closedAfterSeconds).toBe(180);
  expect(leak).toMatchObject({ falseIncidents: 0, delaySeconds: -300, namesService: false });
  expect(delay).toEqual({ kind: 'delay', seed: 1, falseIncidents: 0 });
});

test('a kind is at the mark with nine of ten within a minute', () => {
  const detections = Array.from({ length: 20 }, (_, index) => {
    const delaySeconds = index % 10 === 0 ? 70 : 30;
    return { kind: index < 10 ? 'burst' : 'delay', seed: index % 10, falseIncidents: 0, delaySeconds };
  });
  expect(summarizeDelays(detections)).toMatchObject({ kindsAtMark: 2, found: 20, withinMark: 18, worstSeconds: 70 });
  expect(summarizeDelays(detections.slice(1)).kindsAtMark).toBe(2);
  expect(summarizeDelays([...detections.slice(0, 9), { kind: 'burst', seed: 9, falseIncidents: 3 }])).toMatchObject({
    kindsAtMark: 0,
    found: 9,
    falseIncidents: 3,
  });
  expect(describeDelays(detections)).toContain('2 of 2 kinds');
});
