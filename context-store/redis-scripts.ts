/** The Lua files of scripts/, each one atomic change; those that work on a board begin with board.lua. */
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { askRedis } from './redis-connection.ts';

const BOARD_SCRIPTS = [
  'post-items',
  'post-hypotheses',
  'cast-votes',
  'claim-task',
  'extend-claim',
  'release-claim',
  'complete-task',
  'drop-board',
] as const;
const OTHER_SCRIPTS = [
  'list-open',
  'list-tasks',
  'note-task',
  'beat-worker',
  'list-workers',
  'issue-token',
  'compare-and-set',
] as const;

export type ScriptName = (typeof BOARD_SCRIPTS)[number] | (typeof OTHER_SCRIPTS)[number];
export type ScriptAnswer = string | readonly (string | number)[];
/** Rejects with the errors of askRedis, and the signal's reason when that has aborted before. */
export type RunScript = (
  name: ScriptName,
  keys: readonly string[],
  values: readonly (string | number)[],
  signal: AbortSignal | undefined,
) => Promise<ScriptAnswer>;

const read = (name: string) => readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), 'utf8');

/** Defines the scripts on a connection, which sends a script's text only where the server does not know it. */
export function createScriptRunner(redis: Redis): RunScript {
  const prelude = read('board');
  for (const name of BOARD_SCRIPTS) redis.defineCommand(name, { lua: `${prelude}\n${read(name)}` });
  for (const name of OTHER_SCRIPTS) redis.defineCommand(name, { lua: read(name) });
  return async (name, keys, values, signal) => {
    signal?.throwIfAborted();
    return askRedis(async () => {
      const run: unknown = Reflect.get(redis, name);
      if (typeof run !== 'function') throw new TypeError(`no script ${name}`);
      return (await Reflect.apply(run, redis, [keys.length, ...keys, ...values])) as ScriptAnswer;
    });
  };
}
