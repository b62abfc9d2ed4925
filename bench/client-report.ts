/** What a drill of real clients found, as a table: a row for each way in, and whether everything sent is stored, once. Pure. */
import { CLIENT_SIGNALS, type LegFinding } from './client-drill.ts';

export interface ClientReport {
  /** Every client sent all it was to send, and as many rows are stored, of each signal. */
  readonly sound: boolean;
  readonly findings: readonly LegFinding[];
}

export function reportClients(findings: readonly LegFinding[]): ClientReport {
  return { sound: findings.length > 0 && findings.every(isSound), findings };
}

function isSound({ sent, stored, problem }: LegFinding): boolean {
  return problem === undefined && CLIENT_SIGNALS.every((signal) => sent[signal] === stored[signal]);
}

/** 80 columns wide, but for what clients said. */
export function renderClientReport({ sound, findings }: ClientReport): string {
  const row = (client: string, protocol: string, sent: string, stored: string) =>
    `${client.padEnd(25)}${protocol.padEnd(29)}${sent.padStart(12)}${stored.padStart(14)}`;
  const total = (rows: LegFinding['sent']) =>
    CLIENT_SIGNALS.reduce((sum, signal) => sum + rows[signal], 0).toLocaleString('en-US');
  return [
    row('client', 'protocol', 'rows sent', 'rows stored'),
    ...findings.flatMap((finding) => {
      const { client, protocol, sent, stored, problem } = finding;
      const line = row(client, protocol, total(sent), total(stored));
      if (isSound(finding)) return [line];
      const parts = CLIENT_SIGNALS.map((signal) => `${signal} ${stored[signal]} of ${sent[signal]}`).join(', ');
      return [line, `  NOT WHAT WAS SENT: ${parts}${problem === undefined ? '' : `; ${problem}`}`];
    }),
    '',
    sound ? 'Rows sent are rows stored, over every way.' : 'ROWS SENT ARE NOT ROWS STORED: see above.',
  ].join('\n');
}
