/** The claims benchmark, small: real processes, every task given out once. */
import { expect } from 'vitest';
import { itOnRedis } from '../context-store/redis.fixture.ts';
import { runClaimsBenchmark } from './claims-benchmark.ts';

itOnRedis('measures both ways with one and two processes', async () => {
  const { signal } = new AbortController();
  const report = await runClaimsBenchmark({
    processes: [1, 2],
    tasksPerProcess: 20,
    signal,
    onProgress: () => undefined,
  });
  expect(report.sound).toBe(true);
  expect(report.runs.map(({ locking, processes, tasks }) => [locking, processes, tasks])).toEqual([
    ['redlock', 1, 20],
    ['redlock', 2, 40],
    ['script', 1, 20],
    ['script', 2, 40],
  ]);
  for (const { tasksPerSecond, p50Ms, p99Ms } of report.runs) {
    expect(tasksPerSecond).toBeGreaterThan(0);
    expect(p99Ms).toBeGreaterThanOrEqual(p50Ms);
  }
});
