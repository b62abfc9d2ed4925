/** Commits as their authors write them: a subject and a unified diff, in the language of the service they belong to. */
import type { Service } from './compile-shop.ts';

export interface CommitText {
  readonly subject: string;
  readonly diff: string;
}

/** One hunk of one file; each line of `body` begins with its sign: `+`, `-` or a space. */
export interface Patch {
  readonly path: string;
  readonly line: number;
  readonly body: string;
  /** The function that the hunk lies in. */
  readonly heading?: string;
}

/** What a template may name: `{svc}` the service, `{Svc}` its class, `{op}` the function of its main operation. */
export interface CommitTemplate {
  readonly subject: string;
  readonly patches: readonly Patch[];
}

const PLACEHOLDER = /\{(svc|Svc|op)\}/g;

/** @param operation as the topology names it: `GetProduct`, `GET /users/{id}` */
export function writeCommit({ subject, patches }: CommitTemplate, service: Service, operation: string): CommitText {
  const words = operation.match(/[A-Za-z]+/g) ?? ['handle'];
  const pascal = words.map((word) => capital(/^[A-Z]+$/.test(word) ? word.toLowerCase() : word)).join('');
  const names: Readonly<Record<string, string>> = {
    svc: service.name,
    Svc: capital(service.name),
    op: nameOfFunction(pascal, service),
  };
  const fill = (text: string) => text.replace(PLACEHOLDER, (_, name: string) => names[name] ?? '');
  return { subject: fill(subject), diff: fill(unifiedDiff(patches)) };
}

function nameOfFunction(pascal: string, { runtime }: Service): string {
  if (runtime === 'go') return pascal;
  if (runtime === 'python') return pascal.replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
  return pascal.charAt(0).toLowerCase() + pascal.slice(1);
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** As `git diff` prints it, with the line counts of each hunk. */
function unifiedDiff(patches: readonly Patch[]): string {
  return patches.map(fileDiff).join('');
}

function fileDiff({ path, line, body, heading = '' }: Patch): string {
  const lines = body
    .replace(/^\n|\n$/g, '')
    .split('\n')
    .map((each) => each || ' ');
  const before = lines.filter((each) => !each.startsWith('+')).length;
  const after = lines.filter((each) => !each.startsWith('-')).length;
  const where = `@@ -${line},${before} +${line},${after} @@${heading === '' ? '' : ` ${heading}`}`;
  return `diff --git a/${path} b/${path}\n--- a/${path}\n+++ b/${path}\n${where}\n${lines.join('\n')}\n`;
}
