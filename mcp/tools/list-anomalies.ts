/** What deviated from its usual course, also where no incident came of it. */
import { z } from 'zod';
import type { AnomalyRecord } from '../../domain/anomaly-record.ts';
import { defineMcpTool, READS } from '../catalogue.ts';
import { fitRows } from '../fit-answer.ts';
import { pageFromHost } from '../page-rows.ts';
import { cursorShape, isoOf, rowsShape, serviceInput, spanShape } from '../tool-input.ts';

const MOST_ROWS = 25;

export const listAnomalies = defineMcpTool({
  name: 'list_anomalies',
  title: 'List anomalies',
  description:
    'What was abnormal in a span of time, what began last first: observed against expected, since when, and the incident it belongs to. With anomalyId that one, explained: what is normal, what belongs to it, what keeps it quiet.',
  input: z.strictObject({
    ...spanShape,
    service: serviceInput.optional(),
    all: z.boolean().default(false).describe('Also what a rule or feedback hides.'),
    anomalyId: z.string().min(1).max(128).optional(),
    ...cursorShape,
  }),
  output: z.object(rowsShape),
  example: { since: '2h', service: 'checkout' },
  hints: READS,
  run: async ({ since, until, service, all, anomalyId, cursor }, { backend, signal }) => {
    if (anomalyId !== undefined) {
      const explained = await backend.getAnomaly(anomalyId, signal);
      return fitRows([explained], ({ rows }) => ({ data: { telemetry: rows } }));
    }
    const question = {
      ...{ since, until, show: all ? ('all' as const) : ('shown' as const) },
      ...(service ? { service } : {}),
      ...(cursor ? { cursor } : {}),
    };
    return pageFromHost(
      MOST_ROWS,
      (limit) => backend.listAnomalies({ ...question, limit }, signal),
      ({ anomalies, nextCursor }) => ({ rows: anomalies.map(shapeAnomaly), nextCursor }),
    );
  },
});

function shapeAnomaly({ anomaly, incidentId, endedAtMs }: AnomalyRecord) {
  const { anomalyId, signal, service, subject, sentence, sinceMs, deviation, hiddenBy } = anomaly;
  return {
    ...{ anomalyId, signal, service, subject, sentence },
    deviation: Number(deviation.toPrecision(3)),
    since: isoOf(sinceMs),
    ...(endedAtMs === undefined ? { ongoing: true } : { endedAt: isoOf(endedAtMs) }),
    ...(incidentId === '' ? {} : { incidentId }),
    ...(hiddenBy === undefined ? {} : { hiddenBy }),
  };
}
