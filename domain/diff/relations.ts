/** What a commit does to tables: uses one that it does not create, removes or renames what others use, locks one while it runs. */
import type { ChangeClass } from './change-class.ts';
import { codeOf } from './code-lines.ts';
import type { FileDiff } from './parse-diff.ts';

const USED = /\b(?:FROM|JOIN|INTO|UPDATE)\s+["'`[]?([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?)/g;
const CREATED =
  /\bCREATE\s+(?:OR\s+REPLACE\s+)?(?:TEMP\w*\s+)?(?:UNLOGGED\s+)?(?:TABLE|VIEW|MATERIALIZED VIEW)\s+(?:IF\s+NOT\s+EXISTS\s+)?["'`[]?([\w.]+)|\bcreate_table\(\s*["'](\w+)/gi;
const REMOVED =
  /\b(?:DROP\s+(?:TABLE|COLUMN|VIEW)|RENAME\s+(?:COLUMN|TO|TABLE))\s+(?:IF\s+EXISTS\s+)?["'`[]?([\w.]+)|\b(?:drop|rename)_(?:table|column)\(\s*["'](\w+)/gi;
const INDEX_REMOVED = /\bDROP\s+INDEX\b|\bdrop_index\(|\bremove_index\b/i;
const INDEX_CREATED = /\bCREATE\s+(UNIQUE\s+)?INDEX\b|\bcreate_index\(|\badd_index\b/i;
const LOCKS =
  /\bALTER\s+TABLE\b|\bLOCK\s+TABLE\b|\bVACUUM\s+FULL\b|\bCREATE\s+(UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY)|\bSET\s+NOT\s+NULL\b|\bADD\s+CONSTRAINT\b/i;

interface Line {
  readonly sign: string;
  readonly code: string;
  readonly path: string;
}

export function relationChanges(files: readonly FileDiff[]): ChangeClass[] {
  const lines = files.flatMap(({ path, hunks }) =>
    hunks.flatMap((hunk) => hunk.lines.map(({ sign, text }): Line => ({ sign, path, code: codeOf(text) }))),
  );
  const added = lines.filter(({ sign }) => sign === '+');
  const isMigration = new Map(files.map(({ path, kind }) => [path, kind === 'migration']));
  const migrated = added.filter(({ path }) => isMigration.get(path));
  return [...usedRelations(lines, added), ...migrations(migrated), ...indexes(added, lines)];
}

function usedRelations(lines: readonly Line[], added: readonly Line[]): ChangeClass[] {
  const known = new Set(
    lines.flatMap(({ sign, code }) => [
      ...(sign === '+' ? [] : namesIn(code, USED)),
      ...(sign === '+' ? namesIn(code, CREATED) : []),
    ]),
  );
  const fresh = added.flatMap(({ code, path }) => namesIn(code, USED).map((name) => ({ name, path })));
  const used = fresh.filter(({ name }) => !known.has(name));
  const [first] = used;
  if (!first) return [];
  const anchors = [...new Set(used.map(({ name }) => name))];
  const does = `uses ${anchors.slice(0, 3).join(', ')} without creating it`;
  return [{ name: 'relation-used', strength: 0.9, does, path: first.path, anchors }];
}

function migrations(migrated: readonly Line[]): ChangeClass[] {
  const gone = migrated.flatMap(({ code, path }) => namesIn(code, REMOVED).map((name) => ({ name, path })));
  const locking = migrated.find(({ code }) => LOCKS.test(code));
  const [first] = gone;
  return [
    ...(first
      ? [
          {
            name: 'relation-removed' as const,
            strength: 0.9,
            does: `removes or renames ${first.name}`,
            path: first.path,
            anchors: gone.map(({ name }) => name),
          },
        ]
      : []),
    ...(locking
      ? [
          {
            name: 'table-locked' as const,
            strength: 0.7,
            does: 'locks a table while it runs',
            path: locking.path,
            anchors: [],
          },
        ]
      : []),
  ];
}

function indexes(added: readonly Line[], lines: readonly Line[]): ChangeClass[] {
  const dropped =
    added.find(({ code }) => INDEX_REMOVED.test(code)) ??
    lines.find(({ sign, code }) => sign === '-' && INDEX_CREATED.test(code));
  const created = added.find(({ code }) => INDEX_CREATED.test(code));
  if (dropped && dropped.sign === '+') {
    return [{ name: 'index-removed', strength: 0.95, does: 'drops an index', path: dropped.path, anchors: [] }];
  }
  if (dropped && !created) {
    return [
      { name: 'index-removed', strength: 0.8, does: 'no longer creates an index', path: dropped.path, anchors: [] },
    ];
  }
  return created
    ? [{ name: 'index-created', strength: 0.3, does: 'creates an index', path: created.path, anchors: [] }]
    : [];
}

function namesIn(code: string, pattern: RegExp): string[] {
  return [...code.matchAll(pattern)]
    .map((match) => (match[1] ?? match[2] ?? '').toLowerCase())
    .filter((name) => name !== '');
}
