/** The simulator's suite: every kind of fault for some seeds, and quiet stretches in which nobody is to be accused. */
import { FAULT_KINDS } from '../simulator/faults/fault-kinds.ts';
import { describeTruth } from '../simulator/ground-truth.ts';
import { listSimulatedCases, simulatedTruths } from './datasets/simulated-shop.ts';
import type { Prediction } from './prediction.ts';
import { describeRanking } from './scorers/describe-ranking.ts';
import { rankServices, type ServiceTruth } from './scorers/rank-services.ts';
import { describeFaults, type FaultTruth, tabulateFaults } from './scorers/tabulate-faults.ts';
import type { Scored, Suite } from './suite.ts';

export const simulatorSuite: Suite = { source: 'simulator', listCases: listSimulatedCases, score: scoreSimulated };

function scoreSimulated(predictions: readonly Prediction[]): Scored {
  const truths = simulatedTruths();
  const score = rankServices(predictions, truths);
  const faults = tabulateFaults(predictions, truths.flatMap(toFaultTruth));
  const quiet = predictions.filter(({ case_id }) => case_id.startsWith('quiet-'));
  const lines = quiet.map(
    ({ case_id, abstained, confidence, suspects }) =>
      `${case_id} ${abstained ? 'abstained' : 'ACCUSED'} conf ${confidence.toFixed(2)} (${suspects[0]?.service ?? 'nobody'})`,
  );
  const quietAccused = quiet.filter(({ abstained }) => !abstained).length;
  const sections = [describeRanking(score), describeFaults(faults), lines.join('\n')];
  return {
    score: { ...score, faults, quiet: quiet.length, quietAccused },
    text: sections.filter((section) => section !== '').join('\n\n'),
  };
}

/** Kind and seed are in the case's name; a kind's cause type is the same for every seed. */
function toFaultTruth(truth: ServiceTruth): FaultTruth[] {
  const kind = FAULT_KINDS.find((each) => each === truth.faultType);
  const seed = Number(/-(\d+)$/.exec(truth.caseId)?.[1]);
  if (kind === undefined || !Number.isInteger(seed)) return [];
  const { injectMs } = truth;
  const fault = { kind, onsetMs: injectMs };
  const { causeType } = describeTruth({
    seed,
    startMs: injectMs - 1,
    endMs: injectMs + 1,
    requestsPerSecond: 1,
    fault,
  });
  return [{ ...truth, seed, causeType }];
}
