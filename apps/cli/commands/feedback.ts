/** `inquest feedback ID`: a person's word on an anomaly or incident, that detection learns from. */
import type { Command } from 'commander';
import { InputError } from '../../../platform/errors.ts';
import { joinHost, pageOf, type RunWork } from '../cli.ts';
import { EXIT } from '../exit-codes.ts';
import { renderLesson } from '../render-rules.ts';
import { AS_OPTION, speakerOf } from '../speaker.ts';

interface FeedbackOptions {
  readonly noise?: true;
  readonly real?: true;
  readonly reason: string;
  readonly as?: string;
}

export function addFeedbackCommand(program: Command, run: RunWork): void {
  program
    .command('feedback')
    .description('say that an incident or anomaly is noise or real; detection learns from it')
    .argument('<id>', 'incident or anomaly')
    .option('--noise', 'it is not a problem: raises the bar of its series for now, and proposes a rule')
    .option('--real', 'it is one: puts the bar back, and revokes rules that would hide it')
    .option('--reason <text>', 'why, for the record', '')
    .option(...AS_OPTION)
    .addHelpText(
      'after',
      `
A proposed rule hides nothing until somebody accepts it (inquest rules accept ID).

Examples:
  inquest feedback inc_06bq3s9x0e2k7m --noise --reason "the nightly import"
  inquest feedback anom_8c1d22f0a3b4 --real`,
    )
    .action((id: string, { noise, real, reason, as }: FeedbackOptions) =>
      run(async (cli) => {
        if (noise === real) throw new InputError('Say which: --noise or --real.');
        const by = speakerOf(cli, as);
        const { client } = await joinHost(cli);
        const lesson = await client.giveFeedback(id, { judgement: noise ? 'noise' : 'real', reason, by }, cli.signal);
        cli.terminal.printJson(lesson);
        cli.terminal.print(renderLesson(lesson, pageOf(cli)));
        return EXIT.ok;
      }),
    );
}
