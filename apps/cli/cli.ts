/** What every command is given: the terminal, the configuration, a signal that Ctrl-C aborts, and the way to a host. */
import { homedir } from 'node:os';
import { createApiClient } from '../../api/api-client.ts';
import { type JoinedHost, joinOrStartHost } from '../../api/join-or-start-host.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Config } from '../../platform/config.ts';
import type { ExitCode } from './exit-codes.ts';
import type { Page } from './page.ts';
import type { Terminal } from './terminal.ts';

export interface Cli {
  readonly terminal: Terminal;
  readonly config: Config;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How this CLI is started here, word by word, with the options that other commands need again. */
  readonly command: readonly string[];
}

/** Runs a command's work with its Cli; the status becomes the process's exit status. */
export type RunWork = (work: (cli: Cli) => Promise<ExitCode>) => Promise<void>;

/** The host of the data directory, started when there is none; shown the caller's own token where one is configured. */
export async function joinHost({ config, signal }: Cli): Promise<JoinedHost> {
  const host = await joinOrStartHost({ dataDir: config.dataDir, signal });
  const token = config.access.token?.reveal();
  return token === undefined ? host : { ...host, token, client: createApiClient({ url: host.url, token }) };
}

export function pageOf({ terminal, command }: Cli): Page {
  return { width: terminal.width, palette: terminal.palette, command };
}

/** The same CLI on another data directory. */
export function withDataDir(cli: Cli, dataDir: string): Cli {
  const at = cli.command.indexOf('--data-dir');
  const bare = at === -1 ? cli.command : cli.command.toSpliced(at, 2);
  return { ...cli, config: { ...cli.config, dataDir }, command: [...bare, '--data-dir', shellWord(dataDir)] };
}

/** A path or word as one types it into a shell: the home directory as `~`, quoted only where it has to be. */
export function shellWord(word: string): string {
  const home = homedir();
  const isInHome = word.startsWith(`${home}/`);
  const rest = isInHome ? word.slice(home.length + 1) : word;
  const quoted = /^[\w@%+=:,./-]+$/.test(rest) ? rest : `'${rest.replaceAll("'", `'\\''`)}'`;
  return isInHome ? `~/${quoted}` : quoted;
}
