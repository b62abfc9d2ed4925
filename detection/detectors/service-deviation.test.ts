import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anomalySchema } from '../../domain/anomaly.ts';
import { detectServiceDeviations, type ServicePulse, type ServiceStep } from './service-deviation.ts';

const STEP_MS = 10_000;
const HOUR_OF_STEPS = 360;

/** Steps of a pulse; `at` says what differs from a hundred requests of which none fails and five are slow. */
function pulseOf(steps: number, at: (index: number) => Partial<ServiceStep> = () => ({})): ServicePulse {
  return {
    service: 'web',
    stepSeconds: 10,
    steps: Array.from({ length: steps }, (_, index) => ({
      atMs: index * STEP_MS,
      requests: 100,
      errors: 0,
      slow: 5,
      p95Ms: 40,
      ...at(index),
    })),
  };
}

/** A failure now and then, a few more or less slow requests: normal time. */
const usual = (index: number) => ({ errors: index % 7 === 0 ? 1 : 0, slow: 4 + (index % 3) });
const lastMinute = (index: number) => index >= HOUR_OF_STEPS - 6;

describe('trouble of the last minute', () => {
  test('an error burst is told with what was observed, what is normal and since when', () => {
    const pulse = pulseOf(HOUR_OF_STEPS, (index) =>
      lastMinute(index) ? { ...usual(index), errors: 30 } : usual(index),
    );
    const [anomaly, ...others] = detectServiceDeviations(pulse);
    expect(others).toEqual([]);
    expect(anomalySchema.parse(anomaly)).toMatchObject({
      service: 'web',
      signal: 'traces',
      subject: 'error rate',
      observed: 0.3,
      unit: '1',
      sentence: expect.stringMatching(/^web: error rate 30\.00 % where 0\.\d+ % is normal/),
    });
    expect(anomaly?.expected).toBeLessThan(0.004);
    expect(anomaly?.range[1]).toBeLessThan(0.01);
    expect(anomaly?.deviation).toBeGreaterThan(1);
    const [beganMs, endMs] = [(HOUR_OF_STEPS - 6) * STEP_MS, HOUR_OF_STEPS * STEP_MS];
    expect(anomaly?.window.endMs).toBe(endMs);
    // A run of six steps shows it as soon as its last one does.
    expect(anomaly?.sinceMs).toBeLessThanOrEqual(beganMs);
    expect(anomaly?.sinceMs).toBeGreaterThanOrEqual(beganMs - 5 * STEP_MS);
  });

  test('a slowdown is told in milliseconds', () => {
    const slow = { slow: 60, p95Ms: 900 };
    const pulse = pulseOf(HOUR_OF_STEPS, (index) => ({ ...usual(index), ...(lastMinute(index) ? slow : {}) }));
    expect(detectServiceDeviations(pulse)).toMatchObject([
      { subject: 'p95 duration', observed: 900, expected: 40, range: [40, 40], unit: 'ms' },
    ]);
  });

  test('both at once are two anomalies, each told once', () => {
    const broken = { errors: 40, slow: 50, p95Ms: 900 };
    const pulse = pulseOf(HOUR_OF_STEPS, (index) => (lastMinute(index) ? broken : usual(index)));
    expect(detectServiceDeviations(pulse).map(({ subject }) => subject)).toEqual(['error rate', 'p95 duration']);
  });

  test('the same pulse gives the same anomaly, id and all', () => {
    const pulse = pulseOf(HOUR_OF_STEPS, (index) => (lastMinute(index) ? { errors: 30 } : usual(index)));
    expect(detectServiceDeviations(pulse)).toEqual(detectServiceDeviations(pulse));
  });
});

describe('silence', () => {
  test('while the past is too short to know what is normal', () => {
    const burst = (steps: number) => pulseOf(steps, (index) => ({ errors: index >= steps - 3 ? 90 : 0 }));
    for (const steps of [0, 1, 3, 6, 20, 26]) expect(detectServiceDeviations(burst(steps)), `${steps}`).toEqual([]);
    expect(detectServiceDeviations(burst(60))).toHaveLength(1);
  });

  test('about one failed request, or two, in a service that never failed before', () => {
    for (const errors of [1, 2]) {
      const requests = (index: number) => 95 + (index % 11);
      const pulse = pulseOf(HOUR_OF_STEPS, (index) => ({
        requests: requests(index),
        errors: index === HOUR_OF_STEPS - 2 ? errors : 0,
      }));
      expect(detectServiceDeviations(pulse)).toEqual([]);
    }
  });

  test('about what got better, what always fails, and more of the same traffic', () => {
    const better = pulseOf(HOUR_OF_STEPS, (index) => (lastMinute(index) ? { errors: 0, slow: 0 } : { errors: 10 }));
    expect(detectServiceDeviations(better)).toEqual([]);
    const requests = (index: number) => (lastMinute(index) ? 500 : 100);
    const failing = pulseOf(HOUR_OF_STEPS, (index) => ({
      requests: requests(index),
      errors: requests(index),
      slow: 0,
    }));
    expect(detectServiceDeviations(failing)).toEqual([]);
    const busier = pulseOf(HOUR_OF_STEPS, (index) => ({ requests: requests(index), slow: 0.05 * requests(index) }));
    expect(detectServiceDeviations(busier)).toEqual([]);
  });
});

test('an anomaly is well-formed whatever the numbers: finite, beyond its bar, inside of the pulse', () => {
  const step = fc.record({
    requests: fc.constantFrom(0, 1, 10, 10, 1_000),
    errors: fc.constantFrom(0, 0, 0.5, 1),
    slow: fc.constantFrom(0, 0.05, 0.05, 1),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 30, maxLength: 60 }), (steps) => {
      const pulse = pulseOf(steps.length, (index) => {
        const { requests = 0, errors = 0, slow = 0 } = steps[index] ?? {};
        return { requests, errors: Math.floor(requests * errors), slow: Math.floor(requests * slow), p95Ms: 1 };
      });
      for (const anomaly of detectServiceDeviations(pulse)) {
        expect(anomalySchema.parse(anomaly)).toEqual(anomaly);
        expect(anomaly.deviation).toBeGreaterThan(1);
        expect(anomaly.sinceMs).toBeLessThanOrEqual(anomaly.window.startMs);
        expect(anomaly.window.endMs).toBe(steps.length * STEP_MS);
      }
    }),
    { numRuns: 300 },
  );
});

describe('normal time', () => {
  /** Mulberry32: a small seeded generator, so that the measured rate is the same everywhere. */
  function createRandom(seed: number): () => number {
    let state = seed;
    return () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
    };
  }

  function poisson(random: () => number, mean: number): number {
    const limit = Math.exp(-mean);
    let count = -1;
    for (let product = 1; product > limit; count++) product *= random();
    return count;
  }

  const SHOPS = [
    { name: 'busy', requestsPerStep: 300, errorRatio: 0.002, steps: 360 },
    { name: 'slow', requestsPerStep: 30, errorRatio: 0.002, steps: 360 },
    { name: 'young', requestsPerStep: 30, errorRatio: 0.002, steps: 40 },
    { name: 'flawless', requestsPerStep: 100, errorRatio: 1e-5, steps: 360 },
    { name: 'faulty', requestsPerStep: 100, errorRatio: 0.05, steps: 180 },
    { name: 'idle', requestsPerStep: 3, errorRatio: 0.01, steps: 360 },
  ];
  const PULSES = 600;
  /** Accepted for one measure in one run; two measures, each judged in two lengths of run. */
  const EXPECTED = SHOPS.length * PULSES * 4 * 1e-6;

  test('raises no more false anomalies than were accepted', () => {
    const random = createRandom(20_260_304);
    const counts = SHOPS.map(({ name, requestsPerStep, errorRatio, steps }) => {
      let anomalies = 0;
      for (let pulse = 0; pulse < PULSES; pulse++) {
        const noise = pulseOf(steps, () => {
          const requests = poisson(random, requestsPerStep);
          const of = (share: number) => Math.min(requests, poisson(random, requests * share));
          return { requests, errors: of(errorRatio), slow: of(0.05) };
        });
        const observed = { ...noise, steps: noise.steps.filter(({ requests }) => requests > 0) };
        anomalies += detectServiceDeviations(observed).length;
      }
      return { name, anomalies };
    });
    const total = counts.reduce((sum, { anomalies }) => sum + anomalies, 0);
    const byShop = counts.map(({ name, anomalies }) => `${name} ${anomalies}`).join(', ');
    process.stderr.write(
      `false anomalies in ${SHOPS.length * PULSES} looks at normal time: ${total} (${byShop}); accepted ${EXPECTED.toFixed(3)}\n`,
    );
    expect(total).toBeLessThanOrEqual(Math.ceil(EXPECTED) - 1);
  });
});
