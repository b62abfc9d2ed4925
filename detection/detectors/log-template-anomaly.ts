/** Anomalies of log templates as people read them, and only the few that say something. Pure. */
import { type Anomaly, anomalyIdOf } from '../../domain/anomaly.ts';
import type { SeriesName } from '../../domain/series-name.ts';
import { formatMinute, type TimeWindow } from '../../domain/time-window.ts';
import type { TemplateDeviation } from './log-template-judge.ts';

/** Of one service at a time. */
const MAX_LOUD = 3;
const SUBJECT_CHARACTERS = 120;

/** The strongest few of a service that pass their bar; without any, the strongest whisper. */
export function reportTemplates(service: string, found: readonly TemplateDeviation[], window: TimeWindow): Anomaly[] {
  const ordered = [...found].sort((left, right) => right.deviation - left.deviation);
  const loud = ordered.filter(({ deviation }) => deviation >= 1);
  const told = loud.length > 0 ? loud.slice(0, MAX_LOUD) : ordered.slice(0, 1);
  return told.map((each) => anomalyFrom(service, each, window));
}

function anomalyFrom(service: string, found: TemplateDeviation, window: TimeWindow): Anomaly {
  const { key, level, shape, deviation, sinceMs, observed, expected, range } = found;
  const series: SeriesName = { kind: 'template', service, name: key.slice(level.length + 1), detail: level };
  const text = found.text === '' ? 'lines without a template' : `"${shorten(found.text)}"`;
  const isError = level === 'ERROR' || level === 'FATAL';
  return {
    anomalyId: anomalyIdOf(series, 'templates', sinceMs),
    signal: 'logs',
    service,
    series,
    subject: text,
    aspect: 'logs',
    detector: 'templates',
    window,
    sinceMs,
    observed,
    expected,
    range: [range[0], range[1]],
    deviation,
    unit: '{line}/min',
    hurtsUsers: isError && found.isLarge && shape !== 'vanished',
    sentence: `${service}: ${show(observed)} ${level} ${observed === 1 ? 'line' : 'lines'} a minute ${text} since ${formatMinute(sinceMs)} UTC, ${normally(found)}.`,
    correlated: [],
  };
}

function normally({ shape, expected, range: [low, high] }: TemplateDeviation): string {
  if (shape === 'new') return 'never seen before';
  return `normally ${show(expected)} (${show(low)} to ${show(high)})`;
}

function shorten(text: string): string {
  return text.length <= SUBJECT_CHARACTERS ? text : `${text.slice(0, SUBJECT_CHARACTERS - 1)}…`;
}

function show(lines: number): string {
  return lines >= 10 || Number.isInteger(lines) ? lines.toFixed(0) : lines.toPrecision(2);
}
