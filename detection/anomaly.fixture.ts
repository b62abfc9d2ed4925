/** Anomalies for tests: made up, of one service and aspect, as bad as wanted. */
import { type Anomaly, type Aspect, anomalyIdOf } from '../domain/anomaly.ts';

export function anomalyOf(
  service: string,
  aspect: Aspect,
  { deviation = 1.2, sinceMs = 0, ...more }: Partial<Anomaly> = {},
): Anomaly {
  const series = { kind: 'metric', service, name: aspect, detail: '' } as const;
  return {
    anomalyId: anomalyIdOf(series, 'made-up', sinceMs),
    signal: 'metrics',
    service,
    series,
    subject: aspect,
    aspect,
    detector: 'made-up',
    window: { startMs: sinceMs, endMs: sinceMs + 10_000 },
    sinceMs,
    observed: 2,
    expected: 1,
    range: [0, 1.5],
    deviation,
    unit: '1',
    hurtsUsers: false,
    sentence: `${service}: ${aspect} is off.`,
    correlated: [],
    ...more,
  };
}
