/** Commits: diffs that parse, in the words of the fault that they explain, carried by deploys; and the routine of a healthy shop. */
import { describe, expect, it } from 'vitest';
import { changeInputSchema } from '../domain/change.ts';
import { parseDiff } from '../domain/diff/parse-diff.ts';
import { BAD_DEPLOYS } from './commit-bad-deploys.ts';
import { type CommitTemplate, writeCommit } from './commit-diff.ts';
import { HARMFUL_FLAGS } from './commit-flags.ts';
import { innocentTemplates } from './commit-innocents.ts';
import { planRoutine, versionAt } from './commit-routine.ts';
import { compileShop } from './compile-shop.ts';
import { planSimulation } from './plan-simulation.ts';
import { RandomStream } from './random-stream.ts';
import { SHOP } from './shop.ts';
import { simulateShop } from './simulate-shop.ts';

const shop = compileShop(SHOP);
const START_MS = Date.UTC(2026, 0, 12);
const DAY_MS = 86_400_000;
const service = shop.find('order');
const RUNTIMES = ['jvm', 'go', 'nodejs', 'python'] as const;
const ALL: CommitTemplate[] = [
  ...[...Object.values(BAD_DEPLOYS), ...Object.values(HARMFUL_FLAGS)].flatMap((each) => Object.values(each)),
  ...RUNTIMES.flatMap(innocentTemplates),
];

describe('diffs', () => {
  it('are unified diffs whose hunks have as many lines as their headings say, with nothing left to fill in', () => {
    for (const template of ALL) {
      const { subject, diff } = writeCommit(template, service, 'GET /users/{id}');
      expect(`${subject}${diff}`).not.toMatch(/\{(svc|Svc|op)\}/);
      expect(parseDiff(diff).map(({ path }) => path)).toEqual(
        template.patches.map(({ path }) => path.replace('{svc}', 'order').replace('{Svc}', 'Order')),
      );
      for (const hunk of diff.split(/^diff --git .*\n---.*\n\+\+\+.*\n/m).slice(1)) {
        const [heading = '', ...lines] = hunk.replace(/\n$/, '').split('\n');
        const [, before, after] = /^@@ -\d+,(\d+) \+\d+,(\d+) @@/.exec(heading) ?? [];
        expect(lines.filter((line) => !line.startsWith('+')).length).toBe(Number(before));
        expect(lines.filter((line) => !line.startsWith('-')).length).toBe(Number(after));
        expect(lines.every((line) => /^[-+ ]/.test(line))).toBe(true);
      }
    }
  });

  it.each(['bad-deploy', 'flag-flip'] as const)('of a %s name the exception that its users meet', (kind) => {
    const onsetMs = START_MS + 10 * 3_600_000;
    for (const seed of [1, 2, 3, 4]) {
      const window = { startMs: onsetMs - 10_000, endMs: onsetMs + 20_000 };
      const options = { seed, ...window, requestsPerSecond: 6, fault: { kind, onsetMs } };
      const batches = [...simulateShop(options)];
      const changes = batches.flatMap((batch) => batch.changes);
      const carrier = changes.find(({ id }) => id === planSimulation(options).fault?.changeId);
      const commit = changes.find(({ id }) => id === carrier?.attributes['commit']);
      expect(changeInputSchema.parse(commit)).toMatchObject({ kind: 'commit', service: carrier?.service });
      expect(commit?.id).toMatch(/^[0-9a-f]{40}$/);
      const leadMs = Date.parse(carrier?.at ?? '') - Date.parse(commit?.at ?? '');
      expect(leadMs).toBeGreaterThanOrEqual(240_000);
      expect(leadMs).toBeLessThanOrEqual(10_800_000);
      const said = JSON.stringify(batches.map(({ logs }) => logs));
      const raised = commit?.diff.match(/\b[A-Z]\w+Error\b/g) ?? [];
      expect(raised.some((name) => said.includes(name))).toBe(true);
    }
  });
});

describe('planRoutine', () => {
  const stream = RandomStream.fromSeed(5).fork('routine');
  const { changes, rollouts } = planRoutine(shop, stream, START_MS, START_MS + 20 * DAY_MS);
  const deploys = changes.filter(({ input }) => input.kind === 'deploy');

  it('deploys each service about every two days and commits a few times a day, the same for the same seed', () => {
    const perService = deploys.length / SHOP.services.length;
    expect(perService).toBeGreaterThan(7);
    expect(perService).toBeLessThan(11);
    expect(rollouts.length).toBe(deploys.length);
    const commits = changes.filter(({ input }) => input.kind === 'commit');
    expect(commits.length / 20).toBeGreaterThan(8);
    expect(commits.length / 20).toBeLessThan(25);
    const ids = new Set(commits.map(({ input }) => input.id));
    for (const { input } of deploys) expect(ids.has(input.attributes['commit'])).toBe(true);
    expect(planRoutine(shop, stream, START_MS, START_MS + 20 * DAY_MS)).toEqual({ changes, rollouts });
  });

  it('belongs to the clock: part of the time shows part of it, with the versions that run then', () => {
    const [fromMs, toMs] = [START_MS + 5 * DAY_MS, START_MS + 9 * DAY_MS];
    const part = planRoutine(shop, stream, fromMs, toMs);
    expect(part.rollouts).toEqual(rollouts.filter(({ atMs }) => atMs >= fromMs && atMs < toMs));
    for (const { service: owner, version, atMs } of rollouts) {
      expect(versionAt(owner.index, owner.version, stream, atMs)).toBe(version);
      expect(versionAt(owner.index, owner.version, stream, atMs - 1)).not.toBe(version);
    }
  });

  it('rests shortly before a fault and after it', () => {
    const onsetMs = START_MS + 4 * DAY_MS;
    const fault = { kind: 'error-burst', onsetMs } as const;
    const window = { startMs: START_MS, endMs: onsetMs + 2 * DAY_MS };
    const { routine } = planSimulation({ seed: 5, ...window, requestsPerSecond: 1, fault });
    expect(routine.rollouts.length).toBeGreaterThan(15);
    expect(Math.max(...routine.rollouts.map(({ atMs }) => atMs))).toBeLessThan(onsetMs - 1_199_999);
  });

  it('leaves the versions that a later deploy replaces, whenever the simulation begins', () => {
    const onsetMs = START_MS + 4 * DAY_MS;
    const fault = { kind: 'bad-deploy', onsetMs } as const;
    const plans = [START_MS, onsetMs - 300_000].map((startMs) =>
      planSimulation({ seed: 5, startMs, endMs: onsetMs + 60_000, requestsPerSecond: 1, fault, decoys: true }),
    );
    const [long, short] = plans.map((plan) => [...(plan.fault?.changes ?? []), ...(plan.decoys?.changes ?? [])]);
    expect(short).toEqual(long);
    const last = plans[0]?.routine.rollouts.findLast(({ service: owner }) => owner.name === plans[0]?.fault?.victim);
    const deploy = long?.find(({ input }) => input.id === plans[0]?.fault?.changeId);
    expect(deploy?.input.attributes['previous_version']).toBe(last?.version);
    expect(plans[1]?.routine.rollouts).toEqual([]);
  });
});
