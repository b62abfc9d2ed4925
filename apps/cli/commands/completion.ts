/** `inquest completion`: a script that teaches a shell the commands and flags, written from the commands themselves. */
import { type Command, InvalidArgumentError } from 'commander';
import type { RunWork } from '../cli.ts';
import { EXIT } from '../exit-codes.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

export function addCompletionCommand(program: Command, run: RunWork): void {
  program
    .command('completion')
    .description('print a completion script for bash, zsh or fish')
    .argument('<shell>', SHELLS.join(', '), readShell)
    .addHelpText(
      'after',
      `
Examples:
  source <(inquest completion bash)             # in ~/.bashrc
  source <(inquest completion zsh)              # in ~/.zshrc, after compinit
  inquest completion fish > ~/.config/fish/completions/inquest.fish`,
    )
    .action((shell: Shell) =>
      run(async (cli) => {
        const script = writeCompletion(shell, program);
        cli.terminal.printJson({ shell, script });
        cli.terminal.print(script);
        return EXIT.ok;
      }),
    );
}

function readShell(text: string): Shell {
  const shell = SHELLS.find((name) => name === text);
  if (!shell) throw new InvalidArgumentError(`One of ${SHELLS.join(', ')}.`);
  return shell;
}

interface CommandWords {
  /** `audit`, or `audit verify` for a command of a command. */
  readonly path: string;
  readonly about: string;
  /** Subcommands and long flags. */
  readonly words: readonly string[];
}

/** Every command with what may follow it; the empty path is the program itself. */
function listCommands(command: Command, path = ''): CommandWords[] {
  const { commands } = command;
  const flags = command.options.flatMap(({ long }) => long ?? []);
  const own = {
    path,
    about: command.description(),
    words: [...commands.map((each) => each.name()), ...flags, '--help'],
  };
  return [own, ...commands.flatMap((each) => listCommands(each, `${path} ${each.name()}`.trim()))];
}

/** Descriptions are ours, but a quote in one would end the string it stands in. */
const quoted = (text: string) => `'${text.replaceAll("'", '’')}'`;

export function writeCompletion(shell: Shell, program: Command): string {
  const commands = listCommands(program);
  // The host is started by the launcher, not by this program.
  const processes = [
    { path: 'serve', about: 'run the host', words: ['--help'] },
    { path: 'worker', about: 'help hosts investigate', words: ['--help'] },
  ];
  const own = processes.map(({ path }) => path);
  const all = [...commands, ...processes].map((one) =>
    one.path === '' ? { ...one, words: [...own, ...one.words] } : one,
  );
  return { bash: writeBash, zsh: writeZsh, fish: writeFish }[shell](all);
}

/** The words of the longest command that the line begins with; files where nothing fits. */
function writeBash(commands: readonly CommandWords[]): string {
  const cases = commands.map(({ path, words }) => `    ${quoted(path)}) words=${quoted(words.join(' '))} ;;`);
  return `_inquest() {
  local path='' word words
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) continue ;; esac
    case "$path $word" in
${commands
  .filter(({ path }) => path !== '')
  .map(({ path }) => `      ${quoted(path.includes(' ') ? path : ` ${path}`)}) path=${quoted(path)} ;;`)
  .join('\n')}
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _inquest inquest`;
}

/** zsh runs the same function through its own emulation of bash's completion. */
function writeZsh(commands: readonly CommandWords[]): string {
  return `autoload -U +X bashcompinit && bashcompinit\n${writeBash(commands)}`;
}

function writeFish(commands: readonly CommandWords[]): string {
  const top = commands.filter(({ path }) => path !== '' && !path.includes(' '));
  const names = top.map(({ path }) => path).join(' ');
  const lines = top.flatMap(({ path, about, words }) => [
    `complete -c inquest -f -n ${quoted(`not __fish_seen_subcommand_from ${names}`)} -a ${path} -d ${quoted(about)}`,
    ...words.map((word) =>
      word.startsWith('--')
        ? `complete -c inquest -n ${quoted(`__fish_seen_subcommand_from ${path}`)} -l ${word.slice(2)}`
        : `complete -c inquest -n ${quoted(`__fish_seen_subcommand_from ${path}`)} -a ${word}`,
    ),
  ]);
  const global = commands.find(({ path }) => path === '')?.words.filter((word) => word.startsWith('--')) ?? [];
  return [...lines, ...global.map((word) => `complete -c inquest -l ${word.slice(2)}`)].join('\n');
}
