/** `inquest bench crashes`: kills a host, its engine and its clients under load, and compares what was promised with what is. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { RunWork } from '../cli.ts';
import { EXIT } from '../exit-codes.ts';
import { plainBlock } from '../plain-text.ts';
import { readSeed } from '../read-numbers.ts';
import { formatDuration } from '../words.ts';

interface CrashesOptions {
  readonly kills: number;
  readonly seed: number;
}

export function addBenchCommand(program: Command, run: RunWork): void {
  const bench = program.command('bench').description('measure what Inquest promises, on this machine');
  bench
    .command('crashes')
    .description(
      'kill -9 a host, its engine and its clients under load, and stop the host in order; compare what was acknowledged with what is stored',
    )
    .option('--kills <number>', 'of each', readKills, 10)
    .option('--seed <number>', 'the same seed kills at the same moments', readSeed, 1)
    .action(({ kills, seed }: CrashesOptions) =>
      run(async ({ terminal, signal }) => {
        // The whole engine room comes with it: loaded by this command only.
        const { runCrashDrill } = await import('../../../bench/crash-drill.ts');
        const { renderCrashReport, reportCrashes } = await import('../../../bench/crash-report.ts');
        const directory = mkdtempSync(join(tmpdir(), 'inquest-crashes-'));
        try {
          const rounds = await runCrashDrill({
            directory,
            kills: { host: kills, engine: kills, client: kills, restart: kills },
            seed,
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
        } finally {
          rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
        }
      }),
    );
}

function readKills(text: string): number {
  const kills = Number(text);
  if (Number.isInteger(kills) && kills >= 1 && kills <= 1_000) return kills;
  throw new InvalidArgumentError('A whole number from 1 to 1000.');
}
