/** Strict service ranking: the share of cases whose true service stands among the first k suspects, no shared ranks. */
import { median } from '../../domain/statistics/robust-scale.ts';
import type { Prediction } from '../prediction.ts';

export interface ServiceTruth {
  readonly caseId: string;
  readonly service: string;
  readonly faultType: string;
  readonly injectMs: number;
}

export interface RankedCase {
  readonly caseId: string;
  readonly faultType: string;
  readonly truth: string;
  /** 1-based; undefined: the true service is not among the suspects. */
  readonly rank: number | undefined;
  readonly first: string;
  readonly abstained: boolean;
  readonly confidence: number;
  readonly onsetErrorSeconds: number;
  readonly seconds: number;
}

export interface RankingScore {
  readonly cases: readonly RankedCase[];
  /** AS@k in percent for k = 1, 3, 5. */
  readonly hits: Readonly<Record<1 | 3 | 5, number>>;
  readonly abstained: number;
  /** First suspect wrong although a cause was claimed, in percent of all cases. */
  readonly falseAccusations: number;
  readonly medianSeconds: number;
}

/** A prediction without its truth is left out; order of suspects is what counts, not their scores. */
export function rankServices(predictions: readonly Prediction[], truths: readonly ServiceTruth[]): RankingScore {
  const byCase = new Map(truths.map((truth) => [truth.caseId, truth]));
  const cases = predictions.flatMap((prediction): RankedCase[] => {
    const truth = byCase.get(prediction.case_id);
    if (!truth) return [];
    const services = [...new Set(prediction.suspects.map(({ service }) => service))];
    const index = services.indexOf(truth.service);
    return [
      {
        caseId: truth.caseId,
        faultType: truth.faultType,
        truth: truth.service,
        rank: index < 0 ? undefined : index + 1,
        first: services[0] ?? '',
        abstained: prediction.abstained,
        confidence: prediction.confidence,
        onsetErrorSeconds: (Date.parse(prediction.onset_utc) - truth.injectMs) / 1000,
        seconds: prediction.seconds,
      },
    ];
  });
  const share = (hit: (ranked: RankedCase) => boolean) => (100 * cases.filter(hit).length) / Math.max(1, cases.length);
  const within = (k: number) => share(({ rank }) => rank !== undefined && rank <= k);
  return {
    cases,
    hits: { 1: within(1), 3: within(3), 5: within(5) },
    abstained: cases.filter(({ abstained }) => abstained).length,
    falseAccusations: share(({ abstained, rank }) => !abstained && rank !== 1),
    medianSeconds: cases.length === 0 ? 0 : median(cases.map(({ seconds }) => seconds)),
  };
}
