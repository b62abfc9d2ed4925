/** Listening to channels of Redis on one connection of its own, made when somebody first listens. */
import type { Redis } from 'ioredis';
import { errorMessage } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';

export interface Watchers {
  /** Resolves when the channel is heard; with how to stop. */
  subscribe(channel: string, listener: (text: string) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

export function createWatchers(redis: Redis, logger: Logger): Watchers {
  const listeners = new Map<string, Set<(text: string) => void>>();
  let connection: Redis | undefined;

  function connect(): Redis {
    const opened = redis.duplicate();
    opened.on('error', (error) => logger.warn({ reason: errorMessage(error) }, 'the connection of watchers failed'));
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

  return {
    subscribe: async (channel, listener) => {
      connection ??= connect();
      const own = (text: string) => listener(text);
      listeners.set(channel, (listeners.get(channel) ?? new Set()).add(own));
      await connection.subscribe(channel);
      return async () => {
        const left = listeners.get(channel);
        left?.delete(own);
        if (left?.size !== 0) return;
        listeners.delete(channel);
        await connection?.unsubscribe(channel);
      };
    },
    close: async () => {
      listeners.clear();
      connection?.disconnect();
    },
  };
}
