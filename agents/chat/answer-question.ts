/** Answers a question by its topic, and says in fixed words how it was understood. */
import type { Answer } from '../../domain/answer.ts';
import type { Evidence } from '../../domain/evidence.ts';
import { answerChanges, answerVersions } from './answer-changes.ts';
import { answerComparison, answerMetricShifts, answerShifts } from './answer-comparison.ts';
import { answerLogCounts, answerLogKinds, answerLogPatterns, answerLogs } from './answer-logs.ts';
import { answerMetric, answerMetricNames } from './answer-metrics.ts';
import { answerDistinct, answerRequests, MEASURE_WORDS } from './answer-requests.ts';
import { answerAffected, answerCalls, answerErrorOrigins, answerTrace, answerTraces } from './answer-traces.ts';
import { answerWhy } from './answer-why.ts';
import { type Asking, createRun, placeOf, type Said } from './asking.ts';
import type { Question, Topic } from './question.ts';

const ANSWERERS: Readonly<Record<Topic, (asking: Asking) => Promise<Said>>> = {
  requests: answerRequests,
  comparison: answerComparison,
  shifts: answerShifts,
  changes: answerChanges,
  versions: answerVersions,
  logs: answerLogs,
  'log-counts': answerLogCounts,
  'log-patterns': answerLogPatterns,
  'log-kinds': answerLogKinds,
  distinct: answerDistinct,
  metric: answerMetric,
  'metric-names': answerMetricNames,
  'metric-shifts': answerMetricShifts,
  traces: answerTraces,
  trace: answerTrace,
  callers: answerCalls,
  callees: answerCalls,
  'error-origins': answerErrorOrigins,
  affected: answerAffected,
  why: answerWhy,
};

const TOPIC_WORDS: Readonly<Record<Topic, string>> = {
  requests: 'requests',
  comparison: 'a comparison with the time before',
  shifts: 'operations that changed most',
  changes: 'changes',
  versions: 'running versions',
  logs: 'log lines',
  'log-counts': 'numbers of log lines',
  'log-patterns': 'kinds of log line that are new or burst',
  'log-kinds': 'most frequent kinds of log line',
  distinct: 'numbers of distinct values',
  metric: 'a metric',
  'metric-names': 'names of metrics',
  'metric-shifts': 'metrics furthest from normal',
  traces: 'traces',
  trace: 'one trace',
  callers: 'callers',
  callees: 'calls to others',
  'error-origins': 'where errors begin',
  affected: 'who is affected',
  why: 'the cause (an investigation)',
};

/** What the caller adds: notes of reading, and the evidence's keeper. */
export async function answerQuestion(asking: Omit<Asking, 'run'>): Promise<{
  readonly answer: Omit<Answer, 'notes' | 'suggestions'> & { notes: string[] };
  readonly evidence: readonly Evidence[];
}> {
  const evidence = new Map<string, Evidence>();
  const { question } = asking;
  const said = await ANSWERERS[question.topic]({ ...asking, run: createRun(asking.context, evidence) });
  const { kind, text, tables = [], chart, window = question.time.window, baseline, notes = [], investigationId } = said;
  return {
    answer: {
      kind,
      by: 'grammar',
      text,
      understood: describeQuestion(question),
      window,
      ...(baseline ? { baseline } : {}),
      tables: [...tables],
      ...(chart ? { chart } : {}),
      evidenceIds: [...new Set([...evidence.keys(), ...(said.evidenceIds ?? [])])],
      notes: [...notes],
      ...(investigationId === undefined ? {} : { investigationId }),
    },
    evidence: [...evidence.values()],
  };
}

/** Topics whose answers are split by what was asked; others have rows of their own. */
const SPLIT_TOPICS: ReadonlySet<Topic> = new Set(['requests', 'metric', 'log-counts', 'distinct']);

/** `p95 of cart by operation` */
export function describeQuestion(question: Question): string {
  const { topic, by, text, stepSeconds } = question;
  const split =
    by.length > 0 && SPLIT_TOPICS.has(topic)
      ? ` by ${by.map((field) => field.replace(/^attribute\./, '')).join(' and ')}`
      : '';
  const steps = stepSeconds === undefined ? '' : ` every ${stepSeconds} s`;
  const containing = text === undefined ? '' : ` containing "${text}"`;
  return `${subjectOf(question)} of ${placeOf(question)}${split}${steps}${containing}`;
}

function subjectOf({ topic, measures, metric, metricWords, kinds, failing, severity }: Question): string {
  if (topic === 'requests' && measures.length > 0) {
    return measures.map((measure) => MEASURE_WORDS[measure].words).join(', ');
  }
  if (topic === 'metric') return metric ?? metricWords.join(' ');
  if (topic === 'changes' && kinds.length > 0) return kinds.join(', ');
  if (topic === 'traces' && failing) return 'traces with errors';
  return severity !== undefined && topic.startsWith('log') ? `${TOPIC_WORDS[topic]} (${severity})` : TOPIC_WORDS[topic];
}
