/** Every suite by name: how its cases are read, and how predictions are scored against its labels. */
import { z } from 'zod';
import { InputError } from '../platform/errors.ts';
import { listNezhaCases } from './datasets/nezha.ts';
import { listSimulatedCases, simulatedTruths } from './datasets/simulated-shop.ts';
import type { Prediction } from './prediction.ts';
import type { ReplayCase } from './replay-case.ts';
import { type RankingScore, rankServices, type ServiceTruth } from './scorers/rank-services.ts';
import type { UnpackedDataset } from './unpack-dataset.ts';

export interface Scored {
  readonly score: object;
  /** The score as people read it. */
  readonly text: string;
}

export type Suite =
  | {
      readonly source: 'dataset';
      listCases(data: UnpackedDataset): ReplayCase[];
      score(predictions: readonly Prediction[], labels: unknown): Scored;
    }
  | {
      /** Needs no data: the cases are made. */
      readonly source: 'simulator';
      listCases(): ReplayCase[];
      score(predictions: readonly Prediction[]): Scored;
    };

const nezhaLabels = z
  .array(
    z.object({
      case_id: z.string(),
      root_cause_service: z.string(),
      fault_type: z.string(),
      inject_time_utc: z.string(),
    }),
  )
  .transform((labels) =>
    labels.map(
      (label): ServiceTruth => ({
        caseId: label.case_id,
        service: label.root_cause_service,
        faultType: label.fault_type,
        injectMs: Date.parse(label.inject_time_utc),
      }),
    ),
  );

const nezhaSuite: Suite = {
  source: 'dataset',
  listCases: ({ partDir, commonDir }) => {
    if (commonDir === undefined) throw new InputError('This suite needs common/data.tar.zst beside the part.');
    return listNezhaCases(partDir, commonDir);
  },
  score: (predictions, labels) => {
    const score = rankServices(predictions, nezhaLabels.parse(labels));
    return { score, text: describeRanking(score) };
  },
};

const simulatorSuite: Suite = {
  source: 'simulator',
  listCases: listSimulatedCases,
  score: (predictions) => {
    const score = rankServices(predictions, simulatedTruths());
    const quiet = predictions.filter(({ case_id }) => case_id.startsWith('quiet-'));
    const accused = quiet.filter(({ abstained }) => !abstained);
    const lines = quiet.map(
      ({ case_id, abstained, confidence, suspects }) =>
        `${case_id} ${abstained ? 'abstained' : 'ACCUSED'} conf ${confidence.toFixed(2)} (${suspects[0]?.service ?? 'nobody'})`,
    );
    return {
      score: { ...score, quiet: quiet.length, quietAccused: accused.length },
      text: [describeRanking(score), ...lines].join('\n'),
    };
  },
};

export const SUITES: Readonly<Record<string, Suite>> = {
  simulator: simulatorSuite,
  'nezha-trainticket': nezhaSuite,
  'nezha-onlineboutique': nezhaSuite,
};

function describeRanking(score: RankingScore): string {
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
