/** Finds the time that a question is about, in the ways in which people write it. All clock times are UTC. */
import type { AskedTime } from './question.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** "Now", for something that takes a while to measure. */
const NOW_LENGTH_MS = 5 * MINUTE_MS;
/** Around a moment that somebody names. */
const AROUND_MS = 150_000;
const FEW = 5;

const UNIT_MS: Readonly<Record<string, number>> = {
  s: SECOND_MS,
  sec: SECOND_MS,
  second: SECOND_MS,
  m: MINUTE_MS,
  min: MINUTE_MS,
  minute: MINUTE_MS,
  h: HOUR_MS,
  hr: HOUR_MS,
  hour: HOUR_MS,
  d: DAY_MS,
  day: DAY_MS,
  w: 7 * DAY_MS,
  week: 7 * DAY_MS,
};
const NUMBERS: Readonly<Record<string, number>> = {
  ...Object.fromEntries(
    ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'].map((word, index) => [
      word,
      index + 1,
    ]),
  ),
  ...{ a: 1, an: 1, the: 1, half: 0.5, few: FEW, couple: 2, fifteen: 15, twenty: 20, thirty: 30 },
};

const UNIT = '(?:seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w)';
const AMOUNT = `(?:\\d+(?:\\.\\d+)?|half an?|a few|a couple of|few|couple of|${Object.keys(NUMBERS).join('|')})`;
const LENGTH = `(?:${AMOUNT}\\s*)?${UNIT}`;
const ZONE = '(?:\\s*(?:utc|gmt|z))?';
const CLOCK = '(?:0?[1-9]|1[0-2])(?::[0-5]\\d)?\\s*[ap]m|(?:[01]?\\d|2[0-3])(?::[0-5]\\d){1,2}|noon|midnight';
const DATE = '\\d{4}-\\d{2}-\\d{2}';
/** A lone hour such as "11" is a time only after a word that asks for one. */
const MOMENT = `(?:${DATE}[t ](?:\\d{2}:\\d{2}(?::\\d{2})?(?:\\.\\d+)?)${ZONE}|${DATE}|(?:yesterday|today)(?:\\s+(?:at\\s+)?(?:${CLOCK}))?|(?:${CLOCK})${ZONE}(?:\\s+(?:yesterday|today))?|${AMOUNT}\\s*${UNIT} ago|now|this morning|last night|(?:[01]?\\d|2[0-3])(?!\\s*${UNIT}\\b)(?![\\d.%]))`;

/** One moment, and no day: for "at" and "about", which also stand before other numbers. */
const INSTANT = `(?:${DATE}[t ](?:\\d{2}:\\d{2}(?::\\d{2})?(?:\\.\\d+)?)${ZONE}|(?:${CLOCK})${ZONE}(?:\\s+(?:yesterday|today))?|${AMOUNT}\\s*${UNIT} ago|(?:[01]?\\d|2[0-3])(?=\\s*(?:$|[,?.!])))`;

interface Pattern {
  readonly pattern: RegExp;
  read(groups: Readonly<Record<string, string>>, nowMs: number): Omit<AskedTime, 'said'> | undefined;
}

const within = (text: string): RegExp => new RegExp(`(?<![\\w.:-])${text}(?![\\w:-])`, 'i');

const PATTERNS: readonly Pattern[] = [
  {
    pattern: within(
      `(?:(?:before and after|before vs\\.? after|before versus after|before\\/after|around) (?<split>${MOMENT}))`,
    ),
    read: ({ split = '' }, nowMs) => splitAt(momentOf(split, nowMs), nowMs),
  },
  {
    pattern: within(
      `(?:between|from)\\s+(?<start>${MOMENT})\\s*(?:and|to|until|till|through|-|–)\\s*(?<end>${MOMENT})`,
    ),
    read: ({ start = '', end = '' }, nowMs) => windowOf(momentOf(withHalfOf(start, end), nowMs), momentOf(end, nowMs)),
  },
  {
    pattern: within(`(?<start>(?:${CLOCK}))\\s*(?:to|until|till|-|–)\\s*(?<end>(?:${CLOCK}))${ZONE}`),
    read: ({ start = '', end = '' }, nowMs) => windowOf(momentOf(withHalfOf(start, end), nowMs), momentOf(end, nowMs)),
  },
  {
    pattern: within(
      `(?:(?:in|for|over|during|within|since|from)\\s+)?(?:the\\s+)?(?:last|past|previous)\\s+(?<length>${LENGTH})`,
    ),
    read: ({ length = '' }, nowMs) => windowOf(nowMs - lengthOf(length), nowMs),
  },
  {
    pattern: within(
      `(?:since|after|starting(?: at| from)?|from)\\s+(?:about\\s+|around\\s+)?(?<start>${MOMENT})(?:\\s+on(?:wards)?)?`,
    ),
    read: ({ start = '' }, nowMs) => {
      const startMs = momentOf(start, nowMs);
      return startMs !== undefined && startMs < nowMs ? windowOf(startMs, nowMs) : undefined;
    },
  },
  {
    pattern: within(`(?:until|till|before|up to)\\s+(?<end>${MOMENT})`),
    read: ({ end = '' }, nowMs) => {
      const endMs = momentOf(end, nowMs);
      return endMs === undefined ? undefined : windowOf(endMs - HOUR_MS, endMs);
    },
  },
  {
    pattern: within(`(?:(?:at|around|about)\\s+)?(?<at>(?:yesterday|today)\\s+(?:at\\s+)?(?:${CLOCK})${ZONE})`),
    read: ({ at = '' }, nowMs) => around(momentOf(at, nowMs), nowMs),
  },
  {
    pattern: within(`(?:at|around|about)\\s+(?:about\\s+)?(?<at>${INSTANT})`),
    read: ({ at = '' }, nowMs) => around(momentOf(at, nowMs), nowMs),
  },
  {
    pattern: within(`(?<at>${AMOUNT}\\s*${UNIT} ago)`),
    read: ({ at = '' }, nowMs) => around(momentOf(at, nowMs), nowMs),
  },
  {
    pattern: within('(?:right now|just now|now|currently|at the moment|at present)'),
    read: (_, nowMs) => windowOf(nowMs - NOW_LENGTH_MS, nowMs),
  },
  {
    pattern: within('(?:today|so far today)'),
    read: (_, nowMs) => windowOf(midnight(nowMs), nowMs),
  },
  {
    pattern: within('yesterday'),
    read: (_, nowMs) => windowOf(midnight(nowMs) - DAY_MS, midnight(nowMs)),
  },
  {
    pattern: within('this morning'),
    read: (_, nowMs) => windowOf(midnight(nowMs) + 6 * HOUR_MS, Math.min(nowMs, midnight(nowMs) + 12 * HOUR_MS)),
  },
  {
    pattern: within('(?:tonight|last night|overnight|this night)'),
    read: (_, nowMs) => windowOf(midnight(nowMs) - 4 * HOUR_MS, Math.min(nowMs, midnight(nowMs) + 6 * HOUR_MS)),
  },
];

const COMPARING = /\b(?:compare|compared|comparison|vs|versus|with|than|against)\b/i;

/**
 * The time that the question names, and the question without it; undefined: it names none. A comparison may name two: then the later
 * one is the window and the earlier one its baseline.
 */
export function readTime(text: string, nowMs: number): { readonly time?: AskedTime; readonly rest: string } {
  const first = readOne(withDay(text), nowMs);
  if (!first.time || first.time.baseline || !COMPARING.test(text)) return first;
  const second = readOne(first.rest, nowMs);
  if (!second.time || second.time.baseline) return againstNow(text, first.time, nowMs, first.rest);
  const [baseline, window] = [first.time.window, second.time.window].sort(
    (left, right) => left.startMs - right.startMs,
  );
  if (!baseline || !window || baseline.endMs > window.endMs) return first;
  return { time: { window, baseline, said: `${first.time.said}, ${second.time.said}` }, rest: second.rest };
}

/** "Yesterday between 15:00 and 16:00": the day belongs to both. */
function withDay(text: string): string {
  const span = `(between|from)\\s+(${CLOCK})\\s*(and|to|until|till|-)\\s*(${CLOCK})`;
  return text
    .replace(new RegExp(`\\b(yesterday|today),?\\s+${span}`, 'i'), '$2 $3 $1 $4 $5 $1')
    .replace(new RegExp(`${span}\\s+(yesterday|today)\\b`, 'i'), '$1 $2 $5 $3 $4 $5');
}

const COMPARED_WITH = /\b(?:than|vs\.?|versus|to|with|against)\s+(?:in\s+|on\s+)?$/i;
const RECENT_MS = 15 * MINUTE_MS;

/** "Slower than yesterday" is about now, and yesterday is what it is held against. */
function againstNow(text: string, time: AskedTime, nowMs: number, rest: string) {
  const before = text.slice(0, text.indexOf(time.said));
  const { window } = time;
  if (!COMPARED_WITH.test(before) || window.endMs > nowMs - RECENT_MS) return { time, rest };
  return { time: { window: { startMs: nowMs - RECENT_MS, endMs: nowMs }, baseline: window, said: time.said }, rest };
}

function readOne(text: string, nowMs: number): { readonly time?: AskedTime; readonly rest: string } {
  for (const { pattern, read } of PATTERNS) {
    const match = pattern.exec(text);
    const time = match ? read(match.groups ?? {}, nowMs) : undefined;
    if (!match || !time) continue;
    const rest = `${text.slice(0, match.index)} , ${text.slice(match.index + match[0].length)}`;
    return { time: { ...time, said: match[0] }, rest };
  }
  return { rest: text };
}

function windowOf(startMs: number | undefined, endMs: number | undefined): Omit<AskedTime, 'said'> | undefined {
  if (startMs === undefined || endMs === undefined || startMs < 0) return undefined;
  if (endMs > startMs) return { window: { startMs, endMs } };
  // "Between 23:00 and 1:00" ends on the day after it begins.
  return startMs - endMs < DAY_MS && startMs - DAY_MS >= 0
    ? { window: { startMs: startMs - DAY_MS, endMs } }
    : undefined;
}

/** "2:00 to 3:00 pm" begins in the afternoon, too. */
function withHalfOf(start: string, end: string): string {
  const half = /[ap]m$/i.exec(end.trim())?.[0];
  return half !== undefined && /^\d{1,2}(?::\d{2})?$/.test(start.trim()) ? `${start.trim()} ${half}` : start;
}

function splitAt(atMs: number | undefined, nowMs: number): Omit<AskedTime, 'said'> | undefined {
  if (atMs === undefined || atMs >= nowMs) return undefined;
  const lengthMs = Math.min(nowMs - atMs, HOUR_MS);
  return {
    window: { startMs: atMs, endMs: atMs + lengthMs },
    baseline: { startMs: Math.max(0, atMs - Math.max(lengthMs, 15 * MINUTE_MS)), endMs: atMs },
  };
}

function around(atMs: number | undefined, nowMs: number): Omit<AskedTime, 'said'> | undefined {
  if (atMs === undefined) return undefined;
  return windowOf(Math.max(0, atMs - AROUND_MS), Math.min(Math.max(nowMs, atMs + 1), atMs + AROUND_MS));
}

function midnight(atMs: number): number {
  return Math.floor(atMs / DAY_MS) * DAY_MS;
}

function lengthOf(text: string): number {
  const [, amount = '', unit = ''] =
    new RegExp(`^(?:(${AMOUNT})\\s*)?(${UNIT})$`, 'i').exec(text.trim().toLowerCase()) ?? [];
  const unitMs = UNIT_MS[unit] ?? UNIT_MS[unit.replace(/s$/, '')] ?? MINUTE_MS;
  return amountOf(amount) * unitMs;
}

function amountOf(text: string): number {
  if (text === '') return 1;
  if (text.startsWith('half')) return 0.5;
  if (text.includes('few')) return FEW;
  if (text.includes('couple')) return 2;
  return NUMBERS[text] ?? Number(text);
}

/** The last such moment that is not in the future; undefined: the text is none. */
function momentOf(text: string, nowMs: number): number | undefined {
  const said = text
    .trim()
    .toLowerCase()
    .replace(/\s*(?:utc|gmt)$/, '');
  const ago = new RegExp(`^(${AMOUNT}\\s*${UNIT}) ago$`).exec(said);
  if (ago) return nowMs - lengthOf(ago[1] ?? '');
  if (said === 'now') return nowMs;
  if (said === 'this morning') return midnight(nowMs) + 6 * HOUR_MS;
  if (said === 'last night') return midnight(nowMs) - 4 * HOUR_MS;
  const dated = new RegExp(`^(${DATE})(?:[t ](.+?))?z?$`).exec(said);
  if (dated) return onDay(dated[1] ?? '', dated[2] ?? '00:00');
  const isYesterday = said.includes('yesterday');
  const clock = said.replace(/yesterday|today|\bat\b|z$/g, '').trim();
  if (clock === '') return midnight(nowMs) - (isYesterday ? DAY_MS : 0);
  const atMs = midnight(nowMs) + clockOf(clock) - (isYesterday ? DAY_MS : 0);
  if (Number.isNaN(atMs)) return undefined;
  return atMs <= nowMs || said.includes('today') ? atMs : atMs - DAY_MS;
}

function onDay(day: string, clock: string): number | undefined {
  const atMs = Date.parse(`${day}T00:00:00Z`) + clockOf(clock);
  return Number.isNaN(atMs) ? undefined : atMs;
}

/** Milliseconds after midnight. */
function clockOf(text: string): number {
  if (text === 'noon') return 12 * HOUR_MS;
  if (text === 'midnight') return 0;
  const match = /^(\d{1,2})(?::(\d{2}))?(?::(\d{2}))?(?:\.\d+)?\s*([ap]m)?$/.exec(text.trim());
  if (!match) return Number.NaN;
  const [, hours = '0', minutes = '0', seconds = '0', half] = match;
  const hour = half === undefined ? Number(hours) : (Number(hours) % 12) + (half === 'pm' ? 12 : 0);
  return hour * HOUR_MS + Number(minutes) * MINUTE_MS + Number(seconds) * SECOND_MS;
}
