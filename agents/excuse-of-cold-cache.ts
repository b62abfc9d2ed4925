/** A cache that went cold sends its readers to what lies behind it: those who then suffer are not the cause. */
import type { Finding } from '../domain/finding.ts';
import type { Hypothesis, VoteReason } from '../domain/hypothesis.ts';
import type { Scope } from '../domain/investigation.ts';

/** Whoever is short of a cache may have trouble of its own too. */
const EXCUSE_SHARE = 0.8;

/** Why readers of the cache, and what else they ask, are weaker suspects than the cache. */
export function excuseOfColdCache(
  hypothesis: Hypothesis,
  findings: readonly Finding[],
  calls: Scope['calls'],
): VoteReason | undefined {
  const cold = findings.find(({ implications: [first] }) => first?.causeType === 'cache-stampede');
  const strength = cold?.implications[0]?.strength ?? 0;
  if (!cold || cold.service === hypothesis.service) return undefined;
  const readers = new Set(calls.filter(({ callee }) => callee === cold.service).map(({ caller }) => caller));
  const suffers = ({ caller, callee }: Scope['calls'][number]) => readers.has(caller) && callee === hypothesis.service;
  if (!readers.has(hypothesis.service) && !calls.some(suffers)) return undefined;
  return {
    observation: cold.observation,
    stance: 'against',
    strength: EXCUSE_SHARE * strength,
    evidenceIds: cold.evidenceIds,
    sentence: `${cold.service} answers hardly anything from its cache, so its readers ask ${hypothesis.service} for all of it.`,
  };
}
