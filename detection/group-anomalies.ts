/** Which of the anomalies at one time belong to one trouble, and whether a trouble is an incident. Pure. */
import type { Anomaly, Aspect } from '../domain/anomaly.ts';

/** Who calls whom, both ways: service to its neighbours. Empty: nothing is known. */
export type ServiceLinks = ReadonlyMap<string, ReadonlySet<string>>;

export interface AnomalyGroup {
  /** Those that pass their own bar, and whispers beside them. */
  readonly anomalies: readonly Anomaly[];
  /** Services of those that pass their own bar. */
  readonly services: ReadonlySet<string>;
}

/** Two aspects of one trouble agree when together they pass two bars. */
const AGREEMENT = 2;
/** Where users are hurt no second signal is needed, if the bar is passed this many times over. */
const SPEAKS_ALONE = 1.5;

/**
 * Anomalies of one service, and of services that call each other, are one trouble; where nobody knows who calls whom, all of
 * one time are. Whispers (deviation below 1) join what is beside them and lead to nothing by themselves.
 */
export function groupAnomalies(anomalies: readonly Anomaly[], links: ServiceLinks): AnomalyGroup[] {
  const loud = anomalies.filter(({ deviation }) => deviation >= 1);
  const groups = componentsOf(new Set(loud.map(({ service }) => service)), links);
  return groups.map((services) => ({
    services,
    anomalies: anomalies.filter(
      ({ service, deviation }) =>
        services.has(service) || (deviation < 1 && [...services].some((other) => areLinked(service, other, links))),
    ),
  }));
}

/** True when aspects agree, or users are plainly hurt. */
export function isIncident({ anomalies }: AnomalyGroup, needsAgreement = true): boolean {
  if (!needsAgreement) return anomalies.some(({ deviation }) => deviation >= 1);
  if (anomalies.some(({ hurtsUsers, deviation }) => hurtsUsers && deviation >= SPEAKS_ALONE)) return true;
  const byAspect = new Map<Aspect, number>();
  for (const { aspect, deviation } of withoutLoad(anomalies)) {
    byAspect.set(aspect, Math.max(deviation, byAspect.get(aspect) ?? 0));
  }
  // One that shouts does not make up for a second that says nothing: each counts for as much as the bar at the most.
  const voices = [...byAspect.values()].map((deviation) => Math.min(AGREEMENT - 0.5, deviation));
  return voices.length > 1 && voices.reduce((sum, voice) => sum + voice, 0) >= AGREEMENT;
}

/**
 * A service that is asked more works harder and has more requests under way at once: its resources are no second sign beside its
 * traffic.
 */
function withoutLoad(anomalies: readonly Anomaly[]): readonly Anomaly[] {
  const busy = new Set(
    anomalies
      .filter(({ aspect, observed, expected }) => aspect === 'traffic' && observed > expected)
      .map(({ service }) => service),
  );
  return anomalies.filter(({ aspect, service }) => aspect !== 'resources' || !busy.has(service));
}

export function areLinked(one: string, other: string, links: ServiceLinks): boolean {
  return one === other || links.size === 0 || (links.get(one)?.has(other) ?? false);
}

function componentsOf(services: ReadonlySet<string>, links: ServiceLinks): Set<string>[] {
  const left = new Set(services);
  const components: Set<string>[] = [];
  for (const service of services) {
    if (!left.delete(service)) continue;
    const component = new Set([service]);
    for (const member of component) {
      for (const other of left) {
        if (!areLinked(member, other, links)) continue;
        left.delete(other);
        component.add(other); // a Set is walked over what is added meanwhile, too
      }
    }
    components.push(component);
  }
  return components;
}
