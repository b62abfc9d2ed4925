/** `inquest demo`: the whole thread in a minute: a shop, a fault, detection, investigation, report, approval. */
import { join } from 'node:path';
import type { Command } from 'commander';
import type { JoinedHost } from '../../../api/join-or-start-host.ts';
import type { Investigation } from '../../../domain/investigation.ts';
import { ConfigError } from '../../../platform/errors.ts';
import type { FaultKind } from '../../../simulator/faults/fault-kinds.ts';
import { type Cli, joinHost, pageOf, type RunWork, shellWord, withDataDir } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type Judgement, judgeVerdict } from '../judge-verdict.ts';
import { wrapText } from '../layout.ts';
import { commandLines } from '../page.ts';
import { plainText } from '../plain-text.ts';
import { prepareDemoDirectory } from '../prepare-demo-directory.ts';
import { faultOption, readSeed } from '../read-numbers.ts';
import { renderReport } from '../render-report.ts';
import { stageIncident } from '../stage-incident.ts';
import { watchInvestigation } from '../watch-investigation.ts';
import { formatDuration } from '../words.ts';
import { decideAndPrint } from './decide.ts';

export interface DemoOptions {
  readonly fault: FaultKind;
  readonly seed: number;
  readonly yes?: true;
  readonly keep?: true;
}

export function addDemoCommand(program: Command, run: RunWork): void {
  program
    .command('demo')
    .description('watch Inquest solve a simulated incident, in a data directory of its own')
    .addOption(faultOption('what breaks').default('bad-deploy'))
    .option('--seed <number>', 'the same seed gives the same incident', readSeed, 1)
    .option('--yes', 'approve the proposal without asking')
    .option('--keep', "keep the earlier demo's data instead of starting empty")
    .addHelpText(
      'after',
      '\nThe exit status is 0 for any verdict, right or wrong, decided or left open; 3 when the jury abstains.',
    )
    .action((options: DemoOptions) =>
      run((cli) => runDemo(withDataDir(cli, join(cli.config.dataDir, 'demo')), options)),
    );
}

async function runDemo(cli: Cli, options: DemoOptions): Promise<ExitCode> {
  const { terminal } = cli;
  if (cli.config.clickhouse.url !== undefined) {
    throw new ConfigError(
      'CLICKHOUSE_URL is set, and a demo does not belong into a real database: unset it for this command.',
    );
  }
  const host = await startHost(cli, options.keep ?? false);
  const { incident, truth } = await stageIncident(cli, host, options);
  terminal.note('');
  const investigation = await watchInvestigation(cli, host.client, incident.incidentId);
  const judgement = judgeVerdict(investigation, truth);

  terminal.note('');
  terminal.print(renderReport(investigation, pageOf(cli)));
  terminal.print(`\n${renderJudgement(judgement, cli)}`);
  const decision = await decide(cli, host, investigation, options.yes ?? false);
  terminal.printJson({ investigation: decision ?? investigation, truth, judgement });
  return investigation.verdict?.outcome === 'root-cause' ? EXIT.ok : EXIT.undecided;
}

async function startHost(cli: Cli, keep: boolean): Promise<JoinedHost> {
  const { dataDir } = cli.config;
  await prepareDemoDirectory(dataDir, keep, cli.signal);
  const startedMs = performance.now();
  cli.terminal.note(`Starting a host with its own ClickHouse in ${shellWord(dataDir)} ...`);
  const host = await joinHost(cli);
  const { clickhouse } = await host.client.status(cli.signal);
  const took = formatDuration(performance.now() - startedMs);
  cli.terminal.note(`  ready after ${took}: ClickHouse ${clickhouse.engineVersion}, ${host.url}`);
  return host;
}

function renderJudgement({ outcome, sentence }: Judgement, cli: Cli): string {
  const { palette } = pageOf(cli);
  const paint = { right: palette.good, wrong: palette.bad, abstained: palette.warn }[outcome];
  return wrapText(plainText(sentence), pageOf(cli).width).map(paint).join('\n');
}

/** Asks where somebody can be asked; undefined when the question stays open. */
async function decide(
  cli: Cli,
  { client }: JoinedHost,
  { approval, incident }: Investigation,
  yes: boolean,
): Promise<Investigation | undefined> {
  if (!approval || approval.decision) return undefined;
  const { terminal, signal } = cli;
  terminal.note('');
  const key = yes ? 'y' : await terminal.askKey('Approve the proposal? [y]es, [n]o, [s]kip:', ['y', 'n', 's'], signal);
  if (key === 'y')
    return decideAndPrint(cli, client, approval, { outcome: 'approved', reason: yes ? 'demo --yes' : 'demo' });
  if (key === 'n') return decideAndPrint(cli, client, approval, { outcome: 'rejected', reason: 'demo' });
  terminal.note(
    key === 's'
      ? 'Left open. Decide whenever you like:'
      : 'Nobody is at the terminal: the proposal stays open. Decide with:',
  );
  const page = { ...pageOf(cli), palette: terminal.notePalette };
  const { incidentId } = incident;
  terminal.noteLines(commandLines(page, 'approve', incidentId));
  terminal.noteLines(commandLines(page, 'reject', incidentId, '--reason', '"..."'));
  return undefined;
}
