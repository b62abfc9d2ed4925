/** Findings from changed code paths, which the log agent sees in templates and the trace agent in operations. */
import type { SignalGap, Task } from '../domain/investigation.ts';
import { formatInstant } from '../domain/time-window.ts';
import { rankCodePathChanges } from '../tools/read/rank-code-path-changes.ts';
import { type Notebook, percent } from './post-findings.ts';
import { rankingQuestion, WORTH_NOTING } from './ranking-question.ts';

const GAPS: Readonly<Record<'operations' | 'log lines', SignalGap>> = {
  operations: {
    signal: 'traces',
    service: '',
    what: 'no spans in the window: neither lost time nor failures can be located',
    remedy: 'Instrument the services with an OpenTelemetry SDK and send traces to the OTLP receiver.',
  },
  'log lines': {
    signal: 'logs',
    service: '',
    what: 'no log lines that belong to a traced request',
    remedy:
      'Send logs through OTLP with trace_id and span_id (log bridge of the SDK, or trace context in the log format).',
  },
};

/** Asks for one kind of element and notes what changed, or that there was nothing to compare. */
export async function noteCodePathChanges(
  notebook: Notebook,
  task: Task,
  elements: 'operations' | 'log lines',
): Promise<void> {
  const asked = await notebook.ask(rankCodePathChanges, { ...rankingQuestion(task), elements });
  if (!asked) return;
  if (asked.output.units === 0 || asked.output.elements === 0) notebook.missing(GAPS[elements]);
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
