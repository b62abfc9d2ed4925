/** The changes that a report shows beside its verdict: those before and during the trouble. */
import type { Change } from '../domain/change.ts';
import type { Scope } from '../domain/investigation.ts';
import { listChanges } from '../tools/read/list-changes.ts';
import { runTool, type ToolContext } from '../tools/tool.ts';

const LOOKBACK_MS = 3_600_000;

export async function readChangesOfScope(scope: Scope, context: ToolContext): Promise<Change[]> {
  const window = { startMs: scope.onsetGrid.firstMs - LOOKBACK_MS, endMs: scope.window.endMs };
  const outcome = await runTool(listChanges, { window }, context);
  return outcome.ok ? [...outcome.output.changes] : [];
}
