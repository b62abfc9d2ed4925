/** `inquest eval run SUITE`: replays real cases and says how good the verdicts are. */
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { DETECTION_PARTS, type DetectionPart } from '../../../domain/anomaly.ts';
import type { RunWork } from '../cli.ts';
import { EXIT } from '../exit-codes.ts';
import { plainBlock } from '../plain-text.ts';
import { formatDuration } from '../words.ts';

interface EvalRunOptions {
  readonly data: readonly string[];
  readonly without: readonly DetectionPart[];
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
    .addOption(dataOption())
    .option('--part <name>', 'part of the data set', 'dev')
    .option('--predictions <file>', 'also write one JSON line for each case')
    .option('--only <text>', 'only cases whose id contains this')
    .addOption(withoutOption('leave a part of detection out, to see what it is worth'))
    .action((suite: string, options: EvalRunOptions) =>
      run(async ({ terminal, signal }) => {
        // The whole engine room comes with it: loaded by this command only.
        const { runSuite } = await import('../../../evals/run-suite.ts');
        const report = await runSuite({
          suite,
          dataDirs: options.data.map((dir) => resolve(dir)),
          without: new Set(options.without),
          note: (line) => terminal.note(line),
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
  evaluate
    .command('ablate')
    .description(
      'run a suite of detection with everything, then with one part after the other left out, and print the table',
    )
    .argument('<suite>', 'name of the suite, for example fault-detection')
    .addOption(dataOption())
    .option('--part <name>', 'part of the data set', 'dev')
    .option('--only <text>', 'only cases whose id contains this')
    .addOption(withoutOption('only these parts (each of them where none is named)'))
    .action((suite: string, options: EvalRunOptions) =>
      run(async ({ terminal, signal }) => {
        const { ablateSuite } = await import('../../../evals/ablate-suite.ts');
        const report = await ablateSuite({
          suite,
          dataDirs: options.data.map((dir) => resolve(dir)),
          parts: options.without,
          note: (line) => terminal.note(line),
          part: options.part,
          only: options.only,
          signal,
        });
        terminal.printJson(report);
        terminal.print(plainBlock(report.text));
        return EXIT.ok;
      }),
    );
}

function dataOption(): Option {
  const description =
    'folder of the data set; twice where a suite takes two (suites that make their own cases need none)';
  return new Option('--data <dir>', description)
    .argParser((dir: string, before: readonly string[]) => [...before, dir])
    .default([], 'none');
}

function withoutOption(description: string): Option {
  return new Option('--without <part>', `${description}: ${DETECTION_PARTS.join(', ')}`)
    .argParser((text: string, before: readonly DetectionPart[]) => [...before, readPart(text)])
    .default([], 'none');
}

function readPart(text: string): DetectionPart {
  const part = DETECTION_PARTS.find((each) => each === text);
  if (part === undefined) throw new InvalidArgumentError(`Parts of detection: ${DETECTION_PARTS.join(', ')}.`);
  return part;
}
