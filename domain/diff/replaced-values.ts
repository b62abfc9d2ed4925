/** What a commit sets to something else: amounts, names, switches, log levels, addresses, conditions; line by replaced line. */
import type { ChangeClass, ChangeClassName } from './change-class.ts';
import { type Replacement, tokensOf } from './code-lines.ts';
import type { FileKind } from './file-kind.ts';
import { amountOf, quantitiesOf, withoutQuantities } from './quantities.ts';
import { partsOf, plainWords } from './words.ts';

type Found = Omit<ChangeClass, 'path'>;

export function replacedValues(replacement: Replacement, kind: FileKind): Found[] {
  if (kind === 'dependencies' || kind === 'image') {
    return [{ name: 'dependency-changed', strength: 0.3, does: 'changes the version of a dependency', anchors: [] }];
  }
  const level = logLevel(replacement);
  if (level) return [level];
  const amounts = amountChanges(replacement);
  if (amounts.length > 0) return amounts;
  const named = patternChange(replacement) ?? clockChange(replacement);
  if (named) return [named];
  const names = nameChanges(replacement);
  return names.length > 0 ? names : [...switches(replacement), ...conditions(replacement)];
}

function patternChange({ before, after }: Replacement): Found | undefined {
  const isPattern = (line: string) =>
    /\bre\.(compile|match|search)|RegExp\(|[Rr]egexp?\.|Pattern\.compile|preg_match/.test(line);
  if (!isPattern(before) || !isPattern(after)) return undefined;
  return { name: 'pattern-changed', strength: 0.8, does: 'changes a pattern that input is matched with', anchors: [] };
}

function clockChange({ before, after }: Replacement): Found | undefined {
  const zone = (line: string) =>
    (line.match(/\b(UTC|utc\w*|Local|timezone|tz|ZoneId|ZoneOffset|LoadLocation)\b/g) ?? []).join(' ');
  if (zone(before) === zone(after) || !/time|date|clock|now|zone/i.test(before)) return undefined;
  return { name: 'clock-changed', strength: 0.6, does: 'reads the time in another zone', anchors: [] };
}

function amountChanges({ before, after, around }: Replacement): Found[] {
  if (withoutQuantities(before) !== withoutQuantities(after) && plainHead(before) !== plainHead(after)) {
    const [from, to] = [quantitiesOf(before), quantitiesOf(after)];
    if (from.length !== 1 || to.length !== 1) return [];
  }
  const to = quantitiesOf(after);
  const changed = quantitiesOf(before).flatMap((from, index) => {
    const target = to[index];
    return target && target.value !== from.value ? [{ from, to: target }] : [];
  });
  return changed.slice(0, 3).map(({ from, to: target }) => {
    const amount = amountOf(plainWords(before), plainWords(around));
    const ratio = Math.abs(Math.log2((target.value || 0.1) / (from.value || 0.1)));
    const isLowered = target.value < from.value;
    const name: ChangeClassName = `${amount}-${isLowered ? 'lowered' : 'raised'}`;
    const does = `${isLowered ? 'lowers' : 'raises'} ${amount === 'amount' ? 'an amount' : `the ${amount.replace('-', ' ')}`} from ${from.text} to ${target.text}`;
    // Twice as much is rarely felt, four times as much is.
    return { name, strength: Math.min(1, 0.1 + ratio * 0.4), does, anchors: [] };
  });
}

/** What is set: the text before `=` or `:`. */
function plainHead(line: string): string {
  return plainWords(line.split(/[:=]/)[0] ?? '').trim();
}

const LEVELS = ['trace', 'debug', 'info', 'notice', 'warn', 'warning', 'error', 'fatal'];

/** The level that a program logs from; a single line that is logged at another level floods nobody. */
function logLevel({ before, after, around }: Replacement): Found | undefined {
  const words = [plainWords(before), plainWords(after)];
  if (!words.every((line) => /\b(level|verbos\w*|log level|rust log|loglevel)\b/.test(line))) {
    return words.every((line) => /^\W*(log|debug|verbose)\b/.test(line)) ? debugSwitch(words, around) : undefined;
  }
  const [from = -1, to = -1] = words.map((line) =>
    LEVELS.findIndex((level) => new RegExp(`\\b${level}\\b`).test(line)),
  );
  if (from < 0 || to < 0 || to >= from) return undefined;
  return {
    name: 'log-level-lowered',
    strength: to <= 1 ? 1 : 0.5,
    does: `lowers the log level from ${LEVELS[from]} to ${LEVELS[to]}`,
    anchors: [],
  };
}

function debugSwitch([before = '', after = '']: readonly string[], _around: string): Found | undefined {
  if (!/\b(false|0|off)\b/.test(before) || !/\b(true|1|on)\b/.test(after)) return undefined;
  return { name: 'log-level-lowered', strength: 0.8, does: 'switches on debug output', anchors: [] };
}

/** A name in quotes (a field, a key, a column, a topic), of letters, digits and joints. */
const QUOTED = /(["'`])((?:\w+:)?\\?["']?[A-Za-z][\w.:/@,-]{0,120}\\?["']?)\1|(["'])([A-Za-z][\w.:/@,-]{0,120})\3/g;
const YAML_KEY = /^\s*-?\s*([A-Za-z][\w.-]{1,60})\s*:/;
const ADDRESS = /:\/\/|^[\w-]+(\.[\w-]+)+(:\d+)?$|:\d{2,5}$/;
const VERSION = /^v?\d+([.-]\w+)*$/;

function nameChanges({ before, after }: Replacement): Found[] {
  const [from, to] = [quotedNames(before), quotedNames(after)];
  const gone = from.filter((name) => !to.includes(name));
  const come = to.filter((name) => !from.includes(name));
  const [old, next] = [gone[0], come[0]];
  if (old === undefined || next === undefined || gone.length > 2 || VERSION.test(old)) return [];
  if (ADDRESS.test(old) && ADDRESS.test(next)) {
    return [
      { name: 'endpoint-changed', strength: 0.9, does: `points from ${old} to ${next}`, anchors: [hostOf(next)] },
    ];
  }
  if (isSetting(before)) {
    return [{ name: 'setting-changed', strength: 0.8, does: `reads ${next} instead of ${old}`, anchors: [old, next] }];
  }
  if (
    /\b(jwt|tokens?|audience|issuer|scopes?|algorithm|signing|secret|auth\w*|role|permission)\b/.test(
      plainWords(before),
    )
  ) {
    return [{ name: 'credential-changed', strength: 0.8, does: `takes ${next} for ${old}`, anchors: [] }];
  }
  return [{ name: 'name-changed', strength: 0.8, does: `renames ${old} to ${next}`, anchors: [old, next] }];
}

function hostOf(address: string): string {
  return address.replace(/^(\w+:)?\/\//, '').split(/[:/]/)[0] ?? address;
}

function isSetting(line: string): boolean {
  return /getenv|environ|process\.env|viper|config\.(get|read)|secretKeyRef|os\.Getenv|LookupEnv/i.test(line);
}

function quotedNames(line: string): string[] {
  const quoted = [...line.matchAll(QUOTED)].map((match) =>
    (match[2] ?? match[4] ?? '').replace(/^\w+:|["'\\]|,.*$/g, ''),
  );
  const key = YAML_KEY.exec(line)?.[1];
  return [...quoted, ...(key && quoted.length === 0 && !/[({;]/.test(line) ? [key] : [])].filter((name) => name !== '');
}

const OPPOSITES: readonly (readonly [RegExp, RegExp])[] = [
  [/\btrue\b/i, /\bfalse\b/i],
  [/\benabled\b/i, /\bdisabled\b/i],
  [/\bon\b/, /\boff\b/],
];

function switches({ before, after }: Replacement): Found[] {
  const flipped = OPPOSITES.some(
    ([one, other]) =>
      (one.test(before) && other.test(after) && !one.test(after)) ||
      (other.test(before) && one.test(after) && !other.test(after)),
  );
  if (!flipped) return [];
  return [
    { name: 'switch-flipped', strength: 0.6, does: `switches ${plainHead(before) || 'a setting'} over`, anchors: [] },
  ];
}

const OPERATOR = /^(<=?|>=?|==|!=|&&|\|\||[<>!|+\-/%])$/;
const DECLARED =
  /\b(u?int(8|16|32|64)?|float(32|64)?|string|bool(ean)?|number|long|double|decimal|timestamp|datetime|varchar|text|bigint|integer|uuid|jsonb?|bytes)\b/gi;

function conditions({ before, after }: Replacement): Found[] {
  const [from, to] = [tokensOf(before), tokensOf(after)];
  const operators = (tokens: readonly string[]) => tokens.filter((token) => OPERATOR.test(token)).join(' ');
  const rest = (tokens: readonly string[]) => tokens.filter((token) => !OPERATOR.test(token)).join(' ');
  if (rest(from) === rest(to) && operators(from) !== operators(to)) {
    return [{ name: 'condition-changed', strength: 0.6, does: 'changes a condition or a calculation', anchors: [] }];
  }
  const types = (line: string) => (line.match(DECLARED) ?? []).map((type) => type.toLowerCase()).join(' ');
  if (types(before) !== '' && types(after) !== '' && types(before) !== types(after)) {
    const field = fieldOf(before);
    return [
      {
        name: 'type-changed',
        strength: 0.5,
        does: `changes a type from ${types(before)} to ${types(after)}`,
        anchors: field,
      },
    ];
  }
  return [];
}

function fieldOf(line: string): string[] {
  const name = /[A-Za-z_]\w*/.exec(line)?.[0] ?? '';
  return partsOf(name).length > 0 ? [name] : [];
}
