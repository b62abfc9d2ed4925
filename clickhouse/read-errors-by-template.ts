/**
 * Error lines of a window by what kind of line they are: the first look at what the logs of a day complain about. Whole minutes
 * come from the counts that are kept as lines arrive; only what a window cuts off of a minute, and minutes with lines that no
 * template was mined for, are read line by line.
 */
import type { TimeWindow } from '../domain/time-window.ts';
import type { Bounds, Database, Reading } from './database.ts';
import { ERROR_SEVERITY, MINED_OR_MASKED_TEMPLATE, SEVERITY, WITH_MINED_TEMPLATE } from './log-sql.ts';
import { minuteParameters, WHOLE_MINUTES } from './rollup-sql.ts';
import { secondWithin, timeWithin } from './time-sql.ts';

export interface ErrorTemplateRow {
  readonly service: string;
  readonly template: string;
  readonly lines: number;
  readonly totalRows: number;
}

/** The most frequent first, `maxRows` at the most. */
export function readErrorsByTemplate(
  database: Pick<Database, 'read'>,
  { window }: { readonly window: TimeWindow },
  bounds: Bounds,
): Promise<Reading<ErrorTemplateRow>> {
  const parameters = { ...minuteParameters(window), limit: bounds.maxRows };
  return database.read(ERRORS_BY_TEMPLATE, parameters, { tag: 'logs.errorsByTemplate', ...bounds });
}

function linesBetween(start: string, end: string): string {
  const [from, to] = [`{${start}:Int64}`, `{${end}:Int64}`];
  return `(${secondWithin('TimestampTime', from, to)} AND ${timeWithin('Timestamp', from, to)})`;
}

const IS_UNKNOWN = '(ServiceName, TemplateId) NOT IN (SELECT ServiceName, Id FROM inquest_log_templates)';

/** A constant by the time that rows are read: where nothing is unknown, no line of a whole minute is. */
const HAS_UNKNOWN = `(SELECT count() > 0 FROM inquest_log_templates_1m
      WHERE ${WHOLE_MINUTES} AND Severity >= ${ERROR_SEVERITY} AND ${IS_UNKNOWN})`;

const ERRORS_BY_TEMPLATE = `
SELECT service, template, toFloat64(sum(counted)) AS lines, toFloat64(count() OVER ()) AS totalRows
FROM (
  SELECT ServiceName AS service, MinedText AS template, sum(Lines) AS counted
  FROM (
    SELECT ServiceName, TemplateId, sum(Lines) AS Lines
    FROM inquest_log_templates_1m
    WHERE ${WHOLE_MINUTES} AND Severity >= ${ERROR_SEVERITY}
    GROUP BY ServiceName, TemplateId
  ) AS kept ${WITH_MINED_TEMPLATE}
  WHERE MinedText != ''
  GROUP BY service, template
  UNION ALL
  SELECT ServiceName AS service, ${MINED_OR_MASKED_TEMPLATE} AS template, count() AS counted
  FROM otel_logs ${WITH_MINED_TEMPLATE}
  WHERE ${SEVERITY} >= ${ERROR_SEVERITY} AND (${linesBetween('startMs', 'wholeStartMs')} OR ${linesBetween('wholeEndMs', 'endMs')}
    OR (${HAS_UNKNOWN} AND ${linesBetween('wholeStartMs', 'wholeEndMs')} AND ${IS_UNKNOWN}))
  GROUP BY service, template
)
GROUP BY service, template
ORDER BY lines DESC, service, template
LIMIT {limit:UInt32}`;
