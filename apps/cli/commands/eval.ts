/** `inquest eval run SUITE`: replays real cases and says how good the verdicts are. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { RunWork } from '../cli.ts';
import { EXIT } from '../exit-codes.ts';
import { plainBlock } from '../plain-text.ts';
import { formatDuration } from '../words.ts';

interface EvalRunOptions {
  readonly data?: string;
  readonly part: string;
  readonly predictions?: string;
  readonly only?: string;
}

export function addEvalCommand(program: Command, run: RunWork): void {
  const evaluate = program.command('eval').description('measure how good the verdicts are on known cases');
  evaluate
    .command('run')
    .description('replay every case of a suite into an empty database, investigate it, and score the verdicts')
    .argument('<suite>', 'name of the suite, for example simulator')
    .option('--data <dir>', 'folder of the data set (suites that make their own cases need none)')
    .option('--part <name>', 'part of the data set', 'dev')
    .option('--predictions <file>', 'also write one JSON line for each case')
    .option('--only <text>', 'only cases whose id contains this')
    .action((suite: string, options: EvalRunOptions) =>
      run(async ({ terminal, signal }) => {
        // The whole engine room comes with it: loaded by this command only.
        const { runSuite } = await import('../../../evals/run-suite.ts');
        const report = await runSuite({
          suite,
          dataDir: options.data === undefined ? undefined : resolve(options.data),
          part: options.part,
          predictionsPath: options.predictions,
          only: options.only,
          signal,
          onCase: ({ case_id, abstained, confidence, suspects, seconds }) => {
            const verdict = abstained ? 'abstains' : (suspects[0]?.service ?? 'nobody');
            const sure = `confidence ${confidence.toFixed(2)}, ${formatDuration(seconds * 1000)}`;
            terminal.note(`${case_id}: ${verdict}, ${sure}`);
          },
        });
        terminal.printJson(report);
        terminal.print(plainBlock(report.text));
        return EXIT.ok;
      }),
    );
}
