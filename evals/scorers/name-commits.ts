/**
 * Commit-level scoring: did the first suspect name the commit that did it, or rightly none? As RootCauseBench scores it: a pass
 * is the commit itself; a fall for a decoy earns nothing; other wrong answers earn up to half for what else they got right.
 */
import type { Prediction } from '../prediction.ts';

/** The answer where no commit did it. */
export const NO_COMMIT = 'none';

export interface CommitTruth {
  readonly caseId: string;
  readonly difficulty: string;
  /** Full hash, or NO_COMMIT. */
  readonly commit: string;
  readonly firstFailingService: string;
  readonly blastRadius: readonly string[];
  readonly remediation: string;
  /** Innocent commits that were deployed to look guilty. */
  readonly decoys: readonly string[];
}

export interface CommitCase {
  readonly caseId: string;
  readonly difficulty: string;
  readonly truth: string;
  /** What was answered: a commit or NO_COMMIT. */
  readonly answer: string;
  readonly isPass: boolean;
  readonly isDecoy: boolean;
  /** 0..1. */
  readonly reward: number;
  readonly isServiceRight: boolean;
  /** Jaccard index 0..1. */
  readonly blastRadius: number;
  readonly isRemediationRight: boolean;
  readonly abstained: boolean;
  readonly confidence: number;
  readonly seconds: number;
}

export interface CommitScore {
  readonly cases: readonly CommitCase[];
  readonly passed: number;
  readonly decoysBlamed: number;
  /** Mean, 0..1. */
  readonly reward: number;
}

const PARTIAL = { ceiling: 0.5, service: 0.5, blastRadius: 0.3, remediation: 0.2 } as const;
const SHORTEST_PREFIX = 7;

/** A prediction without its truth is left out. */
export function nameCommits(predictions: readonly Prediction[], truths: readonly CommitTruth[]): CommitScore {
  const byCase = new Map(truths.map((truth) => [truth.caseId, truth]));
  const cases = predictions.flatMap((prediction) => {
    const truth = byCase.get(prediction.case_id);
    return truth ? [scoreCase(prediction, truth)] : [];
  });
  return {
    cases,
    passed: cases.filter(({ isPass }) => isPass).length,
    decoysBlamed: cases.filter(({ isDecoy }) => isDecoy).length,
    reward: cases.reduce((sum, { reward }) => sum + reward, 0) / Math.max(1, cases.length),
  };
}

function scoreCase(prediction: Prediction, truth: CommitTruth): CommitCase {
  const answer = prediction.suspects[0]?.commit?.trim().toLowerCase() || NO_COMMIT;
  const isPass = isCommit(answer, truth.commit);
  const isDecoy = !isPass && truth.decoys.some((decoy) => isCommit(answer, decoy));
  const isServiceRight = prediction.first_failing_service === truth.firstFailingService;
  const blastRadius = jaccard(prediction.blast_radius, truth.blastRadius);
  const isRemediationRight = prediction.remediation.trim().toLowerCase() === truth.remediation.toLowerCase();
  const partial =
    PARTIAL.service * Number(isServiceRight) +
    PARTIAL.blastRadius * blastRadius +
    PARTIAL.remediation * Number(isRemediationRight);
  const { case_id: caseId, abstained, confidence, seconds } = prediction;
  return {
    caseId,
    difficulty: truth.difficulty,
    truth: truth.commit,
    answer,
    isPass,
    isDecoy,
    reward: isPass ? 1 : isDecoy ? 0 : PARTIAL.ceiling * partial,
    isServiceRight,
    blastRadius,
    isRemediationRight,
    abstained,
    confidence,
    seconds,
  };
}

/** The same commit, in full or by at least seven digits of its hash; the word for no commit only as itself. */
function isCommit(answer: string, commit: string): boolean {
  const full = commit.toLowerCase();
  if (answer === NO_COMMIT || full === NO_COMMIT) return answer === full;
  return answer.length >= SHORTEST_PREFIX && full.startsWith(answer);
}

/** Two empty sets are the same set. */
function jaccard(one: readonly string[], other: readonly string[]): number {
  const expected = new Set(other);
  const union = new Set([...one, ...other]).size;
  const shared = [...new Set(one)].filter((each) => expected.has(each)).length;
  return union === 0 ? 1 : shared / union;
}
