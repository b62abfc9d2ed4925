/** The incident that a person opens by hand: nothing detected it, so it carries no anomalies. */
import type { z } from 'zod';
import type { openIncidentInputSchema } from '../../api/api-shapes.ts';
import type { Incident } from '../../domain/incident.ts';
import { newId } from '../../platform/ids.ts';

export function createManualIncident(input: z.output<typeof openIncidentInputSchema>, nowMs: number): Incident {
  const { title, service, searchWindow, baselineWindow, earliestOnsetMs, onsetMs } = input;
  return {
    incidentId: newId('inc', nowMs),
    title: title || (service ? `${service}: opened by hand` : 'Opened by hand'),
    status: 'open',
    source: 'manual',
    service,
    openedAtMs: nowMs,
    searchWindow,
    ...(baselineWindow ? { baselineWindow } : {}),
    ...(earliestOnsetMs === undefined ? {} : { earliestOnsetMs }),
    ...(onsetMs === undefined ? {} : { onsetMs }),
    severity: 'medium',
    anomalies: [],
  };
}
