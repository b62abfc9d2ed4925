/** `inquest watch [ID]`: tasks, findings and votes of an investigation as they happen, those of before first. */
import type { Command } from 'commander';
import { InputError } from '../../../platform/errors.ts';
import { type Cli, joinHost, type RunWork } from '../cli.ts';
import { progressLogLines } from '../progress-view.ts';
import { exitOfInvestigation } from '../watch-investigation.ts';

type Client = Awaited<ReturnType<typeof joinHost>>['client'];

export function addWatchCommand(program: Command, run: RunWork): void {
  program
    .command('watch')
    .description('follow an investigation step by step (with --json: one document a line)')
    .argument('[id]', 'incident or investigation (default: the newest incident)')
    .action((id: string | undefined) =>
      run(async (cli) => {
        const { client } = await joinHost(cli);
        const watched = id ?? (await findNewest(cli, client));
        const { terminal, signal } = cli;
        for await (const progress of client.watchInvestigation(watched, signal)) {
          terminal.printJsonLine(progress);
          terminal.print(progressLogLines(progress, terminal.width).join('\n'));
        }
        return exitOfInvestigation(await client.getInvestigation(watched, signal));
      }),
    );
}

async function findNewest({ signal }: Cli, client: Client): Promise<string> {
  const { incidents } = await client.listIncidents(signal);
  const [newest] = [...incidents].sort((left, right) => right.openedAtMs - left.openedAtMs);
  if (newest) return newest.incidentId;
  throw new InputError(
    'There is no incident to watch yet: "inquest investigate --service NAME --since 15m" opens one.',
  );
}
