/**
 * Verdicts by kind of fault and seed: right, wrong or abstained. Right is a claim whose first suspect is the service (or the
 * provider) that broke; whether its cause type is right too is counted apart.
 */
import type { CauseType } from '../../domain/finding.ts';
import type { Prediction } from '../prediction.ts';
import type { ServiceTruth } from './rank-services.ts';

export type FaultTruth = ServiceTruth & { readonly seed: number; readonly causeType: CauseType };

export interface FaultCell {
  readonly caseId: string;
  readonly faultType: string;
  readonly seed: number;
  readonly verdict: 'right' | 'wrong' | 'abstained';
  /** First suspect, as a claim or a lead; empty: nobody. */
  readonly said: string;
  /** Of the first suspect. */
  readonly isCauseTypeRight: boolean;
  /** Nothing inside is at fault: to accuse nobody is a right answer as well. */
  readonly isOutside: boolean;
}

const OUTSIDE: ReadonlySet<CauseType> = new Set(['external-dependency']);

/** In the order of the truths; a truth without a prediction has no cell. */
export function tabulateFaults(predictions: readonly Prediction[], truths: readonly FaultTruth[]): FaultCell[] {
  const byCase = new Map(predictions.map((prediction) => [prediction.case_id, prediction]));
  return truths.flatMap(({ caseId, faultType, seed, service, causeType }): FaultCell[] => {
    const prediction = byCase.get(caseId);
    if (!prediction) return [];
    const [first] = prediction.suspects;
    const isRight = first?.service === service;
    return [
      {
        caseId,
        faultType,
        seed,
        verdict: prediction.abstained ? 'abstained' : isRight ? 'right' : 'wrong',
        said: first?.service ?? '',
        isCauseTypeRight: first?.cause_type === causeType,
        isOutside: OUTSIDE.has(causeType),
      },
    ];
  });
}

const CELL_WIDTH = 12;
const NAME_WIDTH = 16;

/** A line for each kind, a column for each seed, and the totals; empty where nothing was predicted. */
export function describeFaults(cells: readonly FaultCell[]): string {
  if (cells.length === 0) return '';
  const seeds = [...new Set(cells.map(({ seed }) => seed))].sort((a, b) => a - b);
  const heads = seeds.map((seed) => `seed ${seed}`.padEnd(CELL_WIDTH)).join('');
  const rows = [...Map.groupBy(cells, ({ faultType }) => faultType)].map(([faultType, row]) => {
    const columns = seeds.map((seed) => (row.find((cell) => cell.seed === seed)?.verdict ?? '-').padEnd(CELL_WIDTH));
    const types = row.filter(({ isCauseTypeRight }) => isCauseTypeRight).length;
    return `${faultType.padEnd(NAME_WIDTH)} ${columns.join('')}${types}/${row.length}`;
  });
  return [`${''.padEnd(NAME_WIDTH)} ${heads}cause type right`, ...rows, describeTotals(cells)].join('\n');
}

function describeTotals(cells: readonly FaultCell[]): string {
  const count = (accept: (cell: FaultCell) => boolean) => cells.filter(accept).length;
  const told = (verdict: FaultCell['verdict']) => count((cell) => cell.verdict === verdict);
  const outside = cells.filter(({ isOutside }) => isOutside);
  const abstentions = outside.filter(({ verdict }) => verdict === 'abstained').length;
  const named = outside.filter(({ verdict }) => verdict === 'right').length;
  return [
    `right ${told('right')}, wrong ${told('wrong')}, abstained ${told('abstained')} of ${cells.length}; ` +
      `cause type right ${count(({ isCauseTypeRight }) => isCauseTypeRight)}`,
    ...(outside.length > 0
      ? [
          `of ${outside.length} outages outside: ${named} named the provider, ${abstentions} abstained (right answers both), ` +
            `${outside.length - named - abstentions} wrong`,
        ]
      : []),
  ].join('\n');
}
