/** `inquest mcp`: the MCP server that an IDE starts, over standard input and output. Nothing else is ever written there. */
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { readInquestVersion } from '../../../api/inquest-version.ts';
import type { JoinedHost } from '../../../api/join-or-start-host.ts';
import { createInquestCatalogue } from '../../../mcp/inquest-catalogue.ts';
import { serveStdio } from '../../../mcp/serve-stdio.ts';
import { type Cli, joinHost, type RunWork } from '../cli.ts';
import { EXIT } from '../exit-codes.ts';

export function addMcpCommand(program: Command, run: RunWork): void {
  program
    .command('mcp')
    .description('speak the Model Context Protocol on stdin and stdout, for an IDE or agent that starts this')
    .addHelpText(
      'after',
      `
Joins the host of the data directory, or starts one with the first question. A host that runs already
speaks the same protocol at /mcp, with bearer tokens. Tools do what INQUEST_TOKEN may do.

Example:
  claude mcp add inquest -- inquest mcp`,
    )
    .action(() =>
      run(async (cli) => {
        await serveStdio({
          catalogue: createInquestCatalogue(),
          version: readInquestVersion(),
          connect: createJoiner(cli),
          nowMs: () => cli.clock.nowMs(),
          personName: userInfo().username,
          command: cli.command,
          stdin: process.stdin,
          stdout: process.stdout,
          signal: cli.signal,
        });
        return EXIT.ok;
      }),
    );
}

/** The host may end when idle and come back: each call joins it anew, and calls at the same time join it together. */
function createJoiner(cli: Cli): () => Promise<JoinedHost['client']> {
  let joining: Promise<JoinedHost> | undefined;
  return async () => {
    joining ??= joinHost(cli).finally(() => {
      joining = undefined;
    });
    return (await joining).client;
  };
}
