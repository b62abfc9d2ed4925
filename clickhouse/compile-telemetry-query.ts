/**
 * Makes SQL of a typed question: fields become constant expressions, and every value, keys of attributes included, a bound
 * parameter. Nothing of a question's own text is ever part of the statement.
 */
import type { QueryParameters } from '../domain/evidence.ts';
import type { Condition, Measure, TelemetryQuery, TelemetrySource } from '../domain/telemetry-query.ts';
import { InvariantError } from '../platform/errors.ts';
import { LOGS_IN_WINDOW, SEVERITY } from './log-sql.ts';
import { MEASURED, metricParameters } from './metric-sql.ts';
import {
  DURATION_MS,
  entrySpan,
  FAILED,
  IN_WINDOW,
  NEAR_WINDOW,
  POD,
  quantileMs,
  WINDOW_MINUTES,
  windowParameters,
} from './span-sql.ts';

export interface CompiledQuery {
  readonly sql: string;
  readonly parameters: QueryParameters;
}

/** One row for each group (and step), the first groups by order; see TelemetryGroupRow in read-telemetry.ts. */
export function compileTelemetryQuery(query: TelemetryQuery): CompiledQuery {
  return query.from === 'metrics' ? compileMetrics(query) : compileRows(query, ROWS[query.from]);
}

interface RowSource {
  readonly table: string;
  readonly scope: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly attributes: string;
  readonly measure: (measure: Measure, seconds: string) => string;
}

const SPAN_FIELDS = {
  service: 'ServiceName',
  operation: 'SpanName',
  pod: POD,
  version: "ResourceAttributes['service.version']",
  kind: 'SpanKind',
  status: `if(${FAILED}, 'error', 'ok')`,
  statusMessage: 'StatusMessage',
  durationMs: DURATION_MS,
};
const SPANS = { table: 'otel_traces', fields: SPAN_FIELDS, attributes: 'SpanAttributes', measure: measureSpans };

const SEVERITY_FLOORS = { fatal: 21, error: 17, warn: 13, info: 9, debug: 5, trace: 1 };
const SEVERITY_NAME = `multiIf(${Object.entries(SEVERITY_FLOORS)
  .map(([name, floor]) => `${SEVERITY} >= ${floor}, '${name}'`)
  .join(', ')}, 'unknown')`;

const ROWS: Readonly<Record<Exclude<TelemetrySource, 'metrics'>, RowSource>> = {
  requests: { ...SPANS, scope: `${IN_WINDOW} AND ${entrySpan(NEAR_WINDOW)}` },
  spans: { ...SPANS, scope: IN_WINDOW },
  logs: {
    table: 'otel_logs',
    scope: LOGS_IN_WINDOW,
    fields: {
      service: 'ServiceName',
      pod: POD,
      version: "ResourceAttributes['service.version']",
      severity: SEVERITY_NAME,
      message: 'Body',
    },
    attributes: 'LogAttributes',
    measure: (measure, seconds) => (measure === 'rate' ? `toFloat64(count()) / ${seconds}` : 'toFloat64(count())'),
  },
};

function measureSpans(measure: Measure, seconds: string): string {
  switch (measure) {
    case 'count':
      return 'toFloat64(count())';
    case 'rate':
      return `toFloat64(count()) / ${seconds}`;
    case 'errors':
      return `toFloat64(countIf(${FAILED}))`;
    case 'errorRatio':
      return `countIf(${FAILED}) / count()`;
    case 'average':
      return `avg(${DURATION_MS})`;
    case 'min':
    case 'max':
      return `${measure}(${DURATION_MS})`;
    default:
      return quantileMs(Number(measure.slice(1)) / 100, DURATION_MS, 'true');
  }
}

/** Rates go by the minutes in which telemetry arrived, as those of get_service_overview do; a step's by its length. */
const WINDOW_SECONDS = `greatest(${WINDOW_MINUTES} * 60, 0.001)`;
const STEP_SECONDS = '(least(toFloat64({stepMs:Int64}), toFloat64({endMs:Int64}) - atMs) / 1000)';

function compileRows(query: TelemetryQuery, source: RowSource): CompiledQuery {
  const { measures, where, by, window, stepSeconds = 0 } = query;
  const binding = bindFields(source.fields, source.attributes);
  const conditions = where.map((condition) => binding.compare(condition));
  const atMs = `toFloat64({startMs:Int64} + {stepMs:Int64} * intDiv(toUnixTimestamp64Milli(Timestamp) - {startMs:Int64}, {stepMs:Int64}))`;
  const seconds = stepSeconds > 0 ? STEP_SECONDS : WINDOW_SECONDS;
  const inner = `
  SELECT [${by.map((name) => `toString(${binding.read(name)})`).join(', ')}]::Array(String) AS groupBy,
    ${stepSeconds > 0 ? atMs : '0.'} AS atMs, toFloat64(count()) AS items, '' AS unit,
    [${measures.map((measure) => `toNullable(${source.measure(measure, seconds)})`).join(', ')}] AS figures
  FROM ${source.table}
  WHERE ${[source.scope, ...conditions].join(' AND ')}
  GROUP BY groupBy, atMs`;
  return {
    sql: rankGroups(query, inner),
    parameters: {
      ...windowParameters({ window }),
      ...(stepSeconds > 0 ? { stepMs: stepSeconds * 1000 } : {}),
      limit: query.limit,
      ...binding.parameters,
    },
  };
}

const METRIC_FIELDS = {
  service: 'service',
  metric: 'metric',
  pod: 'pod',
  series:
    "arrayStringConcat(arrayMap(pair -> concat(pair.1, '=', pair.2), mapSort(attributes)::Array(Tuple(String, String))), ' ')",
};

/** A gauge is averaged over so much before anything else is computed of it; longer in long windows. */
const FINEST_STEP_SECONDS = 10;
const MAX_FINE_STEPS = 2_000;

function compileMetrics(query: TelemetryQuery): CompiledQuery {
  const { measures, where, by, window, metric = '', stepSeconds = 0 } = query;
  const binding = bindFields(METRIC_FIELDS, 'attributes');
  const conditions = where.map((condition) => binding.compare(condition));
  const lengthSeconds = (window.endMs - window.startMs) / 1000;
  const fineSeconds = Math.max(FINEST_STEP_SECONDS, Math.ceil(lengthSeconds / MAX_FINE_STEPS));
  const statistic = measures[0] === 'rate' ? "statistic IN ('rate', 'countRate')" : "statistic != 'countRate'";
  const atMs =
    'toFloat64({startMs:Int64} + {outerStepMs:Int64} * intDiv(point.1 - {startMs:Int64}, {outerStepMs:Int64}))';
  const inner = `
  WITH ${MEASURED}
  SELECT [${by.map((name) => `toString(${binding.read(name)})`).join(', ')}]::Array(String) AS groupBy,
    ${stepSeconds > 0 ? atMs : '0.'} AS atMs, toFloat64(count()) AS items, any(unit) AS unit,
    [${measures.map((measure) => `toNullable(${measureValues(measure)})`).join(', ')}] AS figures
  FROM measured
  ARRAY JOIN course AS point
  WHERE ${[statistic, ...conditions].join(' AND ')}
  GROUP BY groupBy, atMs`;
  return {
    sql: rankGroups(query, inner),
    parameters: {
      ...metricParameters({
        window,
        metric,
        stepSeconds: stepSeconds > 0 ? Math.min(fineSeconds, stepSeconds) : fineSeconds,
      }),
      ...(stepSeconds > 0 ? { outerStepMs: stepSeconds * 1000 } : {}),
      limit: query.limit,
      ...binding.parameters,
    },
  };
}

function measureValues(measure: Measure): string {
  switch (measure) {
    case 'average':
    case 'rate':
      return 'avg(point.2)';
    case 'min':
    case 'max':
      return `${measure}(point.2)`;
    default:
      return `quantileExactInclusive(${Number(measure.slice(1)) / 100})(point.2)`;
  }
}

/** The groups that come first, each with all of its steps. Without steps a group is a row. */
function rankGroups({ stepSeconds, order }: TelemetryQuery, inner: string): string {
  const direction = order === 'most' ? 'DESC' : 'ASC';
  // What a group is worth over all of its steps is not the sum of percentiles: the busiest are taken.
  const weight = stepSeconds === undefined ? 'figures[1]' : 'sum(items) OVER (PARTITION BY groupBy)';
  return `
SELECT groupBy, atMs, items, unit, figures, totalGroups
FROM (
  SELECT groupBy, atMs, items, unit, figures, toFloat64(uniqExact(groupBy) OVER ()) AS totalGroups,
    dense_rank() OVER (ORDER BY weight ${direction} NULLS LAST, groupBy) AS place
  FROM (
    SELECT groupBy, atMs, items, unit, figures, ${weight} AS weight
    FROM (${inner}
    )
  )
)
WHERE place <= {limit:UInt32}
ORDER BY place, atMs`;
}

/** Expressions for fields and conditions, and the parameters that they bind on the way. */
function bindFields(fields: Readonly<Record<string, string>>, attributes: string) {
  const parameters: Record<string, string | number | string[]> = {};
  const bind = (value: string | number | string[], type: string): string => {
    const name = `value${Object.keys(parameters).length}`;
    parameters[name] = value;
    return `{${name}:${type}}`;
  };
  const read = (name: string): string => {
    const expression = fields[name];
    if (expression !== undefined) return expression;
    const [, map, key] = /^(attribute|resource)\.(.+)$/.exec(name) ?? [];
    if (key === undefined) throw new InvariantError(`a field that the shape should have refused: ${name}`);
    return `${map === 'resource' ? 'ResourceAttributes' : attributes}[${bind(key, 'String')}]`;
  };
  const compare = ({ field, is, value }: Condition): string => {
    if (field === 'severity' && is === 'atLeast') {
      const floor = SEVERITY_FLOORS[String(value) as keyof typeof SEVERITY_FLOORS] ?? 0;
      return `${SEVERITY} >= ${bind(floor, 'UInt8')}`;
    }
    if (field === 'durationMs') return `${read(field)} ${NUMBER_SIGNS[is]} ${bind(Number(value), 'Float64')}`;
    const expression = `toString(${read(field)})`;
    if (Array.isArray(value)) return `${expression} IN ${bind(value, 'Array(String)')}`;
    const text = bind(String(value), 'String');
    if (is === 'contains') return `positionCaseInsensitiveUTF8(${expression}, ${text}) > 0`;
    return `${expression} ${is === 'unequal' ? '!=' : '='} ${text}`;
  };
  return { read, compare, parameters };
}

const NUMBER_SIGNS: Readonly<Record<Condition['is'], string>> = {
  equal: '=',
  unequal: '!=',
  oneOf: '=',
  contains: '=',
  atLeast: '>=',
  below: '<',
};
