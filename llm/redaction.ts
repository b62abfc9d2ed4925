/**
 * What leaves for a model carries labels such as <email-1> instead of secrets and personal data: the same text has the same
 * label for as long as the redactor lives, and the answer gets the text back, except for secrets. What counts as either is
 * in sensitive-text.ts.
 */
import { findSensitive, type SensitiveKind } from './sensitive-text.ts';

export interface Redactor {
  /** Linear in the length of the text. */
  redact(text: string): string;
  /** As `redact`, for every text inside of JSON, in sight of the names of its fields. */
  redactValue(value: unknown): unknown;
  /** Labels become the text they stand for; those of secrets, and those that the model made up, stay. */
  restore(text: string): string;
  /** As `restore`, for every text inside of JSON. */
  restoreValue(value: unknown): unknown;
}

const LABEL = /<([a-z]+)-(\d{1,9})>/g;
/** The longest label, cut anywhere: what may become one when more text arrives. */
const BEGUN_LABEL = /<[a-z]{0,10}(?:-\d{0,9})?$/;

/**
 * One for each conversation. A text that looks like a label is labelled itself, so that what a log line planted comes back as
 * it was, and not as somebody's address.
 */
export function createRedactor(): Redactor {
  const labels = new Map<string, string>();
  const texts = new Map<string, string>();
  const counts = new Map<string, number>();
  const secrets = new Set<string>();

  function labelOf(kind: SensitiveKind | 'label', text: string): string {
    const key = `${kind} ${text}`;
    const known = labels.get(key);
    if (known !== undefined) return known;
    const number = (counts.get(kind) ?? 0) + 1;
    const label = `<${kind}-${number}>`;
    counts.set(kind, number);
    labels.set(key, label);
    if (kind === 'secret') secrets.add(label);
    else texts.set(label, text);
    return label;
  }

  function restore(text: string): string {
    return text.replace(LABEL, (label) => texts.get(label) ?? label);
  }

  /** What looks like a label between the findings; a secret's may be ours, from an earlier answer: it never came back. */
  function hideLabels(text: string): string {
    return text.replace(LABEL, (label) => (secrets.has(label) ? label : labelOf('label', label)));
  }

  function redact(text: string): string {
    let redacted = '';
    let end = 0;
    for (const found of findSensitive(text)) {
      redacted += hideLabels(text.slice(end, found.start));
      redacted += labelOf(found.kind, text.slice(found.start, found.end));
      end = found.end;
    }
    return redacted + hideLabels(text.slice(end));
  }

  return {
    redact,
    redactValue: (value) => mapTexts(value, (text, field) => redactField(redact, text, field)),
    restore,
    restoreValue: (value) => mapTexts(value, restore),
  };
}

/** A field's name may be what tells that its text is a secret. */
function redactField(redact: (text: string) => string, text: string, field: string | undefined): string {
  if (field === undefined) return redact(text);
  const quoted = JSON.stringify({ [field]: text });
  const redacted = parseField(redact(quoted));
  return redacted ?? redact(text);
}

function parseField(json: string): string | undefined {
  try {
    const value: unknown = Object.entries(JSON.parse(json))[0]?.[1];
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined; // a label took a quotation mark along
  }
}

function mapTexts(value: unknown, change: (text: string, field?: string) => string, field?: string): unknown {
  if (typeof value === 'string') return change(value, field);
  if (Array.isArray(value)) return value.map((member) => mapTexts(member, change, field));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, mapTexts(member, change, key)]));
}

/** Changes nothing: for whoever switched redaction off. */
export const openRedactor: Redactor = {
  redact: (text) => text,
  redactValue: (value) => value,
  restore: (text) => text,
  restoreValue: (value) => value,
};

/** The text without a label that is only half there: more may arrive. */
export function withoutBegunLabel(text: string): string {
  return text.replace(BEGUN_LABEL, '');
}
