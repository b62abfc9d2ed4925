/** Identifiers and digests: random ids that sort by time, and SHA-256 over a canonical JSON text. */
import { createHash, randomBytes } from 'node:crypto';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

function encodeBase32(bytes: Uint8Array): string {
  let text = '';
  let buffer = 0;
  let bits = 0;
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(buffer >> bits) & 31];
    }
  }
  return text;
}

/**
 * A new id such as `inc_06bq3s9x0e2k7m`: 48 bits of time, then 40 random bits, in Crockford's base 32, so that ids of one
 * kind sort by creation to the millisecond.
 */
export function newId(prefix: string, nowMs: number = Date.now()): string {
  const bytes = new Uint8Array(11);
  let rest = nowMs;
  for (let index = 5; index >= 0; index--) {
    bytes[index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes.set(randomBytes(5), 6);
  return `${prefix}_${encodeBase32(bytes)}`;
}

/**
 * What JSON.stringify writes, with object keys sorted at every depth: equal values give equal texts, and a value gives the
 * same text again after a round trip through JSON.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  if ('toJSON' in value && typeof value.toJSON === 'function') return canonicalJson(value.toJSON());
  if (Array.isArray(value)) return `[${Array.from(value, canonicalJson).join(',')}]`;
  const members = Object.entries(value)
    .filter(([, member]) => !['undefined', 'function', 'symbol'].includes(typeof member))
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

/** SHA-256 of the canonical JSON of a value, as 64 hex digits. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

/** An id made from content: equal content, equal id. */
export function contentId(prefix: string, value: unknown): string {
  return `${prefix}_${digestOf(value).slice(0, 12)}`;
}
