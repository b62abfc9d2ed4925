/** What the noise desk needs, in memory: documents by kind, anomalies as they were saved last, audit entries in a list. */
import type { AnomalyArchive } from '../clickhouse/anomaly-archive.ts';
import type { Anomaly } from '../domain/anomaly.ts';
import type { AnomalyRecord } from '../domain/anomaly-record.ts';
import type { AuditContent } from '../domain/audit.ts';
import { sealAuditEntry } from '../domain/audit.ts';
import type { IncidentOutcome } from '../domain/false-positive-rate.ts';
import type { Incident } from '../domain/incident.ts';
import type { IncidentCourse } from '../domain/incident-course.ts';
import type { Clock } from '../platform/clock.ts';
import { silentLogger } from '../platform/logger.ts';
import type { NoiseDeskParts } from './noise-desk.ts';

export interface MemoryNoise {
  readonly parts: Omit<NoiseDeskParts, 'anomalies'> & { readonly anomalies: AnomalyArchive };
  readonly audited: AuditContent[];
  readonly outcomes: IncidentOutcome[];
  /** An incident that detection opened, with its anomalies as records. */
  addIncident(incidentId: string, anomalies: readonly Anomaly[], isExplained?: boolean): Promise<void>;
}

export function createMemoryNoise(clock: Clock): MemoryNoise {
  const kept = new Map<string, Map<string, unknown>>();
  const records = new Map<string, AnomalyRecord>();
  const audited: AuditContent[] = [];
  const outcomes: IncidentOutcome[] = [];
  const of = (kind: string) => kept.get(kind) ?? kept.set(kind, new Map()).get(kind) ?? new Map();
  const idOf = (kind: string, document: Record<string, unknown>) =>
    String(document[kind === 'course' ? 'incidentId' : `${kind}Id`]);

  const archive = {
    find: async (kind: string, id: string) => of(kind).get(id),
    list: async (kind: string, limit: number) => [...of(kind).values()].reverse().slice(0, limit),
    save: async (kind: string, documents: readonly Record<string, unknown>[]) => {
      for (const document of documents) of(kind).set(idOf(kind, document), document);
    },
  } as unknown as NoiseDeskParts['archive'];

  const anomalies: AnomalyArchive = {
    save: async (saved) => {
      for (const record of saved) records.set(record.anomaly.anomalyId, record);
    },
    find: async (id) => records.get(id),
    list: async ({ window, service, withHidden = false, limit }) => ({
      records: [...records.values()]
        .filter(({ anomaly }) => anomaly.sinceMs < window.endMs && (service ?? anomaly.service) === anomaly.service)
        .filter(({ anomaly }) => withHidden || (anomaly.hiddenBy === undefined && anomaly.deviation >= 1))
        .slice(0, limit),
    }),
    listOpen: async () => [...records.values()].filter(({ endedAtMs }) => endedAtMs === undefined),
    match: async ({ service, aspect, subject }, window) =>
      [...records.values()].filter(
        ({ anomaly }) =>
          anomaly.service === service &&
          anomaly.aspect === aspect &&
          anomaly.subject === subject &&
          anomaly.sinceMs >= window.startMs,
      ),
    readFirstMs: async () => {
      const first = Math.min(...[...records.values()].map(({ anomaly }) => anomaly.sinceMs));
      return Number.isFinite(first) ? first : undefined;
    },
    countHidden: async () => {
      const hidden = Map.groupBy(records.values(), ({ anomaly }) => anomaly.hiddenBy);
      return new Map(
        [...hidden].flatMap(([ruleId, its]) =>
          ruleId === undefined ? [] : [[ruleId, { anomalies: its.length, lastMs: clock.nowMs() }] as const],
        ),
      );
    },
  };

  return {
    parts: {
      archive,
      anomalies,
      audit: {
        append: async (content) => {
          audited.push(content);
          return sealAuditEntry(content);
        },
      },
      clock,
      logger: silentLogger,
      readOutcomes: async () => outcomes,
    },
    audited,
    outcomes,
    addIncident: async (incidentId, its, isExplained = false) => {
      const sinceMs = Math.min(...its.map((anomaly) => anomaly.sinceMs));
      await archive.save('incident', [incidentOf(incidentId, its, sinceMs)]);
      await archive.save('course', [courseOf(incidentId, its, sinceMs)]);
      await anomalies.save(its.map((anomaly) => ({ anomaly, incidentId })));
      outcomes.push({ incidentId, isExplained });
    },
  };
}

function incidentOf(incidentId: string, anomalies: readonly Anomaly[], sinceMs: number): Incident {
  return {
    incidentId,
    title: anomalies[0]?.sentence ?? '',
    status: 'open',
    source: 'detection',
    service: anomalies[0]?.service ?? '',
    openedAtMs: sinceMs + 30_000,
    searchWindow: { startMs: Math.max(0, sinceMs - 3_600_000), endMs: sinceMs + 30_000 },
    severity: 'medium',
    anomalies: [...anomalies],
  };
}

function courseOf(incidentId: string, anomalies: readonly Anomaly[], sinceMs: number): IncidentCourse {
  const service = anomalies[0]?.service ?? '';
  return {
    incidentId,
    openedAtMs: sinceMs + 30_000,
    updatedAtMs: sinceMs + 30_000,
    onsetMs: sinceMs,
    severity: 'medium',
    firstAffected: service,
    mostAffected: service,
    services: [],
    anomalies: [...anomalies],
    lastAbnormalMs: sinceMs + 30_000,
  };
}
