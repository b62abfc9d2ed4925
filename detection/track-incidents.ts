/**
 * Keeps the incidents that are open: opens one where anomalies agree, lets it grow, merges two that turn out to be one, closes
 * it when the signals are back. In event time, without I/O: what changed is handed out to be archived.
 */
import type { Anomaly, Aspect } from '../domain/anomaly.ts';
import type { Incident } from '../domain/incident.ts';
import type { AffectedService, IncidentCourse } from '../domain/incident-course.ts';
import { type AnomalyGroup, areLinked, groupAnomalies, isIncident, type ServiceLinks } from './group-anomalies.ts';

/** So long nothing of an incident is abnormal when it is closed: from 2 to 5 minutes judge alike, shorter ones flap. */
const CLOSE_AFTER_MS = 120_000;
/** Where an investigation looks before the onset. */
const SEARCH_BEFORE_MS = 3_600_000;
const MAX_ANOMALIES = 50;
/** Closed ones that are remembered. */
const MAX_CLOSED = 200;

/** What one look did. */
export interface TrackedChanges {
  readonly opened: readonly IncidentCourse[];
  /** Of those that were open before: grown, merged or closed; the last of one id counts. */
  readonly changed: readonly IncidentCourse[];
}

export interface IncidentTracker {
  /**
   * @param anomalies everything that is abnormal at `atMs`
   * @param openedAtMs when whoever looks could know it
   */
  look(look: {
    readonly atMs: number;
    readonly openedAtMs: number;
    readonly anomalies: readonly Anomaly[];
    readonly links: ServiceLinks;
  }): TrackedChanges;
  /** The incident that an anomaly belongs to. */
  incidentOf(anomalyId: string): string | undefined;
  open(): readonly IncidentCourse[];
}

export interface TrackerParts {
  /** Of the last scanner: those that are open go on; those that are closed are not opened a second time. */
  readonly courses?: readonly IncidentCourse[];
  newIncidentId(atMs: number): string;
  /** False: any anomaly is an incident (to see what agreement is worth). */
  readonly needsAgreement?: boolean;
}

export function createIncidentTracker({ courses = [], newIncidentId, needsAgreement }: TrackerParts): IncidentTracker {
  const open = new Map<string, IncidentCourse>();
  const closed = new Map<string, IncidentCourse>();
  const incidentOfAnomaly = new Map<string, string>();
  for (const course of courses) {
    if (course.closedAtMs === undefined) keep(course);
    else if (course.mergedInto === undefined) closed.set(course.incidentId, course);
  }

  function close(course: IncidentCourse): IncidentCourse {
    open.delete(course.incidentId);
    for (const { anomalyId } of course.anomalies) incidentOfAnomaly.delete(anomalyId);
    if (course.mergedInto === undefined) closed.set(course.incidentId, course);
    const [oldest] = closed.keys();
    if (closed.size > MAX_CLOSED && oldest !== undefined) closed.delete(oldest);
    return course;
  }

  function keep(course: IncidentCourse): IncidentCourse {
    open.set(course.incidentId, course);
    for (const { anomalyId } of course.anomalies) incidentOfAnomaly.set(anomalyId, course.incidentId);
    return course;
  }

  /** The oldest goes on, and the others were part of it. */
  function join(group: AnomalyGroup, touched: readonly IncidentCourse[], atMs: number): IncidentCourse[] {
    const [oldest, ...others] = [...touched].sort((left, right) => left.openedAtMs - right.openedAtMs);
    if (!oldest) return [];
    const grown = others.reduce(absorb, grow(oldest, group, atMs));
    const merged = others.map((other) =>
      close({ ...other, updatedAtMs: atMs, closedAtMs: atMs, mergedInto: grown.incidentId }),
    );
    return [keep(grown), ...merged];
  }

  /** The very same anomalies were an incident before: the clock was set back, or late data called it off too early. */
  function findClosed(group: AnomalyGroup): IncidentCourse | undefined {
    const ids = new Set(group.anomalies.filter(({ deviation }) => deviation >= 1).map(({ anomalyId }) => anomalyId));
    return [...closed.values()].find(({ anomalies }) => anomalies.some(({ anomalyId }) => ids.has(anomalyId)));
  }

  function reopen({ closedAtMs: _, ...course }: IncidentCourse, group: AnomalyGroup, atMs: number): IncidentCourse {
    closed.delete(course.incidentId);
    return keep(grow(course, group, atMs));
  }

  function closeQuiet(atMs: number): IncidentCourse[] {
    return [...open.values()]
      .filter(({ lastAbnormalMs }) => atMs - lastAbnormalMs >= CLOSE_AFTER_MS)
      .map((course) => close({ ...course, updatedAtMs: atMs, closedAtMs: atMs }));
  }

  return {
    look: ({ atMs, openedAtMs, anomalies, links }) => {
      const opened: IncidentCourse[] = [];
      const changed: IncidentCourse[] = [];
      for (const group of groupAnomalies(anomalies, links)) {
        const touched = [...open.values()].filter((course) => touches(course, group, links));
        const known = touched.length === 0 ? findClosed(group) : undefined;
        if (touched.length > 0) changed.push(...join(group, touched, atMs));
        else if (known) changed.push(reopen(known, group, atMs));
        else if (isIncident(group, needsAgreement)) {
          opened.push(keep(beginCourse(group, newIncidentId(openedAtMs), { atMs, openedAtMs })));
        }
      }
      changed.push(...closeQuiet(atMs));
      return { opened, changed };
    },
    incidentOf: (anomalyId) => incidentOfAnomaly.get(anomalyId),
    open: () => [...open.values()],
  };
}

/** The same services, or next to them. */
function touches({ services }: IncidentCourse, group: AnomalyGroup, links: ServiceLinks): boolean {
  return services.some(({ service }) => [...group.services].some((other) => areLinked(service, other, links)));
}

function beginCourse(
  group: AnomalyGroup,
  incidentId: string,
  { atMs, openedAtMs }: { atMs: number; openedAtMs: number },
): IncidentCourse {
  const anomalies = worstFirst(group.anomalies);
  return { incidentId, openedAtMs, updatedAtMs: atMs, lastAbnormalMs: atMs, anomalies, ...describe(anomalies) };
}

function grow(course: IncidentCourse, group: AnomalyGroup, atMs: number): IncidentCourse {
  return withAnomalies(
    { ...course, updatedAtMs: atMs, lastAbnormalMs: Math.max(atMs, course.lastAbnormalMs) },
    group.anomalies,
  );
}

function absorb(course: IncidentCourse, other: IncidentCourse): IncidentCourse {
  return withAnomalies(course, other.anomalies);
}

/** Each anomaly stays as it was when it was worst; only its window moves on. */
function withAnomalies(course: IncidentCourse, anomalies: readonly Anomaly[]): IncidentCourse {
  const byId = new Map(course.anomalies.map((anomaly) => [anomaly.anomalyId, anomaly]));
  for (const anomaly of anomalies) {
    const known = byId.get(anomaly.anomalyId);
    const worst = known && known.deviation > anomaly.deviation ? { ...known, window: anomaly.window } : anomaly;
    byId.set(anomaly.anomalyId, worst);
  }
  const kept = worstFirst([...byId.values()]);
  return { ...course, anomalies: kept, ...describe(kept) };
}

function worstFirst(anomalies: readonly Anomaly[]): Anomaly[] {
  const sorted = [...anomalies].sort((left, right) => right.deviation - left.deviation).slice(0, MAX_ANOMALIES);
  const ids = sorted.map(({ anomalyId }) => anomalyId);
  return sorted.map((anomaly) => ({ ...anomaly, correlated: ids.filter((id) => id !== anomaly.anomalyId) }));
}

type Description = Pick<IncidentCourse, 'onsetMs' | 'severity' | 'firstAffected' | 'mostAffected' | 'services'>;

function describe(anomalies: readonly Anomaly[]): Description {
  const loud = anomalies.filter(({ deviation }) => deviation >= 1);
  const services = [...Map.groupBy(loud, ({ service }) => service)]
    .map(([service, its]) => affectedService(service, its))
    .sort((left, right) => left.sinceMs - right.sinceMs || right.deviation - left.deviation);
  const worst = services.reduce((most, each) => (each.deviation > most.deviation ? each : most), NOBODY);
  return {
    services,
    onsetMs: services[0]?.sinceMs ?? 0,
    firstAffected: services[0]?.service ?? '',
    mostAffected: worst.service,
    severity: severityOf(loud, services.length),
  };
}

const NOBODY: AffectedService = { service: '', sinceMs: 0, deviation: 0, aspects: [] };

function affectedService(service: string, anomalies: readonly Anomaly[]): AffectedService {
  return {
    service,
    sinceMs: Math.min(...anomalies.map(({ sinceMs }) => sinceMs)),
    deviation: Math.max(...anomalies.map(({ deviation }) => deviation)),
    aspects: [...new Set(anomalies.map(({ aspect }): Aspect => aspect))],
  };
}

function severityOf(anomalies: readonly Anomaly[], services: number): Incident['severity'] {
  const isHurting = anomalies.some(({ hurtsUsers }) => hurtsUsers);
  if (services > 3) return isHurting ? 'high' : 'medium';
  return isHurting || services > 1 ? 'medium' : 'low';
}

/** What an investigation is handed. The same course gives the same incident, so that it can be published again. */
export function incidentFrom(course: IncidentCourse): Incident {
  const { incidentId, openedAtMs, onsetMs, severity, mostAffected, anomalies, services } = course;
  const [worst] = anomalies;
  const others = services.length - 1;
  const more = others > 0 ? `; ${others} more ${others === 1 ? 'service' : 'services'} affected` : '';
  return {
    incidentId,
    title: `${(worst?.sentence ?? mostAffected).replace(/\.$/, '')}${more}`.slice(0, 500),
    status: 'open',
    source: 'detection',
    service: mostAffected,
    openedAtMs,
    searchWindow: { startMs: Math.max(0, onsetMs - SEARCH_BEFORE_MS), endMs: openedAtMs },
    onsetMs,
    severity,
    anomalies: [...anomalies],
    investigationId: incidentId.replace(/^inc_/, 'inv_'),
  };
}
