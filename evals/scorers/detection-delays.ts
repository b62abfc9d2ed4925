/** How fast faults were found: seconds from the first effect anybody could see to the incident, and how often within the mark. */
import type { IncidentCourse } from '../../domain/incident-course.ts';
import { median } from '../../domain/statistics/robust-scale.ts';

/** One of several faults that come one after the other. */
interface KnownFault {
  readonly name: string;
  readonly seed: number;
  readonly options: { readonly startMs: number };
  readonly effectMs: number;
  readonly beginsMs: number;
  readonly endMs: number;
  readonly service: string;
}

export interface FaultDetection {
  readonly kind: string;
  readonly seed: number;
  /** From its first observable effect; negative: before users were hurt. Absent: it was missed. */
  readonly delaySeconds?: number;
  readonly incidentId?: string;
  /** Of the incident's onset against the first effect, seconds. */
  readonly onsetErrorSeconds?: number;
  /** The broken service is among those that the incident names. */
  readonly namesService?: boolean;
  /** From the fault's end to the end of its incident. Absent: it is open still. */
  readonly closedAfterSeconds?: number;
  /** Incidents in the time before the fault that no fault explains. */
  readonly falseIncidents: number;
}

const MARK_SECONDS = 60;
/** What is opened so soon after a fault's end is about it. */
const ECHO_MS = 120_000;

/** @param faults in order of time, each from where the one before it ended */
export function matchFaults(faults: readonly KnownFault[], courses: readonly IncidentCourse[]): FaultDetection[] {
  return faults.map(({ name, seed, options, effectMs, beginsMs, endMs, service }, index) => {
    const fromMs = index === 0 ? 0 : options.startMs + ECHO_MS;
    const its = courses.filter(({ openedAtMs }) => openedAtMs > beginsMs && openedAtMs <= endMs + ECHO_MS);
    const falseIncidents = courses.filter(({ openedAtMs }) => openedAtMs > fromMs && openedAtMs <= beginsMs).length;
    const [found] = its;
    if (!found) return { kind: name, seed, falseIncidents };
    const { incidentId, openedAtMs, onsetMs, services, anomalies, closedAtMs } = found;
    return {
      kind: name,
      seed,
      falseIncidents,
      incidentId,
      delaySeconds: (openedAtMs - effectMs) / 1_000,
      onsetErrorSeconds: (onsetMs - effectMs) / 1_000,
      namesService:
        services.some((each) => each.service === service) || anomalies.some(({ subject }) => subject.includes(service)),
      ...(closedAtMs === undefined ? {} : { closedAfterSeconds: (closedAtMs - endMs) / 1_000 }),
    };
  });
}

interface KindDelays {
  readonly kind: string;
  readonly cases: number;
  readonly found: number;
  readonly withinMark: number;
  /** Before users were hurt. */
  readonly ahead: number;
  readonly falseIncidents: number;
  readonly closed: number;
  readonly medianSeconds: number | undefined;
  readonly worstSeconds: number | undefined;
}

interface DelaySummary extends Omit<KindDelays, 'kind'> {
  /** Kinds found within the mark in nine of ten seeds. */
  readonly kindsAtMark: number;
  readonly namesService: number;
  readonly kinds: readonly KindDelays[];
}

const MARK_SHARE = 0.9;

export function summarizeDelays(detections: readonly FaultDetection[]): DelaySummary {
  const kinds = [...Map.groupBy(detections, ({ kind }) => kind)].map(([kind, its]) => ({ kind, ...countDelays(its) }));
  return {
    kindsAtMark: kinds.filter(({ withinMark, cases }) => withinMark >= MARK_SHARE * cases).length,
    namesService: detections.filter(({ namesService }) => namesService).length,
    ...countDelays(detections),
    kinds,
  };
}

function countDelays(its: readonly FaultDetection[]): Omit<KindDelays, 'kind'> {
  const delays = its.flatMap(({ delaySeconds }) => delaySeconds ?? []);
  return {
    cases: its.length,
    found: delays.length,
    withinMark: delays.filter((seconds) => seconds <= MARK_SECONDS).length,
    ahead: delays.filter((seconds) => seconds < 0).length,
    falseIncidents: its.reduce((sum, each) => sum + each.falseIncidents, 0),
    closed: its.filter(({ closedAfterSeconds }) => closedAfterSeconds !== undefined).length,
    medianSeconds: delays.length > 0 ? median(delays) : undefined,
    worstSeconds: delays.length > 0 ? Math.max(...delays) : undefined,
  };
}

const WIDTH = 10;

export function describeDelays(detections: readonly FaultDetection[]): string {
  const { kinds, kindsAtMark, namesService, ...all } = summarizeDelays(detections);
  const cell = (value: number | undefined) => (value === undefined ? '-' : value.toFixed(0)).padStart(WIDTH);
  const share = (part: number, of: number) => `${part}/${of}`.padStart(WIDTH);
  const line = ({ kind, ...row }: KindDelays) =>
    kind.padEnd(20) +
    share(row.found, row.cases) +
    share(row.withinMark, row.cases) +
    cell(row.medianSeconds) +
    cell(row.worstSeconds) +
    cell(row.ahead) +
    share(row.closed, row.found) +
    cell(row.falseIncidents);
  const head = ['found', `<= ${MARK_SECONDS} s`, 'median s', 'worst s', 'ahead', 'closed', 'false'];
  return [
    'fault'.padEnd(20) + head.map((text) => text.padStart(WIDTH)).join(''),
    ...kinds.map(line),
    line({ kind: 'all', ...all }),
    '',
    `${kindsAtMark} of ${kinds.length} kinds within ${MARK_SECONDS} s in nine of ten seeds; the broken service is named in ${namesService} of ${all.found} found.`,
    'Seconds from the first effect; ahead: before it; closed: when signals were back; false: opened in ordinary time before the fault.',
    ...describeLeads(detections),
  ].join('\n');
}

function describeLeads(detections: readonly FaultDetection[]): string[] {
  return detections
    .filter(({ delaySeconds = 0 }) => delaySeconds < 0)
    .map(({ kind, seed, delaySeconds = 0 }) => `${kind}-${seed}: ${-delaySeconds} s before users were hurt`);
}
