/** Compares a verdict with what the simulator really broke: one honest line. Pure. */

import type { Investigation } from '../../domain/investigation.ts';
import { formatClock } from '../../domain/time-window.ts';
import type { GroundTruth } from '../../simulator/ground-truth.ts';
import { CAUSE_WORDS, formatDuration } from './words.ts';

export interface Judgement {
  /** right: the accused service is the broken one. */
  readonly outcome: 'right' | 'wrong' | 'abstained';
  readonly sentence: string;
}

export function judgeVerdict({ verdict, status }: Investigation, truth: GroundTruth): Judgement {
  const said = `The simulator's truth: ${truth.service}, ${CAUSE_WORDS[truth.causeType]} (${truth.faultKind}), since ${formatClock(truth.onsetMs)} UTC`;
  if (status === 'failed')
    return { outcome: 'abstained', sentence: `${said} -> NO VERDICT: the investigation failed.` };
  const [suspect] = verdict?.suspects ?? [];
  if (verdict?.outcome !== 'root-cause' || !suspect) {
    const rank = verdict?.suspects.find(({ service }) => service === truth.service)?.rank;
    const lead = rank === undefined ? 'it was not among the leads' : `it was lead number ${rank}`;
    return { outcome: 'abstained', sentence: `${said} -> the jury ABSTAINED; ${lead}.` };
  }
  if (suspect.service !== truth.service) {
    const rank = verdict.suspects.find(({ service }) => service === truth.service)?.rank;
    const place =
      rank === undefined ? 'the culprit was not among the suspects' : `the culprit was suspect number ${rank}`;
    return { outcome: 'wrong', sentence: `${said} -> the verdict is WRONG: it accuses ${suspect.service}; ${place}.` };
  }
  const errorMs = verdict.onsetMs - truth.onsetMs;
  const onset =
    Math.abs(errorMs) < 1000
      ? 'onset exact'
      : `onset ${formatDuration(Math.abs(errorMs))} ${errorMs < 0 ? 'early' : 'late'}`;
  const cause = suspect.causeType === truth.causeType ? '' : `, but it says ${CAUSE_WORDS[suspect.causeType]}`;
  const change = changeRemark(suspect.changeId, truth);
  return {
    outcome: 'right',
    sentence: `${said} -> the verdict is RIGHT: ${suspect.service}${cause}${change}, ${onset}.`,
  };
}

function changeRemark(changeId: string | undefined, truth: GroundTruth): string {
  if (truth.changeId === undefined) return changeId === undefined ? '' : ', though no change did it';
  if (changeId === truth.changeId) return ', with the very change';
  return truth.decoys.some((decoy) => decoy.changeId === changeId)
    ? ', but it fell for a decoy'
    : ', without naming the change';
}
