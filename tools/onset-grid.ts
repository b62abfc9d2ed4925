/** What the ranking tools share: the question (where to look, which onsets are possible) and the search for the best onset. */
import { z } from 'zod';
import type { ShiftQuestion } from '../clickhouse/read-shifts.ts';
import { type OnsetGrid, onsetGridSchema } from '../domain/investigation.ts';
import { windowInput } from './tool-shapes.ts';

export const rankingInput = z.object({
  window: windowInput.describe('All telemetry to look at: normal time, then trouble until the end.'),
  onsets: onsetGridSchema.describe('Instants at which the trouble may have begun; each is judged.'),
});
export type RankingInput = z.infer<typeof rankingInput>;

/** Strength 0..1 and the candidate onset at which it is greatest. */
export const rankedShape = {
  service: z.string(),
  strength: z.number().min(0).max(1),
  onsetMs: z.int().nonnegative(),
};

export function toShiftQuestion({ window, onsets }: RankingInput): ShiftQuestion {
  return { window, firstOnsetMs: onsets.firstMs, binSeconds: onsets.stepSeconds };
}

/**
 * The judgement of the best candidate, by rank where strengths saturate; undefined where none has any strength. Earlier
 * candidates win ties.
 */
export function judgeOnsets<Judgement extends { readonly strength: number; readonly rank?: number }>(
  onsets: OnsetGrid,
  judge: (firstBin: number) => Judgement | undefined,
): (Judgement & { readonly onsetMs: number }) | undefined {
  let best: (Judgement & { onsetMs: number }) | undefined;
  let bestRank = 1e-9;
  for (let bin = 0; bin < onsets.count; bin++) {
    const judgement = judge(bin);
    const rank = judgement?.rank ?? judgement?.strength ?? 0;
    if (!judgement || judgement.strength <= 0 || rank <= bestRank) continue;
    best = { ...judgement, onsetMs: onsets.firstMs + bin * onsets.stepSeconds * 1000 };
    bestRank = rank + 1e-9;
  }
  return best;
}

/** Counts by bin, summed on either side of a candidate: [from the bin on, before it]. */
export function splitAt(counts: ReadonlyMap<number, number>, firstBin: number): readonly [number, number] {
  let inside = 0;
  let before = 0;
  for (const [bin, count] of counts) {
    if (bin >= firstBin) inside += count;
    else before += count;
  }
  return [inside, before];
}

export function addCount(counts: Map<number, number>, key: number, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}
