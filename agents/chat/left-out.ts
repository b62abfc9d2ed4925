/** What a question says and its topic's answer does not heed: told, so that nobody takes the answer for one to the whole question. */
import { listOf } from './asking.ts';
import type { Question, Topic } from './question.ts';

/** Parts of a question that only some answers heed. `service`: the first one that is named, `services`: all of them. */
type Part = 'service' | 'services' | 'operation' | 'pod' | 'filters' | 'threshold' | 'attributes';

const HEEDED: Readonly<Record<Topic, readonly Part[]>> = {
  requests: ['services', 'operation', 'pod', 'filters', 'threshold', 'attributes'],
  comparison: ['services', 'operation', 'pod', 'filters', 'threshold', 'attributes'],
  shifts: ['service'],
  changes: ['services'],
  versions: ['services'],
  logs: ['service'],
  'log-counts': ['services', 'attributes'],
  'log-patterns': ['service'],
  'log-kinds': ['service'],
  distinct: ['services', 'operation', 'pod', 'filters', 'threshold', 'attributes'],
  metric: ['services', 'pod'],
  'metric-names': ['service'],
  'metric-shifts': ['service'],
  traces: ['service', 'operation', 'threshold'],
  trace: [],
  callers: ['service'],
  callees: ['service'],
  'error-origins': [],
  // Which attribute is what it finds out.
  affected: ['service', 'operation', 'attributes'],
  why: ['service'],
};

/** Topics that hold two times against each other. */
const COMPARING: ReadonlySet<Topic> = new Set([
  'comparison',
  'shifts',
  'metric-shifts',
  'log-patterns',
  'error-origins',
  'affected',
]);

/** A sentence for each part that is not heeded; empty: the answer is to the whole question. */
export function leftOutOf(question: Question): string[] {
  const { topic, services, operation, pod, filters, minDurationMs, by, stepSeconds, time } = question;
  const heeds = (part: Part) => HEEDED[topic].includes(part);
  const attributes = by
    .filter((field) => field.startsWith('attribute.'))
    .map((field) => field.slice('attribute.'.length));
  const lost = [
    ...servicesLost(services, heeds),
    ...(operation !== undefined && !heeds('operation') ? [operation] : []),
    ...(pod !== undefined && !heeds('pod') ? [pod] : []),
    ...(heeds('filters') ? [] : filters.map(({ key, value }) => `${key} ${value}`)),
    ...(minDurationMs !== undefined && !heeds('threshold') ? [`${minDurationMs} ms`] : []),
    ...(heeds('attributes') ? [] : attributes.map((key) => `by ${key}`)),
    ...(stepSeconds !== undefined && by.length > 0 ? ['the split (over time there is one course)'] : []),
    ...(time.baseline && !COMPARING.has(topic) ? ['the comparison with another time'] : []),
  ];
  return lost.length > 0 ? [`Left out, because this answer cannot tell it apart: ${listOf(lost)}.`] : [];
}

function servicesLost(services: readonly string[], heeds: (part: Part) => boolean): readonly string[] {
  if (heeds('services')) return [];
  return heeds('service') ? services.slice(1) : services;
}
