/** The metrics agent: whose resources ran short. */

import type { z } from 'zod';
import type { CauseType } from '../domain/finding.ts';
import { formatInstant } from '../domain/time-window.ts';
import { rankResourcePressure } from '../tools/read/rank-resource-pressure.ts';
import type { Agent } from './agent.ts';
import { excuseOfColdCache } from './excuse-of-cold-cache.ts';
import { openNotebook, threeDigits, voteByFindings } from './post-findings.ts';
import { rankingQuestion, WORTH_NOTING } from './ranking-question.ts';

/** A container that dies when its memory is used up was killed for that. */
function causeOf({ resource, service }: Pressure, all: readonly Pressure[]): CauseType {
  if (resource !== 'restarts') return CAUSE[resource] ?? 'unknown';
  const isFull = all.some((other) => other.resource === 'memory' && other.service === service);
  return isFull ? 'memory-exhaustion' : 'unknown';
}

type Pressure = z.output<typeof rankResourcePressure.output>['pressures'][number];

const CAUSE: Readonly<Record<string, CauseType>> = {
  cpu: 'cpu-saturation',
  node: 'cpu-saturation',
  memory: 'memory-exhaustion',
  disk: 'disk-saturation',
  pool: 'pool-exhaustion',
  cache: 'cache-stampede',
};

export const metricsAgent: Agent = {
  name: 'metrics-agent',
  signal: 'metrics',
  mission: 'looks for resources that ran short: CPU, memory, disks, pools, caches, nodes',
  investigate: async (task, context) => {
    const notebook = openNotebook(metricsAgent, task, context);
    const asked = await notebook.ask(rankResourcePressure, rankingQuestion(task));
    if (!asked) return notebook.answer();
    const { pressures, unobserved } = asked.output;
    for (const pressure of pressures.filter(({ strength }) => strength >= WORTH_NOTING)) {
      const { service, pod, resource, metric, unit, normalMedian, normalHigh, windowHigh, strength, onsetMs } =
        pressure;
      notebook.note({
        observation: `metrics:${resource}:${service}`,
        service,
        subject: metric,
        window: task.scope.window,
        onsetMs,
        sentence:
          resource === 'restarts'
            ? `${pod || service} was started anew around ${formatInstant(onsetMs)}: ${metric} went from ${threeDigits(normalHigh)} to ${threeDigits(windowHigh)}.`
            : `${metric} of ${pod || service} reached ${show(windowHigh, unit)} from ${formatInstant(onsetMs)} on, where ${show(normalMedian, unit)} is normal (99 % of the time below ${show(normalHigh, unit)}).`,
        evidenceIds: [asked.evidenceId],
        implications: [
          { service, causeType: causeOf(pressure, pressures), stance: 'for', strength, canEcho: false, pod },
        ],
        figures: { normalMedian, normalHigh, windowHigh, unit },
      });
    }
    for (const service of unobserved) {
      notebook.missing({
        signal: 'metrics',
        service,
        what: 'fewer than ten minutes of resource metrics before the trouble: its normal use is not known',
        remedy: 'Keep resource metrics for longer, or name a known-good time with --baseline.',
      });
    }
    return notebook.answer();
  },
  vote: (ballot) =>
    voteByFindings('metrics-agent', ballot).map((vote) => {
      const hypothesis = ballot.hypotheses.find(({ hypothesisId }) => hypothesisId === vote.hypothesisId);
      const excuse = hypothesis && excuseOfColdCache(hypothesis, ballot.findings, ballot.calls);
      return excuse ? { ...vote, reasons: [...vote.reasons, excuse] } : vote;
    }),
};

function show(value: number, unit: string): string {
  return unit === '1' ? `${(value * 100).toFixed(0)} %` : `${threeDigits(value)} ${unit}`.trim();
}
