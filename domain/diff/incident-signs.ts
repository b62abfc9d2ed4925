/**
 * What changed in telemetry, as signs with words: kinds of log lines and failures that were not there before, measures that left
 * what they were. Each has its own onset, so that a change can be asked which of them came after it.
 */
import { type Course, shiftOfCourse } from '../statistics/course-shift.ts';
import { isLoad, type Symptom, symptomsOfMetric, symptomsOfText } from './symptoms.ts';

/** A kind of log line and when it was written; `counts` by step, steps without lines left out. */
export interface LogKind {
  readonly service: string;
  /** OTLP's, 0..24. */
  readonly severityNumber: number;
  readonly template: string;
  readonly sample: string;
  readonly count: number;
  readonly distinctBodies: number;
  readonly firstMs: number;
  readonly counts: Course;
}

/** Spans of one operation that ended alike. */
export interface SpanKind {
  readonly service: string;
  readonly operation: string;
  readonly isFailed: boolean;
  readonly message: string;
  /** Attributes of one of them, as text. */
  readonly details: string;
  readonly count: number;
  readonly firstMs: number;
  /** Mean duration in milliseconds by step. */
  readonly durations: Course;
  /** Spans for each trace they are in, by step. */
  readonly perTrace: Course;
}

export interface SeriesKind {
  readonly service: string;
  readonly metric: string;
  readonly points: Course;
}

export interface IncidentTelemetry {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
  readonly logs: readonly LogKind[];
  readonly spans: readonly SpanKind[];
  readonly series: readonly SeriesKind[];
}

export interface Sign {
  readonly kind: 'log' | 'span' | 'metric';
  readonly service: string;
  /** What it says, with its numbers. */
  readonly text: string;
  readonly onsetMs: number;
  /** 0..1: how clearly it is new, and how bad. */
  readonly weight: number;
  readonly symptoms: readonly Symptom[];
  /** More work arrives: what may cause trouble, not what shows it. */
  readonly isLoad: boolean;
  /** After over before; 1 where it does not apply. */
  readonly ratio: number;
  readonly count: number;
  readonly distinctBodies: number;
}

export interface IncidentSigns {
  readonly signs: readonly Sign[];
  /** Texts of telemetry that was there all the time: words in them say nothing about the trouble. */
  readonly normalTexts: readonly string[];
}

/** Of the observed time: what first shows after this share of it is new. */
const NEW_AFTER_SHARE = 0.08;
/** More signs than this only repeat each other. */
const MAX_SIGNS = 150;

export function readSigns(telemetry: IncidentTelemetry): IncidentSigns {
  const fromLogs = readKinds(telemetry.logs, telemetry, logSign, ({ template }) => template);
  const fromSpans = readKinds(
    telemetry.spans,
    telemetry,
    spanSign,
    ({ operation, details }) => `${operation} ${details}`,
  );
  const fromSeries = telemetry.series.map((series) => ({ series, sign: metricSign(series) }));
  const signs = [...fromLogs.signs, ...fromSpans.signs, ...fromSeries.flatMap(({ sign }) => sign ?? [])];
  return {
    signs: signs.sort((left, right) => right.weight - left.weight || compare(left, right)).slice(0, MAX_SIGNS),
    normalTexts: [
      ...fromLogs.normal,
      ...fromSpans.normal,
      ...fromSeries.flatMap(({ series, sign }) => (sign ? [] : [series.metric])),
    ],
  };
}

function compare(left: Sign, right: Sign): number {
  const [one, other] = [left, right].map(({ service, kind, text }) => `${service}\n${kind}\n${text}`);
  return (one ?? '') < (other ?? '') ? -1 : 1;
}

function readKinds<Kind extends { readonly firstMs: number; readonly count: number }>(
  kinds: readonly Kind[],
  telemetry: IncidentTelemetry,
  toSign: (kind: Kind, novelty: number, telemetry: IncidentTelemetry) => Sign | undefined,
  textOf: (kind: Kind) => string,
): { signs: Sign[]; normal: string[] } {
  const heardMs = Math.min(telemetry.endMs, ...kinds.map(({ firstMs }) => firstMs));
  const newFromMs = heardMs + NEW_AFTER_SHARE * (telemetry.endMs - heardMs);
  const signs: Sign[] = [];
  const normal: string[] = [];
  for (const kind of kinds) {
    const isNew = kind.firstMs >= newFromMs;
    const sign = toSign(kind, isNew ? noveltyOf(kind, heardMs, telemetry.endMs) : 0, telemetry);
    if (sign) signs.push(sign);
    if (!isNew) normal.push(textOf(kind));
  }
  return { signs, normal };
}

/** So many of a kind expected before its first, and none seen: from here on that is no chance, and from there on it is certain. */
const SURPRISE = { least: 2, full: 6 };

/**
 * 0..1: how surely a kind was not there before. Rare failures of normal time are first seen at some time too: at the rate since
 * then, only few would have been expected before.
 */
function noveltyOf({ firstMs, count }: { firstMs: number; count: number }, heardMs: number, endMs: number): number {
  const perMs = (count - 0.5) / Math.max(1, endMs - firstMs);
  const expected = perMs * (firstMs - heardMs);
  return Math.min(1, Math.max(0, (expected - SURPRISE.least) / (SURPRISE.full - SURPRISE.least)));
}

/** By severity: an error that was never seen before is a sign; a new informative line rarely is. */
function severityWeight(severityNumber: number): number {
  if (severityNumber >= 17) return 1;
  if (severityNumber >= 13) return 0.8;
  return 0.15;
}

function logSign(kind: LogKind, novelty: number, telemetry: IncidentTelemetry): Sign | undefined {
  const burst = burstOf(kind.counts, telemetry);
  const onset = novelty > 0 ? { onsetMs: kind.firstMs, ratio: kind.count } : burst;
  if (!onset) return undefined;
  const isDebug = kind.severityNumber > 0 && kind.severityNumber < 9;
  const symptoms = [
    ...new Set([...symptomsOfText(kind.sample), ...(kind.severityNumber >= 17 ? (['errors'] as const) : [])]),
  ];
  return {
    kind: 'log',
    service: kind.service,
    text: kind.sample,
    onsetMs: onset.onsetMs,
    weight: severityWeight(kind.severityNumber) * Math.min(1, 0.4 + kind.count / 5) * (burst ? 1 : novelty),
    symptoms: isDebug ? [...symptoms, 'log-flood'] : symptoms,
    isLoad: false,
    ratio: onset.ratio,
    count: kind.count,
    distinctBodies: kind.distinctBodies,
  };
}

/** What was written before, but at least three times as often since. */
function burstOf(counts: Course, { startMs, endMs, stepMs }: IncidentTelemetry) {
  const known = new Map(counts);
  const steps = Math.min(2_000, Math.ceil((endMs - startMs) / stepMs));
  const filled = Array.from({ length: steps }, (_, index): readonly [number, number] => {
    const atMs = startMs + index * stepMs;
    return [atMs, known.get(atMs) ?? 0];
  });
  const shift = shiftOfCourse(filled);
  if (!shift || shift.scales < 0 || shift.after < 3 * Math.max(shift.before, 1 / 3)) return undefined;
  return { onsetMs: shift.onsetMs, ratio: shift.after / Math.max(shift.before, 1) };
}

function spanSign(kind: SpanKind, novelty: number): Sign | undefined {
  const text = `${kind.operation} ${kind.message} ${kind.details}`.trim();
  const base = {
    kind: 'span',
    service: kind.service,
    text,
    isLoad: false,
    count: kind.count,
    distinctBodies: kind.count,
  } as const;
  if (kind.isFailed) {
    if (novelty === 0) return undefined;
    const symptoms = [...new Set([...symptomsOfText(`${kind.message} ${kind.details}`), 'errors' as const])];
    return {
      ...base,
      onsetMs: kind.firstMs,
      weight: Math.min(0.9, 0.5 + kind.count / 10) * novelty,
      symptoms,
      ratio: kind.count,
    };
  }
  const fanOut = shiftOfCourse(kind.perTrace);
  if (fanOut && fanOut.scales > 0 && fanOut.after >= 2 * fanOut.before) {
    return {
      ...base,
      onsetMs: fanOut.onsetMs,
      weight: 0.8,
      symptoms: ['more-calls'],
      ratio: fanOut.after / fanOut.before,
    };
  }
  const slower = shiftOfCourse(kind.durations);
  if (!slower || slower.scales < 0 || slower.after < 1.5 * slower.before) return undefined;
  return { ...base, onsetMs: slower.onsetMs, weight: 0.7, symptoms: ['latency'], ratio: slower.after / slower.before };
}

/** Scales at which a shift of a measure is as clear as it gets. */
const CLEAR_SCALES = 25;

function metricSign({ service, metric, points }: SeriesKind): Sign | undefined {
  const shift = shiftOfCourse(points);
  if (!shift) return undefined;
  const direction = shift.scales > 0 ? 'up' : 'down';
  const load = isLoad(metric);
  const symptoms = load ? [] : symptomsOfMetric(metric, direction);
  const clarity = Math.min(1, Math.abs(shift.scales) / CLEAR_SCALES);
  return {
    kind: 'metric',
    service,
    text: `${metric} from ${threeDigits(shift.before)} to ${threeDigits(shift.after)}`,
    onsetMs: shift.onsetMs,
    weight: clarity * (symptoms.length > 0 ? 0.9 : 0.3),
    symptoms,
    isLoad: load && direction === 'up',
    ratio: shift.before > 0 ? shift.after / shift.before : 1,
    count: points.length,
    distinctBodies: points.length,
  };
}

function threeDigits(value: number): string {
  return String(Number(value.toPrecision(3)));
}
