/** One incident out of many anomalies: whether they agree, how bad it is, where it shows most and since when. Pure. */
import type { Anomaly } from '../domain/anomaly.ts';
import type { Incident } from '../domain/incident.ts';
import type { TimeWindow } from '../domain/time-window.ts';

/** Agreement is not needed where the bar of normal time is passed this many times over: users are hurt. */
const SPEAKS_ALONE = 1.5;

/** What a new incident is made of; undefined: one signal alone is a deviation, not an incident. */
export function correlateAnomalies(
  anomalies: readonly Anomaly[],
  searchWindow: TimeWindow,
): Omit<Incident, 'incidentId' | 'openedAtMs'> | undefined {
  const services = new Set(anomalies.map(({ service }) => service));
  const [worst] = [...anomalies].sort((left, right) => right.deviation - left.deviation);
  if (!worst || (anomalies.length < 2 && worst.deviation < SPEAKS_ALONE)) return undefined;
  const others = services.size - 1;
  return {
    title:
      `${worst.sentence.replace(/\.$/, '')}${others > 0 ? `; ${others} more ${others === 1 ? 'service' : 'services'} affected` : ''}`.slice(
        0,
        500,
      ),
    status: 'open',
    source: 'detection',
    service: worst.service,
    searchWindow,
    onsetMs: Math.min(...anomalies.map(({ sinceMs }) => sinceMs)),
    severity: services.size > 3 ? 'high' : services.size > 1 ? 'medium' : 'low',
    anomalies: [...anomalies],
  };
}
