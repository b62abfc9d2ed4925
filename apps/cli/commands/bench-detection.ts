/** `inquest bench detection`: thousands of made-up metric series, how long a minute of them takes to judge, and what baselines cost. */
import { type Command, InvalidArgumentError } from 'commander';
import { withTemporaryDirectory } from '../../../platform/with-temporary-directory.ts';
import type { RunWork } from '../cli.ts';
import { EXIT } from '../exit-codes.ts';
import { plainBlock } from '../plain-text.ts';

interface DetectionFlags {
  readonly series: number;
  readonly hours: number;
  readonly minutes: number;
  readonly days: number;
  readonly prophet?: string;
  readonly fits: number;
}

export function addBenchDetectionCommand(bench: Command, run: RunWork): void {
  bench
    .command('detection')
    .description(
      'judge thousands of made-up metric series minute by minute; fails when a minute takes longer than half of one',
    )
    .option('--series <number>', 'how many', readCount(1, 100_000), 10_000)
    .option('--hours <number>', 'of past that is learned first', readCount(1, 48), 3)
    .option('--minutes <number>', 'judged one by one and measured', readCount(1, 60), 20)
    .option('--days <number>', 'of baselines to read from', readCount(1, 90), 28)
    .option('--prophet <python>', 'a Python with Prophet: measured on the same series')
    .option('--fits <number>', 'series that Prophet is fitted to', readCount(1, 1_000), 20)
    .action(({ prophet, fits, ...sizes }: DetectionFlags) =>
      run(async ({ terminal, signal, clock }) => {
        // The whole engine room comes with it: loaded by this command only.
        const { runDetectionBenchmark } = await import('../../../bench/detection-benchmark.ts');
        const { renderDetectionReport } = await import('../../../bench/detection-report.ts');
        return withTemporaryDirectory('detection', async (directory) => {
          const report = await runDetectionBenchmark({
            ...{ directory, ...sizes, nowMs: clock.nowMs(), signal, onProgress: terminal.note },
            prophet: prophet === undefined ? undefined : { python: prophet, fits },
          });
          terminal.printJson(report);
          terminal.print(plainBlock(renderDetectionReport(report)));
          return report.keepsUp ? EXIT.ok : EXIT.failure;
        });
      }),
    );
}

function readCount(least: number, most: number): (text: string) => number {
  return (text) => {
    const count = Number(text);
    if (/^\d{1,9}$/.test(text) && count >= least && count <= most) return count;
    throw new InvalidArgumentError(`A whole number from ${least} to ${most}.`);
  };
}
