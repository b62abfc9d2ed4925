/** Answers "why": convenes the jury over the time in question and says what it found, or that it cannot tell. */
import { formatQuantity } from '../../domain/quantity.ts';
import { durationMs } from '../../domain/time-window.ts';
import { type Asking, type Said, tableOf } from './asking.ts';

/** The jury finds the onset itself, and needs to see normal time before it. */
const MIN_SEARCH_MS = 60 * 60_000;

export async function answerWhy({ question, investigate, context }: Asking): Promise<Said> {
  const [service = ''] = question.services;
  const { window } = question.time;
  const searchWindow =
    durationMs(window) < MIN_SEARCH_MS
      ? { startMs: Math.max(0, window.endMs - MIN_SEARCH_MS), endMs: window.endMs }
      : window;
  const title = service === '' ? 'Asked for a cause' : `Asked why ${service} is in trouble`;
  const found = await investigate({ service, window: searchWindow, title }, context.signal);
  const { investigationId, suspects, isAbstention, confidence, onsetMs, missing, evidenceIds } = found;
  const since = onsetMs === undefined ? '' : ` Trouble began at ${formatQuantity('instant', onsetMs)} UTC.`;
  const [first] = suspects;
  const more = {
    window: searchWindow,
    investigationId,
    evidenceIds,
    notes: [`inquest show ${investigationId} shows the whole report.`],
  };
  if (isAbstention || !first) {
    const lead = first ? ` The nearest lead is ${first.service}: ${first.statement.replace(/\.$/, '')}.` : '';
    const gaps = missing.length > 0 ? ` Missing: ${missing.slice(0, 3).join('; ')}.` : '';
    return {
      kind: 'answered',
      text: `I cannot tell: the evidence is not enough to accuse anybody.${lead}${gaps}`,
      ...more,
    };
  }
  const columns = [
    ...['suspect', 'why'].map((heading) => ({ heading, quantity: 'text' as const })),
    { heading: 'score', quantity: 'ratio' as const },
  ];
  const rows = suspects.slice(0, 5).map((suspect) => [suspect.service, suspect.statement, suspect.score]);
  return {
    kind: 'answered',
    text: `${first.service}: ${first.statement} (confidence ${formatQuantity('ratio', confidence)}).${since}`,
    tables: suspects.length > 1 ? [tableOf(columns, rows, { totalRows: suspects.length })] : [],
    ...more,
  };
}
