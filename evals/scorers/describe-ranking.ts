/** A ranking of services as people read it: a line a case, the shares, and what each kind of fault came to. */
import type { RankingScore } from './rank-services.ts';

/** Empty where no case was ranked: no share of nothing. */
export function describeRanking(score: RankingScore): string {
  if (score.cases.length === 0) return '';
  const lines = score.cases.map(
    ({ caseId, faultType, truth, rank, first, abstained, confidence, onsetErrorSeconds, seconds }) =>
      `${caseId.padEnd(8)} ${faultType.padEnd(15)} ${String(rank ?? '-').padStart(3)}  conf ${confidence.toFixed(2)}${abstained ? ' abst' : '     '} ` +
      `onset ${onsetErrorSeconds.toFixed(0).padStart(6)} s  ${seconds.toFixed(1).padStart(5)} s  ${truth}${rank === 1 ? '' : `  (said ${first})`}`,
  );
  const byType = [...Map.groupBy(score.cases, ({ faultType }) => faultType)].map(
    ([faultType, cases]) => `${faultType} ${cases.filter(({ rank }) => rank === 1).length}/${cases.length}`,
  );
  return [
    ...lines,
    `AS@1 ${score.hits[1].toFixed(1)} %  AS@3 ${score.hits[3].toFixed(1)} %  AS@5 ${score.hits[5].toFixed(1)} %  (${score.cases.length} cases)`,
    `first right by fault: ${byType.join(', ')}`,
    `abstained ${score.abstained}, false accusations ${score.falseAccusations.toFixed(1)} %, median ${score.medianSeconds.toFixed(1)} s a case`,
  ].join('\n');
}
