/** What people and providers did in a RootCauseBench case, as `POST /v1/changes` takes it: commits, deploys, flags, status notes. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type ChangeInput, changeInputSchema } from '../../domain/change.ts';

/** A text that may be null or left out there. */
export const textOrNothing = z
  .string()
  .nullish()
  .transform((text) => text ?? '');

const commitsSchema = z.array(
  z.object({
    sha: z.string(),
    author: textOrNothing,
    timestamp: z.string(),
    message: textOrNothing,
    files_changed: z.array(z.string()).nullish(),
    diff: textOrNothing,
  }),
);
const deploysSchema = z.array(
  z.object({ timestamp: z.string(), service: z.string(), commit_sha: textOrNothing, version: textOrNothing }),
);
const flagsSchema = z.array(
  z.object({
    timestamp: z.string(),
    flag: z.string(),
    service: textOrNothing,
    change: textOrNothing,
    actor: textOrNothing,
  }),
);

const MAX_ATTRIBUTE = 4_000;
const MAX_SUMMARY = 2_000;
const MAX_DIFF = 200_000;

/** A commit is of no one service: which one it reached, its deploy says. */
export function readChanges(caseDir: string): ChangeInput[] {
  const commits = commitsSchema.parse(readJson(join(caseDir, 'context', 'commits.json')) ?? []);
  const deploys = deploysSchema.parse(readJson(join(caseDir, 'context', 'deploys.json')) ?? []);
  const flags = flagsSchema.parse(readJson(join(caseDir, 'context', 'flags.json')) ?? []);
  return [
    ...commits.map(({ sha, author, timestamp, message, files_changed, diff }) =>
      changeInputSchema.parse({
        id: sha,
        kind: 'commit',
        at: timestamp,
        summary: message.slice(0, MAX_SUMMARY) || sha,
        author,
        attributes: { files_changed: (files_changed ?? []).join('\n').slice(0, MAX_ATTRIBUTE) },
        diff: diff.slice(0, MAX_DIFF),
      }),
    ),
    ...deploys.map(({ timestamp, service, commit_sha, version }) =>
      changeInputSchema.parse({
        kind: 'deploy',
        service,
        at: timestamp,
        version,
        summary: `Deploy of ${service} ${version}`.trim(),
        attributes: commit_sha === '' ? {} : { commit: commit_sha },
      }),
    ),
    ...flags.map(({ timestamp, flag, service, change, actor }) =>
      changeInputSchema.parse({
        kind: 'flag',
        service,
        at: timestamp,
        summary: `Flag ${flag} switched ${change}`.trim(),
        author: actor,
        attributes: { flag, change },
      }),
    ),
    ...statusNotes(readJson(join(caseDir, 'status_feed.json')), []),
  ];
}

function readJson(path: string): unknown {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

const noteSchema = z.looseObject({
  timestamp: z.iso.datetime({ offset: true }),
  status: z.string().optional(),
});
const TEXT_KEYS = ['detail', 'body', 'message', 'description', 'text'];
const NAME_KEYS = ['provider', 'component', 'name'];

/**
 * Status pages differ; common to all are notes with a time and a sentence, somewhere below the names of what they are about.
 * Measured values in between have no sentence and are left out.
 */
function statusNotes(node: unknown, outerNames: readonly string[]): ChangeInput[] {
  if (Array.isArray(node)) return node.flatMap((each) => statusNotes(each, outerNames));
  if (typeof node !== 'object' || node === null) return [];
  const fields = Object.entries(node);
  const wordAt = (keys: readonly string[]) =>
    fields.flatMap(([key, value]) => (keys.includes(key) && typeof value === 'string' ? [value] : []));
  const names = [...outerNames, ...wordAt(NAME_KEYS)];
  const note = noteSchema.safeParse(node);
  const [sentence] = wordAt(TEXT_KEYS);
  const own = note.success && sentence !== undefined ? [toStatusNote(note.data, sentence, names)] : [];
  return [...own, ...fields.flatMap(([, value]) => statusNotes(value, names))];
}

function toStatusNote(
  { timestamp, status }: z.infer<typeof noteSchema>,
  sentence: string,
  names: readonly string[],
): ChangeInput {
  const about = [...names, ...(status ? [status] : [])].join(', ');
  return changeInputSchema.parse({
    kind: 'infrastructure',
    at: timestamp,
    summary: `${about}${about ? ': ' : ''}${sentence}`.slice(0, MAX_SUMMARY),
    attributes: {
      ...(names.length > 0 ? { component: names.join(', ').slice(0, MAX_ATTRIBUTE) } : {}),
      ...(status ? { status: status.slice(0, MAX_ATTRIBUTE) } : {}),
    },
  });
}
