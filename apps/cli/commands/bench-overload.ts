/** `inquest bench overload`: more telemetry than the store can take, and a store that stands still. */
import type { Command } from 'commander';
import { withTemporaryDirectory } from '../../../platform/with-temporary-directory.ts';
import type { RunWork } from '../cli.ts';
import { EXIT } from '../exit-codes.ts';
import { plainBlock } from '../plain-text.ts';
import { readCount } from '../read-numbers.ts';

interface OverloadFlags {
  readonly seconds: number;
  readonly clients: number;
}

const OVERLOAD_RECORDS_PER_REQUEST = 4_000;

export function addBenchOverloadCommand(bench: Command, run: RunWork): void {
  bench
    .command('overload')
    .description(
      'send more than the store can take, then freeze its engine; compare what was acknowledged with what is stored',
    )
    .option('--seconds <number>', 'of each overload', readCount, 20)
    .option('--clients <number>', 'that send at the same time, without a pause', readCount, 128)
    .action(({ seconds, clients }: OverloadFlags) =>
      run(async ({ terminal, signal }) => {
        const { runOverloadDrill } = await import('../../../bench/overload-drill.ts');
        const { renderOverloadReport, reportOverload } = await import('../../../bench/overload-report.ts');
        return withTemporaryDirectory('overload', async (directory) => {
          const recordsPerRequest = OVERLOAD_RECORDS_PER_REQUEST;
          const report = reportOverload(
            await runOverloadDrill({ directory, seconds, clients, recordsPerRequest, signal }),
          );
          terminal.printJson(report);
          terminal.print(plainBlock(renderOverloadReport(report)));
          return report.sound ? EXIT.ok : EXIT.failure;
        });
      }),
    );
}
