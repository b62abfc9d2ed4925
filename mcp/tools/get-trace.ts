/** One trace, a row for each span with its log lines. */
import { z } from 'zod';
import { defineMcpTool, READS } from '../catalogue.ts';
import { readCursor } from '../page-place.ts';
import { pageRows } from '../page-rows.ts';
import { cursorShape, isoOf, rowsShape } from '../tool-input.ts';

export const getTrace = defineMcpTool({
  name: 'get_trace',
  title: 'Get trace',
  description:
    'Everything that carries one trace id: its spans as a tree (depth, offset, duration and self time in ms, status, exception) with their log lines, then other log records and metric exemplars.',
  input: z.strictObject({
    traceId: z
      .string()
      .regex(/^[0-9a-fA-F]{32}$/, '32 hex digits, as query_telemetry about traces or search_logs give them')
      .transform((id) => id.toLowerCase()),
    ...cursorShape,
  }),
  output: z.object({ startedAt: z.string(), orphans: z.int(), ...rowsShape }),
  example: { traceId: '4bf92f3577b34da6a3ce929d0e0e4736' },
  hints: READS,
  run: async ({ traceId, cursor }, { backend, signal }) => {
    const question = { traceId };
    const place = cursor === undefined ? undefined : readCursor(question, cursor);
    const trace = await backend.getTrace(traceId, signal);
    const rows = [
      ...trace.spans,
      ...trace.logs.map((log) => ({ log })),
      ...trace.exemplars.map((exemplar) => ({ exemplar })),
    ];
    const total = rows.length + trace.totalSpans - trace.spans.length;
    const facts = { startedAt: isoOf(Math.floor(trace.startMs ?? 0)), orphans: trace.orphans };
    return pageRows({ rows, offset: place?.offset ?? 0, total, question, windows: [], facts });
  },
});
