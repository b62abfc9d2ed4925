/** `inquest simulate`: a load generator. A seeded shop sends OTLP to a host, past time first and fast, then as time passes. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { errorMessage, InputError } from '../../../platform/errors.ts';
import type { SimulationOptions } from '../../../simulator/simulation-options.ts';
import { writeTruth } from '../../../simulator/truth-document.ts';
import { openBatchFiles } from '../../../simulator/write-batches.ts';
import { type Cli, joinHost, pageOf, type RunWork, shellWord } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type FeedOptions, feedShop } from '../feed-shop.ts';
import { describeBottleneck, loadTable } from '../load-view.ts';
import { paragraph } from '../page.ts';
import { plainText } from '../plain-text.ts';
import { type LoadOptions, type LoadPlan, planLoad } from '../plan-load.ts';
import { faultOption, readDurationMs, readHttpUrl, readPositive, readSeed } from '../read-numbers.ts';
import { type LoadWatch, watchLoad } from '../watch-load.ts';
import { countOf, formatDuration } from '../words.ts';

export interface SimulateOptions extends LoadOptions {
  /** An older way to say --for. */
  readonly minutes?: number;
  readonly url?: string;
  readonly token?: string;
  readonly truth?: string;
}

const TRUTH_FILE = 'simulated-truth.json';

const EXAMPLES = `
Examples:
  a small shop, 45 minutes back and 10 to come:
    inquest simulate
  the same, and a minute from now something breaks:
    inquest simulate --fault bad-deploy --decoys
  as much load as the host takes:
    inquest simulate --rate max --for 1m
  files to keep, with the answer beside them:
    inquest simulate --out shop --fault dns-failure --decoys`;

export function addSimulateCommand(program: Command, run: RunWork): void {
  program
    .command('simulate')
    .description('send the telemetry of a simulated shop, as load or as an incident, and measure the rate')
    .addOption(faultOption('break something (default: nothing breaks)'))
    .addOption(durationOption('--fault-after <duration>', 'from the end of the history to the fault', 60_000, '1m'))
    .option('--decoys', 'innocent deploys, commits, flags and config around the fault')
    .option('--seed <number>', 'the same seed gives the same shop', readSeed, 1)
    .addOption(
      new Option('--rate <number|max>', 'user requests a second at average load, or as fast as the host takes them')
        .argParser(readRate)
        .default(5),
    )
    .addOption(durationOption('--for <duration>', 'how long it runs after the history', 600_000, '10m'))
    .addOption(new Option('--minutes <number>').argParser(readPositive).conflicts('for').hideHelp())
    .addOption(durationOption('--history <duration>', 'past time that is sent first, at full speed', 2_700_000, '45m'))
    .option('--fast', 'do not wait for time to pass: everything lies in the past and ends now')
    .option(
      '--url <url>',
      'OTLP/HTTP endpoint of another receiver (default: the host of the data directory)',
      readHttpUrl,
    )
    .option('--token <token>', 'bearer token for --url')
    .addOption(
      new Option('--out <directory>', 'write OTLP/JSON lines there instead of sending: inquest ingest reads them')
        .argParser(readPath)
        .conflicts(['url', 'token']),
    )
    .addOption(
      new Option(
        '--truth <file>',
        `where the answer to a fault goes (default: truth.json in --out, else ${TRUTH_FILE} in the data directory)`,
      ).argParser(readPath),
    )
    .addHelpText('after', EXAMPLES)
    .action((options: SimulateOptions) => run((cli) => simulate(cli, options)));
}

/** @param shown the default as help says it */
function durationOption(flags: string, description: string, defaultMs: number, shown: string): Option {
  return new Option(flags, description).argParser(readDurationMs).default(defaultMs, shown);
}

function readRate(text: string): number | 'max' {
  if (text === 'max') return text;
  try {
    return readPositive(text);
  } catch {
    throw new InvalidArgumentError('A number greater than 0, or max.');
  }
}

function readPath(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('Name a file or directory.');
  return resolve(text);
}

async function simulate(cli: Cli, options: SimulateOptions): Promise<ExitCode> {
  const { minutes } = options;
  const plan = planLoad(minutes === undefined ? options : { ...options, for: minutes * 60_000 }, cli.clock.nowMs());
  const target = await targetOf(cli, options, plan);
  const watch = watchLoad(cli.terminal, cli.clock, plan.presentMs);
  try {
    const truthFile = await tellTruth(cli, options, plan.simulation);
    sayWhatComes(cli, plan, 'write' in target ? target.directory : target.url);
    const isComplete = await feed(cli, plan, target, watch);
    watch.close();
    printLoad(cli, options, plan, watch, truthFile);
    if (!isComplete) return EXIT.interrupted;
    return watch.totals().rejected > 0 ? EXIT.failure : EXIT.ok;
  } finally {
    watch.close();
    if ('write' in target) await target.close();
  }
}

async function targetOf(
  cli: Cli,
  { out, url, token }: SimulateOptions,
  { connections }: LoadPlan,
): Promise<FeedOptions['target']> {
  if (out !== undefined) return openBatchFiles(out);
  const host = url === undefined ? await joinHost(cli) : { url, token };
  const { token: shown } = host;
  return { url: host.url, ...(shown === undefined ? {} : { token: shown }), connections, countRefusals: true };
}

/** Before anything is sent: who ends it early has the answer too. */
async function tellTruth(
  { config, terminal }: Cli,
  { out, truth }: SimulateOptions,
  simulation: SimulationOptions,
): Promise<string | undefined> {
  if (!simulation.fault) {
    if (truth !== undefined) throw new InputError('--truth needs a --fault: there is nothing to tell.');
    return undefined;
  }
  const file = truth ?? (out === undefined ? join(config.dataDir, TRUTH_FILE) : join(out, 'truth.json'));
  terminal.note('Running the time around the fault with it and without it, for the truth ...');
  const text = `${JSON.stringify(writeTruth(simulation), null, 2)}\n`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  } catch (error) {
    throw new InputError(`${file} cannot be written: ${errorMessage(error)}`, { cause: error });
  }
  return file;
}

function sayWhatComes({ terminal }: Cli, { simulation, wallMs }: LoadPlan, where: string): void {
  const isFlood = Number.isFinite(wallMs);
  const what = isFlood
    ? `as much as it takes for ${formatDuration(wallMs)}`
    : formatDuration(simulation.endMs - simulation.startMs);
  terminal.note(`Sending ${what} of a simulated shop, seed ${simulation.seed}, to ${where}. Ctrl-C ends it.`);
}

/** False when Ctrl-C ended it. */
async function feed(
  { terminal, clock, signal }: Cli,
  { simulation, wallMs }: LoadPlan,
  target: FeedOptions['target'],
  watch: LoadWatch,
): Promise<boolean> {
  const startedMs = performance.now();
  try {
    await feedShop({
      simulation,
      target,
      clock,
      signal,
      onBatch: watch.onBatch,
      onRetry: watch.onRetry,
      isEnough: async () => performance.now() - startedMs >= wallMs,
    });
    return true;
  } catch (error) {
    if (watch.totals().endMs === 0) throw error;
    if (signal.aborted) return false;
    terminal.noteLines(['Until then:', ...loadTable(watch.totals(), watch.phases())]);
    throw error;
  }
}

function printLoad(
  cli: Cli,
  { seed, rate, fault, out }: SimulateOptions,
  { simulation, wallMs }: LoadPlan,
  watch: LoadWatch,
  truthFile: string | undefined,
): void {
  const { terminal } = cli;
  const totals = watch.totals();
  const phases = watch.phases();
  const rates = Object.fromEntries(phases.map((phase) => [phase.name, phase.rates]));
  terminal.printJson({ seed, fault: simulation.fault ?? null, rate, ...totals, rates, truthFile: truthFile ?? null });
  const page = pageOf(cli);
  const sentMs = totals.endMs - simulation.startMs;
  const changes = totals.changes > 0 ? `, with ${countOf(totals.changes, 'change')}` : '';
  const refused = totals.reasons.map(plainText).join('; ');
  const lines = [
    ...paragraph(
      page,
      `${out === undefined ? 'Sent' : 'Wrote'} ${formatDuration(sentMs)} of a shop in ${formatDuration(totals.elapsedMs)}${changes}${fault ? `; ${fault} breaks it` : ''}.`,
    ),
    ...loadTable(totals, phases),
    ...(totals.rejected > 0
      ? paragraph(page, `REFUSED ${countOf(totals.rejected, 'record or change', 'records or changes')}: ${refused}`)
      : []),
    ...(Number.isFinite(wallMs) ? paragraph(page, describeBottleneck(totals)) : []),
    ...(truthFile === undefined ? [] : [`  The answer: ${shellWord(truthFile)}`]),
  ];
  terminal.print(lines.join('\n'));
}
