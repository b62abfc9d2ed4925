/** An answer as plain text without colours, for clients that show nothing else. Terminals draw their own. */
import type { Answer, AnswerTable } from './answer.ts';
import { formatQuantity, formatSpan } from './quantity.ts';

const BARS = '▁▂▃▄▅▆▇█';

export function writeAnswer(answer: Answer, nowMs: number): string {
  const { text, notes, tables, chart, suggestions, evidenceIds, window, baseline, understood } = answer;
  const spans = [
    ...(window ? [formatSpan(window, nowMs)] : []),
    ...(baseline ? [`against ${formatSpan(baseline, nowMs)}`] : []),
  ].join(' ');
  return [
    text,
    ...notes,
    ...(chart ? [`${chart.label}: ${drawLine(chart.values)}`] : []),
    ...tables.map((table) => writeTable(table).join('\n')),
    ...(suggestions.length > 0 ? ['I can answer, for example:', ...suggestions.map((one) => `  ${one}`)] : []),
    ...(understood === '' ? [] : [`Understood as: ${understood}`]),
    ...(spans === '' ? [] : [`Window (UTC): ${spans}`]),
    ...(evidenceIds.length > 0 ? [`Evidence: ${evidenceIds.join(' ')}`] : []),
  ].join('\n');
}

/** The cells of a table as they read, headings first. */
export function writeCells({ columns, rows }: AnswerTable): string[][] {
  const headings = columns.map(({ heading }) => heading);
  const cells = rows.map((row) =>
    row.map((value, index) => formatQuantity(columns[index]?.quantity ?? 'text', value, columns[index]?.unit)),
  );
  return [headings, ...cells];
}

function writeTable(table: AnswerTable): string[] {
  const cells = writeCells(table);
  const widths = table.columns.map((_, index) => Math.max(...cells.map((row) => row[index]?.length ?? 0)));
  const lines = cells.map((row) =>
    row
      .map((text, index) => text.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const left = table.totalRows - table.rows.length;
  return left > 0 ? [...lines, `... and ${left} more`] : lines;
}

/** One character for each value: from nothing to the largest; a dot where nothing was observed. */
export function drawLine(values: readonly (number | null)[]): string {
  const top = Math.max(...values.map((value) => value ?? 0), 0);
  return values
    .map((value) => {
      if (value === null) return '·';
      return BARS[top > 0 ? Math.min(BARS.length - 1, Math.round((value / top) * (BARS.length - 1))) : 0];
    })
    .join('');
}
