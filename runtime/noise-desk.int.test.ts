/** The desk over the tables of a real engine: what is said today is still known, and counted, by the host that comes next. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAnomalyArchive } from '../clickhouse/anomaly-archive.ts';
import { openTestDatabase, type TestDatabase } from '../clickhouse/engine.fixture.ts';
import { createIncidentArchive } from '../clickhouse/incident-archive.ts';
import { readIncidentOutcomes } from '../clickhouse/read-incident-outcomes.ts';
import { anomalyOf } from '../detection/anomaly.fixture.ts';
import { sealAuditEntry } from '../domain/audit.ts';
import { createManualClock } from '../platform/clock.ts';
import { silentLogger } from '../platform/logger.ts';
import { openNoiseDesk } from './noise-desk.ts';

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 0, 20, 2, 10);
const signal = new AbortController().signal;
let opened: TestDatabase;
beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(() => opened?.close());

it('noise is learned, hidden once accepted, counted, and forgotten when the rule is revoked', async () => {
  const clock = createManualClock(START_MS);
  const anomalies = createAnomalyArchive(opened.database, clock);
  const openDesk = () =>
    openNoiseDesk({
      archive: createIncidentArchive(opened.database, clock),
      anomalies,
      audit: { append: async (content) => sealAuditEntry(content) },
      clock,
      logger: silentLogger,
      readOutcomes: (window, aborted) => readIncidentOutcomes(opened.database, window, aborted),
    });
  const nightly = (day: number) =>
    anomalyOf('import', 'resources', { sinceMs: START_MS - day * 24 * HOUR_MS, deviation: 2 });
  await anomalies.save(Array.from({ length: 14 }, (_, day) => ({ anomaly: nightly(day), incidentId: '' })));

  const lea = { name: 'lea', role: 'member' } as const;
  const given = { judgement: 'noise', reason: 'the import' } as const;
  const { proposed } = await openDesk().giveFeedback(nightly(0).anomalyId, given, lea);
  expect(proposed).toMatchObject([
    { scope: { hours: { from: 1, to: 4 } }, backTest: { days: 13, anomalies: 14, realIncidents: [] } },
  ]);
  const ruleId = proposed[0]?.ruleId ?? '';
  await openDesk().acceptRule(ruleId, { reason: '' }, lea);

  const desk = openDesk();
  clock.advance(24 * HOUR_MS);
  const tonight = nightly(-1);
  const [hidden] = await desk.refine([tonight], clock.nowMs(), signal);
  expect(hidden).toEqual({ ...tonight, hiddenBy: ruleId });
  const [atNoon] = await desk.refine([tonight], clock.nowMs() + 10 * HOUR_MS, signal);
  expect(atNoon).not.toHaveProperty('hiddenBy');
  await anomalies.save([{ anomaly: hidden ?? tonight, incidentId: '' }]);
  expect(await desk.listRules()).toMatchObject([{ ruleId, status: 'accepted', hidden: 1 }]);
  expect(await desk.falsePositives()).toMatchObject({ noise: 0, real: 0, objective: 'unknown' });

  await desk.revokeRule(ruleId, { reason: 'moved' }, lea);
  const [shown] = await desk.refine([tonight], clock.nowMs(), signal);
  expect(shown).not.toHaveProperty('hiddenBy');
});
