/** Tasks and answers for tests of the store that other processes take part in. */
import type { Task } from '../domain/investigation.ts';
import { systemClock } from '../platform/clock.ts';
import { silentLogger } from '../platform/logger.ts';
import type { Claim, TaskAnswer } from './context-store.ts';
import { openRedis, type RedisParts } from './open-redis.ts';

const WINDOW = { startMs: 1_000_000, endMs: 2_000_000 };

export const taskNamed = (investigationId: string, taskId: string): Task => ({
  taskId,
  investigationId,
  agent: 'metrics-agent',
  round: 1,
  question: 'What moved first?',
  scope: {
    window: WINDOW,
    baseline: { startMs: 0, endMs: 1_000_000 },
    onsetMs: 1_000_000,
    onsetReason: 'given',
    onsetGrid: { firstMs: 1, stepSeconds: 20, count: 1 },
    calls: [],
    evidenceIds: [],
  },
  focus: [],
});

/** One finding, whose id says who gave it under which token: two accepted answers would be two findings. */
export const answerBy = (holder: string, { task, token }: Claim): TaskAnswer => ({
  findings: [
    {
      findingId: `${task.taskId} ${token} ${holder}`,
      agent: 'metrics-agent',
      taskId: task.taskId,
      signal: 'metrics',
      observation: 'metrics:cart:cpu',
      service: 'cart',
      subject: 'cpu',
      window: WINDOW,
      sentence: 'cart used more cpu than ever.',
      evidenceIds: ['ev_1'],
      implications: [],
      figures: {},
    },
  ],
  evidence: [],
  gaps: [],
});

/** Long enough for a busy machine, short enough to wait for. */
const TIMEOUT_MS = 1_000;

export const openTestRedis = (url: string, ...lockUrls: string[]): Promise<RedisParts> =>
  openRedis({ url, lockUrls, namespace: 'test', clock: systemClock, logger: silentLogger, timeoutMs: TIMEOUT_MS });
