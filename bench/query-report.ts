/** What the query benchmark measured: times against their marks, beside the chore of the same run. Pure. */
import type { TableSize } from '../clickhouse/measure-engine.ts';
import type { TelemetrySize } from '../clickhouse/telemetry-plan.ts';

export interface Spread {
  readonly repetitions: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly maxMs: number;
}

export interface MeasuredQuery extends Spread {
  readonly name: string;
  readonly markMs: number;
  readonly rowsAnswered: number;
  /** Of the granules that conditions and primary key leave, as the engine plans it; skip indexes leave fewer. */
  readonly rowsRead: number;
  /** Answers that do not say what was written. */
  readonly wrong: number;
}

export interface QueryMeasurement {
  readonly machine: { readonly cores: number; readonly node: string; readonly engine: string };
  readonly telemetry: TelemetrySize;
  readonly tables: readonly TableSize[];
  readonly generatedMs: number;
  readonly settledMs: number;
  /** False: the engine was still merging when it was asked. */
  readonly isSettled: boolean;
  /** The same work each time, beside every question: compare machines by the ratio to it. */
  readonly chore: Spread;
  readonly queries: readonly MeasuredQuery[];
}

export interface QueryReport extends QueryMeasurement {
  /** Every answer right. */
  readonly right: boolean;
  /** Every 95th percentile below its mark. */
  readonly fast: boolean;
}

export function reportQueries(measurement: QueryMeasurement): QueryReport {
  const { queries } = measurement;
  return {
    ...measurement,
    right: queries.every(({ wrong }) => wrong === 0),
    fast: queries.every(({ p95Ms, markMs }) => p95Ms < markMs),
  };
}

/** @param samples at least one; quantiles are of these themselves, the next one up */
export function spreadOf(samples: readonly number[]): Spread {
  const sorted = samples.toSorted((left, right) => left - right);
  const at = (level: number) => rounded(sorted[Math.max(0, Math.ceil(level * sorted.length) - 1)] ?? 0);
  return { repetitions: sorted.length, p50Ms: at(0.5), p95Ms: at(0.95), maxMs: at(1) };
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}

/** At most 80 columns wide. */
export function renderQueryReport(report: QueryReport): string {
  const { machine, telemetry, queries, chore, tables } = report;
  const [name, figure] = [37, 8];
  const row = (label: string, cells: readonly string[]) =>
    `${label.padEnd(name)}${cells.map((cell) => cell.padStart(figure)).join('')}`;
  const count = (value: number) =>
    value.toLocaleString('en-US', { notation: value >= 10_000 ? 'compact' : 'standard' });
  const bytes = tables.reduce((sum, table) => sum + table.bytes, 0);
  const spans = `${count(telemetry.spans)} spans, ${count(telemetry.logs)} log lines, ${count(telemetry.points)} points`;
  return [
    `${spans}: ${(bytes / 1024 ** 3).toFixed(2)} GiB`,
    `${machine.cores} cores, Node ${machine.node}, ClickHouse ${machine.engine}; ${chore.repetitions} times each`,
    '',
    row('milliseconds', ['p50', 'p95', 'max', 'mark', 'rows']),
    ...queries.map(({ name: query, p50Ms, p95Ms, maxMs, markMs, rowsRead }) =>
      row(
        query,
        [p50Ms, p95Ms, maxMs]
          .map((ms) => ms.toFixed(1))
          .concat(`${p95Ms < markMs ? '<' : '!'} ${markMs}`, count(rowsRead)),
      ),
    ),
    row(
      'chore, to compare machines by',
      [chore.p50Ms, chore.p95Ms, chore.maxMs].map((ms) => ms.toFixed(1)),
    ),
    '',
    verdictOf(report),
  ].join('\n');
}

function verdictOf({ right, fast, isSettled, queries }: QueryReport): string {
  const wrong = queries.reduce((sum, query) => sum + query.wrong, 0);
  const texts = [
    right ? 'Every answer was right.' : `${wrong} ANSWERS WERE WRONG: --json says of which questions.`,
    fast ? 'Every mark was met.' : 'A MARK WAS MISSED: see the lines with !.',
    ...(isSettled ? [] : ['The engine was still merging: run it again on the same directory.']),
  ];
  return texts.join('\n');
}
