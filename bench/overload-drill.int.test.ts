/** The overload drill in small: what is refused is told so, what is acknowledged is stored, and the host comes back. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { OVERLOADS, runOverloadDrill } from './overload-drill.ts';
import { renderOverloadReport, reportOverload } from './overload-report.ts';

const TIMEOUT_MS = 120_000;
const directory = mkdtempSync(join(tmpdir(), 'inquest-overload-'));
afterAll(() => rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));

it('refuses what it cannot take, stores what it acknowledged, and takes more afterwards', {
  timeout: TIMEOUT_MS,
}, async () => {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const findings = await runOverloadDrill({
    directory,
    seconds: 2,
    clients: 8,
    recordsPerRequest: 2_000,
    maxQueuedBytes: 2 * 1024 * 1024,
    signal,
  });
  expect(findings.map(({ overload }) => overload)).toEqual(OVERLOADS);
  for (const finding of findings) {
    expect(finding).toMatchObject({ lostRecords: 0, unexplainedRows: 0, failed: 0 });
    expect(finding.acknowledgedRecords).toBeGreaterThan(0);
  }
  expect(findings[1]?.refused).toBeGreaterThan(0);
  expect(renderOverloadReport(reportOverload(findings))).toContain('Every promise was kept.');
});
