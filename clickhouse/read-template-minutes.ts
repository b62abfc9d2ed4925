/** How often each log template was written by the minute, from the rollup: what detection steps through. */
import type { TimeWindow } from '../domain/time-window.ts';
import type { Bounds, Database, Reading } from './database.ts';

/** INFO: whatever is less than a warning, and lines that do not say. */
export type LogLevel = 'INFO' | 'WARN' | 'ERROR' | 'FATAL';

/** One template at one level; `atMs` and `lines` run side by side, one entry for each minute in which it was written. */
export interface TemplateMinuteRow {
  readonly service: string;
  /** The id it has now, whatever ids its lines were given; empty: lines that no miner saw. */
  readonly template: string;
  readonly level: LogLevel;
  /** As it is known now. */
  readonly text: string;
  /** Start of the minute. */
  readonly atMs: readonly number[];
  readonly lines: readonly number[];
}

/** An id that another template's took the place of. */
export interface TemplateAliasRow {
  readonly service: string;
  readonly id: string;
  readonly template: string;
}

export interface TemplateMinuteReader {
  /** Window in whole minutes. Rejects with LimitError beyond `maxRows` templates. */
  readMinutes(question: { window: TimeWindow }, bounds: Bounds): Promise<Reading<TemplateMinuteRow>>;
  /** Every id that stands for one of `templates` now, themselves left out. */
  readAliases(question: { templates: readonly string[] }, bounds: Bounds): Promise<Reading<TemplateAliasRow>>;
}

export function createTemplateMinuteReader(database: Pick<Database, 'read'>): TemplateMinuteReader {
  return {
    readMinutes: ({ window: { startMs, endMs } }, bounds) =>
      database.read(MINUTES, { startMs, endMs }, { tag: 'templates.readMinutes', ...bounds }),
    readAliases: ({ templates }, bounds) =>
      database.read(ALIASES, { templates: [...templates] }, { tag: 'templates.readAliases', ...bounds }),
  };
}

const TEXT_CHARACTERS = 300;
const IN_WINDOW = `Time >= toDateTime(intDiv({startMs:Int64}, 1000)) AND Time < toDateTime(intDiv({endMs:Int64}, 1000))`;

const MINUTES = `
SELECT service, template, level, max(minuteText) AS text, arraySort(groupArray((minuteMs, minuteLines))) AS points,
  arrayMap(point -> point.1, points) AS atMs, arrayMap(point -> point.2, points) AS lines
FROM (
  SELECT toString(ServiceName) AS service, if(CurrentId != '', CurrentId, toString(TemplateId)) AS template,
    multiIf(Severity >= 21, 'FATAL', Severity >= 17, 'ERROR', Severity >= 13, 'WARN', 'INFO') AS level,
    toFloat64(toUnixTimestamp(Time)) * 1000 AS minuteMs, max(CurrentText) AS minuteText, toFloat64(sum(Lines)) AS minuteLines
  FROM inquest_log_templates_1m
  LEFT ANY JOIN (
    SELECT ServiceName AS MinedService, Id AS MinedId, argMax(TemplateId, Version) AS CurrentId,
      argMax(leftUTF8(Text, ${TEXT_CHARACTERS}), Version) AS CurrentText
    FROM inquest_log_templates
    WHERE (ServiceName, Id) IN (SELECT ServiceName, TemplateId FROM inquest_log_templates_1m WHERE ${IN_WINDOW})
    GROUP BY MinedService, MinedId
  ) AS mined ON ServiceName = MinedService AND TemplateId = MinedId
  WHERE ${IN_WINDOW}
  GROUP BY service, template, level, Time
)
GROUP BY service, template, level
ORDER BY service, template, level`;

const ALIASES = `
SELECT toString(ServiceName) AS service, Id AS id, argMax(TemplateId, Version) AS template
FROM inquest_log_templates
GROUP BY ServiceName, Id
HAVING template IN {templates:Array(String)} AND template != id
ORDER BY service, id`;
