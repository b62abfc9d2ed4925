/**
 * The drill of real clients with little telemetry. It needs what build-collector.sh builds, which takes too long for CI: elsewhere it
 * is skipped, and says so; INQUEST_REQUIRE_CLIENTS=1 makes that a failure.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runClientDrill } from './client-drill.ts';
import { renderClientReport, reportClients } from './client-report.ts';
import { missingClients } from './collector/real-clients.ts';

const missing = missingClients();
const isSkipped = missing !== undefined && !process.env['INQUEST_REQUIRE_CLIENTS'];
const reason = missing === undefined ? '' : ` (${missing})`;

it.skipIf(isSkipped)(`stores what telemetrygen and a Collector send, once${reason}`, { timeout: 180_000 }, async () => {
  expect(missing).toBeUndefined();
  const directory = mkdtempSync(join(tmpdir(), 'inquest-clients-'));
  try {
    const findings = await runClientDrill({ directory, records: 200, signal: AbortSignal.timeout(170_000) });
    const report = reportClients(findings);
    expect(report, renderClientReport(report)).toMatchObject({ sound: true });
    expect(findings).toHaveLength(8);
  } finally {
    rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
});
