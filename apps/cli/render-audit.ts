/** The audit log for people: one line for each entry with what it says below it, and what a verification found. */

import type { AuditEntry, AuditRecord, AuditVerification } from '../../domain/audit.ts';
import { formatClock, formatDay } from '../../domain/time-window.ts';
import { table } from './layout.ts';
import { type Page, paragraph } from './page.ts';
import { plainCopy } from './plain-text.ts';
import { countOf } from './words.ts';

/** Pure. */
export function renderAuditRecords(raw: readonly AuditRecord[], page: Page): string {
  if (raw.length === 0) return paragraph(page, 'No entries.').join('\n');
  const records = plainCopy(raw);
  const columns = ['entry', 'at (UTC)', 'what', 'who'].map((heading) => ({ heading }));
  const [heading = '', ...lines] = table(columns, records.map(cellsOf), page.width);
  return [
    page.palette.faint(heading),
    ...records.flatMap((record, index) => {
      const line = lines[index] ?? '';
      if ('unreadable' in record) return [page.palette.bad(line), ...paragraph(page, record.unreadable)];
      return [line, ...paragraph(page, describe(record)).map(page.palette.faint)];
    }),
  ].join('\n');
}

function cellsOf(record: AuditRecord): string[] {
  if ('unreadable' in record) return [String(record.sequence), '', 'UNREADABLE', ''];
  const { sequence, atMs, kind, actor } = record;
  return [String(sequence), `${formatDay(atMs)} ${formatClock(atMs)}`, kind, actor];
}

/** What it is about and what it says. Digests are shortened: `inquest audit list --json` has them whole. */
function describe({ subject, details }: AuditEntry): string {
  const members = Object.entries(details).map(
    ([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return [subject, ...members]
    .filter((text) => text !== '')
    .join(', ')
    .replace(/\b([0-9a-f]{8})[0-9a-f]{56}\b/g, '$1');
}

/** Pure. */
export function renderAuditVerification(
  raw: AuditVerification,
  page: Page,
  { isFile }: { readonly isFile: boolean },
): string {
  const { whole, entries, last, problems } = plainCopy(raw);
  const head = isFile ? '' : ' and ends where its head outside the database says';
  if (whole && entries === 0)
    return paragraph(page, 'The audit log is whole: nothing has been recorded yet.').join('\n');
  if (whole) {
    return [
      ...paragraph(
        page,
        `The audit log is whole: ${countOf(entries, 'entry', 'entries')}, each follows the one before${head}.`,
      ).map(page.palette.good),
      ...paragraph(page, `Entry ${last.sequence} has the hash`),
      `  ${last.hash}`,
      ...paragraph(page, 'Noted somewhere else, it shows that nothing up to here was changed later.'),
    ].join('\n');
  }
  const [first, ...others] = problems.map(({ sequence, problem }) =>
    sequence === undefined ? problem : `entry ${sequence}: ${problem}`,
  );
  return [
    ...paragraph(page, `The audit log is BROKEN. First: ${first ?? 'unknown'}.`).map(page.palette.bad),
    ...others.flatMap((other) => paragraph(page, `Then: ${other}.`)),
    ...paragraph(page, `${countOf(entries, 'entry was', 'entries were')} read.`),
  ].join('\n');
}
