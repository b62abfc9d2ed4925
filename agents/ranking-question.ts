/** How a task becomes the question of a ranking tool. */
import type { Task } from '../domain/investigation.ts';
import type { RankingInput } from '../tools/onset-grid.ts';

/** Weaker than this is what normal time does every day; it would only fill the report. */
export const WORTH_NOTING = 0.05;

/** All telemetry of the scope, normal time and trouble, with its candidate onsets. */
export function rankingQuestion({ scope }: Task): RankingInput {
  return { window: { startMs: scope.baseline.startMs, endMs: scope.window.endMs }, onsets: scope.onsetGrid };
}
