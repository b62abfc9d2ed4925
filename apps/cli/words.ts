/** How values read in a sentence: causes, confidence, durations, instants, agents. UTC everywhere. */

import type { Change } from '../../domain/change.ts';
import type { CauseType } from '../../domain/finding.ts';
import type { ActionKind, Remediation } from '../../domain/remediation.ts';
import type { AgentName, Signal } from '../../domain/signal.ts';
import { formatDay, formatMinute } from '../../domain/time-window.ts';

export const CAUSE_WORDS: Readonly<Record<CauseType, string>> = {
  'cpu-saturation': 'CPU saturation',
  'memory-exhaustion': 'memory exhaustion',
  'pool-exhaustion': 'exhausted pool',
  'disk-saturation': 'disk saturation',
  'slow-processing': 'slow processing',
  errors: 'failing by itself',
  'code-path-change': 'changed code path',
  'network-delay': 'network delay',
  'lost-calls': 'lost calls',
  'bad-change': 'bad change',
  'external-dependency': 'external dependency',
  'name-resolution': 'name resolution',
  'traffic-surge': 'traffic surge',
  'cache-stampede': 'cache stampede',
  'expired-certificate': 'expired certificate',
  unknown: 'unknown cause',
};

const ACTION_WORDS: Readonly<Record<ActionKind, string>> = {
  'open-ticket': 'Open a ticket for',
  'rollback-deploy': 'Roll back the deploy of',
  'disable-flag': 'Switch off the flag of',
  'restart-service': 'Restart',
  'scale-out': 'Scale out',
  'raise-limit': 'Raise the limit of',
  'shed-load': 'Shed load on',
  'contact-provider': 'Contact the provider of',
};

/** `Roll back the deploy of payment`. */
export function actionPhrase({ action, service }: Pick<Remediation, 'action' | 'service'>): string {
  return `${ACTION_WORDS[action]} ${service}`;
}

/** The column of the jury: metrics, logs, traces, deploys. */
export const AGENT_WORDS: Readonly<Record<AgentName, string>> = {
  'metrics-agent': 'metrics',
  'log-agent': 'logs',
  'trace-agent': 'traces',
  'deploy-agent': 'deploys',
};

export const SIGNAL_WORDS: Readonly<Record<Signal, string>> = {
  metrics: 'metrics',
  logs: 'logs',
  traces: 'traces',
  changes: 'changes',
};

export function confidenceWord(confidence: number): string {
  if (confidence >= 0.9) return 'very high';
  if (confidence >= 0.75) return 'high';
  return confidence >= 0.5 ? 'moderate' : 'low';
}

/** `86%`; nothing that was inferred is 100%, and only nothing is 0%. */
export function formatPercent(ratio: number): string {
  if (ratio > 0 && ratio < 0.01) return '< 1%';
  if (ratio > 0.99) return '> 99%';
  return `${Math.round(ratio * 100)}%`;
}

/** `0.4 s`, `12 s`, `4 min 5 s`, `2 h 5 min`, `3 d 4 h`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return twoUnits(whole, 60, 'min', 's');
  const minutes = Math.round(whole / 60);
  return minutes < 1440 ? twoUnits(minutes, 60, 'h', 'min') : twoUnits(Math.round(minutes / 60), 24, 'd', 'h');
}

function twoUnits(amount: number, size: number, large: string, small: string): string {
  const rest = amount % size;
  const whole = `${Math.floor(amount / size)} ${large}`;
  return rest === 0 ? whole : `${whole} ${rest} ${small}`;
}

/** `2026-01-31 10:14` */
export function formatDayAndMinute(atMs: number): string {
  return `${formatDay(atMs)} ${formatMinute(atMs)}`;
}

/** ISO instants inside a text as people say them: only the time on that day (`2026-01-31`), with the day on others. UTC. */
export function shortenInstants(text: string, day: string): string {
  return text.replace(/\b(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(?:\.\d+)?Z/g, (_whole, date: string, clock: string) =>
    date === day ? clock : `${date} ${clock}`,
  );
}

/** The text with a full stop, unless it ends a sentence already. */
export function asSentence(text: string): string {
  return /[.?!…]["')]?$/.test(text) ? text : `${text}.`;
}

/** `2 min 10 s before`, `12 s after`, `at the same moment as`. */
export function formatOffset(atMs: number, referenceMs: number): string {
  const distanceMs = atMs - referenceMs;
  if (Math.abs(distanceMs) < 1000) return 'at the moment of';
  return `${formatDuration(Math.abs(distanceMs))} ${distanceMs < 0 ? 'before' : 'after'}`;
}

/** `deploy of payment 2.4.1`; `flag`: what a change was, without its own summary. */
export function changePhrase({ kind, service, version }: Pick<Change, 'kind' | 'service' | 'version'>): string {
  return [kind, service === '' ? '' : `of ${service}`, version].filter((part) => part !== '').join(' ');
}

/** `1 finding`, `3 findings`, `12,480 spans`. */
export function countOf(count: number, singular: string, plural: string = `${singular}s`): string {
  return `${formatCount(count)} ${count === 1 ? singular : plural}`;
}

/** `12,480` */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** A number of any unit with four significant digits at most: `0.0312`, `12.5`, `1,204`. */
export function formatFigure(value: number): string {
  if (Math.abs(value) >= 1000) return formatCount(value);
  return String(Number(value.toPrecision(3)));
}
