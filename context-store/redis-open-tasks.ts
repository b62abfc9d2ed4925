/**
 * The list of tasks that workers may claim, in a slot of its own beside the boards. It is a hint: every claim looks at the board,
 * and what the list has wrong is put right by whoever comes across it. A task that is missing on it (its poster died in between)
 * is still worked on by its own host.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { Task } from '../domain/investigation.ts';
import type { AgentName } from '../domain/signal.ts';
import type { RedisKeys } from './redis-keys.ts';
import type { RunScript } from './redis-scripts.ts';
import type { Watchers } from './redis-watchers.ts';

export interface OpenTask {
  readonly agent: AgentName;
  readonly investigationId: string;
  readonly taskId: string;
  /** As listed: milliseconds by the server's clock. */
  readonly dueText: string;
}

type TaskName = Pick<Task, 'agent' | 'investigationId' | 'taskId'>;

export interface OpenTasks {
  /** Tasks of one investigation, as posted or given back: `new` leaves those that are listed as they are. */
  list(tasks: readonly TaskName[], mode: 'new' | 'now', signal?: AbortSignal): Promise<void>;
  /** Held for so long, or never to be claimed again; with `dueText`, only where the list still says what was read. */
  note(task: TaskName & { readonly dueText?: string }, heldMs: number | 'never'): Promise<void>;
  /** Some that may be claimed now, the longest open first. */
  due(agents: readonly AgentName[], signal?: AbortSignal): Promise<readonly OpenTask[]>;
  /** Resolves when there may be some. */
  awaitDue(agents: readonly AgentName[], signal: AbortSignal): Promise<void>;
}

const LIST_TTL_MS = 86_400_000;
const MAX_LISTED = 10_000;
const MAX_DUE = 16;
/** Whoever found nothing though something is listed (a lock outlives its holder) does not ask in a frenzy. */
const PAUSE_MS = 40;
/** A nudge that was lost with a connection costs so much at the most. */
const MAX_WAIT_MS = 5_000;

const memberSchema = z.tuple([z.string(), z.string()]);

export function createOpenTasks(runScript: RunScript, keys: RedisKeys, watchers: Watchers): OpenTasks {
  const memberOf = ({ investigationId, taskId }: TaskName) => JSON.stringify([investigationId, taskId]);

  async function ask(agents: readonly AgentName[], signal?: AbortSignal) {
    const answer = await runScript('list-open', agents.map(keys.openTasks), [MAX_DUE], signal);
    const [wait, ...places] = typeof answer === 'string' ? [answer] : answer;
    return { waitMs: wait === '' ? undefined : Number(wait), places };
  }

  return {
    list: async (tasks, mode, signal) => {
      for (const [agent, own] of Map.groupBy(tasks, (task) => task.agent)) {
        const values = [LIST_TTL_MS, MAX_LISTED, mode, keys.nudges, ...own.map(memberOf)];
        await runScript('list-tasks', [keys.openTasks(agent)], values, signal);
      }
    },

    note: async (task, heldMs) => {
      const held = heldMs === 'never' ? '' : heldMs;
      await runScript(
        'note-task',
        [keys.openTasks(task.agent)],
        [LIST_TTL_MS, memberOf(task), task.dueText ?? '', held],
        undefined,
      );
    },

    due: async (agents, signal) => {
      const { places } = await ask(agents, signal);
      const due: OpenTask[] = [];
      for (let index = 0; index + 2 < places.length; index += 3) {
        const agent = agents[Number(places[index]) - 1];
        const [investigationId, taskId] = memberSchema.parse(JSON.parse(String(places[index + 1])));
        if (agent) due.push({ agent, investigationId, taskId, dueText: String(places[index + 2]) });
      }
      return due;
    },

    awaitDue: async (agents, signal) => {
      const nudged = new AbortController();
      const stop = await watchers.subscribe(keys.nudges, () => nudged.abort());
      try {
        const { waitMs = MAX_WAIT_MS } = await ask(agents, signal);
        const pauseMs = Math.min(MAX_WAIT_MS, Math.max(waitMs, PAUSE_MS * Math.random()));
        await delay(pauseMs, undefined, { signal: AbortSignal.any([signal, nudged.signal]) });
      } catch (error) {
        signal.throwIfAborted();
        if (!nudged.signal.aborted) throw error;
      } finally {
        await stop();
      }
    },
  };
}
