/** What services wrote: kinds of lines against normal time, single lines, and how many there were. */
import type { QueryParameters } from '../domain/evidence.ts';
import type { TimeWindow } from '../domain/time-window.ts';
import { COMPARE_TEMPLATES } from './compare-log-templates.ts';
import type { Bounds, Database, Reading } from './database.ts';
import { ERROR_SEVERITY, HAS_TEMPLATE, LOGS_IN_WINDOW, SEVERITY } from './log-sql.ts';
import { OF_SERVICE, POD, windowParameters } from './span-sql.ts';

export interface LogReader {
  /** One row for each (service, severity, template) in either window, the most significant change first. */
  compareTemplates(question: TemplateQuestion, bounds: Bounds): Promise<Reading<LogTemplateRow>>;
  /** Lines that match, by time; `maxRows` at the most. */
  search(question: LogQuestion & { newestFirst: boolean }, bounds: Bounds): Promise<Reading<LogLineRow>>;
  /** How many lines match: one row. */
  countMatching(question: LogQuestion, bounds: Bounds): Promise<Reading<{ readonly lines: number }>>;
  /** One row for each service with lines, the most talkative first. */
  count(question: LogCountQuestion, bounds: Bounds): Promise<Reading<LogCountRow>>;
}

export interface TemplateQuestion {
  readonly window: TimeWindow;
  readonly baseline: TimeWindow;
  readonly service?: string | undefined;
  /** OTLP severity number. */
  readonly minSeverityNumber?: number | undefined;
}

/** unobserved: no logs of anybody in one of the windows, so that nothing can be said about a change. */
export type TemplateStatus = 'appeared' | 'burst' | 'vanished' | 'steady' | 'unobserved';

export interface LogTemplateRow {
  readonly service: string;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly template: string;
  readonly status: TemplateStatus;
  /** About a z-score, signed: more (+) or less (-) than normal time makes one expect, by minute and by trace alike. */
  readonly significance: number | null;
  readonly windowCount: number;
  readonly baselineCount: number;
  /** By observed minutes: those in which the service wrote anything (any service, when it wrote nothing at all). */
  readonly windowPerMinute: number | null;
  readonly baselinePerMinute: number | null;
  /** windowPerMinute / baselinePerMinute. */
  readonly ratio: number | null;
  /** By distinct traces with lines of the service. */
  readonly windowPerTrace: number | null;
  readonly baselinePerTrace: number | null;
  /** Distinct traces with this line in the window. */
  readonly windowTraces: number;
  readonly firstSeenMs: number | null;
  readonly lastSeenMs: number | null;
  /** The first such line of the window, else of the baseline; 500 characters. */
  readonly sampleBody: string;
  /** Empty when no such line carries one. */
  readonly sampleTraceId: string;
  readonly totalRows: number;
}

export interface LogQuestion {
  readonly window: TimeWindow;
  readonly service?: string | undefined;
  readonly minSeverityNumber?: number | undefined;
  /** Part of the body, in any case. */
  readonly text?: string | undefined;
  readonly traceId?: string | undefined;
  /** A whole template, as compareTemplates gives it. */
  readonly template?: string | undefined;
}

export interface LogLineRow {
  readonly atMs: number;
  readonly service: string;
  readonly pod: string;
  readonly severityNumber: number;
  readonly severityText: string;
  /** 1000 characters at the most. */
  readonly body: string;
  readonly traceId: string;
  readonly spanId: string;
}

export interface LogCountQuestion {
  readonly window: TimeWindow;
  readonly stepSeconds: number;
  readonly service?: string | undefined;
}

export interface LogCountRow {
  readonly service: string;
  readonly lines: number;
  readonly errorLines: number;
  /** [start of step, lines, error lines]; steps without lines are left out. */
  readonly steps: readonly (readonly [number, number, number])[];
  readonly totalRows: number;
}

export function createLogReader(database: Database): LogReader {
  return {
    compareTemplates: ({ service = '', minSeverityNumber = 0, ...windows }, bounds) =>
      database.read(
        COMPARE_TEMPLATES,
        { ...windowParameters(windows), service, minSeverity: minSeverityNumber, limit: bounds.maxRows },
        { tag: 'logs.compareTemplates', ...bounds },
      ),
    search: ({ newestFirst, ...question }, bounds) => {
      const { condition, parameters } = matching(question);
      return database.read(
        searchSql(condition, newestFirst),
        { ...parameters, limit: bounds.maxRows },
        { tag: 'logs.search', ...bounds },
      );
    },
    countMatching: (question, bounds) => {
      const { condition, parameters } = matching(question);
      const sql = `SELECT toFloat64(count()) AS lines FROM otel_logs WHERE ${condition}`;
      return database.read(sql, parameters, { tag: 'logs.countMatching', ...bounds });
    },
    count: ({ window, stepSeconds, service = '' }, bounds) =>
      database.read(
        COUNT,
        { ...windowParameters({ window }), stepMs: stepSeconds * 1000, service, limit: bounds.maxRows },
        { tag: 'logs.count', ...bounds },
      ),
  };
}

/** Only the filters that were asked for. */
function matching(question: LogQuestion): { condition: string; parameters: QueryParameters } {
  const filters: [value: string | number | undefined, name: string, condition: string][] = [
    [question.service, 'service', 'ServiceName = {service:String}'],
    [question.minSeverityNumber, 'minSeverity', `${SEVERITY} >= {minSeverity:UInt8}`],
    [question.traceId, 'traceId', 'TraceId = {traceId:String}'],
    [question.text, 'text', 'positionCaseInsensitiveUTF8(Body, {text:String}) > 0'],
    [question.template, 'template', HAS_TEMPLATE],
  ];
  const asked = filters.filter(([value]) => value !== undefined);
  return {
    condition: [LOGS_IN_WINDOW, ...asked.map(([, , condition]) => condition)].join('\n  AND '),
    parameters: {
      startMs: question.window.startMs,
      endMs: question.window.endMs,
      ...Object.fromEntries(asked.map(([value, name]) => [name, value ?? ''])),
    },
  };
}

function searchSql(condition: string, newestFirst: boolean): string {
  return `
SELECT toFloat64(toUnixTimestamp64Milli(Timestamp)) AS atMs, ServiceName AS service, ${POD} AS pod,
  ${SEVERITY} AS severityNumber, SeverityText AS severityText, leftUTF8(Body, 1000) AS body, TraceId AS traceId, SpanId AS spanId
FROM otel_logs
WHERE ${condition}
ORDER BY Timestamp ${newestFirst ? 'DESC' : 'ASC'}, service, pod, severityNumber, severityText, traceId, spanId, body
LIMIT {limit:UInt32}`;
}

const COUNT = `
SELECT service, sum(stepLines) AS lines, sum(stepErrorLines) AS errorLines,
  arraySort(groupArray((atMs, stepLines, stepErrorLines))) AS steps,
  toFloat64(count() OVER ()) AS totalRows
FROM (
  SELECT ServiceName AS service,
    toFloat64({startMs:Int64} + {stepMs:Int64} * intDiv(toUnixTimestamp64Milli(Timestamp) - {startMs:Int64}, {stepMs:Int64})) AS atMs,
    toFloat64(count()) AS stepLines,
    toFloat64(countIf(${SEVERITY} >= ${ERROR_SEVERITY})) AS stepErrorLines
  FROM otel_logs
  WHERE ${LOGS_IN_WINDOW} AND ${OF_SERVICE}
  GROUP BY service, atMs
)
GROUP BY service
ORDER BY lines DESC, service
LIMIT {limit:UInt32}`;
