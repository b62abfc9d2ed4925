/** Which anomalies are worth writing down again: those that began, grew, joined an incident, were hidden or ended since they were last. */
import type { Anomaly } from '../domain/anomaly.ts';
import type { AnomalyRecord } from '../domain/anomaly-record.ts';
import { rawDeviation } from '../domain/noise-rule.ts';

export interface AnomalyLedger {
  /** @param anomalies everything abnormal at that moment */
  note(anomalies: readonly Anomaly[], atMs: number, incidentOf: (anomalyId: string) => string | undefined): void;
  /** Writes what is new; what could not be written is tried again. */
  flush(write: (records: readonly AnomalyRecord[]) => Promise<void>): Promise<void>;
  isEmpty(): boolean;
}

/** It is written down again when it is so much worse than it was then. */
const GROWN = 1.25;

/** @param open those that were not over when the last scanner ended: they go on, or are over now */
export function createAnomalyLedger(open: readonly AnomalyRecord[] = []): AnomalyLedger {
  const present = new Map(open.map((record) => [record.anomaly.anomalyId, record]));
  const unwritten = new Map<string, AnomalyRecord>();

  function noteOne(anomaly: Anomaly, belongsTo: string | undefined): void {
    const known = present.get(anomaly.anomalyId);
    const incidentId = belongsTo ?? known?.incidentId ?? '';
    const hasGrown = !known || rawDeviation(anomaly) >= rawDeviation(known.anomaly) * GROWN;
    const isHiddenAsBefore = known?.anomaly.hiddenBy === anomaly.hiddenBy;
    if (!hasGrown && known.incidentId === incidentId && isHiddenAsBefore) return;
    const record = { anomaly: hasGrown ? anomaly : hiddenAs(known.anomaly, anomaly), incidentId };
    present.set(anomaly.anomalyId, record);
    unwritten.set(anomaly.anomalyId, record);
  }

  return {
    note: (anomalies, atMs, incidentOf) => {
      // Also what feedback lowered below the bar: nothing is lost by being called noise.
      const loud = anomalies.filter((anomaly) => rawDeviation(anomaly) >= 1);
      for (const anomaly of loud) noteOne(anomaly, incidentOf(anomaly.anomalyId));
      const now = new Set(loud.map(({ anomalyId }) => anomalyId));
      for (const [anomalyId, record] of present) {
        if (now.has(anomalyId)) continue;
        present.delete(anomalyId);
        unwritten.set(anomalyId, { ...record, endedAtMs: atMs });
      }
    },
    flush: async (write) => {
      if (unwritten.size === 0) return;
      const records = new Map(unwritten);
      await write([...records.values()]);
      for (const [anomalyId, record] of records) {
        if (unwritten.get(anomalyId) === record) unwritten.delete(anomalyId);
      }
    },
    isEmpty: () => present.size === 0,
  };
}

function hiddenAs(worst: Anomaly, { hiddenBy }: Anomaly): Anomaly {
  const { hiddenBy: _, ...shown } = worst;
  return hiddenBy === undefined ? shown : { ...shown, hiddenBy };
}
