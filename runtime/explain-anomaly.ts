/** One anomaly with what belongs to it: its incident, the rule that hides it, what else was abnormal, and what people said. */
import type { AnomalyArchive } from '../clickhouse/anomaly-archive.ts';
import type { IncidentArchive } from '../clickhouse/incident-archive.ts';
import type { Anomaly } from '../domain/anomaly.ts';
import type { AnomalyRecord } from '../domain/anomaly-record.ts';
import type { ExplainedAnomaly } from '../domain/noise-lesson.ts';
import type { Clock } from '../platform/clock.ts';
import { InputError } from '../platform/errors.ts';

export interface ExplainerParts {
  readonly archive: Pick<IncidentArchive, 'find' | 'list'>;
  readonly anomalies: Pick<AnomalyArchive, 'find' | 'list'>;
  readonly clock: Clock;
}

const MAX_CORRELATED = 20;
const MAX_FEEDBACK = 5_000;

/** Rejects with InputError (not-found). */
export function createAnomalyExplainer({ archive, anomalies, clock }: ExplainerParts) {
  return async (anomalyId: string, signal?: AbortSignal): Promise<ExplainedAnomaly> => {
    const record = await anomalies.find(anomalyId, signal);
    if (!record) {
      throw new InputError(`There is no anomaly ${anomalyId}: "inquest anomalies" lists what there is.`, {
        code: 'not-found',
      });
    }
    const { incidentId } = record;
    const { hiddenBy } = record.anomaly;
    const incident = incidentId === '' ? undefined : await archive.find('incident', incidentId, signal);
    const rule = hiddenBy === undefined ? undefined : await archive.find('rule', hiddenBy, signal);
    const said = await archive.list('feedback', MAX_FEEDBACK, signal);
    return {
      record,
      ...(incident ? { incident: pick(incident) } : {}),
      ...(rule ? { rule } : {}),
      correlated: worstFirst(await readBeside(record, signal)),
      feedback: said
        .filter(({ about }) => about === anomalyId || (incidentId !== '' && about === incidentId))
        .toReversed(),
    };
  };

  /** An incident keeps its anomalies, also those that were too quiet to be kept by themselves. */
  async function readBeside({ anomaly, incidentId, endedAtMs }: AnomalyRecord, signal?: AbortSignal) {
    const course = incidentId === '' ? undefined : await archive.find('course', incidentId, signal);
    if (course) return course.anomalies.filter(({ anomalyId }) => anomalyId !== anomaly.anomalyId);
    const endMs = Math.max(endedAtMs ?? clock.nowMs(), anomaly.sinceMs + 1);
    const window = { startMs: anomaly.sinceMs, endMs };
    const { records } = await anomalies.list({ window, limit: MAX_CORRELATED + 1 }, signal);
    return records.map((record) => record.anomaly).filter(({ anomalyId }) => anomalyId !== anomaly.anomalyId);
  }
}

function pick({ incidentId, title, status }: NonNullable<ExplainedAnomaly['incident']>): ExplainedAnomaly['incident'] {
  return { incidentId, title, status };
}

function worstFirst(anomalies: readonly Anomaly[]): ExplainedAnomaly['correlated'] {
  return [...anomalies]
    .sort((one, other) => other.deviation - one.deviation)
    .slice(0, MAX_CORRELATED)
    .map(({ anomalyId, service, subject, aspect, deviation, sinceMs, sentence }) => {
      return { anomalyId, service, subject, aspect, deviation, sinceMs, sentence };
    });
}
