/**
 * What a language model said about an agent's findings, and how much of it counts. It may explain, and it may put another suspect first;
 * the latter only where evidence that was computed, names that suspect, and is no weaker than what it displaces.
 */
import { z } from 'zod';
import type { Finding } from './finding.ts';
import type { Hypothesis, Tally } from './hypothesis.ts';
import { agentNameSchema } from './signal.ts';
import { combineStrengths } from './statistics/shift.ts';

/** Calls to a model and what they took. */
export const modelUsageSchema = z.object({
  calls: z.int().nonnegative(),
  inputTokens: z.number().nonnegative(),
  outputTokens: z.number().nonnegative(),
  /** Of the calls whose model has a price. */
  costUsd: z.number().nonnegative(),
  seconds: z.number().nonnegative(),
  unpricedCalls: z.int().nonnegative(),
});

/** One agent's model. Everything in it cites evidence that exists: the rest was dropped, and counted. */
export const counselSchema = z.object({
  agent: agentNameSchema,
  modelName: z.string(),
  notes: z.array(z.object({ text: z.string(), evidenceIds: z.array(z.string()).min(1) })),
  /** Whom it would put first. */
  suspect: z.object({ service: z.string(), why: z.string(), evidenceIds: z.array(z.string()).min(1) }).optional(),
  /** Statements that cited nothing, what does not exist, or what is about somebody else. */
  dropped: z.int().nonnegative(),
  usage: modelUsageSchema,
  /** It ended before it was done: its budget, or its time. What it had established so far is here. */
  stopped: z.enum(['tokens', 'money', 'seconds']).optional(),
  /** Why there is nothing usable. */
  failure: z.string().optional(),
});
export type Counsel = z.infer<typeof counselSchema>;

/** What became of a suspect that a model would put first. */
export const counselOutcomeSchema = z.object({
  service: z.string(),
  agents: z.array(agentNameSchema),
  outcome: z.enum(['agrees', 'moved', 'unknown-suspect', 'irrelevant-evidence', 'weaker-evidence']),
  why: z.string(),
  evidenceIds: z.array(z.string()),
});
export type CounselOutcome = z.infer<typeof counselOutcomeSchema>;

interface Matter {
  readonly tally: Tally;
  /** Of the tally's round. */
  readonly hypotheses: readonly Hypothesis[];
  readonly findings: readonly Finding[];
}

/**
 * The tally as it stands after what models said, and what became of each suspect they named. At most one is put first: the one
 * that most agents name, then the one with the stronger evidence. Scores stay as they were computed; confidence becomes what a first that is
 * no stronger than its rival deserves, and a decision stays one.
 */
export function applyCounsel(
  matter: Matter,
  counsels: readonly Counsel[],
): { tally: Tally; outcomes: CounselOutcome[] } {
  const named = Map.groupBy(
    counsels.flatMap(({ agent, suspect }) => (suspect ? [{ agent, ...suspect }] : [])),
    ({ service }) => service,
  );
  const judged = [...named].map(([service, proposals]) => {
    const evidenceIds = [...new Set(proposals.flatMap((one) => one.evidenceIds))];
    return {
      ...judge(matter, service, evidenceIds),
      service,
      agents: proposals.map(({ agent }) => agent).sort(),
      why: proposals[0]?.why ?? '',
      evidenceIds,
    };
  });
  const [mover, ...others] = judged
    .filter(({ outcome }) => outcome === 'moved')
    .sort((left, right) => right.agents.length - left.agents.length || right.support - left.support);
  const beaten = new Set(others);
  const outcomes = judged.map((one): CounselOutcome => {
    const { service, agents, why, evidenceIds, outcome } = one;
    return { service, agents, why, evidenceIds, outcome: beaten.has(one) ? 'weaker-evidence' : outcome };
  });
  return { tally: mover ? putFirst(matter.tally, mover.hypothesisId) : matter.tally, outcomes };
}

function judge(
  { tally, hypotheses, findings }: Matter,
  service: string,
  evidenceIds: readonly string[],
): { outcome: CounselOutcome['outcome']; hypothesisId: string; support: number } {
  const ids = new Set(hypotheses.filter((one) => one.service === service).map(({ hypothesisId }) => hypothesisId));
  const own = tally.ranked.find(({ hypothesisId }) => ids.has(hypothesisId));
  const first = tally.ranked[0];
  if (!own || !first) return { outcome: 'unknown-suspect', hypothesisId: '', support: 0 };
  const support = supportOf(findings, service, evidenceIds);
  const judged = { hypothesisId: own.hypothesisId, support };
  if (support === 0) return { outcome: 'irrelevant-evidence', ...judged };
  if (ids.has(first.hypothesisId)) return { outcome: 'agrees', ...judged };
  return { outcome: support >= first.support && own.score > 0 ? 'moved' : 'weaker-evidence', ...judged };
}

/** What the cited evidence weighs for this service, as it was computed: each observation once, as in a tally. */
function supportOf(findings: readonly Finding[], service: string, evidenceIds: readonly string[]): number {
  const cited = new Set(evidenceIds);
  const strengths = new Map<string, number>();
  for (const { observation, evidenceIds: shown, implications } of findings) {
    if (!shown.some((id) => cited.has(id))) continue;
    for (const one of implications) {
      if (one.service !== service || one.stance !== 'for') continue;
      strengths.set(observation, Math.max(one.strength, strengths.get(observation) ?? 0));
    }
  }
  return combineStrengths([...strengths].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, one]) => one));
}

/** A tie: no more sure than a coin between the two, and no less decided than the jury was. */
const NO_SURER = 0.5;

function putFirst(tally: Tally, hypothesisId: string): Tally {
  const chosen = tally.ranked.filter((one) => one.hypothesisId === hypothesisId);
  const rest = tally.ranked.filter((one) => one.hypothesisId !== hypothesisId);
  return {
    ...tally,
    confidence: Math.min(tally.confidence, NO_SURER),
    ranked: [...chosen, ...rest].map((one, index) => ({ ...one, rank: index + 1 })),
  };
}
