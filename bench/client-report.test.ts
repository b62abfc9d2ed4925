import { expect, it } from 'vitest';
import type { LegFinding } from './client-drill.ts';
import { renderClientReport, reportClients } from './client-report.ts';

const rows = (traces: number) => ({ traces, logs: 10, metrics: 10 });
const leg = (stored: number, more: Partial<LegFinding> = {}): LegFinding => ({
  client: 'telemetrygen',
  protocol: 'OTLP/gRPC',
  sent: rows(10),
  stored: rows(stored),
  ...more,
});

it('is sound when every row that was sent is stored once, of every signal', () => {
  expect(reportClients([leg(10)]).sound).toBe(true);
  expect(reportClients([]).sound).toBe(false);
  expect(reportClients([leg(10), leg(9)]).sound).toBe(false);
  expect(reportClients([leg(11)]).sound).toBe(false);
  expect(reportClients([leg(10, { problem: 'gave up' })]).sound).toBe(false);
});

it('says where rows are missing or too many, and what the client said', () => {
  expect(renderClientReport(reportClients([leg(9, { problem: 'gave up' })])).split('\n')).toEqual([
    'client                   protocol                        rows sent   rows stored',
    'telemetrygen             OTLP/gRPC                              30            29',
    '  NOT WHAT WAS SENT: traces 9 of 10, logs 10 of 10, metrics 10 of 10; gave up',
    '',
    'ROWS SENT ARE NOT ROWS STORED: see above.',
  ]);
});
