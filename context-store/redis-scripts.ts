/** The Lua scripts of scripts/, each one atomic change; loaded once, run by their digest. */
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';

const NAMES = [
  'post-tasks',
  'claim-task',
  'extend-claim',
  'release-claim',
  'complete-task',
  'post-items',
  'post-hypotheses',
  'cast-votes',
] as const;
export type ScriptName = (typeof NAMES)[number];

export type ScriptAnswer = string | readonly (string | number)[];
export type RunScript = (
  name: ScriptName,
  keys: readonly string[],
  values: readonly (string | number)[],
) => Promise<ScriptAnswer>;

/** Defines the scripts on a connection, which sends a script's text only where the server does not know it. */
export function createScriptRunner(redis: Redis): RunScript {
  for (const name of NAMES) {
    redis.defineCommand(name, { lua: readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), 'utf8') });
  }
  return async (name, keys, values) => {
    const run: unknown = Reflect.get(redis, name);
    if (typeof run !== 'function') throw new TypeError(`no script ${name}`);
    return (await Reflect.apply(run, redis, [keys.length, ...keys, ...values])) as ScriptAnswer;
  };
}
