/** An answer to a question in plain language, for people: the sentence first, then figures, then what they rest on. Pure. */
import type { AskOutput } from '../../api/api-shapes.ts';
import type { AnswerChart, AnswerTable } from '../../domain/answer.ts';
import { formatQuantity, formatSpan } from '../../domain/quantity.ts';
import { drawLine, writeCells } from '../../domain/write-answer.ts';
import { shellWord } from './cli.ts';
import { table, textWidth, wrapText } from './layout.ts';
import { commandLines, labelled, type Page, paragraph } from './page.ts';
import { plainCopy } from './plain-text.ts';

const LABEL_WIDTH = 10;
/** Text columns may shrink to this; figures never do. */
const MIN_TEXT_WIDTH = 8;
const MAX_EVIDENCE = 6;
const STACK_INDENT = 4;
/** Lines of a long text. */
const MAX_STACKED = 3;

export function renderAnswer(raw: AskOutput, page: Page, nowMs: number): string {
  const answer = plainCopy(raw);
  const { palette } = page;
  const { kind, text, notes, tables, chart, suggestions, evidenceIds } = answer;
  const paint = kind === 'declined' ? palette.warn : palette.strong;
  return [
    ...paragraph(page, text).map(paint),
    ...notes.flatMap((note) => paragraph(page, note)).map(palette.faint),
    ...(chart ? ['', ...renderChart(chart, page)] : []),
    ...tables.flatMap((each) => ['', ...renderTable(each, page)]),
    ...(suggestions.length > 0 ? ['', ...paragraph(page, 'I can answer, for example:')] : []),
    ...suggestions.flatMap((question) => commandLines(page, 'ask', shellWord(question))),
    ...renderBasis(answer, page, nowMs),
    ...(evidenceIds[0] === undefined ? [] : commandLines(page, 'verify', evidenceIds[0])),
  ].join('\n');
}

function renderBasis(answer: AskOutput, page: Page, nowMs: number): string[] {
  const { understood, window, baseline, evidenceIds, by, usage } = answer;
  const span = window ? formatSpan(window, nowMs) : '';
  const against = baseline ? `, against ${formatSpan(baseline, nowMs)}` : '';
  const more = evidenceIds.length - MAX_EVIDENCE;
  const shown = `${evidenceIds.slice(0, MAX_EVIDENCE).join(' ')}${more > 0 ? ` +${more}` : ''}`;
  const cost = usage?.costUsd === undefined ? '' : `, ${usage.costUsd.toFixed(4)} USD`;
  const facts: [string, string][] = [
    ...(understood === '' ? [] : [['read as', understood] as [string, string]]),
    ...(span === '' ? [] : [['window', `${span}${against} (UTC)`] as [string, string]]),
    ...(by === 'model' ? [['by', `the model ${usage?.modelName ?? ''}`] as [string, string]] : []),
    ...(usage
      ? [['took', `${usage.calls} calls, ${usage.inputTokens + usage.outputTokens} tokens${cost}`] as [string, string]]
      : []),
    ...(evidenceIds.length === 0 ? [] : [['evidence', shown] as [string, string]]),
  ];
  const lines = facts.flatMap(([label, text]) => labelled(page, label, text, LABEL_WIDTH)).map(page.palette.faint);
  return lines.length > 0 ? ['', ...lines] : [];
}

function renderTable(answerTable: AnswerTable, page: Page): string[] {
  const [, ...rows] = writeCells(answerTable);
  const columns = answerTable.columns.map(({ heading, quantity }) => ({
    heading,
    ...(quantity === 'text' ? { minWidth: MIN_TEXT_WIDTH } : { align: 'right' as const }),
  }));
  const left = answerTable.totalRows - answerTable.rows.length;
  return [
    ...(hasLongText(answerTable, rows, page) ? stackRows(columns, rows, page) : drawRows(columns, rows, page)),
    ...(left > 0 ? [page.palette.faint(`  ... and ${left} more`)] : []),
  ];
}

type Columns = Parameters<typeof table>[0];

function drawRows(columns: Columns, rows: readonly (readonly string[])[], { width, palette }: Page): string[] {
  const [head = '', ...lines] = table(columns, rows, width - 2);
  return [palette.faint(`  ${head}`), ...lines.map((line) => `  ${line}`)];
}

/** A log line or a summary as the last column, too long to stand beside the others. */
function hasLongText({ columns }: AnswerTable, rows: readonly (readonly string[])[], { width }: Page): boolean {
  const widthOf = (index: number) => Math.max(...rows.map((row) => textWidth(row[index] ?? '')), 0);
  const total = columns.reduce((sum, _, index) => sum + widthOf(index) + 2, 0);
  return columns.length > 1 && columns.at(-1)?.quantity === 'text' && total > width - 2;
}

function stackRows(columns: Columns, rows: readonly (readonly string[])[], page: Page): string[] {
  const [head = '', ...lines] = drawRows(columns.slice(0, -1), rows, page);
  const texts = rows.map((row) =>
    wrapText(row.at(-1) ?? '', page.width - STACK_INDENT)
      .slice(0, MAX_STACKED)
      .map((line) => page.palette.faint(`${' '.repeat(STACK_INDENT)}${line}`)),
  );
  return [head, ...lines.flatMap((line, index) => [line, ...(texts[index] ?? [])])];
}

/** One character a step, with what the lowest and the highest stand for. */
function renderChart(chart: AnswerChart, page: Page): string[] {
  const room = page.width - 4;
  const values = squeeze(chart.values, room);
  const known = values.filter((value) => value !== null);
  const label = `${chart.label}, 0 to ${formatQuantity(chart.quantity, Math.max(...known, 0), chart.unit)}`;
  const end = chart.startMs + chart.values.length * chart.stepMs;
  const start = formatQuantity('instant', chart.startMs);
  const axis = `${start}${formatQuantity('instant', end).padStart(Math.max(10, values.length - start.length))}`;
  return [...paragraph(page, label).map(page.palette.faint), `  ${drawLine(values)}`, page.palette.faint(`  ${axis}`)];
}

/** As many values as there is room for: of those that share a column, the highest. */
function squeeze(values: readonly (number | null)[], room: number): (number | null)[] {
  const perColumn = Math.ceil(values.length / room);
  if (perColumn <= 1) return [...values];
  const columns = Math.ceil(values.length / perColumn);
  return Array.from({ length: columns }, (_, column) => {
    const part = values.slice(column * perColumn, (column + 1) * perColumn).filter((value) => value !== null);
    return part.length === 0 ? null : Math.max(...part);
  });
}
