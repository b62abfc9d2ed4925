/** `inquest ask QUESTION`: a question in plain language; without one, a conversation at the terminal. */
import { createInterface } from 'node:readline';
import { type Command, Option } from 'commander';
import type { AskOutput } from '../../../api/api-shapes.ts';
import { parseInstantMs } from '../../../domain/time-window.ts';
import { AppError, InputError, InvariantError } from '../../../platform/errors.ts';
import { type Cli, joinHost, pageOf, type RunWork } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { renderAnswer } from '../render-answer.ts';

interface AskOptions {
  readonly by: 'auto' | 'grammar' | 'model';
  readonly conversation?: string;
  readonly at?: string;
}

const EXAMPLES = `
Understood without any language model: rates, durations, errors, the most of something, over time, by
service, operation, pod, version or any attribute, before and after, changes, log lines, metrics, traces,
who calls whom, and why. A configured model (INQUEST_LLM_URL) answers what rules do not understand.
Without a question: a conversation, one question a line, that remembers what was asked before.

Examples:
  inquest ask p95 of checkout since 10:00
  inquest ask "which service has the most errors in the last hour?"
  inquest ask what changed before 11:00
  inquest ask why is checkout slow`;

export function addAskCommand(program: Command, run: RunWork): void {
  program
    .command('ask')
    .description('ask a question in plain language; every figure of the answer comes with its evidence')
    .argument('[question...]', 'the question, quoted or not')
    .addOption(
      new Option('--by <who>', 'auto: rules, then a configured model; grammar: rules only; model: always the model')
        .choices(['auto', 'grammar', 'model'])
        .default('auto'),
    )
    .option('--conversation <id>', 'go on from an earlier answer (its --json names it)')
    .option('--at <time>', 'as if asked at that moment: for recordings')
    .addHelpText('after', EXAMPLES)
    .action((words: string[], options: AskOptions) =>
      run(async (cli) => {
        const question = words.join(' ').trim();
        if (question !== '') return answerOne(cli, question, options);
        if (!process.stdin.isTTY || cli.terminal.json) {
          throw new InputError('What is the question? Write it behind the command: inquest ask p95 of checkout.');
        }
        return converse(cli, options);
      }),
    );
}

async function answerOne(cli: Cli, question: string, options: AskOptions): Promise<ExitCode> {
  const answer = await ask(cli, question, options);
  cli.terminal.printJson(answer);
  cli.terminal.print(renderAnswer(answer, pageOf(cli), momentOf(cli, options)));
  return answer.kind === 'declined' ? EXIT.undecided : EXIT.ok;
}

async function ask(cli: Cli, question: string, options: AskOptions): Promise<AskOutput> {
  const { client } = await joinHost(cli);
  const { by, conversation, at } = options;
  const more = {
    ...(conversation === undefined ? {} : { conversationId: conversation }),
    ...(at === undefined ? {} : { nowMs: momentOf(cli, options) }),
  };
  return client.ask({ question, by, ...more }, cli.signal);
}

function momentOf({ clock }: Cli, { at }: AskOptions): number {
  return at === undefined ? clock.nowMs() : parseInstantMs(at, clock.nowMs());
}

/** Until the end of input, an empty line, or Ctrl-C. A question that fails does not end it. */
async function converse(cli: Cli, options: AskOptions): Promise<ExitCode> {
  const lines = createInterface({ input: process.stdin, output: process.stderr, prompt: '? ' });
  // At a terminal that is read key by key, Ctrl-C is a key.
  const interrupted = new AbortController();
  const signal = AbortSignal.any([cli.signal, interrupted.signal]);
  lines.on('SIGINT', () => interrupted.abort());
  signal.addEventListener('abort', () => lines.close(), { once: true });
  let conversation = options.conversation;
  cli.terminal.note('Ask in plain language; an empty line ends.');
  lines.prompt();
  for await (const line of lines) {
    if (line.trim() === '') break;
    conversation = await answerLine({ ...cli, signal }, line.trim(), { ...options, ...named(conversation) });
    lines.prompt();
  }
  lines.close();
  return signal.aborted ? EXIT.interrupted : EXIT.ok;
}

function named(conversation: string | undefined): Pick<AskOptions, 'conversation'> {
  return conversation === undefined ? {} : { conversation };
}

/** The conversation's name, from the first answer on. */
async function answerLine(cli: Cli, question: string, options: AskOptions): Promise<string | undefined> {
  try {
    const answer = await ask(cli, question, options);
    cli.terminal.print(`${renderAnswer(answer, pageOf(cli), momentOf(cli, options))}\n`);
    return answer.conversationId;
  } catch (error) {
    if (!(error instanceof AppError) || error instanceof InvariantError) throw error;
    cli.terminal.note(error.message);
    return options.conversation;
  }
}
