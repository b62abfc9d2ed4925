/**
 * What in a service's log lines is abnormal: templates that were never seen, templates that come far more often than they or the
 * traffic explain, and steady ones that stopped. Bars come from the service's own past. Pure; the state is plain JSON.
 */
import type { LogLevel } from '../../clickhouse/read-template-minutes.ts';
import { noteHabit } from './daily-habit.ts';
import {
  barOf,
  dispersionOf,
  expectFresh,
  expectTemplate,
  type LogMinute,
  learnScore,
  levelOfKey,
  levelPast,
  type ServicePast,
  type TemplatePast,
  type TemplateTrouble,
} from './log-template-past.ts';
import { absenceScore, type CountRange, countAt, excessScore } from './log-template-score.ts';

export interface TemplateDeviation {
  readonly key: string;
  readonly level: LogLevel;
  readonly shape: TemplateTrouble['shape'];
  readonly text: string;
  readonly deviation: number;
  readonly sinceMs: number;
  /** Lines in the newest minute. */
  readonly observed: number;
  readonly expected: number;
  readonly range: readonly [low: number, high: number];
  /** A large part of everything the service writes. */
  readonly isLarge: boolean;
}

/** Below it nobody is told. */
export const WHISPER = 0.5;
/** Below so many minutes of lines a service has no past to speak of; 20 to 60 judge alike. */
const LEAST_MINUTES = 30;
/** What is heard, but says nothing by itself. */
const WHISPER_MOST = 0.99;
/** Of a template that stopped: it may have been replaced, and people should know, no more. */
const VANISHED_MOST = 1.2;
/** Share of minutes with a line from which on a template belongs to what always goes on, and from which on it is sure to come. */
const STEADY_SHARE = 0.5;
const SURE_SHARE = 0.9;
const SURE_AFTER_MS = 3_600_000;
/** A run without lines has to be so much longer than the longest before it. */
const BEYOND_MISSED = 1.3;
/** A template that began so shortly before another stopped may be the same under another text. */
const REPLACED_MS = 600_000;
/** What both of the last two days showed around this hour has to be passed so many times over; 1.5 to 3 judge alike. */
const HABIT_FACTOR = 2;
/** A trouble is over when so long nothing shows it. */
const QUIET_MS = 120_000;
/** What a score adds to the past, in bars, at the most. */
const LEARNED_BARS = 1.2;
/** From this share of a service's lines, and so many of them, users notice. */
const LARGE_SHARE = 0.2;
const LARGE_LINES = 20;

interface Candidate {
  readonly key: string;
  readonly shape: TemplateTrouble['shape'];
  readonly score: number;
  readonly deviation: number;
  /** Minutes in which it shows. */
  readonly length: number;
  readonly expected: number;
  readonly range: readonly [low: number, high: number];
}

/**
 * Everything abnormal in the newest minute, whispers included.
 * @param minutes in order of time, the newest last; those before it that are not learned yet
 * @param isNew the newest was not judged before; only then is anything learned of how far normal time reaches
 */
export function judgeTemplates(past: ServicePast, minutes: readonly LogMinute[], isNew: boolean): TemplateDeviation[] {
  const newest = minutes.at(-1);
  if (!newest || newest.lines === 0) return [];
  const vanished = noteAbsent(past, minutes, newest, isNew);
  if (past.minutes < LEAST_MINUTES) return [];
  const written = [...newest.templates.keys()];
  const known = written.filter((key) => past.templates[key]).map((key) => scanTemplate(past, minutes, key));
  const excesses = [...known, ...scanFresh(past, minutes)];
  const usual = learnLevels(past, newest, excesses, isNew);
  const candidates = excesses.map((excess) => {
    const deviation = excess.deviation / Math.max(1, HABIT_FACTOR * (usual.get(levelOfKey(excess.key)) ?? 0));
    // Information says something only where it passes its bar.
    const told = levelOfKey(excess.key) === 'INFO' && deviation < 1 ? 0 : deviation;
    return { ...excess, deviation: Math.min(told, mostOf(past, excess)) };
  });
  const found = [...candidates, ...vanished].filter(({ deviation }) => deviation >= WHISPER);
  const told = found.map((candidate) => goOn(past, newest, candidate));
  for (const [key, { lastMs }] of Object.entries(past.troubles)) {
    if (newest.atMs - lastMs >= QUIET_MS) delete past.troubles[key];
  }
  return told;
}

/** The stretch of minutes up to now that is least likely by chance. */
function scanCounts(counts: readonly number[], ranges: readonly CountRange[]): { score: number; length: number } {
  let [lines, expected, variance, score, length] = [0, 0, 0, 0, 0];
  for (let taken = 1; taken <= counts.length; taken++) {
    lines += counts[counts.length - taken] ?? 0;
    const range = ranges[counts.length - taken];
    expected += range?.expected ?? 0;
    variance += range?.variance ?? 0;
    const its = excessScore(lines, { expected, variance });
    if (its > score) [score, length] = [its, taken];
  }
  return { score, length };
}

function scanTemplate(past: ServicePast, minutes: readonly LogMinute[], key: string): Candidate {
  const counts = minutes.map(({ templates }) => templates.get(key)?.lines ?? 0);
  const expectations = minutes.map((minute) => expectTemplate(past, key, minute));
  const ranges = expectations.map(({ high }) => high);
  return candidateOf(past, { key, shape: 'burst', counts, ranges, low: expectations.at(-1)?.low ?? 0 });
}

/** Of the new ones of a level the most frequent speaks for all. */
function scanFresh(past: ServicePast, minutes: readonly LogMinute[]): Candidate[] {
  const totals = new Map<string, number>();
  for (const { templates } of minutes) {
    for (const [key, { lines }] of templates) if (!past.templates[key]) totals.set(key, (totals.get(key) ?? 0) + lines);
  }
  const isNow = (key: string) => minutes.at(-1)?.templates.has(key) ?? false;
  const ordered = [...totals].filter(([key]) => isNow(key)).sort(([, left], [, right]) => right - left);
  const byLevel = Map.groupBy(ordered, ([key]) => levelOfKey(key));
  return [...byLevel].flatMap(([level, [first]]) => {
    if (level === 'INFO' || !first) return [];
    const its = [...totals.keys()].filter((key) => levelOfKey(key) === level);
    const counts = minutes.map(({ templates }) => its.reduce((sum, key) => sum + (templates.get(key)?.lines ?? 0), 0));
    const ranges = minutes.map(() => expectFresh(past, level));
    return [candidateOf(past, { key: first[0], shape: 'new', counts, ranges, low: 0 })];
  });
}

interface Scanned extends Pick<Candidate, 'key' | 'shape'> {
  readonly counts: readonly number[];
  readonly ranges: readonly CountRange[];
  readonly low: number;
}

function candidateOf(past: ServicePast, { key, shape, counts, ranges, low }: Scanned): Candidate {
  const { score, length } = scanCounts(counts, ranges);
  const newest = ranges.at(-1) ?? { expected: 0, variance: 0 };
  // What cannot matter need not know its bar.
  const bar = score < 1 ? Number.POSITIVE_INFINITY : barOf(levelPast(past, levelOfKey(key)));
  const high = score / bar < WHISPER ? newest.expected : countAt(bar, newest);
  const expected = shape === 'new' ? 0 : newest.expected;
  return { key, shape, score, deviation: score / bar, length, expected, range: [low, high] };
}

/** New lines of information are nothing, warnings that do not always come a whisper; what always goes on is worth telling. */
function mostOf(past: ServicePast, { key, shape }: Candidate): number {
  const level = levelOfKey(key);
  if (level === 'ERROR' || level === 'FATAL') return Number.POSITIVE_INFINITY;
  if (shape === 'burst' && shareOfMinutes(past, key) >= STEADY_SHARE) return Number.POSITIVE_INFINITY;
  return level === 'WARN' ? WHISPER_MOST : 0;
}

function shareOfMinutes(past: ServicePast, key: string): number {
  return (past.templates[key]?.seen ?? 0) / Math.max(1, past.fastMinutes);
}

/** What each level usually shows at this hour of the day. */
function learnLevels(
  past: ServicePast,
  { atMs }: LogMinute,
  excesses: readonly Candidate[],
  isNew: boolean,
): Map<LogLevel, number> {
  if (!isNew) return new Map();
  const levels = Object.keys(past.levels) as LogLevel[];
  return new Map(
    levels.map((level) => {
      const its = excesses.filter((each) => levelOfKey(each.key) === level && mostOf(past, each) > 0);
      const state = levelPast(past, level);
      const score = Math.max(0, ...its.map((each) => each.score));
      const isKnown = Object.entries(past.troubles).some(([key, { isLoud }]) => isLoud && levelOfKey(key) === level);
      const bar = barOf(state);
      const usual = noteHabit(state.habit, atMs, Math.max(0, ...its.map((each) => each.deviation)));
      if (!isKnown) learnScore(state, Math.min(score, LEARNED_BARS * bar));
      return [level, usual] as const;
    }),
  );
}

/** Counts what steady templates owe, while the service writes other lines. */
function noteAbsent(past: ServicePast, minutes: readonly LogMinute[], newest: LogMinute, isNew: boolean): Candidate[] {
  return Object.entries(past.templates).flatMap(([key, template]) => {
    if (newest.templates.has(key)) {
      template.mostMissed = Math.max(template.mostMissed, template.missed);
      template.missed = 0;
      return [];
    }
    if (!isSure(past, key, template, newest.atMs)) return [];
    const { low, high } = expectTemplate(past, key, newest);
    if (isNew) template.missed += low;
    const dispersion = dispersionOf(template);
    const score = absenceScore(template.missed, dispersion);
    const bar = Math.max(barOfCalm, BEYOND_MISSED * absenceScore(template.mostMissed, dispersion));
    if (score < bar || isReplaced(past, minutes, key, template)) return [];
    const length = Math.max(1, Math.round((newest.atMs - template.lastMs) / 60_000));
    const deviation = Math.min(VANISHED_MOST, score / bar);
    return [{ key, shape: 'vanished', score, deviation, length, expected: high.expected, range: [low, high.expected] }];
  });
}

/** Chance of one in a million, as standard errors. */
const barOfCalm = 4.75;

/** Fewer errors are no trouble. */
function isSure(past: ServicePast, key: string, { firstMs }: TemplatePast, atMs: number): boolean {
  const level = levelOfKey(key);
  if (level === 'ERROR' || level === 'FATAL') return false;
  return atMs - firstMs >= SURE_AFTER_MS && shareOfMinutes(past, key) >= SURE_SHARE;
}

function isReplaced(past: ServicePast, minutes: readonly LogMinute[], key: string, { lastMs }: TemplatePast): boolean {
  const level = levelOfKey(key);
  const isFresh = minutes.some(({ templates }) =>
    [...templates.keys()].some((other) => levelOfKey(other) === level && !past.templates[other]),
  );
  return (
    isFresh ||
    Object.entries(past.templates).some(
      ([other, { firstMs }]) => levelOfKey(other) === level && firstMs >= lastMs - REPLACED_MS,
    )
  );
}

/** A trouble keeps its beginning, and its shape, as long as it lasts. */
function goOn(past: ServicePast, newest: LogMinute, candidate: Candidate): TemplateDeviation {
  const { key, deviation, length, expected, range } = candidate;
  const known = past.troubles[key];
  const trouble: TemplateTrouble = known ?? {
    shape: candidate.shape,
    sinceMs: newest.atMs - (length - 1) * 60_000,
    lastMs: newest.atMs,
    isLoud: false,
  };
  past.troubles[key] = trouble;
  trouble.lastMs = Math.max(trouble.lastMs, newest.atMs);
  trouble.isLoud ||= deviation >= 1;
  const written = newest.templates.get(key);
  const observed = written?.lines ?? 0;
  return {
    key,
    level: levelOfKey(key),
    shape: trouble.shape,
    text: written?.text ?? past.templates[key]?.text ?? '',
    deviation: trouble.isLoud ? Math.max(1, deviation) : deviation,
    sinceMs: trouble.sinceMs,
    observed,
    expected: trouble.shape === 'new' ? 0 : expected,
    range,
    isLarge: observed >= LARGE_LINES && observed >= LARGE_SHARE * newest.lines,
  };
}
