/** `inquest bench query`: a made-up week of telemetry, and how long the usual questions take on it. */
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { withTemporaryDirectory } from '../../../platform/with-temporary-directory.ts';
import type { RunWork } from '../cli.ts';
import { EXIT } from '../exit-codes.ts';
import { plainBlock } from '../plain-text.ts';

interface QueryFlags {
  readonly spans: number;
  readonly logs: number;
  readonly points: number;
  readonly repetitions: number;
  readonly keep?: string;
}

export function addBenchQueryCommand(bench: Command, run: RunWork): void {
  bench
    .command('query')
    .description(
      'make a week of telemetry in an engine of its own and time the usual questions; fails when an answer is wrong or a mark is missed',
    )
    .option('--spans <number>', 'such as 200000, 200k or 20M', readAmount, 20_000_000)
    .option('--logs <number>', 'log lines', readAmount, 5_000_000)
    .option('--points <number>', 'points of metrics', readAmount, 10_000_000)
    .option('--repetitions <number>', 'of each question, with other arguments each time', readAmount, 40)
    .option('--keep <directory>', 'keep the database there, and use it when it is there already')
    .action(({ spans, logs, points, repetitions, keep }: QueryFlags) =>
      run(async ({ terminal, signal, clock }) => {
        // The whole engine room comes with it: loaded by this command only.
        const { runQueryBenchmark } = await import('../../../bench/query-benchmark.ts');
        const { renderQueryReport } = await import('../../../bench/query-report.ts');
        const measure = async (directory: string) => {
          const report = await runQueryBenchmark({
            ...{ directory, size: { spans, logs, points }, repetitions, nowMs: clock.nowMs(), signal },
            onProgress: terminal.note,
          });
          terminal.printJson(report);
          terminal.print(plainBlock(renderQueryReport(report)));
          return report.right && report.fast ? EXIT.ok : EXIT.failure;
        };
        return keep === undefined ? withTemporaryDirectory('query', measure) : measure(resolve(keep));
      }),
    );
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1_000, m: 1_000_000 };

function readAmount(text: string): number {
  const [, digits, unit] = /^(\d{1,10})([kKmM]?)$/.exec(text) ?? [];
  const amount = Number(digits) * (UNITS[unit?.toLowerCase() ?? ''] ?? Number.NaN);
  if (amount >= 1 && amount <= 1_000_000_000) return amount;
  throw new InvalidArgumentError('A whole number, also as 200k or 20M.');
}
