import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Anomaly, anomalyIdOf } from '../domain/anomaly.ts';
import type { AnomalyRecord } from '../domain/anomaly-record.ts';
import type { Incident } from '../domain/incident.ts';
import type { IncidentCourse } from '../domain/incident-course.ts';
import type { Investigation } from '../domain/investigation.ts';
import { createManualClock } from '../platform/clock.ts';
import { type AnomalyArchive, createAnomalyArchive } from './anomaly-archive.ts';
import { openTestDatabase, type TestDatabase } from './engine.fixture.ts';
import { createIncidentArchive } from './incident-archive.ts';
import { readIncidentOutcomes } from './read-incident-outcomes.ts';

const NOW_MS = Date.UTC(2026, 0, 10, 12);
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const ALL = { startMs: 0, endMs: NOW_MS + DAY_MS };
let opened: TestDatabase;
let anomalies: AnomalyArchive;

beforeAll(async () => {
  opened = await openTestDatabase({ retentionDays: 3_650 });
});
afterAll(() => opened?.close());
beforeEach(async () => {
  for (const table of ['inquest_anomalies', 'inquest_archive'])
    await opened.database.command(`TRUNCATE TABLE ${table}`);
  anomalies = createAnomalyArchive(opened.database, createManualClock(NOW_MS));
});

function recordOf(
  service: string,
  sinceMs: number,
  { incidentId = '', endedAtMs, ...change }: Partial<Anomaly & Omit<AnomalyRecord, 'anomaly'>> = {},
): AnomalyRecord {
  const series = { kind: 'duration', service, name: `it's "GET" /cart\n`, detail: 'Server' } as const;
  const anomaly: Anomaly = {
    anomalyId: anomalyIdOf(series, 'requests', sinceMs),
    signal: 'traces',
    service,
    series,
    subject: `p95 duration of it's "GET" /cart\n`,
    aspect: 'latency',
    detector: 'requests',
    window: { startMs: sinceMs, endMs: sinceMs + 10_000 },
    sinceMs,
    observed: 412,
    expected: 38,
    range: [31, 52],
    deviation: 2,
    unit: 'ms',
    hurtsUsers: true,
    sentence: 'slow',
    correlated: [],
    ...change,
  };
  return { anomaly, incidentId, ...(endedAtMs === undefined ? {} : { endedAtMs }) };
}
const sinceOf = (records: readonly AnomalyRecord[]) => records.map(({ anomaly }) => anomaly.sinceMs);

describe('an anomaly', () => {
  it('is the newest version of it, whatever was said of it before', async () => {
    const begun = recordOf('cart', NOW_MS);
    const id = begun.anomaly.anomalyId;
    expect(await anomalies.find(id)).toBeUndefined();
    expect(await anomalies.readFirstMs()).toBeUndefined();
    await anomalies.save([begun, recordOf('web', NOW_MS)]);
    const grown = recordOf('cart', NOW_MS, { deviation: 9, incidentId: 'inc_1' });
    await anomalies.save([begun, grown]);
    expect(await anomalies.find(id)).toEqual(grown);
    const over = { ...grown, endedAtMs: NOW_MS + MINUTE_MS };
    await anomalies.save([over]);
    await opened.database.command('OPTIMIZE TABLE inquest_anomalies FINAL');
    expect(await anomalies.find(id)).toEqual(over);
    expect(sinceOf((await anomalies.list({ window: ALL, service: 'cart', limit: 9 })).records)).toEqual([NOW_MS]);
    await anomalies.save([]);
    expect(await anomalies.readFirstMs()).toBe(NOW_MS);
  });
});

describe('a list', () => {
  it('holds what was abnormal in the window: begun before its end, and not over before its start', async () => {
    const at = (minute: number) => NOW_MS + minute * MINUTE_MS;
    await anomalies.save([
      recordOf('cart', at(0), { endedAtMs: at(3) }),
      recordOf('cart', at(1), { endedAtMs: at(20) }),
      recordOf('cart', at(2)),
      recordOf('cart', at(12)),
      recordOf('cart', at(30)),
    ]);
    const { records } = await anomalies.list({ window: { startMs: at(10), endMs: at(30) }, limit: 9 });
    expect(sinceOf(records)).toEqual([at(12), at(2), at(1)]);
    expect(sinceOf(await anomalies.listOpen(2))).toEqual([at(30), at(12)]);
  });

  it('leaves out what a rule hides and what feedback lowered below the bar, unless asked for', async () => {
    await anomalies.save([
      recordOf('cart', NOW_MS, { hiddenBy: 'rule_1' }),
      recordOf('cart', NOW_MS + 1, { deviation: 0.8, tolerance: 2.5 }),
      recordOf('web', NOW_MS + 2, { incidentId: 'inc_1' }),
      recordOf('cart', NOW_MS + 3, { hiddenBy: 'rule_1' }),
    ]);
    const ask = async (more: object) => sinceOf((await anomalies.list({ window: ALL, limit: 9, ...more })).records);
    expect(await ask({})).toEqual([NOW_MS + 2]);
    expect(await ask({ withHidden: true, service: 'cart' })).toEqual([NOW_MS + 3, NOW_MS + 1, NOW_MS]);
    expect(await ask({ incidentId: 'inc_1' })).toEqual([NOW_MS + 2]);
    expect(await ask({ minDeviation: 3 })).toEqual([]);
    expect(await ask({ service: `'; DROP TABLE inquest_anomalies --` })).toEqual([]);
    expect(await anomalies.countHidden()).toEqual(new Map([['rule_1', { anomalies: 2, lastMs: NOW_MS + 3 + 10_000 }]]));
  });

  it('goes on where the page before ended, also among those of one millisecond', async () => {
    await anomalies.save(['a', 'b', 'c', 'd', 'e'].map((service) => recordOf(service, NOW_MS)));
    const seen: string[] = [];
    let page = await anomalies.list({ window: ALL, limit: 2 });
    for (;;) {
      seen.push(...page.records.map(({ anomaly }) => anomaly.service));
      if (!page.next) break;
      page = await anomalies.list({ window: ALL, limit: 2, after: page.next });
    }
    expect(seen.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });
});

describe('a match', () => {
  it('for a back-test gives all of one subject, hidden or not', async () => {
    const { service, aspect, subject } = recordOf('cart', 0).anomaly;
    await anomalies.save([
      recordOf('cart', NOW_MS - 40 * DAY_MS),
      recordOf('cart', NOW_MS - 2 * DAY_MS, { hiddenBy: 'rule_1' }),
      recordOf('cart', NOW_MS - DAY_MS, { deviation: 0.7, tolerance: 3 }),
      recordOf('cart', NOW_MS - 1, { subject: 'another' }),
      recordOf('web', NOW_MS - 1),
    ]);
    const window = { startMs: NOW_MS - 30 * DAY_MS, endMs: NOW_MS };
    const found = await anomalies.match({ service, aspect, subject }, window, 9);
    expect(sinceOf(found)).toEqual([NOW_MS - DAY_MS, NOW_MS - 2 * DAY_MS]);
  });
});

describe('outcomes of incidents', () => {
  it('are of those that detection opened in the window, each once, explained when a cause was named', async () => {
    const archive = createIncidentArchive(opened.database, createManualClock(NOW_MS));
    const incident = (incidentId: string, change: Partial<Incident> = {}): Incident => ({
      incidentId,
      title: '',
      status: 'open',
      source: 'detection',
      service: 'cart',
      openedAtMs: NOW_MS,
      searchWindow: { startMs: NOW_MS - 1, endMs: NOW_MS },
      severity: 'low',
      anomalies: [],
      ...change,
    });
    const investigation = (incidentId: string, outcome?: 'root-cause' | 'abstained'): Investigation => ({
      investigationId: incidentId.replace('inc', 'inv'),
      incident: incident(incidentId),
      status: outcome ? 'finished' : 'running',
      startedAtMs: NOW_MS + 5,
      rounds: 0,
      tasks: [],
      findings: [],
      evidence: [],
      hypotheses: [],
      votes: [],
      changes: [],
      ...(outcome && {
        verdict: {
          outcome,
          confidence: 1,
          onsetMs: NOW_MS,
          suspects: [],
          blastRadius: [],
          propagation: [],
          ruledOut: [],
          gaps: [],
        },
      }),
    });
    const merged: IncidentCourse = {
      incidentId: 'inc_merged',
      openedAtMs: NOW_MS,
      updatedAtMs: NOW_MS,
      onsetMs: NOW_MS,
      severity: 'low',
      firstAffected: 'cart',
      mostAffected: 'cart',
      services: [],
      anomalies: [],
      lastAbnormalMs: NOW_MS,
      closedAtMs: NOW_MS,
      mergedInto: 'inc_named',
    };
    await archive.save('incident', [
      incident('inc_named'),
      incident('inc_abstained'),
      incident('inc_running'),
      incident('inc_merged'),
      incident('inc_manual', { source: 'manual' }),
      incident('inc_old', { openedAtMs: NOW_MS - 40 * DAY_MS }),
    ]);
    await archive.save('incident', [incident('inc_named', { status: 'resolved' })]);
    await archive.save('investigation', [investigation('inc_named')]);
    await archive.save('investigation', [
      investigation('inc_named', 'root-cause'),
      investigation('inc_abstained', 'abstained'),
      investigation('inc_old', 'root-cause'),
    ]);
    await archive.save('course', [merged]);
    const window = { startMs: NOW_MS - 30 * DAY_MS, endMs: NOW_MS + 1 };
    expect(await readIncidentOutcomes(opened.database, window)).toEqual([
      { incidentId: 'inc_abstained', isExplained: false },
      { incidentId: 'inc_named', isExplained: true },
      { incidentId: 'inc_running', isExplained: false },
    ]);
  });
});
