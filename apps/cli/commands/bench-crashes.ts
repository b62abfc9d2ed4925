/** `inquest bench crashes`: kills a host, its engine and its clients under load, and compares what was promised with what is. */
import { type Command, Option } from 'commander';
import type { Protocol } from '../../../bench/crash-drill.ts';
import { withTemporaryDirectory } from '../../../platform/with-temporary-directory.ts';
import type { RunWork } from '../cli.ts';
import { EXIT } from '../exit-codes.ts';
import { plainBlock } from '../plain-text.ts';
import { readCount, readSeed } from '../read-numbers.ts';
import { formatDuration } from '../words.ts';

/** Named here too: the engine room is loaded by the run, not by the help. */
const PROTOCOLS: readonly Protocol[] = ['http', 'grpc'];

interface CrashesOptions {
  readonly kills: number;
  readonly seed: number;
  readonly protocol: Protocol;
}

export function addBenchCrashesCommand(bench: Command, run: RunWork): void {
  bench
    .command('crashes')
    .description(
      'kill -9 a host, its engine and its clients under load, and stop the host in order; compare what was acknowledged with what is stored',
    )
    .option('--kills <number>', 'of each', readCount, 10)
    .option('--seed <number>', 'the same seed kills at the same moments', readSeed, 1)
    .addOption(new Option('--protocol <name>', 'how telemetry is sent').choices(PROTOCOLS).default('http'))
    .action(({ kills, seed, protocol }: CrashesOptions) =>
      run(async ({ terminal, signal }) => {
        // The whole engine room comes with it: loaded by this command only.
        const { runCrashDrill } = await import('../../../bench/crash-drill.ts');
        const { renderCrashReport, reportCrashes } = await import('../../../bench/crash-report.ts');
        return withTemporaryDirectory('crashes', async (directory) => {
          const rounds = await runCrashDrill({
            directory,
            kills: { host: kills, engine: kills, client: kills, restart: kills },
            seed,
            protocol,
            signal,
            onRound: ({ victim, number, killedAfterMs, investigation, acknowledgedRecords, lostRecords, trace }) => {
              const books = `${acknowledgedRecords} records acknowledged, ${lostRecords} lost`;
              const moment = `killed after ${formatDuration(killedAfterMs)}`;
              terminal.note(`${victim} ${number} of ${kills}, ${moment}: ${books}, investigation ${investigation}`);
              if (trace !== undefined) terminal.note(trace);
            },
          });
          const report = reportCrashes(seed, rounds);
          terminal.printJson(report);
          terminal.print(plainBlock(renderCrashReport(report)));
          return report.sound ? EXIT.ok : EXIT.failure;
        });
      }),
    );
}
