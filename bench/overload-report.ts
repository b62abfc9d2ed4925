/** What an overload drill found, as a table: one column for each overload, and whether every promise was kept. Pure. */
import type { OverloadFinding } from './overload-drill.ts';

export interface OverloadReport {
  /** Nothing lost, nothing unexplained, nothing failed but by a refusal that says when to come back. */
  readonly sound: boolean;
  readonly findings: readonly OverloadFinding[];
}

export function reportOverload(findings: readonly OverloadFinding[]): OverloadReport {
  const sound = findings.every(
    ({ lostRecords, unexplainedRows, unlistedSpans, failed }) =>
      lostRecords + unexplainedRows + unlistedSpans + failed === 0,
  );
  return { sound, findings };
}

const LABEL_COLUMNS = 52;
const VALUE_COLUMNS = 12;

/** At most 80 columns wide. */
export function renderOverloadReport({ sound, findings }: OverloadReport): string {
  const row = (label: string, pick: (finding: OverloadFinding) => number | string) => {
    const cells = findings.map((finding) => {
      const value = pick(finding);
      return (typeof value === 'number' ? value.toLocaleString('en-US') : value).padStart(VALUE_COLUMNS);
    });
    return `${label.padEnd(LABEL_COLUMNS)}${cells.join('')}`;
  };
  const mebibytes = (bytes: number | undefined) => (bytes === undefined ? '?' : `${Math.round(bytes / 1024 ** 2)} MiB`);
  return [
    row('overload', ({ overload }) => overload),
    row('requests acknowledged', (finding) => finding.acknowledgedRequests),
    row('records acknowledged', (finding) => finding.acknowledgedRecords),
    row('  of these not stored (must be 0)', (finding) => finding.lostRecords),
    row('attempts refused: come back later (429, 503)', (finding) => finding.refused),
    row('attempts that failed otherwise (must be 0)', (finding) => finding.failed),
    row('rows stored again, because they were sent again', (finding) => finding.repeatedRows),
    row('rows that no request explains (must be 0)', (finding) => finding.unexplainedRows),
    row('memory of the host before', (finding) => mebibytes(finding.restingBytes)),
    row('  at its highest', (finding) => mebibytes(finding.peakBytes)),
    row(
      'acknowledging again after the overload',
      ({ recoveredAfterMs }) => `${(recoveredAfterMs / 1000).toFixed(1)} s`,
    ),
    '',
    sound ? 'Every promise was kept.' : 'A PROMISE WAS BROKEN: see the rows that must be 0.',
  ].join('\n');
}
