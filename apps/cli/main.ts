/** The command line: reads arguments, runs one command, and turns whatever happened into output and an exit status. */
import { resolve } from 'node:path';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { readInquestVersion } from '../../api/inquest-version.ts';
import { systemClock } from '../../platform/clock.ts';
import { loadProcessConfig } from '../../platform/config.ts';
import { type Cli, type RunWork, shellWord } from './cli.ts';
import { addAnomaliesCommand } from './commands/anomalies.ts';
import { addAskCommand } from './commands/ask.ts';
import { addAuditCommand } from './commands/audit.ts';
import { addBenchCommand } from './commands/bench.ts';
import { addCompletionCommand } from './commands/completion.ts';
import { addConfigCommand } from './commands/config.ts';
import { addApproveCommand, addRejectCommand } from './commands/decide.ts';
import { addDemoCommand } from './commands/demo.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addEvalCommand } from './commands/eval.ts';
import { addFeedbackCommand } from './commands/feedback.ts';
import { addIncidentsCommand } from './commands/incidents.ts';
import { addIngestCommand } from './commands/ingest.ts';
import { addInvestigateCommand } from './commands/investigate.ts';
import { addKafkaCommand } from './commands/kafka.ts';
import { addMcpCommand } from './commands/mcp.ts';
import { addRulesCommand } from './commands/rules.ts';
import { addShowCommand } from './commands/show.ts';
import { addSimulateCommand } from './commands/simulate.ts';
import { addStatusCommand } from './commands/status.ts';
import { addTokenCommand } from './commands/token.ts';
import { addTraceCommand } from './commands/trace.ts';
import { addVerifyCommand } from './commands/verify.ts';
import { addWatchCommand } from './commands/watch.ts';
import { addWorkersCommand } from './commands/workers.ts';
import { describeError } from './describe-error.ts';
import { EXIT, EXIT_HELP, type ExitCode } from './exit-codes.ts';
import { MIN_WIDTH } from './page.ts';
import { plainJson } from './plain-text.ts';
import { openTerminal } from './terminal.ts';

interface GlobalOptions {
  readonly dataDir?: string;
  readonly json?: true;
  readonly color: boolean;
  readonly width?: number;
}

/** The CLI's name as one types it here: a checkout has no `inquest` on the PATH. */
const NAME = import.meta.url.endsWith('.ts') ? ['npm', 'run', '-s', 'inquest', '--'] : ['inquest'];

/** Runs the command that `words` (without node and script) ask for; resolves with the exit status, never rejects. */
export async function main(words: readonly string[]): Promise<ExitCode> {
  const interrupted = new AbortController();
  const stopListening = abortOnSignals(interrupted);
  const stopWatching = stopWhenUnread(interrupted);
  let exitCode: ExitCode = EXIT.ok;
  const program = createProgram(async (work) => {
    exitCode = await work(openCli(program, interrupted.signal));
  });
  try {
    await program.parseAsync(words.length === 0 ? ['--help'] : [...withoutHelpFor(program, words)], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    if (!interrupted.signal.aborted) return report(error, words, program);
    if (!process.stdout.destroyed) process.stderr.write('inquest: interrupted\n');
    return EXIT.interrupted;
  } finally {
    stopListening();
    stopWatching();
  }
}

/** `help X` of an unknown X, as X: that says what X may have been meant to be. */
function withoutHelpFor(program: Command, words: readonly string[]): readonly string[] {
  const [first, second] = words;
  const isUnknown = second !== undefined && program.commands.every((each) => each.name() !== second);
  return first === 'help' && isUnknown ? words.slice(1) : words;
}

function createProgram(run: RunWork): Command {
  const program = new Command('inquest')
    .description('Finds out why production broke: OpenTelemetry in, a verdict with evidence out.')
    .version(readInquestVersion(), '-V, --version')
    .option('--data-dir <path>', 'where Inquest keeps everything (default: INQUEST_DATA_DIR or ~/.inquest)', readPath)
    .option('--json', 'one JSON document on stdout, nothing else')
    .option('--no-color', 'no colours (also: NO_COLOR)')
    .option(
      '--width <columns>',
      `columns of a report, at least ${MIN_WIDTH} (default: the terminal's, or 80)`,
      readWidth,
    )
    .addHelpText(
      'after',
      `\nThe host itself runs with: inquest serve [--help]. Other commands start one when there is none.\nProcesses that help hosts run with: inquest worker [--help].\n${EXIT_HELP}`,
    )
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeErr: () => undefined })
    .exitOverride();
  const add = [
    addDemoCommand,
    addIngestCommand,
    addSimulateCommand,
    addInvestigateCommand,
    addAskCommand,
    addWatchCommand,
    addWorkersCommand,
    addStatusCommand,
    addAnomaliesCommand,
    addIncidentsCommand,
    addShowCommand,
    addTraceCommand,
    addApproveCommand,
    addRejectCommand,
    addFeedbackCommand,
    addRulesCommand,
    addVerifyCommand,
    addAuditCommand,
    addMcpCommand,
    addTokenCommand,
    addKafkaCommand,
    addDoctorCommand,
    addConfigCommand,
    addCompletionCommand,
    addEvalCommand,
    addBenchCommand,
  ];
  for (const addCommand of add) addCommand(program, run);
  return program;
}

/** An empty path would mean the current directory: an unset variable in a script, not a wish. */
function readPath(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('Name a directory.');
  return resolve(text);
}

function readWidth(text: string): number {
  const width = Number(text);
  if (!Number.isInteger(width) || width < MIN_WIDTH) throw new InvalidArgumentError(`At least ${MIN_WIDTH} columns.`);
  return width;
}

function openCli(program: Command, signal: AbortSignal): Cli {
  const options = program.opts<GlobalOptions>();
  const { dataDir } = options;
  return {
    terminal: openTerminal(process, { json: options.json ?? false, colour: options.color, width: options.width }),
    config: loadProcessConfig(dataDir === undefined ? {} : { INQUEST_DATA_DIR: dataDir }),
    clock: systemClock,
    signal,
    command: [...NAME, ...(dataDir === undefined ? [] : ['--data-dir', shellWord(dataDir)])],
  };
}

/** Says on stderr what went wrong; for machines the same as their one document on stdout. */
function report(error: unknown, words: readonly string[], program: Command): ExitCode {
  const [command] = words.flatMap((word) => program.commands.filter((each) => each.name() === word));
  const help = ['inquest', ...(command ? [command.name()] : []), '--help'].join(' ');
  const { exitCode, code, message } = describeError(error, help);
  process.stderr.write(`inquest: ${message}\n`);
  if (words.includes('--json')) process.stdout.write(`${plainJson({ error: { code, message } }, 2)}\n`);
  return exitCode;
}

/** `inquest ... | head`: whoever read has seen enough, which is no error; what runs is stopped as by Ctrl-C. */
function stopWhenUnread(controller: AbortController): () => void {
  const { stdout } = process;
  const stop = () => controller.abort();
  if (!stdout.listeners('error').includes(throwUnlessUnread)) stdout.on('error', throwUnlessUnread);
  stdout.on('error', stop);
  return () => void stdout.off('error', stop);
}

function throwUnlessUnread(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

/** The first signal asks the command to end, the second one ends the process. */
function abortOnSignals(controller: AbortController): () => void {
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort();
  };
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, onSignal);
  return () => {
    for (const name of names) process.off(name, onSignal);
  };
}
