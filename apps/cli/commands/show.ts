/** `inquest show ID`: the report of an investigation as it stands. */
import type { Command } from 'commander';
import { joinHost, pageOf, type RunWork } from '../cli.ts';
import { EXIT } from '../exit-codes.ts';
import { renderReport } from '../render-report.ts';

export function addShowCommand(program: Command, run: RunWork): void {
  program
    .command('show')
    .description('show the report of an investigation')
    .argument('<id>', 'incident or investigation')
    .option('--full', 'also every finding, every vote, and the SQL behind every piece of evidence')
    .action((id: string, options: { full?: true }) =>
      run(async (cli) => {
        const { client } = await joinHost(cli);
        const investigation = await client.getInvestigation(id, cli.signal);
        cli.terminal.printJson(investigation);
        cli.terminal.print(renderReport(investigation, pageOf(cli), { full: options.full ?? false }));
        return EXIT.ok;
      }),
    );
}
