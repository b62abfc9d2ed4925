import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTemplateGroups, type TemplateAlias, type TemplateGroups } from './template-groups.ts';
import { tokenizeLine } from './tokenize-line.ts';

function textsOf(lines: readonly string[], groups = createTemplateGroups()): string[] {
  const ids = lines.map((line) => groups.add(tokenizeLine(line)) ?? '');
  return ids.map((id) => groups.resolve(id)?.text ?? '');
}
const USERS = ['root', 'ann', 'bob', 'cleo', 'dora', 'emil', 'fritz', 'gina', 'hanna'];

test('few words in one place are different lines, many are one', () => {
  const few = ['opened', 'closed', 'lost'].map((word) => `session ${word} for guest`);
  expect(textsOf(few)).toEqual(few);
  expect(new Set(textsOf(USERS.map((user) => `session closed for user ${user}`)))).toEqual(
    new Set(['session closed for user <*>']),
  );
});

test('names vary sooner than words, and a masked value beside one word is enough', () => {
  const hosts = ['a.example.com', 'b.example.com', 'cache-eu', 'orders/db'];
  expect(new Set(textsOf(hosts.map((host) => `no route to ${host} now`)))).toEqual(new Set(['no route to <*> now']));
  expect(new Set(textsOf(['invalid user 0101 from 10.0.0.1', 'invalid user admin from 10.0.0.2']))).toEqual(
    new Set(['invalid user <*> from <*>']),
  );
});

test('values of a key vary as soon as names do', () => {
  const lines = USERS.slice(0, 4).map((user) => `refused user=${user} at once`);
  expect(new Set(textsOf(lines))).toEqual(new Set(['refused user=<*> at once']));
});

test('names that vary together in a line are found together', () => {
  const lines = ['EventType', 'TaskType', 'JobType', 'CommitType'].map(
    (name) => `Registering class app.${name} for class app.${name}Handler`,
  );
  expect(new Set(textsOf(lines))).toEqual(new Set(['Registering class <*> for class <*>']));
});

test('a place in the code is never a variable by itself', () => {
  const lines = ['order saved at OrderService#451', 'order saved at OrderService#17'];
  expect(textsOf(lines)).toEqual(lines);
});

test('an id keeps its meaning when its template becomes more general', () => {
  const groups = createTemplateGroups();
  const first = groups.add(tokenizeLine('session closed for user root')) ?? '';
  expect(groups.resolve(first)).toMatchObject({ templateId: first, text: 'session closed for user root' });
  groups.takeChanged();
  const ids = USERS.map((user) => groups.add(tokenizeLine(`session closed for user ${user}`)));
  const now = groups.resolve(first);
  expect(now).toMatchObject({ templateId: ids.at(-1), text: 'session closed for user <*>' });
  expect(groups.takeChanged()).toContainEqual(now);
  expect(groups.takeChanged()).toEqual([]);
});

const word = fc.constantFrom(...USERS, 'a.b', 'c.d', 'x_y', 'MyName', 'k/l', '17', 'n1');
/** Few frames and few words: places open one after the other, and groups meet. */
const line = fc.oneof(
  fc.tuple(word, word).map(([left, right]) => `copy ${left} to ${right} done`),
  fc.tuple(word, word, word).map(([left, right, third]) => `${left} sent ${right} for ${third}`),
  word.map((one) => `user=${one} left`),
);

/** What all processes stored: of two entries for one id the greater version stays. */
type Table = Map<string, TemplateAlias>;

function save(table: Table, groups: TemplateGroups): void {
  for (const alias of groups.takeChanged()) {
    const before = table.get(alias.id);
    if (!before || BigInt(alias.version) > BigInt(before.version)) table.set(alias.id, alias);
  }
}

function takeIn(table: Table, groups: TemplateGroups): TemplateGroups {
  for (const { tokens } of table.values()) groups.restore(tokens);
  save(table, groups);
  return groups;
}

interface Step {
  readonly line: string;
  readonly process: number;
  readonly sync: boolean;
  readonly restart: boolean;
}

/** Three processes that sometimes read each other and sometimes die; the id that each line was given, and what is stored. */
function runProcesses(steps: readonly Step[]): { table: Table; given: [line: string, id: string][] } {
  const table: Table = new Map();
  const processes = [createTemplateGroups(), createTemplateGroups(), createTemplateGroups()];
  const given = steps.map(({ line, process, sync, restart }): [string, string] => {
    const groups = processes[process] ?? createTemplateGroups();
    const id = groups.add(tokenizeLine(line)) ?? '';
    save(table, groups);
    if (sync) takeIn(table, groups);
    if (restart) processes[process] = takeIn(table, createTemplateGroups());
    return [line, id];
  });
  takeIn(table, createTemplateGroups());
  return { table, given };
}

test('any order, split over processes and restart ends with the same groups, and every id ever given resolves to them', () => {
  const step = fc.record({ line, process: fc.nat(2), sync: fc.boolean(), restart: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 150 }), (steps) => {
      const alone = createTemplateGroups();
      for (const one of steps.map((each) => each.line).toSorted()) alone.add(tokenizeLine(one));
      const { table, given } = runProcesses(steps);
      for (const [one, id] of given) {
        const { templateId, text } = alone.resolve(alone.add(tokenizeLine(one)) ?? '') ?? {};
        expect(table.get(id)).toMatchObject({ templateId, text });
      }
    }),
    { numRuns: 150 },
  );
});

test('groups only ever merge', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 80 }), fc.array(line, { maxLength: 80 }), (before, after) => {
      const groups = createTemplateGroups();
      const ids = before.map((one) => groups.add(tokenizeLine(one)) ?? '');
      const were = ids.map((id) => groups.resolve(id)?.templateId);
      for (const one of after) groups.add(tokenizeLine(one));
      const are = ids.map((id) => groups.resolve(id)?.templateId);
      const becomes = new Map(were.map((id, index) => [id, are[index]]));
      expect(are).toEqual(were.map((id) => becomes.get(id)));
    }),
    { numRuns: 150 },
  );
});

test('memory is bounded: a template stops remembering words, a service stops learning templates', () => {
  const limits = { maxFacts: 40, maxFactsOfTemplate: 12 };
  const letters = (index: number) => [...String(index)].map((digit) => 'abcdefghij'[Number(digit)]).join('');
  const groups = createTemplateGroups(limits);
  const seen = new Set(
    Array.from({ length: 5_000 }, (_, index) => groups.add(tokenizeLine(`login of ${letters(index)} failed`))),
  );
  expect(groups.factCount()).toBeLessThanOrEqual(12);
  const [last] = [...seen].slice(-1);
  expect(groups.resolve(last ?? '')?.text).toBe('login of <*> failed');
  const others = Array.from({ length: 100 }, (_, index) => groups.add(tokenizeLine(`${'and so '.repeat(index)}on`)));
  expect(groups.factCount()).toBeLessThanOrEqual(40);
  expect(others.at(-1)).toBeUndefined();
  expect(groups.add(tokenizeLine('login of somebody failed'))).toBe(last);
});
