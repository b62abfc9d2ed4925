/** Figures, verdict and the table of the claims benchmark. */
import { expect, it } from 'vitest';
import { type ClaimsRun, renderClaimsReport, reportClaims } from './claims-report.ts';

const machine = { cores: 2, node: 'v24.21.0' };
const run: ClaimsRun = { locking: 'redlock', processes: 8, tasks: 1_600, tookMs: 1_000, claimMs: [1, 2, 9], wrong: 0 };

it('says in eighty columns what was measured', () => {
  const report = reportClaims(machine, [run, { ...run, locking: 'script', tookMs: 500 }]);
  expect(report.sound).toBe(true);
  expect(renderClaimsReport(report)).toBe(`2 cores, Node v24.21.0; every process claims and answers one task at a time

claims through                 processes     tasks/s      p50 ms      p99 ms
Redlock and token                      8       1,600         2.0         9.0
one Lua script, token                  8       3,200         2.0         9.0

Every task was given out exactly once.`);
});

it('is not sound when a task was given out twice', () => {
  const report = reportClaims(machine, [{ ...run, wrong: 2 }]);
  expect(report.sound).toBe(false);
  expect(renderClaimsReport(report)).toContain('2 TASKS WERE NOT GIVEN OUT EXACTLY ONCE.');
});
