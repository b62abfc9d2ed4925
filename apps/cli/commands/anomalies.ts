/** `inquest anomalies [ID]`: what is abnormal, also where no incident came of it; one of them explained. */
import type { Command } from 'commander';
import { InputError } from '../../../platform/errors.ts';
import { type Cli, joinHost, pageOf, type RunWork } from '../cli.ts';
import { EXIT } from '../exit-codes.ts';
import { readCount } from '../read-numbers.ts';
import { renderAnomalies, renderExplainedAnomaly } from '../render-anomalies.ts';

interface AnomaliesOptions {
  readonly since?: string;
  readonly until?: string;
  readonly service?: string;
  readonly all?: true;
  readonly limit?: number;
}

const MAX_LISTED = 200;
const EXAMPLES = `
Deviation says how far an anomaly is from its series' own past: 1.0x is the bar. Where signals agree,
or users are plainly hurt, an incident opens; what does not lead to one is listed as alone.

Examples:
  inquest anomalies --since 2h --service checkout
  inquest anomalies --all
  inquest anomalies anom_8c1d22f0a3b4
Times: 15m (ago), 10:30 (UTC), 2026-01-31T10:30:00Z, epoch seconds, now.`;

export function addAnomaliesCommand(program: Command, run: RunWork): void {
  program
    .command('anomalies')
    .description('list what is abnormal, also where no incident came of it; or explain one anomaly')
    .argument('[id]', 'an anomaly, to have it explained')
    .option('--since <time>', 'from when on (default: 1h)')
    .option('--until <time>', 'to when (default: now)')
    .option('--service <name>', 'of one service')
    .option('--all', 'also what rules hide, and what feedback lowered below the bar')
    .option('--limit <count>', 'so many at most (default: 50)', readCount)
    .addHelpText('after', EXAMPLES)
    .action((id: string | undefined, options: AnomaliesOptions) =>
      run(async (cli) => {
        if (id === undefined) await list(cli, options);
        else await explain(cli, id, options);
        return EXIT.ok;
      }),
    );
}

async function list(
  cli: Cli,
  { all = false, since = '1h', ...options }: Omit<AnomaliesOptions, 'all'> & { all?: boolean },
) {
  const { client } = await joinHost(cli);
  const limit = Math.min(options.limit ?? 50, MAX_LISTED);
  const question = { ...options, since, limit, show: all ? 'all' : 'shown' } as const;
  const answer = await client.listAnomalies(question, cli.signal);
  cli.terminal.printJson(answer);
  const span = { since, withHidden: all, isCut: answer.nextCursor !== undefined };
  cli.terminal.print(renderAnomalies(answer.anomalies, pageOf(cli), span));
}

async function explain(cli: Cli, id: string, options: AnomaliesOptions) {
  const [given] = Object.keys(options);
  if (given !== undefined) throw new InputError(`--${given} is for the list: leave it out with an anomaly's id.`);
  const { client } = await joinHost(cli);
  const explained = await client.getAnomaly(id, cli.signal);
  cli.terminal.printJson(explained);
  cli.terminal.print(renderExplainedAnomaly(explained, pageOf(cli)));
}
