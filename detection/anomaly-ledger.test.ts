/** An anomaly is written down when it begins, grows, joins an incident and ends; not every ten seconds. */
import { expect, it } from 'vitest';
import type { AnomalyRecord } from '../domain/anomaly-record.ts';
import { anomalyOf } from './anomaly.fixture.ts';
import { createAnomalyLedger } from './anomaly-ledger.ts';

async function written(ledger: ReturnType<typeof createAnomalyLedger>): Promise<AnomalyRecord[]> {
  const records: AnomalyRecord[] = [];
  await ledger.flush(async (batch) => {
    records.push(...batch);
  });
  return records;
}

it('writes what changed', async () => {
  const ledger = createAnomalyLedger();
  const alone = () => undefined;
  const note = (deviation: number, incidentOf: () => string | undefined = alone) =>
    ledger.note([anomalyOf('web', 'latency', { deviation })], 10, incidentOf);
  note(1.2);
  expect(await written(ledger)).toMatchObject([{ incidentId: '', anomaly: { deviation: 1.2 } }]);
  note(1.3);
  expect(await written(ledger)).toEqual([]);
  note(1.6);
  expect(await written(ledger)).toMatchObject([{ anomaly: { deviation: 1.6 } }]);
  note(1.1, () => 'inc_1');
  expect(await written(ledger)).toMatchObject([{ incidentId: 'inc_1', anomaly: { deviation: 1.6 } }]);
  expect(ledger.isEmpty()).toBe(false);
  ledger.note([], 20, alone);
  expect(await written(ledger)).toMatchObject([{ incidentId: 'inc_1', endedAtMs: 20 }]);
  expect(ledger.isEmpty()).toBe(true);
});

it('writes no whispers', async () => {
  const ledger = createAnomalyLedger();
  ledger.note([anomalyOf('web', 'latency', { deviation: 0.9 })], 10, () => undefined);
  expect(await written(ledger)).toEqual([]);
});

it('keeps what could not be written', async () => {
  const ledger = createAnomalyLedger();
  ledger.note([anomalyOf('web', 'latency')], 10, () => undefined);
  await expect(ledger.flush(() => Promise.reject(new Error('away')))).rejects.toThrow('away');
  expect(await written(ledger)).toHaveLength(1);
});

it('writes what a rule hides and what feedback lowered below the bar, and when either changes', async () => {
  const ledger = createAnomalyLedger();
  const note = (change: object) =>
    ledger.note([anomalyOf('web', 'latency', { deviation: 2, ...change })], 10, () => undefined);
  note({ deviation: 0.8, tolerance: 2.5 });
  expect(await written(ledger)).toMatchObject([{ anomaly: { deviation: 0.8, tolerance: 2.5 } }]);
  note({ hiddenBy: 'rule_1' });
  expect(await written(ledger)).toMatchObject([{ anomaly: { hiddenBy: 'rule_1' } }]);
  note({ hiddenBy: 'rule_1' });
  expect(await written(ledger)).toEqual([]);
  note({});
  const [shown] = await written(ledger);
  expect(shown?.anomaly).not.toHaveProperty('hiddenBy');
});

it('goes on with what the last scanner left open, or ends it', async () => {
  const [gone, lasting] = [anomalyOf('web', 'latency'), anomalyOf('cart', 'latency')];
  const ledger = createAnomalyLedger([gone, lasting].map((anomaly) => ({ anomaly, incidentId: 'inc_1' })));
  expect(ledger.isEmpty()).toBe(false);
  ledger.note([lasting], 20, () => 'inc_1');
  expect(await written(ledger)).toEqual([{ anomaly: gone, incidentId: 'inc_1', endedAtMs: 20 }]);
});
