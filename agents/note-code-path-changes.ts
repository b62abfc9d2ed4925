/** Findings from changed code paths, which the log agent sees in templates and the trace agent in operations. */
import type { Task } from '../domain/investigation.ts';
import { formatInstant } from '../domain/time-window.ts';
import { rankCodePathChanges } from '../tools/read/rank-code-path-changes.ts';
import { type Notebook, percent } from './post-findings.ts';
import { rankingQuestion, WORTH_NOTING } from './ranking-question.ts';

/** Asks for one kind of element and notes what changed. */
export async function noteCodePathChanges(
  notebook: Notebook,
  task: Task,
  elements: 'operations' | 'log lines',
): Promise<void> {
  const asked = await notebook.ask(rankCodePathChanges, { ...rankingQuestion(task), elements });
  if (!asked) return;
  for (const change of asked.output.services.filter(({ strength }) => strength >= WORTH_NOTING)) {
    const { service, operation, element, strength, onsetMs } = change;
    const isError = /^log (ERROR|FATAL)/.test(element);
    const seen = percent(change.windowWith, change.windowUnits);
    const usual = percent(change.normalWith, change.normalUnits);
    notebook.note({
      // Both agents see the same thing: a path through the code that is no longer taken.
      observation: isError ? `logs:errors:${service}` : `code-path:${service}`,
      service,
      subject: element,
      window: task.scope.window,
      onsetMs,
      sentence: `${service} ${change.change === 'vanished' ? 'skips' : 'began to do'} "${element.slice(0, 160)}" in ${operation.slice(0, 80)}: ${seen} of its requests since ${formatInstant(onsetMs)}, ${usual} in normal time.`,
      evidenceIds: [asked.evidenceId],
      implications: [
        {
          service,
          causeType: isError ? 'errors' : 'code-path-change',
          stance: 'for',
          strength,
          canEcho: true,
          operation,
        },
      ],
      figures: {
        windowWith: change.windowWith,
        windowUnits: change.windowUnits,
        normalWith: change.normalWith,
        normalUnits: change.normalUnits,
      },
    });
  }
}
