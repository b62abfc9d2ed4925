/** Log lines by what they say, who wrote them and which trace they belong to. */
import { z } from 'zod';
import { searchLogs as searchLogsTool } from '../../tools/read/search-logs.ts';
import { defineMcpTool, READS } from '../catalogue.ts';
import { readCursor } from '../page-place.ts';
import { pageRows } from '../page-rows.ts';
import { cursorShape, isoOf, isoSpan, readSpan, rowsShape, serviceInput, spanShape } from '../tool-input.ts';

const MOST_ROWS = 200;

export const searchLogs = defineMcpTool({
  name: 'search_logs',
  title: 'Search logs',
  description:
    'Single log lines of a span of time, the newest first, by service, severity, trace, or a text in the body (any case, taken literally). For which kinds of lines appeared or burst, query_telemetry about log_patterns.',
  input: z.strictObject({
    ...spanShape,
    text: z.string().min(1).max(500).optional(),
    service: serviceInput.optional(),
    minSeverity: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).optional(),
    traceId: z.string().min(1).max(64).optional(),
    oldestFirst: z.boolean().default(false),
    ...cursorShape,
  }),
  output: z.object({ window: z.string(), evidenceId: z.string(), ...rowsShape }),
  example: { text: 'timeout', service: 'checkout', minSeverity: 'warn', since: '30m' },
  hints: READS,
  run: async ({ cursor, ...question }, { backend, signal, nowMs }) => {
    const place = cursor === undefined ? undefined : readCursor(question, cursor);
    const window = place?.windows[0] ?? readSpan(question, nowMs());
    const { since: _, until: __, oldestFirst, ...filters } = question;
    const input = { ...filters, window, newestFirst: !oldestFirst, limit: MOST_ROWS };
    const { output, evidence } = await backend.runTool(searchLogsTool.name, input, signal);
    const { lines, totalRows } = searchLogsTool.output.parse(output);
    const rows = lines.map(({ atMs, severityNumber: _, severityText: severity, ...line }) => ({
      at: isoOf(atMs),
      severity,
      ...Object.fromEntries(Object.entries(line).filter(([, text]) => text !== '')),
    }));
    const facts = { window: isoSpan(window), evidenceId: evidence.evidenceId };
    return pageRows({ rows, offset: place?.offset ?? 0, total: totalRows, question, windows: [window], facts });
  },
});
