/**
 * The kinds of lines of one service. Facts are shapes (tokens of a line) and general shapes with `<*>` for a word that was proven
 * to vary. Facts are only ever added and groups of them only ever merge, so the groups are a function of the set of lines seen,
 * in any order, and two processes agree as soon as each has added what the other knows.
 */
import { digestOf } from '../../platform/ids.ts';
import { type Hole, holesOf } from './context-keys.ts';
import { isName, VARIABLE } from './word-kinds.ts';

export interface TemplateLimits {
  /** Facts of a service; when they are used up, only lines of known templates are told apart. */
  readonly maxFacts: number;
  /** From so many facts on, a template takes in further lines without remembering their words. */
  readonly maxFactsOfTemplate: number;
}

export const TEMPLATE_LIMITS: TemplateLimits = { maxFacts: 3_000, maxFactsOfTemplate: 200 };

/**
 * How much a word adds to the proof that its place varies: 8 different words in one place of otherwise equal lines prove it, or 4
 * different names or values of a key, or anything beside a value that was masked. Accuracy is the same from 5 to 12 words and 3 to 8 names.
 */
const PROOF = { needed: 8, word: 1, name: 2, partlyMasked: 6, masked: 7 };

/** What an id stands for now. Every id ever given out keeps its entry. */
export interface TemplateAlias {
  /** Digest of a shape; 16 hex digits. */
  readonly id: string;
  /** The shape: tokens as tokenizeLine gives them. */
  readonly tokens: readonly string[];
  /** Id of the most general shape of its group. */
  readonly templateId: string;
  /** For people: `<*>` wherever lines of the group differ. */
  readonly text: string;
  /** Of two entries for one id, whoever wrote them, the greater is the later. A decimal number below 2^63. */
  readonly version: string;
}

export interface TemplateGroups {
  /** Id of the template that a line with these tokens has now; undefined when there is no room for another. */
  add(tokens: readonly string[]): string | undefined;
  /** Takes in what another process, or this one before a restart, had room for. */
  restore(tokens: readonly string[]): void;
  resolve(id: string): TemplateAlias | undefined;
  /** Ids that are new, or stand for something else than when they were taken last. */
  takeChanged(): TemplateAlias[];
  factCount(): number;
}

interface Fact {
  readonly tokens: readonly string[];
  readonly id: string;
  group: Group;
}

interface Group {
  readonly facts: Fact[];
  /** Of its most general fact. */
  id: string;
  variables: number;
  /** Tokens that all facts share; `<*>` where they differ. */
  common: readonly string[];
}

/** Shapes that are equal but for the words in certain places. */
interface Context {
  proof: number;
  facts: Fact[];
  /** The shape with `<*>` in these places, once it is proven. */
  general: Fact | undefined;
}

export function createTemplateGroups(limits: TemplateLimits = TEMPLATE_LIMITS): TemplateGroups {
  const facts = new Map<string, Fact>();
  const factsById = new Map<string, Fact>();
  const contexts = new Map<number, Context>();
  const changed = new Set<Fact>();

  function remember(tokens: readonly string[], key: string): Fact {
    const fact = createFact(tokens, key);
    facts.set(key, fact);
    factsById.set(fact.id, fact);
    changed.add(fact);
    return fact;
  }

  /** A fact and everything that follows from it. */
  function learn(tokens: readonly string[], key: string): Fact {
    const learned = remember(tokens, key);
    const unread = [learned];
    for (let fact = unread.pop(); fact; fact = unread.pop()) {
      for (const hole of holesOf(fact.tokens)) {
        const general = observe(fact, hole);
        if (general) unread.push(general);
      }
    }
    return learned;
  }

  /** Puts a fact beside its likes; answers the general shape when this proves it and nobody knew it. */
  function observe(fact: Fact, { key, places }: Hole): Fact | undefined {
    let context = contexts.get(key);
    if (!context) {
      context = { proof: 0, facts: [], general: undefined };
      contexts.set(key, context);
    }
    if (context.general) {
      if (isInstance(fact.tokens, context.general.tokens)) merge(fact, context.general);
      return undefined;
    }
    if (context.facts[0] && !isSameBut(places, fact.tokens, context.facts[0].tokens)) return undefined;
    context.facts.push(fact);
    context.proof += proofOf(fact.tokens, places);
    return context.facts.length > 1 && context.proof >= PROOF.needed ? generalize(context, fact, places) : undefined;
  }

  function generalize(context: Context, { tokens }: Fact, places: readonly number[]): Fact | undefined {
    const generalTokens = tokens.map((token, place) => (places.includes(place) ? VARIABLE : token));
    const key = keyOf(generalTokens);
    const known = facts.get(key);
    const general = known ?? remember(generalTokens, key);
    for (const fact of context.facts) merge(fact, general);
    context.general = general;
    context.facts = [];
    return known ? undefined : general;
  }

  function merge(left: Fact, right: Fact): void {
    if (left.group === right.group) return;
    const isLeftSmall = left.group.facts.length < right.group.facts.length;
    const [from, into] = isLeftSmall ? [left.group, right.group] : [right.group, left.group];
    const { id, common } = into;
    if (isBetter(from, into)) {
      into.id = from.id;
      into.variables = from.variables;
    }
    into.common = common.map((token, place) => (token === from.common[place] ? token : VARIABLE));
    const isAsBefore = into.id === id && into.common.every((token, place) => token === common[place]);
    for (const fact of isAsBefore ? [] : into.facts) changed.add(fact);
    for (const fact of from.facts) {
      fact.group = into;
      into.facts.push(fact);
      changed.add(fact);
    }
  }

  /** The only group whose general shapes this is an instance of. */
  function groupOf(tokens: readonly string[]): Group | undefined {
    let found: Group | undefined;
    for (const { key } of holesOf(tokens)) {
      const general = contexts.get(key)?.general;
      if (!general || !isInstance(tokens, general.tokens)) continue;
      if (found && found !== general.group) return undefined;
      found = general.group;
    }
    return found;
  }

  return {
    add: (tokens) => {
      const key = keyOf(tokens);
      const known = facts.get(key);
      if (known) return known.group.id;
      const isFull = facts.size >= limits.maxFacts;
      const group = groupOf(tokens);
      if (group && (isFull || group.facts.length >= limits.maxFactsOfTemplate)) return group.id;
      return isFull ? undefined : learn(tokens, key).group.id;
    },
    restore: (tokens) => {
      const key = keyOf(tokens);
      if (!facts.has(key)) learn(tokens, key);
    },
    resolve: (id) => {
      const fact = factsById.get(id);
      return fact && aliasOf(fact);
    },
    takeChanged: () => {
      const taken = Array.from(changed, aliasOf);
      changed.clear();
      return taken;
    },
    factCount: () => facts.size,
  };
}

const keyOf = (tokens: readonly string[]): string => tokens.join('\u0001');

function createFact(tokens: readonly string[], key: string): Fact {
  const id = digestOf(key).slice(0, 16);
  const group: Group = { facts: [], id, variables: countVariables(tokens), common: tokens };
  const fact = { tokens, id, group };
  group.facts.push(fact);
  return fact;
}

const isBetter = (left: Group, right: Group): boolean =>
  left.variables > right.variables || (left.variables === right.variables && left.id > right.id);

function countVariables(tokens: readonly string[]): number {
  return tokens.reduce((sum, token) => sum + (token === VARIABLE ? 1 : 0), 0);
}

/** Generality of the template, then of the text, then the id: all three only grow while facts are added. */
function aliasOf({ id, tokens, group }: Fact): TemplateAlias {
  const version =
    (BigInt(group.variables) << 55n) | (BigInt(countVariables(group.common)) << 47n) | (BigInt(`0x${group.id}`) >> 17n);
  return { id, tokens, templateId: group.id, text: group.common.join(''), version: String(version) };
}

function isInstance(tokens: readonly string[], general: readonly string[]): boolean {
  if (tokens.length !== general.length) return false;
  return tokens.every((token, place) => token === general[place] || general[place] === VARIABLE);
}

function isSameBut(places: readonly number[], left: readonly string[], right: readonly string[]): boolean {
  if (left.length !== right.length) return false;
  return left.every((token, place) => token === right[place] || places.includes(place));
}

function proofOf(tokens: readonly string[], places: readonly number[]): number {
  let proof = 0;
  for (const place of places) {
    const token = tokens[place] ?? '';
    // Of several places the ones that are masked anyway prove nothing.
    if (token === VARIABLE && places.length > 1) continue;
    proof = Math.max(proof, wordProof(token, tokens[place - 1]?.trimEnd().endsWith('=') ?? false));
  }
  return proof;
}

function wordProof(word: string, isValue: boolean): number {
  if (word === VARIABLE) return PROOF.masked;
  if (word.includes(VARIABLE)) return PROOF.partlyMasked;
  return isValue || isName(word) ? PROOF.name : PROOF.word;
}
