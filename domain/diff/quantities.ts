/** Amounts written in code and configuration: `5*time.Second`, `300ms`, `15m`, `512Mi`, `0.5`, and what kind of amount a line sets. */

export interface Quantity {
  /** In milliseconds for durations, bytes for sizes, as it stands otherwise; comparable with another one of the same line. */
  readonly value: number;
  readonly text: string;
}

const UNIT: Readonly<Record<string, number>> = {
  ns: 1e-6,
  nanosecond: 1e-6,
  us: 1e-3,
  microsecond: 1e-3,
  ms: 1,
  millis: 1,
  millisecond: 1,
  s: 1e3,
  sec: 1e3,
  second: 1e3,
  m: 6e4,
  min: 6e4,
  minute: 6e4,
  h: 36e5,
  hour: 36e5,
  d: 864e5,
  day: 864e5,
  k: 1e3,
  kb: 1e3,
  ki: 1024,
  kib: 1024,
  mb: 1e6,
  mi: 1048576,
  mib: 1048576,
  g: 1e9,
  gb: 1e9,
  gi: 1073741824,
  gib: 1073741824,
};

const DURATION_WORD = '(nano|micro|milli)?seconds?|minutes?|hours?|days?|millis';
/** Number and unit in either order, as languages write them; a number within a word or a version is none. */
const QUANTITY = new RegExp(
  [
    String.raw`(?<![\w.])(\d[\d_]*(?:\.\d+)?)\s*\*\s*(?:\w+\.)?(${DURATION_WORD})\b`,
    String.raw`(?:\w+\.)?\b(${DURATION_WORD})\s*\*\s*(\d[\d_]*(?:\.\d+)?)`,
    String.raw`\bof(millis|seconds|minutes|hours|days)\((\d[\d_]*)`,
    String.raw`\b(milliseconds|seconds|minutes|hours|days)\s*=\s*(\d[\d_]*(?:\.\d+)?)`,
    String.raw`(?<![\w.])(\d[\d_]*(?:\.\d+)?)(ns|us|ms|s|sec|m|min|h|d|k|kb|ki|kib|mb|mi|mib|g|gb|gi|gib)\b(?!\.)`,
    String.raw`(?<![\w.])(\d[\d_]*(?:\.\d+)?)(?![\w.])`,
    String.raw`(?:\w+\.)(nanosecond|microsecond|millisecond|second|minute|hour)\b`,
  ].join('|'),
  'gi',
);

/** The amounts of a line, in order. */
export function quantitiesOf(line: string): Quantity[] {
  // A thousandth of a core, not a minute.
  const perUnit = /cpu/i.test(line) ? { ...UNIT, m: 1e-3 } : /-Xm[xs]/.test(line) ? { ...UNIT, m: 1e6 } : UNIT;
  return [...apart(line).matchAll(QUANTITY)].slice(0, 20).map((match) => {
    const groups = match.slice(1).filter((group) => group !== undefined);
    const number = groups.find((group) => /^\d/.test(group)) ?? '1';
    const unit =
      groups.find((group) => /^[a-z]{2,}s$|^[a-z]+$/i.test(group) && UNIT[singular(group)] !== undefined) ?? '';
    return { value: Number(number.replaceAll('_', '')) * (perUnit[singular(unit)] ?? 1), text: match[0].trim() };
  });
}

/** A Java heap is written as one word, `-Xmx512m`. */
function apart(line: string): string {
  return line.replace(/(-Xm[xs])(\d)/g, '$1 $2');
}

/** `minutes` is `minute`; `ms`, `s` and `us` stay. */
function singular(unit: string): string {
  const lower = unit.toLowerCase();
  return lower.length > 3 && lower !== 'millis' ? lower.replace(/s$/, '') : lower;
}

/** The line with `#` for each amount: two lines that set different amounts of one thing have the same. */
export function withoutQuantities(line: string): string {
  return apart(line).replace(QUANTITY, '#').replace(/\s+/g, ' ').trim();
}

export type Amount =
  | 'timeout'
  | 'lifetime'
  | 'pool'
  | 'backoff'
  | 'retries'
  | 'tolerance'
  | 'concurrency'
  | 'memory'
  | 'cpu'
  | 'log-volume'
  | 'rate-limit'
  | 'batch'
  | 'interval'
  | 'limit'
  | 'amount';

const AMOUNTS: readonly (readonly [Amount, RegExp])[] = [
  ['tolerance', /\b(leeway|skew|grace|tolerance|slack|drift|clock)\b/],
  ['backoff', /\b(backoff|jitter|retry delay|retry interval)\b/],
  ['retries', /\b(retr(y|ies)|attempts?|max tries|redeliver\w*)\b/],
  ['pool', /\b(pool|conns?|connections?|idle|sessions? max|max open|hikari|pgbouncer)\b/],
  ['lifetime', /\b(ttl|leases?|expir\w*|expires|max age|lifetime|retention|stale|cache (duration|time|for))\b/],
  ['timeout', /\b(time ?outs?|deadlines?|budget|wait|keep ?alive|patience)\b/],
  ['log-volume', /\b(sampl\w*|log rate|trace ratio|verbosity)\b/],
  ['rate-limit', /\b(rate limit\w*|rps|qps|burst|throttl\w*|quota|limiter|tokens? per)\b/],
  [
    'concurrency',
    /\b(workers?|concurren\w*|parallel\w*|threads?|replicas?|partitions?|prefetch|semaphore|goroutines?|shards?)\b/,
  ],
  ['memory', /\b(memory|heap|xm[xs]\w*|maxmemory|mem)\b/],
  ['cpu', /\b(cpus?|cores?|gomaxprocs)\b/],
  ['batch', /\b(batch|chunk|page size|bulk|per page)\b/],
  ['interval', /\b(interval|period|ticker|tick|poll\w*|every|sleep|cron|schedule|refresh)\b/],
  ['limit', /\b(max\w*|limits?|size|capacity|threshold|cap|buffer|queue|length|depth|min\w*)\b/],
];

/** What kind of amount is set, by the words of its line or else by those around it. */
export function amountOf(line: string, around: string): Amount {
  const named = (words: string) => AMOUNTS.find(([, pattern]) => pattern.test(words))?.[0];
  const own = named(line);
  if (own && own !== 'limit') return own;
  return named(around) ?? own ?? 'amount';
}
