/**
 * A worker as a process of its own, to be killed and frozen: claims, works for a moment, answers, several at once. A careless one:
 * it hands in its answer even when it was told that it lost the claim. Arguments: socket, name, lease (ms), work (ms), how many at
 * once. It tells its parent what became of every answer, and ends in order when it is told to.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { AppError } from '../platform/errors.ts';
import { answerBy, openTestRedis } from './board.fixture.ts';
import { holdClaim } from './hold-claim.ts';

export type WorkerMessage = 'ready' | 'accepted' | 'stale';

const [, , socket = '', name = '', ...numbers] = process.argv;
const [leaseMs = 0, workMs = 0, lanes = 0] = numbers.map(Number);
const ending = new AbortController();
const tell = (message: WorkerMessage) => process.send?.(message);
process.on('message', () => ending.abort());
process.on('disconnect', () => process.exit(ending.signal.aborted ? 0 : 1));

const { contextStore, close } = await openTestRedis(socket);
const counter = new Redis(socket);
tell('ready');

async function work(): Promise<void> {
  const claim = await contextStore.claimNext(['metrics-agent'], name, leaseMs);
  if (!claim) return contextStore.awaitOpenTasks(['metrics-agent'], ending.signal);
  const { investigationId, taskId } = claim.task;
  await counter.hincrby('executions', `${investigationId} ${taskId}`, 1);
  const done = new AbortController().signal;
  await holdClaim(contextStore, claim, leaseMs, done, () => delay(workMs)).catch(() => undefined);
  tell(await contextStore.completeTask(claim, answerBy(name, claim)));
}

async function workOn(): Promise<void> {
  while (!ending.signal.aborted) {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof AppError && error.retryable) && !ending.signal.aborted) throw error;
    }
  }
}

await Promise.all(Array.from({ length: lanes }, workOn));
await close();
counter.disconnect();
process.disconnect();
