/** Quantiles, verdicts and the table of the query benchmark. */
import { expect, it } from 'vitest';
import { type QueryMeasurement, renderQueryReport, reportQueries, spreadOf } from './query-report.ts';

const query = { ...spreadOf([10, 30, 20]), name: "one service's week of RED by minute", rowsAnswered: 10_080 };
const measurement: QueryMeasurement = {
  machine: { cores: 2, node: 'v24.21.0', engine: '26.7.2.1' },
  telemetry: { spans: 20_000_000, logs: 5_000_000, points: 10_000_000 },
  tables: [{ table: 'otel_traces', rows: 20_000_000, bytes: 2 ** 31, parts: 20 }],
  ...{ generatedMs: 1, settledMs: 1, isSettled: true, chore: spreadOf([40]) },
  queries: [{ ...query, markMs: 200, rowsRead: 123_456, wrong: 0 }],
};

it('takes quantiles from the samples themselves', () => {
  const samples = Array.from({ length: 40 }, (_, index) => 40 - index);
  expect(spreadOf(samples)).toEqual({ repetitions: 40, p50Ms: 20, p95Ms: 38, maxMs: 40 });
  expect(spreadOf([7.04])).toEqual({ repetitions: 1, p50Ms: 7, p95Ms: 7, maxMs: 7 });
});

it('says in eighty columns what was measured and whether it was enough', () => {
  const text = renderQueryReport(reportQueries(measurement));
  expect(text).toBe(`20M spans, 5M log lines, 10M points: 2.00 GiB
2 cores, Node v24.21.0, ClickHouse 26.7.2.1; 1 times each

milliseconds                              p50     p95     max    mark    rows
one service's week of RED by minute      20.0    30.0    30.0   < 200    123K
chore, to compare machines by            40.0    40.0    40.0

Every answer was right.
Every mark was met.`);
});

it('says what was missed', () => {
  const queries = measurement.queries.map((each) => ({ ...each, markMs: 30, wrong: 2 }));
  const report = reportQueries({ ...measurement, queries, isSettled: false });
  expect(report).toMatchObject({ right: false, fast: false });
  const text = renderQueryReport(report);
  expect(text).toContain('! 30');
  expect(text).toContain('2 ANSWERS WERE WRONG');
  expect(text).toContain('A MARK WAS MISSED');
  expect(text).toContain('still merging');
});
