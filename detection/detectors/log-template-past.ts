/**
 * What a service usually writes: lines a minute of each template, of templates never seen before, and how far both have
 * strayed. Half of what is known is of the last two hours and, for what is rare, of the last day. Plain JSON, bounded.
 */
import type { LogLevel } from '../../clickhouse/read-template-minutes.ts';
import { newRecentTail, observeRecent, type RecentTail, recentTail } from '../../domain/statistics/recent-tail.ts';
import { tailBar } from '../../domain/statistics/upper-tail.ts';
import { type DailyHabit, newDailyHabit } from './daily-habit.ts';
import { type CountRange, countAt } from './log-template-score.ts';

/** Decayed sums over the minutes in which the service wrote anything. */
export interface LineSums {
  /** Lines, half forgotten after two hours. */
  fast: number;
  /** Lines, half forgotten after a day. */
  slow: number;
  /** Squares of how far minutes were off, as `slow`. */
  squares: number;
}

export interface TemplatePast extends LineSums {
  text: string;
  /** Minutes with a line, as `fast`. */
  seen: number;
  readonly firstMs: number;
  lastMs: number;
  /** Lines that were to be expected since the last one came. */
  missed: number;
  /** The most of it that ended by itself. */
  mostMissed: number;
}

/** Its tail: the scores of minutes, of the last days. */
export interface LevelPast extends RecentTail {
  /** Lines of templates that were new at the time. */
  readonly fresh: LineSums;
  readonly habit: DailyHabit;
}

export interface TemplateTrouble {
  readonly shape: 'new' | 'burst' | 'vanished';
  readonly sinceMs: number;
  /** The newest minute that showed it. */
  lastMs: number;
  isLoud: boolean;
}

/** State. */
export interface ServicePast {
  learnedToMs: number;
  /** Minutes with lines, as `fast`, as `slow`, and all that ever were. */
  fastMinutes: number;
  slowMinutes: number;
  minutes: number;
  /** Lines below a warning, as `fast`: how much goes on. */
  traffic: number;
  readonly levels: Partial<Record<LogLevel, LevelPast>>;
  /** By key: see templateKey. */
  readonly templates: Record<string, TemplatePast>;
  readonly troubles: Record<string, TemplateTrouble>;
}

export interface WrittenTemplate {
  readonly level: LogLevel;
  readonly text: string;
  readonly lines: number;
}

/** What a service wrote in one minute. */
export interface LogMinute {
  readonly atMs: number;
  /** By key. */
  readonly templates: ReadonlyMap<string, WrittenTemplate>;
  readonly lines: number;
  /** Lines below a warning. */
  readonly traffic: number;
}

/** What to expect of one minute, as a range: every view that explains the lines counts. */
export interface ExpectedLines {
  readonly low: number;
  readonly high: CountRange;
}

const FAST_SHARE = 0.5 ** (1 / 120);
const SLOW_SHARE = 0.5 ** (1 / 1_440);
/** Lines that are taken to have come by chance alone before any did: nobody is calm by a line or two. 2 to 10 judge alike. */
const CALM_LINES = 5;
/** Traffic below which no share of it is known. */
const LEAST_TRAFFIC = 50;
/** Standard errors that chance passes once in a million minutes: no past is so calm that less is a deviation. */
const LEAST_BAR = 4.75;
/** From 1e-5 to 1e-7 judge alike. */
const RISK = 1e-6;
/** Minutes below which their scores are no measure yet: then more is asked for. */
const LEAST_SCORES = 50;
const UNMEASURED_BAR = 1.5 * LEAST_BAR;
/** What goes beyond so many bars is learned as if it went so far: an outage is not what is usual. 1.5 to 3 judge alike. */
const LEARNED_BARS = 2;
/** A trouble that lasts so long is how things are now. */
const LASTING_MS = 3_600_000;
const ADOPTED_SHARE = 0.95;
const MAX_TEMPLATES = 500;
const UNTOLD_MINUTES = 10;

export function newServicePast(): ServicePast {
  const sums = { learnedToMs: 0, fastMinutes: 0, slowMinutes: 0, minutes: 0, traffic: 0 };
  return { ...sums, levels: {}, templates: {}, troubles: {} };
}

export function templateKey(template: string, level: LogLevel): string {
  return `${level} ${template}`;
}

export function levelOfKey(key: string): LogLevel {
  return key.slice(0, key.indexOf(' ')) as LogLevel;
}

export function levelPast(past: ServicePast, level: LogLevel): LevelPast {
  past.levels[level] ??= { fresh: newSums(), ...newRecentTail(), habit: newDailyHabit() };
  return past.levels[level];
}

/** Of one known template: what came lately, over the last day, and as a share of what goes on. */
export function expectTemplate(past: ServicePast, key: string, minute: LogMinute): ExpectedLines {
  const template = past.templates[key];
  if (!template) return { low: 0, high: expectFresh(past, levelOfKey(key)) };
  const views = [template.fast / Math.max(1, past.fastMinutes), (template.slow + 0.5) / Math.max(1, past.slowMinutes)];
  const isTraffic = levelOfKey(key) === 'INFO';
  const others = past.traffic - (isTraffic ? template.fast : 0);
  const now = minute.traffic - (isTraffic ? (minute.templates.get(key)?.lines ?? 0) : 0);
  if (others >= LEAST_TRAFFIC) views.push((template.fast / others) * now);
  return { low: Math.min(...views), high: rangeOf(Math.max(...views), template) };
}

/** Of all templates that were never seen before, together. */
export function expectFresh(past: ServicePast, level: LogLevel): CountRange {
  const { fresh } = levelPast(past, level);
  const fast = fresh.fast / Math.max(1, past.fastMinutes);
  return rangeOf(Math.max(fast, (fresh.slow + 0.5) / Math.max(1, past.slowMinutes)), fresh);
}

function rangeOf(expected: number, sums: LineSums): CountRange {
  const doubt = expected ** 2 / (Math.max(sums.fast, sums.slow) + 0.5);
  return { expected, variance: expected * dispersionOf(sums) + doubt };
}

/** How many times as wide as chance the past has strayed. */
export function dispersionOf({ squares, slow }: LineSums): number {
  return Math.max(1, (squares + CALM_LINES) / (slow + CALM_LINES));
}

/** What the scores of lines of this level have reached by themselves. */
export function barOf(level: LevelPast): number {
  const tail = recentTail(level);
  return tail.count < LEAST_SCORES ? UNMEASURED_BAR : Math.max(LEAST_BAR, tailBar(tail, RISK));
}

export function learnScore(level: LevelPast, score: number): void {
  observeRecent(level, score);
}

/** Takes in a minute that nothing will be added to any more. One without lines was not observed. */
export function learnMinute(past: ServicePast, minute: LogMinute): void {
  past.learnedToMs = minute.atMs + 60_000;
  if (minute.lines === 0) return;
  const { atMs } = minute;
  const fresh = new Map<LogLevel, number>();
  const learned = new Map<string, { lines: number; expected: number }>();
  for (const key of new Set([...Object.keys(past.templates), ...minute.templates.keys()])) {
    const written = minute.templates.get(key);
    if (past.templates[key]) learned.set(key, learnable(past, key, minute));
    else if (written) {
      fresh.set(written.level, (fresh.get(written.level) ?? 0) + written.lines);
      const range = expectFresh(past, written.level);
      learned.set(key, { lines: clip(past, written.level, written.lines, range), expected: range.expected });
    }
  }
  learnFresh(past, fresh);
  past.minutes += 1;
  past.fastMinutes = past.fastMinutes * FAST_SHARE + 1;
  past.slowMinutes = past.slowMinutes * SLOW_SHARE + 1;
  past.traffic = past.traffic * FAST_SHARE + minute.traffic;
  for (const [key, { lines, expected }] of learned) {
    const written = minute.templates.get(key);
    const template = past.templates[key] ?? newTemplate(written?.text ?? '', atMs);
    past.templates[key] = template;
    addLines(template, lines, expected);
    template.seen = template.seen * FAST_SHARE + (written ? 1 : 0);
    if (written) [template.text, template.lastMs] = [written.text, Math.max(template.lastMs, atMs)];
  }
  forgetSome(past);
}

function learnable(past: ServicePast, key: string, minute: LogMinute): { lines: number; expected: number } {
  const lines = minute.templates.get(key)?.lines ?? 0;
  const trouble = past.troubles[key];
  const { low, high } = expectTemplate(past, key, minute);
  const expected = Math.min(high.expected, Math.max(low, lines));
  if (!trouble || minute.atMs - trouble.sinceMs < LASTING_MS) {
    return { lines: clip(past, levelOfKey(key), lines, high), expected };
  }
  adopt(past, key, lines);
  return { lines, expected: lines };
}

/** What was known before is forgotten quickly. */
function adopt(past: ServicePast, key: string, lines: number): void {
  const template = past.templates[key];
  if (!template) return;
  template.fast = ADOPTED_SHARE * template.fast + (1 - ADOPTED_SHARE) * lines * past.fastMinutes;
  template.slow = ADOPTED_SHARE * template.slow + (1 - ADOPTED_SHARE) * lines * past.slowMinutes;
}

function clip(past: ServicePast, level: LogLevel, lines: number, range: CountRange): number {
  if (past.minutes < LEAST_SCORES || lines <= 1 + range.expected) return lines;
  return Math.min(lines, countAt(LEARNED_BARS * barOf(levelPast(past, level)), range));
}

/** At first everything is new: that says nothing of how often new things come later. */
function learnFresh(past: ServicePast, fresh: ReadonlyMap<LogLevel, number>): void {
  if (past.minutes < UNTOLD_MINUTES) return;
  for (const level of new Set([...Object.keys(past.levels), ...fresh.keys()]) as Set<LogLevel>) {
    const range = expectFresh(past, level);
    addLines(levelPast(past, level).fresh, clip(past, level, fresh.get(level) ?? 0, range), range.expected);
  }
}

function addLines(sums: LineSums, lines: number, expected: number): void {
  sums.fast = sums.fast * FAST_SHARE + lines;
  sums.slow = sums.slow * SLOW_SHARE + lines;
  sums.squares = sums.squares * SLOW_SHARE + (lines - expected) ** 2;
}

function newTemplate(text: string, atMs: number): TemplatePast {
  return { ...newSums(), text, seen: 0, firstMs: atMs, lastMs: atMs, missed: 0, mostMissed: 0 };
}

function newSums(): LineSums {
  return { fast: 0, slow: 0, squares: 0 };
}

/** The least recent; a tenth at a time. */
function forgetSome(past: ServicePast): void {
  const keys = Object.keys(past.templates);
  if (keys.length <= MAX_TEMPLATES) return;
  const lastMs = (key: string) => past.templates[key]?.lastMs ?? 0;
  const oldest = keys.sort((left, right) => lastMs(left) - lastMs(right)).slice(0, keys.length - 0.9 * MAX_TEMPLATES);
  for (const key of oldest) delete past.templates[key];
}

/** Two ids turned out to be one template: what was known of both is known of it. */
export function renameTemplate(past: ServicePast, from: string, to: string): void {
  const [old, known] = [past.templates[from], past.templates[to]];
  if (!old || from === to) return;
  delete past.templates[from];
  past.templates[to] = known ? mergeTemplates(known, old) : old;
  const trouble = past.troubles[from];
  if (trouble) past.troubles[to] ??= trouble;
  delete past.troubles[from];
}

function mergeTemplates(one: TemplatePast, other: TemplatePast): TemplatePast {
  return {
    fast: one.fast + other.fast,
    slow: one.slow + other.slow,
    squares: one.squares + other.squares,
    text: one.text,
    seen: Math.max(one.seen, other.seen),
    firstMs: Math.min(one.firstMs, other.firstMs),
    lastMs: Math.max(one.lastMs, other.lastMs),
    missed: Math.min(one.missed, other.missed),
    mostMissed: Math.min(one.mostMissed, other.mostMissed),
  };
}
