/** What went wrong: incidents, the newest first. */
import { z } from 'zod';
import type { FollowedIncident } from '../../api/api-shapes.ts';
import { incidentStatusSchema } from '../../domain/incident.ts';
import { defineMcpTool, READS } from '../catalogue.ts';
import { pageFromHost } from '../page-rows.ts';
import { cursorShape, isoOf, rowsShape } from '../tool-input.ts';

const MOST_ROWS = 25;

export const listIncidents = defineMcpTool({
  name: 'list_incidents',
  title: 'List incidents',
  description:
    'Incidents that detection or a person opened, the newest first, with whom they hurt and how they went on.',
  input: z.strictObject({ status: incidentStatusSchema.optional(), ...cursorShape }),
  output: z.object(rowsShape),
  example: { status: 'awaiting-approval' },
  hints: READS,
  run: ({ status, cursor }, { backend, signal }) =>
    pageFromHost(
      MOST_ROWS,
      (limit) => backend.listIncidents({ limit, ...(status ? { status } : {}), ...(cursor ? { cursor } : {}) }, signal),
      ({ incidents, nextCursor }) => ({ rows: incidents.map(shapeIncident), nextCursor }),
    ),
});

/** An incident in a list. */
export function shapeIncident(incident: FollowedIncident) {
  const { incidentId, title, status, severity, service, openedAtMs, source, investigationId, course } = incident;
  return {
    ...{ incidentId, title, status, severity },
    ...(service === '' ? {} : { service }),
    openedAt: isoOf(openedAtMs),
    source,
    ...(investigationId === undefined ? {} : { investigationId }),
    ...(course
      ? {
          since: isoOf(course.onsetMs),
          affected: course.services.slice(0, 8).map((each) => each.service),
          ...(course.closedAtMs === undefined ? { ongoing: true } : { backToNormalAt: isoOf(course.closedAtMs) }),
        }
      : {}),
  };
}
