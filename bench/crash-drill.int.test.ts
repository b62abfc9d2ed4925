/** The crash drill in small: host and engine die once each under load, the host is restarted in order, and the books are even. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { runCrashDrill, VICTIMS } from './crash-drill.ts';
import { renderCrashReport, reportCrashes } from './crash-report.ts';

const TIMEOUT_MS = 240_000;
const directory = mkdtempSync(join(tmpdir(), 'inquest-crashes-'));
afterAll(() => rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));

it('acknowledged is stored, stored is explained, and the investigation ends with its action done once', {
  timeout: TIMEOUT_MS,
}, async () => {
  const kills = { host: 1, engine: 1, client: 0, restart: 1 };
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const rounds = await runCrashDrill({ directory, kills, seed: 1, spreadMs: 1_500, clients: 2, signal });
  const report = reportCrashes(1, rounds);
  expect(rounds.map(({ victim }) => victim)).toEqual(VICTIMS.filter((victim) => kills[victim] > 0));
  for (const round of rounds) {
    expect(round).toMatchObject({ investigation: 'finished', lostRecords: 0, unlistedSpans: 0, unexplainedRows: 0 });
    expect(round.acknowledgedRecords).toBeGreaterThan(0);
  }
  expect(report.sound).toBe(true);
  expect(renderCrashReport(report)).toContain('Every promise was kept.');
});
