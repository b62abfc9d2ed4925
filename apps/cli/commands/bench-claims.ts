/** `inquest bench claims`: how many tasks a second processes can claim from one Redis, through Redlock and without. */
import type { Command } from 'commander';
import type { RunWork } from '../cli.ts';
import { EXIT } from '../exit-codes.ts';
import { plainBlock } from '../plain-text.ts';
import { readCount } from '../read-numbers.ts';

const PROCESSES = [1, 2, 4, 8];

export function addBenchClaimsCommand(bench: Command, run: RunWork): void {
  bench
    .command('claims')
    .description('claim tasks from a real Redis with 1, 2, 4 and 8 processes, through Redlock and by one Lua script')
    .option('--tasks <number>', 'for each process', readCount, 500)
    .action(({ tasks }: { tasks: number }) =>
      run(async ({ terminal, signal }) => {
        const { runClaimsBenchmark } = await import('../../../bench/claims-benchmark.ts');
        const { renderClaimsReport } = await import('../../../bench/claims-report.ts');
        const report = await runClaimsBenchmark({
          ...{ processes: PROCESSES, tasksPerProcess: tasks, signal },
          onProgress: terminal.note,
        });
        terminal.printJson(report);
        terminal.print(plainBlock(renderClaimsReport(report)));
        return report.sound ? EXIT.ok : EXIT.failure;
      }),
    );
}
