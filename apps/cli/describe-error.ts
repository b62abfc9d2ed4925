/** What a thrown value means to the person at the terminal: a message, and the process's exit status. */
import { CommanderError } from 'commander';
import { AppError, ConfigError, errorMessage, InputError } from '../../platform/errors.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { plainBlock, plainText } from './plain-text.ts';

export interface DescribedError {
  readonly exitCode: ExitCode;
  readonly code: string;
  /** One line for wrong usage; may have more for failures. */
  readonly message: string;
}

/** @param helpCommand what prints the help that belongs here, for example `inquest show --help` */
export function describeError(error: unknown, helpCommand: string): DescribedError {
  if (error instanceof CommanderError) return describeUsage(error, helpCommand);
  if (!(error instanceof AppError)) {
    const message = `Inquest made a mistake: ${plainBlock(error instanceof Error ? (error.stack ?? error.message) : errorMessage(error))}`;
    return { exitCode: EXIT.failure, code: 'invariant-violated', message };
  }
  const exitCode = exitCodeOf(error);
  if (exitCode !== EXIT.usage) return { exitCode, code: error.code, message: plainBlock(error.message) };
  const help = error instanceof InputError ? ` Help: ${helpCommand}` : '';
  return { exitCode, code: error.code, message: plainText(error.message) + help };
}

function exitCodeOf(error: AppError): ExitCode {
  if (error.code === 'not-found') return EXIT.notFound;
  const isUsage = (error instanceof InputError && error.code === 'invalid-input') || isPlainConfigError(error);
  return isUsage ? EXIT.usage : EXIT.failure;
}

/** A host that did not start brings the end of its log along: that is a failure, with its lines. */
function isPlainConfigError(error: AppError): boolean {
  return error instanceof ConfigError && !error.message.includes('\n');
}

/** The one command that commander does not know: the launcher starts the host. */
function hintAtServe({ code, message }: CommanderError): string {
  const word = code === 'commander.unknownCommand' ? /'(s[erv]{2,5})'/i.exec(message)?.[1] : undefined;
  if (word === undefined || message.includes('Did you mean')) return '';
  return word === 'serve' ? ' here: it comes first (inquest serve --help)' : ' (did you mean serve?)';
}

/** Commander's `error: ...`, with its `(Did you mean ...?)` on the same line. */
function describeUsage(error: CommanderError, helpCommand: string): DescribedError {
  // The code of a command that needs another word behind it.
  const isIncomplete = error.code === 'commander.help';
  const said = isIncomplete ? 'say what to do' : error.message.replace(/^error: /, '').replace(/\n\(Did/, ' (did');
  const message = plainText(`${said}${hintAtServe(error)}`);
  return {
    exitCode: EXIT.usage,
    code: 'invalid-input',
    message: `${message}${/[.?!]$/.test(message) ? '' : '.'} Help: ${helpCommand}`,
  };
}
