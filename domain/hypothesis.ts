/** Candidate root causes, the jury's votes on them, and the pure rule that turns votes into a ranking. */
import { z } from 'zod';
import { causeTypeSchema } from './finding.ts';
import { agentNameSchema } from './signal.ts';

export const hypothesisSchema = z.object({
  hypothesisId: z.string().min(1),
  service: z.string().min(1),
  causeType: causeTypeSchema,
  pod: z.string().optional(),
  operation: z.string().optional(),
  changeId: z.string().optional(),
  /** The full id of the commit that did it. */
  commit: z.string().optional(),
  statement: z.string().min(1),
  onsetMs: z.int().nonnegative().optional(),
  findingIds: z.array(z.string()),
  /** Position in the proposer's own order, before anybody voted; 1 is its first choice. */
  proposedRank: z.int().positive(),
  round: z.int().positive(),
});
export type Hypothesis = z.infer<typeof hypothesisSchema>;

/** One reason inside a vote: an observation, how strong it is, and the evidence that shows it. */
export const voteReasonSchema = z.object({
  observation: z.string().min(1),
  stance: z.enum(['for', 'against']),
  strength: z.number().min(0).max(1),
  evidenceIds: z.array(z.string()).min(1),
  sentence: z.string(),
});
export type VoteReason = z.infer<typeof voteReasonSchema>;

/** An agent's judgement of one hypothesis on the evidence it can judge; no reasons means it abstains. */
export const voteSchema = z.object({
  agent: agentNameSchema,
  hypothesisId: z.string().min(1),
  round: z.int().positive(),
  reasons: z.array(voteReasonSchema),
});
export type Vote = z.infer<typeof voteSchema>;

export const talliedHypothesisSchema = z.object({
  hypothesisId: z.string(),
  rank: z.int().positive(),
  /** 0..1: support left after opposition. */
  score: z.number().min(0).max(1),
  support: z.number().min(0).max(1),
  opposition: z.number().min(0).max(1),
  agentsFor: z.array(agentNameSchema),
  agentsAgainst: z.array(agentNameSchema),
});
export type TalliedHypothesis = z.infer<typeof talliedHypothesisSchema>;

export const tallySchema = z.object({
  outcome: z.enum(['decided', 'undecided']),
  /** Probability-like: how much the first stands above nothing and above the second. */
  confidence: z.number().min(0).max(1),
  ranked: z.array(talliedHypothesisSchema),
});
export type Tally = z.infer<typeof tallySchema>;
