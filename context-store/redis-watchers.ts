/** Listening to channels of Redis on one connection of its own, made when somebody first listens. */
import type { Redis } from 'ioredis';
import { errorMessage } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { askRedis, untilReady } from './redis-connection.ts';

export interface Watchers {
  /** Resolves when the channel is heard; with how to stop. What is said while Redis is away is not heard. */
  subscribe(channel: string, listener: (text: string) => void): Promise<() => Promise<void>>;
  close(): void;
}

export function createWatchers(redis: Redis, logger: Logger): Watchers {
  const listeners = new Map<string, Set<(text: string) => void>>();
  let connection: Redis | undefined;

  function connect(): Redis {
    const opened = redis.duplicate();
    // It comes back by itself, and subscribes again; that Redis is away is told by the other connection.
    opened.on('error', () => undefined);
    opened.on('message', (channel: string, text: string) => {
      for (const listener of listeners.get(channel) ?? []) {
        try {
          listener(text);
        } catch (error) {
          logger.warn({ channel, reason: errorMessage(error) }, 'a watcher failed');
        }
      }
    });
    return opened;
  }

  async function stop(channel: string, own: (text: string) => void): Promise<void> {
    const left = listeners.get(channel);
    left?.delete(own);
    if (left?.size !== 0) return;
    listeners.delete(channel);
    // Where Redis is away there is nothing to end: a channel without a listener is ignored.
    await connection?.unsubscribe(channel).catch(() => undefined);
  }

  return {
    subscribe: async (channel, listener) => {
      connection ??= connect();
      const heard = connection;
      const own = (text: string) => listener(text);
      listeners.set(channel, (listeners.get(channel) ?? new Set()).add(own));
      try {
        await untilReady(heard, heard.options.commandTimeout ?? 0);
        await askRedis(() => heard.subscribe(channel));
      } catch (error) {
        await stop(channel, own);
        throw error;
      }
      return () => stop(channel, own);
    },
    close: () => {
      listeners.clear();
      connection?.disconnect();
    },
  };
}
