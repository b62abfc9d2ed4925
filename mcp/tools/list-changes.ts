/** What people changed: deploys, commits, flags, config, infrastructure. */
import { z } from 'zod';
import type { Change } from '../../domain/change.ts';
import { defineMcpTool, READS } from '../catalogue.ts';
import { readCursor } from '../page-place.ts';
import { pageRows } from '../page-rows.ts';
import { cursorShape, isoOf, isoSpan, readSpan, rowsShape, serviceInput, spanShape } from '../tool-input.ts';

const MOST_ROWS = 500;

export const listChanges = defineMcpTool({
  name: 'list_changes',
  title: 'List changes',
  description:
    'Deploys, commits (with the beginning of their diffs), flags, config and infrastructure changes of a span of time, the newest first; deploys are also inferred from new service versions.',
  input: z.strictObject({ ...spanShape, service: serviceInput.optional(), ...cursorShape }),
  output: z.object({ window: z.string(), ...rowsShape }),
  example: { since: '2h', service: 'checkout' },
  hints: READS,
  run: async ({ cursor, ...question }, { backend, signal, nowMs }) => {
    const place = cursor === undefined ? undefined : readCursor(question, cursor);
    const window = place?.windows[0] ?? readSpan(question, nowMs());
    const { changes, totalRows } = await backend.listChanges(
      {
        since: isoOf(window.startMs),
        until: isoOf(window.endMs),
        limit: MOST_ROWS,
        ...(question.service === undefined ? {} : { service: question.service }),
      },
      signal,
    );
    const rows = changes.map(shapeChange);
    const facts = { window: isoSpan(window) };
    return pageRows({ rows, offset: place?.offset ?? 0, total: totalRows, question, windows: [window], facts });
  },
});

function shapeChange({
  changeId,
  kind,
  service,
  atMs,
  version,
  summary,
  author,
  url,
  attributes,
  diff,
  source,
}: Change) {
  const filled = Object.entries({ service, version, author, url, diff }).filter(([, text]) => text !== '');
  return {
    ...{ changeId, kind, at: isoOf(atMs), summary, source },
    ...Object.fromEntries(filled),
    ...(Object.keys(attributes).length > 0 ? { attributes } : {}),
  };
}
