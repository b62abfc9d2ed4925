/** How the scanner steps: in order of event time, each window once, past failures, crashes and clocks that jump. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { DetectorState } from '../clickhouse/detector-states.ts';
import { createMemoryShardLock } from '../context-store/shard-lock.ts';
import type { Anomaly } from '../domain/anomaly.ts';
import type { AnomalyRecord } from '../domain/anomaly-record.ts';
import type { IncidentCourse } from '../domain/incident-course.ts';
import type { TimeWindow } from '../domain/time-window.ts';
import { createManualClock } from '../platform/clock.ts';
import { UnavailableError } from '../platform/errors.ts';
import { silentLogger } from '../platform/logger.ts';
import { anomalyOf } from './anomaly.fixture.ts';
import { createScanner, type ScanParts } from './scan.ts';
import type { Watch } from './watch.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const START_MS = 100 * HOUR_MS;

/** What a scanner leaves behind, and what it finds. */
function createWorld() {
  return {
    clock: createManualClock(START_MS),
    /** Anything that is abnormal, by the end of its window. */
    troubles: new Map<number, Anomaly[]>(),
    judged: [] as string[],
    reads: [] as TimeWindow[],
    failing: new Set<string>(),
    states: new Map<string, DetectorState>(),
    courses: new Map<string, IncidentCourse>(),
    published: [] as string[],
    isArchiveAway: false,
    /** Undefined: telemetry is up to date. */
    newestMs: undefined as number | undefined,
  };
}
type World = ReturnType<typeof createWorld>;

/** Judges every window once; knows only how far it is. */
function createTestWatch(world: World, name: string, stepMs: number): Watch {
  let learnedToMs = 0;
  return {
    name,
    stepMs,
    latenessMs: 5_000,
    observe: async ({ startMs, endMs }) => {
      if (world.failing.has(name)) throw new UnavailableError(`${name} is away`);
      world.reads.push({ startMs, endMs });
      const ends: number[] = [];
      for (let atMs = startMs + stepMs; atMs <= endMs; atMs += stepMs) if (atMs > learnedToMs) ends.push(atMs);
      return ends.map((atMs) => ({
        window: { startMs: atMs - stepMs, endMs: atMs },
        judge: () => {
          learnedToMs = atMs;
          world.judged.push(`${name} ${(atMs - START_MS) / 1_000}`);
          return name === 'fast' ? (world.troubles.get(atMs) ?? []) : [];
        },
      }));
    },
    save: () => [{ watch: name, key: 'state', learnedToMs, state: String(learnedToMs) }],
    restore: (states) => {
      for (const { state } of states) learnedToMs = Number(state);
    },
  };
}

function openScanner(world: World, more: Partial<ScanParts> = {}) {
  const scanner = createScanner({
    createWatches: () => [createTestWatch(world, 'fast', 10_000), createTestWatch(world, 'slow', MINUTE_MS)],
    clock: world.clock,
    logger: silentLogger,
    lock: createMemoryShardLock(),
    shard: 'test',
    readNewest: async () => world.newestMs ?? world.clock.nowMs(),
    readLinks: async () => new Map(),
    refine: async (anomalies) => anomalies,
    readStates: async () => [...world.states.values()],
    saveStates: async (states) => {
      for (const state of states) world.states.set(`${state.watch} ${state.key}`, state);
    },
    listCourses: async () => [...world.courses.values()],
    saveCourses: async (courses) => {
      for (const course of courses) world.courses.set(course.incidentId, course);
    },
    listOpenAnomalies: async () => [],
    saveAnomalies: async () => {},
    isPublished: async (id) => world.published.includes(id),
    publishIncident: async ({ incidentId }) => {
      if (world.isArchiveAway) throw new UnavailableError('the archive is away');
      world.published.push(incidentId);
    },
    ...more,
  });
  return () => scanner.scan(new AbortController().signal);
}

const hurt = (atMs: number) => [anomalyOf('web', 'errors', { deviation: 2, hurtsUsers: true, sinceMs: atMs - 10_000 })];

let world: World;
beforeEach(() => {
  world = createWorld();
});

describe('stepping', () => {
  it('judges all watches in order of event time, each window once', async () => {
    const scan = openScanner(world);
    await scan();
    world.judged.length = 0;
    world.clock.advance(125_000);
    await scan();
    await scan();
    const fast = Array.from({ length: 13 }, (_, index) => `fast ${index * 10}`);
    expect(world.judged.filter((each) => each.startsWith('fast'))).toEqual(fast);
    expect(world.judged.indexOf('slow 60')).toBe(world.judged.indexOf('fast 60') + 1);
    expect(world.judged.filter((each) => each.startsWith('slow'))).toEqual(['slow 0', 'slow 60', 'slow 120']);
  });

  it('reads at most an hour at a time, also after days away', async () => {
    const scan = openScanner(world);
    await scan();
    world.clock.advance(50 * HOUR_MS);
    world.reads.length = 0;
    await scan();
    expect(world.reads.length).toBeGreaterThan(40);
    expect(world.reads.length).toBeLessThan(60);
    expect(Math.max(...world.reads.map(({ startMs, endMs }) => endMs - startMs))).toBeLessThanOrEqual(HOUR_MS);
    expect(Math.min(...world.reads.map(({ startMs }) => startMs))).toBeGreaterThan(world.clock.nowMs() - 25 * HOUR_MS);
  });

  it('goes on without a watch that cannot look, which catches up later', async () => {
    const scan = openScanner(world);
    await scan();
    world.judged.length = 0;
    world.failing.add('fast');
    world.clock.advance(3 * HOUR_MS);
    await scan();
    expect(world.judged).toHaveLength(180);
    world.failing.clear();
    await scan();
    expect(new Set(world.judged.filter((each) => each.startsWith('fast'))).size).toBe(3 * 360);
  });

  it('leaves a shard alone that another scanner looks at', async () => {
    const lock = createMemoryShardLock();
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    const other = lock.runExclusively('test', () => over, new AbortController().signal);
    expect(await openScanner(world, { lock })()).toEqual([]);
    expect(world.judged).toEqual([]);
    end();
    await other;
  });
});

describe('an incident', () => {
  it('opens at the moment it could be known, not when somebody caught up', async () => {
    const scan = openScanner(world);
    await scan();
    const atMs = START_MS + 10 * MINUTE_MS;
    world.troubles.set(atMs, hurt(atMs));
    world.clock.advance(HOUR_MS);
    const [incident] = await scan();
    expect(incident).toMatchObject({ onsetMs: atMs - 10_000, openedAtMs: atMs + 15_000 });
    expect(world.courses.get(incident?.incidentId ?? '')?.closedAtMs).toBe(atMs + 2 * MINUTE_MS);
  });

  it('is not opened by a first look for what is long past', async () => {
    world.troubles.set(START_MS - HOUR_MS, hurt(START_MS - HOUR_MS));
    world.troubles.set(START_MS - MINUTE_MS, hurt(START_MS - MINUTE_MS));
    expect(await openScanner(world)()).toMatchObject([{ onsetMs: START_MS - MINUTE_MS - 10_000 }]);
  });

  it('that could not be archived is published by the next look, once', async () => {
    const scan = openScanner(world);
    await scan();
    world.clock.advance(15_000);
    world.troubles.set(START_MS + 10_000, hurt(START_MS + 10_000));
    world.isArchiveAway = true;
    await expect(scan()).rejects.toThrow(UnavailableError);
    world.isArchiveAway = false;
    expect(await scan()).toHaveLength(1);
    expect(await scan()).toEqual([]);
    expect(world.published).toHaveLength(1);
  });

  it('is published once, also when the scanner crashed before or after', async () => {
    await openScanner(world)();
    world.clock.advance(15_000);
    world.troubles.set(START_MS + 10_000, hurt(START_MS + 10_000));
    world.isArchiveAway = true;
    await expect(openScanner(world)()).rejects.toThrow(UnavailableError);
    world.isArchiveAway = false;
    await openScanner(world)();
    await openScanner(world)();
    expect(world.published).toHaveLength(1);
  });
});

describe('history that comes in late', () => {
  it('is followed as it comes, and time goes on when no more comes', async () => {
    world.newestMs = START_MS - HOUR_MS;
    const scan = openScanner(world);
    await scan();
    world.judged.length = 0;
    world.newestMs = START_MS - 50 * MINUTE_MS;
    world.clock.advance(10_000);
    await scan();
    expect(world.judged.filter((each) => each.startsWith('slow'))).toHaveLength(10);
    world.clock.advance(61_000);
    await scan();
    expect(world.judged).toContain(`fast ${60}`);
  });
});

it('goes on where the last scanner was', async () => {
  const scan = openScanner(world);
  await scan();
  world.clock.advance(2 * MINUTE_MS);
  await scan();
  world.judged.length = 0;
  world.clock.advance(MINUTE_MS);
  await openScanner(world)();
  expect(world.judged).toHaveLength(7);
});

it('begins anew when the clock was set back', async () => {
  const scan = openScanner(world);
  await scan();
  world.clock.advance(24 * HOUR_MS);
  await scan();
  world.clock.advance(-24 * HOUR_MS);
  world.troubles.set(START_MS + 10_000, hurt(START_MS + 10_000));
  await scan();
  world.clock.advance(15_000);
  expect(await scan()).toHaveLength(1);
});

it('what a rule hides opens nothing, and is written down with the rule', async () => {
  const saved: AnomalyRecord[] = [];
  const scan = openScanner(world, {
    refine: async (anomalies) => anomalies.map((anomaly) => ({ ...anomaly, hiddenBy: 'rule_1' })),
    saveAnomalies: async (records) => void saved.push(...records),
  });
  await scan();
  world.clock.advance(15_000);
  world.troubles.set(START_MS + 10_000, hurt(START_MS + 10_000));
  expect(await scan()).toEqual([]);
  expect(saved).toMatchObject([{ incidentId: '', anomaly: { service: 'web', hiddenBy: 'rule_1' } }]);
});
