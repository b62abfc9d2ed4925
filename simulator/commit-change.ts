/** Commits as changes that somebody announced: pushed minutes to hours before what carries them, under an id of 40 hex digits. */
import type { ChangeInput } from '../domain/change.ts';
import { formatInstant } from '../domain/time-window.ts';
import { InvariantError } from '../platform/errors.ts';
import { type CommitTemplate, writeCommit } from './commit-diff.ts';
import { innocentTemplates } from './commit-innocents.ts';
import type { Operation, Service } from './compile-shop.ts';
import type { TimedChange } from './disturbance.ts';
import type { RandomStream } from './random-stream.ts';
import type { Runtime } from './shop-model.ts';

export const AUTHORS = ['amelie', 'bartosz', 'chidi', 'dana', 'emre', 'freya'];

const SHORTEST_LEAD_MS = 4 * 60_000;
const LONGEST_LEAD_MS = 3 * 3_600_000;

/** A commit and its id. */
export interface Commit {
  readonly sha: string;
  readonly author: string;
  readonly subject: string;
  readonly change: TimedChange;
}

/** The commit that brought the harm. @param carriedMs when a deploy or flag puts it in place */
export function guiltyCommit(
  templates: Readonly<Record<Runtime, CommitTemplate>>,
  operation: Operation,
  carriedMs: number,
  stream: RandomStream,
): Commit {
  return pushCommit(templates[runtimeOf(operation.service)], operation.service, operation.name, carriedMs, stream);
}

export function innocentCommit(service: Service, carriedMs: number, stream: RandomStream): Commit {
  const templates = innocentTemplates(runtimeOf(service));
  const template = templates[stream.fork('text').below(templates.length)];
  if (!template) throw new InvariantError('No innocent commit is written.');
  return pushCommit(template, service, service.operations[0]?.name ?? '', carriedMs, stream);
}

function runtimeOf({ name, runtime }: Service): Runtime {
  if (!runtime) throw new InvariantError(`Nobody commits code to ${name}.`);
  return runtime;
}

function pushCommit(
  template: CommitTemplate,
  service: Service,
  operation: string,
  carriedMs: number,
  stream: RandomStream,
): Commit {
  // Most are carried soon, some after hours.
  const leadMs = SHORTEST_LEAD_MS * (LONGEST_LEAD_MS / SHORTEST_LEAD_MS) ** (stream.fork('lead').next() ** 1.5);
  const atMs = Math.round(carriedMs - leadMs);
  const { subject, diff } = writeCommit(template, service, operation);
  const sha = shaOf(stream);
  const author = AUTHORS[stream.fork('author').below(AUTHORS.length)] ?? '';
  const input: ChangeInput = {
    id: sha,
    kind: 'commit',
    service: service.name,
    at: formatInstant(atMs),
    version: '',
    summary: subject,
    author,
    url: `https://git.shop.example/${service.name}/commit/${sha}`,
    attributes: { commit: sha, branch: 'main' },
    diff,
  };
  return { sha, author, subject, change: { atMs, input } };
}

function shaOf(stream: RandomStream): string {
  return stream.fork('sha').id128() + stream.fork('sha-end').id64().slice(0, 8);
}
