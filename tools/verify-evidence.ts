/** Whether evidence still says what it said: its statements run again, their digests compared. */
import {
  compareQuery,
  type Evidence,
  type ExecutedQuery,
  type VerificationStatus,
  worstStatus,
} from '../domain/evidence.ts';

export interface VerifiedEvidence {
  readonly evidenceId: string;
  /** The worst of its queries. */
  readonly status: VerificationStatus;
  readonly queries: { readonly before: ExecutedQuery; readonly after: ExecutedQuery }[];
}

/** Runs the queries one after the other; rejects with whatever `rerun` rejects with. */
export async function verifyEvidence(
  evidence: Evidence,
  rerun: (query: ExecutedQuery, signal: AbortSignal) => Promise<ExecutedQuery>,
  signal: AbortSignal,
): Promise<VerifiedEvidence> {
  const queries: { before: ExecutedQuery; after: ExecutedQuery }[] = [];
  for (const before of evidence.queries) queries.push({ before, after: await rerun(before, signal) });
  return {
    evidenceId: evidence.evidenceId,
    status: worstStatus(queries.map(({ before, after }) => compareQuery(before, after))),
    queries,
  };
}
