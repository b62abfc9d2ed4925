/** Reading the one hash that a board is (scripts/board.lua): what is in it is checked before it is believed. */
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { counselSchema } from '../domain/counsel.ts';
import { evidenceSchema } from '../domain/evidence.ts';
import { findingSchema } from '../domain/finding.ts';
import { hypothesisSchema, voteSchema } from '../domain/hypothesis.ts';
import { signalGapSchema, taskSchema } from '../domain/investigation.ts';
import { ConfigError, InvariantError } from '../platform/errors.ts';
import type { Board, TaskState } from './context-store.ts';
import { SCHEMA } from './redis-keys.ts';

/** Undefined where there is none; empty where it was dropped. */
export async function readRedisBoard(redis: Redis, key: string): Promise<Board | undefined> {
  const fields = await redis.hgetall(key);
  if (Object.keys(fields).length === 0) return undefined;
  if (fields['schema'] !== SCHEMA) throw otherSchema(key, fields['schema']);
  const kinds = sortFields(fields);
  const all = <T>(kind: string, schema: z.ZodType<T>) =>
    inOrder(kinds, kind).map(([, text]) => parse(schema, text, `${key} ${kind}`));
  return {
    tasks: inOrder(kinds, 'tasks').map(([taskId, text]) =>
      describeTask(taskId, parse(taskSchema, text, `${key} tasks`), fields),
    ),
    findings: all('findings', findingSchema),
    evidence: all('evidence', evidenceSchema),
    gaps: all('gaps', signalGapSchema),
    hypotheses: [...(kinds.get('hypotheses') ?? [])]
      .sort(([left], [right]) => Number(left) - Number(right))
      .flatMap(([, value]) => parse(hypothesisSchema.array(), splitValue(value)[1], `${key} hypotheses`)),
    votes: all('votes', voteSchema),
  };
}

export function otherSchema(key: string, found: string | undefined): ConfigError {
  return new ConfigError(
    `${key} was written by another version of Inquest (schema ${found}, this one knows ${SCHEMA}): run one version everywhere.`,
    { details: { key, found, known: SCHEMA } },
  );
}

/** By kind, the fields `<kind>:<id>`. */
function sortFields(fields: Readonly<Record<string, string>>): Map<string, [id: string, value: string][]> {
  const kinds = new Map<string, [string, string][]>();
  for (const [field, value] of Object.entries(fields)) {
    const colon = field.indexOf(':');
    const kind = field.slice(0, Math.max(0, colon));
    const entries = kinds.get(kind) ?? [];
    entries.push([field.slice(colon + 1), value]);
    kinds.set(kind, entries);
  }
  return kinds;
}

/** Ids and JSON texts, as they were posted. */
function inOrder(kinds: ReadonlyMap<string, readonly [string, string][]>, kind: string): [string, string][] {
  return (kinds.get(kind) ?? [])
    .map(([id, value]) => [id, ...splitValue(value)] as const)
    .sort(([, left], [, right]) => left - right)
    .map(([id, , text]) => [id, text]);
}

function splitValue(value: string): [place: number, text: string] {
  const space = value.indexOf(' ');
  return [Number(value.slice(0, space)), value.slice(space + 1)];
}

/** What this version wrote and cannot read is our own mistake, or somebody else wrote there. */
export function parse<T>(schema: z.ZodType<T>, text: string, where: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new InvariantError(`${where} holds what Inquest never wrote there.`, { cause: error });
  }
}

/** Of an answer, what is kept with its task. */
const answerSchema = z.object({
  failure: z.string().optional(),
  gaps: z.array(signalGapSchema),
  counsel: counselSchema.optional(),
});

/** A claim whose lease has run out is still shown as claimed until somebody takes the task over. */
function describeTask(taskId: string, task: TaskState['task'], fields: Readonly<Record<string, string>>): TaskState {
  const holder = fields[`holder:${taskId}`];
  const answer = parse(answerSchema, fields[`answer:${taskId}`] ?? '{"gaps":[]}', `the answer to ${taskId}`);
  const isDone = fields[`done:${taskId}`] !== undefined;
  return {
    task,
    status: isDone ? 'done' : holder === undefined ? 'open' : 'claimed',
    ...(holder === undefined ? {} : { claimedBy: holder }),
    ...(answer.failure === undefined ? {} : { failure: answer.failure }),
    gaps: answer.gaps,
    ...(answer.counsel === undefined ? {} : { counsel: answer.counsel }),
  };
}
