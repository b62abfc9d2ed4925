/** Watches an investigation to its end or its question, showing who does what on stderr; ends early on Ctrl-C only. */
import type { ApiClient } from '../../api/api-client.ts';
import type { Investigation } from '../../domain/investigation.ts';
import { type Cli, pageOf, shellWord } from './cli.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { commandLines } from './page.ts';
import { addProgress, emptyProgressView, progressLines, progressLogLines } from './progress-view.ts';

/** @param id of the incident or the investigation */
export async function watchInvestigation(cli: Cli, client: ApiClient, id: string): Promise<Investigation> {
  const { terminal, signal } = cli;
  const block = terminal.openBlock();
  let view = emptyProgressView;
  try {
    for await (const progress of client.watchInvestigation(id, signal)) {
      view = addProgress(view, progress);
      if (block) block.update(progressLines(view, id));
      else if (progress.kind !== 'task-posted') terminal.noteLines(progressLogLines(progress, terminal.width));
    }
    block?.close();
    return await client.getInvestigation(id, signal);
  } catch (error) {
    block?.close();
    if (signal.aborted) noteLeftRunning(cli, id);
    throw error;
  }
}

function noteLeftRunning(cli: Cli, id: string): void {
  cli.terminal.note('');
  cli.terminal.note('Stopped watching. The investigation goes on in the host; see it with:');
  cli.terminal.noteLines(commandLines({ ...pageOf(cli), palette: cli.terminal.notePalette }, 'show', shellWord(id)));
}

/** How an investigation ended, for scripts. */
export function exitOfInvestigation({ status, verdict }: Investigation): ExitCode {
  if (status === 'awaiting-approval') return EXIT.awaitingApproval;
  return verdict?.outcome === 'root-cause' ? EXIT.ok : EXIT.undecided;
}
