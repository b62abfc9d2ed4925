import { afterAll, beforeAll, expect, test } from 'vitest';
import { createChangesWriter } from '../clickhouse/changes-writer.ts';
import type { Change } from '../domain/change.ts';
import { findingSchema } from '../domain/finding.ts';
import { MINUTE_MS, openTelemetryFixture, T0_MS, type TelemetryFixture } from '../tools/fixture.contract.ts';
import { deployAgent } from './deploy-agent.ts';
import { INCIDENT, scopeOf } from './jury.fixture.ts';
import { supervisor } from './supervisor.ts';

let fixture: TelemetryFixture;

function change(changeId: string, service: string, minute: number): Change {
  return {
    changeId,
    kind: 'deploy',
    service,
    atMs: T0_MS + minute * MINUTE_MS,
    version: '2.0.0',
    summary: `deploy of ${changeId}`,
    author: '',
    url: '',
    attributes: {},
    diff: '',
    source: 'webhook',
  };
}

beforeAll(async () => {
  fixture = await openTelemetryFixture({});
  await createChangesWriter(fixture.database)([
    change('near', 'web', -1),
    change('half', 'stock', -15),
    change('during', 'cart', 2),
    change('old', 'web', -46),
    change('late', 'web', 9),
    change('everywhere', '', -1),
  ]);
});

afterAll(() => fixture.close());

test('changes shortly before the onset are noted, the nearer the weightier; old, late and unbound ones are not', async () => {
  const scope = {
    ...scopeOf(),
    window: { startMs: T0_MS, endMs: T0_MS + 10 * MINUTE_MS },
    baseline: { startMs: T0_MS - 60 * MINUTE_MS, endMs: T0_MS },
    // The last candidate is four minutes after the first.
    onsetGrid: { firstMs: T0_MS, stepSeconds: 20, count: 13 },
  };
  const task = supervisor.plan(INCIDENT, scope, 1).find(({ agent }) => agent === 'deploy-agent');
  if (!task) return expect.unreachable();
  const { findings, evidence, gaps } = await deployAgent.investigate(task, fixture.context);
  const [only] = evidence;
  if (!only || evidence.length > 1) return expect.unreachable();
  expect(gaps).toEqual([]);
  expect(await fixture.rerun(only)).toEqual(only.queries.map(({ digest }) => digest));
  for (const finding of findings) {
    expect(findingSchema.parse(finding)).toMatchObject({ signal: 'changes', evidenceIds: [only.evidenceId] });
  }
  const noted = findings.flatMap(({ onsetMs, implications }) =>
    implications.map(({ changeId, service, strength }) => [changeId, service, (onsetMs ?? 0) - T0_MS, strength]),
  );
  expect(noted).toEqual([
    ['during', 'cart', 2 * MINUTE_MS, 0.6],
    ['near', 'web', -MINUTE_MS, expect.closeTo(0.6 * 2 ** (-1 / 15), 12)],
    ['half', 'stock', -15 * MINUTE_MS, 0.3],
  ]);
});
