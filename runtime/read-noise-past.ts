/** The stored past that rules about noise are tried on: the anomalies of a subject, and what detection opened with what came of it. */
import type { AnomalyArchive, AnomalySubject } from '../clickhouse/anomaly-archive.ts';
import type { IncidentArchive } from '../clickhouse/incident-archive.ts';
import type { Past, PastIncident } from '../detection/propose-noise-rule.ts';
import type { IncidentOutcome } from '../domain/false-positive-rate.ts';
import { type Feedback, judgedAnomalies, judgedIncidents } from '../domain/feedback.ts';
import type { TimeWindow } from '../domain/time-window.ts';
import type { Clock } from '../platform/clock.ts';

export interface PastParts {
  readonly archive: Pick<IncidentArchive, 'list'>;
  readonly anomalies: Pick<AnomalyArchive, 'match' | 'readFirstMs'>;
  readonly clock: Clock;
  /** Of the incidents that detection opened in the window. */
  readOutcomes(window: TimeWindow, signal?: AbortSignal): Promise<readonly IncidentOutcome[]>;
}

export const PAST_DAYS = 30;
const DAY_MS = 86_400_000;
const MAX_RECORDS = 10_000;
const MAX_INCIDENTS = 500;

export function pastWindow(nowMs: number): TimeWindow {
  return { startMs: Math.max(0, nowMs - PAST_DAYS * DAY_MS), endMs: nowMs + 1 };
}

/** Reads the incidents once, then the anomalies of each subject that is asked for. */
export function createPastReader({ archive, anomalies, clock, readOutcomes }: PastParts) {
  return async (feedback: readonly Feedback[]): Promise<(about: AnomalySubject) => Promise<Past>> => {
    const nowMs = clock.nowMs();
    const window = pastWindow(nowMs);
    const incidents = await readIncidents(feedback, window);
    const firstMs = (await anomalies.readFirstMs()) ?? nowMs;
    const days = Math.min(PAST_DAYS, Math.max(1, Math.ceil((nowMs - firstMs) / DAY_MS)));
    const judged = judgedAnomalies(feedback);
    return async (about) => {
      const records = await anomalies.match(about, window, MAX_RECORDS);
      return { days, records, incidents, judged };
    };
  };

  /** What people said counts before what an investigation found. */
  async function readIncidents(feedback: readonly Feedback[], window: TimeWindow): Promise<PastIncident[]> {
    const courses = await archive.list('course', MAX_INCIDENTS);
    const outcomes = await readOutcomes(window);
    const explained = new Set(outcomes.filter((each) => each.isExplained).map(({ incidentId }) => incidentId));
    const judged = judgedIncidents(feedback);
    return courses
      .filter(({ openedAtMs, mergedInto }) => openedAtMs >= window.startMs && mergedInto === undefined)
      .map((course) => ({
        incidentId: course.incidentId,
        anomalies: course.anomalies,
        judgement: judged.get(course.incidentId) ?? (explained.has(course.incidentId) ? 'real' : undefined),
      }));
  }
}
