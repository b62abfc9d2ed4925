import { afterAll, beforeAll, expect, test } from 'vitest';
import { createChangesWriter } from '../clickhouse/changes-writer.ts';
import type { Change } from '../domain/change.ts';
import { findingSchema } from '../domain/finding.ts';
import { logRow, MINUTE_MS, openTelemetryFixture, T0_MS, type TelemetryFixture } from '../tools/fixture.contract.ts';
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

test('a commit whose diff explains what is seen is named, with what its service shows; its deploy is no second reason', async () => {
  const sha = 'ab'.repeat(20);
  const diff =
    '--- a/web/client.go\n+++ b/web/client.go\n@@ -1,2 +1,2 @@\n-\ttimeout: 5 * time.Second,\n+\ttimeout: 50 * time.Millisecond,';
  const atMs = T0_MS + 200 * MINUTE_MS;
  await fixture.database.insert(
    'otel_logs',
    Array.from({ length: 60 }, (_, minute) =>
      minute < 45
        ? logRow({ service: 'web', atMs: (180 + minute) * MINUTE_MS, body: 'served a page' })
        : logRow({
            service: 'web',
            atMs: (180 + minute) * MINUTE_MS,
            severity: 'ERROR',
            body: 'stock: deadline exceeded',
          }),
    ),
  );
  await createChangesWriter(fixture.database)([
    { ...change(sha, '', 199), kind: 'commit', diff, summary: 'tidy the client' },
    { ...change('rollout', 'web', 200), attributes: { commit: sha } },
  ]);
  const scope = {
    ...scopeOf('web>stock'),
    window: { startMs: T0_MS + 225 * MINUTE_MS, endMs: T0_MS + 240 * MINUTE_MS },
    baseline: { startMs: T0_MS + 180 * MINUTE_MS, endMs: T0_MS + 225 * MINUTE_MS },
    onsetGrid: { firstMs: T0_MS + 225 * MINUTE_MS, stepSeconds: 20, count: 1 },
  };
  const task = supervisor.plan(INCIDENT, scope, 1).find(({ agent }) => agent === 'deploy-agent');
  if (!task) return expect.unreachable();
  const { findings, evidence } = await deployAgent.investigate(task, fixture.context);
  for (const one of evidence) {
    expect(await fixture.rerun(one)).toEqual(one.queries.map(({ digest }) => digest));
  }
  expect(findings.map(({ observation, signal }) => [observation, signal])).toEqual([
    [`changes:commit:${sha}`, 'changes'],
    ['changes:symptom:web', 'logs'],
  ]);
  expect(findings[0]).toMatchObject({
    onsetMs: atMs,
    implications: [{ service: 'web', commit: sha, changeId: 'rollout', causeType: 'bad-change', stance: 'for' }],
  });
  const [hypothesis] = supervisor.propose(findings, 1);
  expect(hypothesis).toMatchObject({ service: 'web', causeType: 'bad-change', commit: sha, changeId: 'rollout' });
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
  expect(gaps).toEqual([]);
  for (const one of evidence) {
    expect(await fixture.rerun(one)).toEqual(one.queries.map(({ digest }) => digest));
  }
  const listed = evidence.find(({ tool }) => tool === 'list_changes')?.evidenceId;
  for (const finding of findings) {
    expect(findingSchema.parse(finding)).toMatchObject({ signal: 'changes', evidenceIds: [listed] });
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
