/**
 * Watches by rules that need no history (detectors/rules.ts): three small questions with a short time limit each. What still looks when
 * baselines are missing, and judges by what it was told when part of the engine does not answer.
 */
import type { DetectorState } from '../clickhouse/detector-states.ts';
import type { RuleFactReader } from '../clickhouse/read-rule-facts.ts';
import { type Anomaly, anomalyIdOf } from '../domain/anomaly.ts';
import type { SeriesKind, SeriesName } from '../domain/series-name.ts';
import type { Signal } from '../domain/signal.ts';
import { formatMinute, type TimeWindow } from '../domain/time-window.ts';
import { errorMessage } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import {
  type FoundMatch,
  LOOKBACK_MINUTES,
  METRICS_OF_RULES,
  RULES,
  type Rule,
  type RuleFacts,
} from './detectors/rules.ts';
import type { Watch, WatchedStep } from './watch.ts';

export interface RuleWatchParts {
  readonly telemetry: RuleFactReader;
  readonly logger: Logger;
}

const NAME = 'rules';
const STATE_VERSION = 1;
const STEP_MS = 60_000;
const LATENESS_MS = 5_000;
const READ_TIMEOUT_MS = 4_000;
const MAX_ROWS = 20_000;
/** What was broken again so soon was broken all the while. */
const QUIET_MS = 120_000;

interface Broken {
  readonly sinceMs: number;
  lastMs: number;
}

export function createRuleWatch({ telemetry, logger }: RuleWatchParts): Watch {
  /** Since when what is broken is; what is forgotten of it is only when it began. */
  const broken = new Map<string, Broken>();
  /** What was observed of each minute that was judged: anything else is late data. */
  const judged = new Map<number, number>();
  let judgedToMs = 0;
  let savedToMs = 0;

  async function observe(window: TimeWindow, signal: AbortSignal): Promise<WatchedStep[]> {
    const facts = await readFacts(window, signal);
    const sums = observedByMinute(facts);
    for (const atMs of judged.keys()) if (atMs < window.startMs) judged.delete(atMs);
    const steps: WatchedStep[] = [];
    for (let atMs = window.startMs; atMs < window.endMs; atMs += STEP_MS) {
      const observed = sums.get(atMs) ?? 0;
      if (atMs < judgedToMs && (judged.get(atMs) ?? 0) === observed) continue;
      const judge = () => {
        judged.set(atMs, observed);
        judgedToMs = Math.max(judgedToMs, atMs + STEP_MS);
        return judgeMinute(facts, atMs);
      };
      steps.push({ window: { startMs: atMs, endMs: atMs + STEP_MS }, judge });
    }
    return steps;
  }

  /** Rejects only when nothing at all was answered. */
  async function readFacts({ startMs, endMs }: TimeWindow, signal: AbortSignal): Promise<RuleFacts> {
    const window = { startMs: Math.max(0, startMs - LOOKBACK_MINUTES * STEP_MS), endMs };
    const bounds = { maxRows: MAX_ROWS, timeoutMs: READ_TIMEOUT_MS, signal };
    const [requests, logs, metrics] = await Promise.allSettled([
      telemetry.readRequests({ window }, bounds),
      telemetry.readLogs({ window }, bounds),
      telemetry.readMetrics({ window, pattern: METRICS_OF_RULES }, bounds),
    ]);
    signal.throwIfAborted();
    const failures = [requests, logs, metrics].filter((each) => each.status === 'rejected');
    const [first] = failures;
    if (first && failures.length === 3) throw first.reason;
    for (const { reason } of failures)
      logger.warn({ reason: errorMessage(reason) }, 'rules judge without part of what they ask');
    return { requests: rowsOf(requests), logs: rowsOf(logs), metrics: rowsOf(metrics) };
  }

  /** At most one anomaly a service and aspect: the loudest. */
  function judgeMinute(facts: RuleFacts, atMs: number): Anomaly[] {
    const found = new Map<string, Anomaly>();
    for (const rule of RULES) {
      for (const match of rule.find(facts, atMs)) {
        const key = `${rule.aspect} ${match.service}`;
        if ((found.get(key)?.deviation ?? 0) >= match.deviation) continue;
        found.set(key, describe(rule, match, atMs, noteBroken(rule, match.service, facts, atMs)));
      }
    }
    for (const [key, { lastMs }] of broken) if (atMs - lastMs > QUIET_MS) broken.delete(key);
    return [...found.values()];
  }

  /** Since when. */
  function noteBroken(rule: Rule, service: string, facts: RuleFacts, atMs: number): number {
    const key = JSON.stringify([rule.name, service]);
    const known = broken.get(key);
    const sinceMs = Math.min(atMs, known?.sinceMs ?? firstBroken(rule, service, facts, atMs));
    broken.set(key, { sinceMs, lastMs: Math.max(known?.lastMs ?? 0, atMs) });
    return sinceMs;
  }

  return {
    name: NAME,
    stepMs: STEP_MS,
    latenessMs: LATENESS_MS,
    observe,
    save: (): DetectorState[] => {
      if (savedToMs === judgedToMs) return [];
      savedToMs = judgedToMs;
      const state = JSON.stringify({ version: STATE_VERSION, broken: [...broken] });
      return [{ watch: NAME, key: 'broken', learnedToMs: judgedToMs, state }];
    },
    restore: (states) => {
      for (const { state, learnedToMs } of states) {
        const { version, broken: entries } = JSON.parse(state) as { version: number; broken: [string, Broken][] };
        if (version !== STATE_VERSION) continue;
        for (const [key, one] of entries) broken.set(key, one);
        judgedToMs = Math.max(judgedToMs, learnedToMs);
      }
    },
  };
}

function rowsOf<Row>(settled: PromiseSettledResult<{ readonly rows: readonly Row[] }>): readonly Row[] {
  return settled.status === 'fulfilled' ? settled.value.rows : [];
}

function firstBroken(rule: Rule, service: string, facts: RuleFacts, atMs: number): number {
  const isBroken = (minuteMs: number) => rule.find(facts, minuteMs).some((match) => match.service === service);
  let sinceMs = atMs;
  while (atMs - sinceMs < LOOKBACK_MINUTES * STEP_MS && isBroken(sinceMs - STEP_MS)) sinceMs -= STEP_MS;
  return sinceMs;
}

/** One number that changes with whatever is observed of a minute. */
function observedByMinute({ requests, logs, metrics }: RuleFacts): Map<number, number> {
  const sums = new Map<number, number>();
  const add = (atMs: readonly number[], values: readonly number[]) => {
    for (const [index, minuteMs] of atMs.entries()) {
      sums.set(minuteMs, (sums.get(minuteMs) ?? 0) + 1 + (values[index] ?? 0));
    }
  };
  for (const { atMs, calls } of requests) add(atMs, calls);
  for (const { atMs, fatalLines } of logs) add(atMs, fatalLines);
  for (const { atMs, lasts } of metrics) add(atMs, lasts);
  return sums;
}

const KINDS: Readonly<Record<Signal, SeriesKind>> = {
  traces: 'errors',
  logs: 'template',
  metrics: 'metric',
  changes: 'presence',
};

function describe(rule: Rule, match: FoundMatch, atMs: number, sinceMs: number): Anomaly {
  const { service, subject, observed, limit, what, deviation } = match;
  const series: SeriesName = { kind: KINDS[rule.signal], service, name: `rule ${rule.name}`, detail: '' };
  return {
    anomalyId: anomalyIdOf(series, NAME, sinceMs),
    signal: rule.signal,
    service,
    series,
    subject,
    aspect: rule.aspect,
    detector: NAME,
    window: { startMs: atMs, endMs: atMs + STEP_MS },
    sinceMs,
    observed,
    expected: limit,
    range: observed < limit ? [limit, limit] : [0, limit],
    deviation,
    unit: rule.unit,
    hurtsUsers: rule.hurtsUsers ?? false,
    sentence: `${service}: ${what}, since ${formatMinute(sinceMs)} UTC (rule ${rule.name}).`,
    correlated: [],
  };
}
