/** Proof: a query that anyone can run again, its window, and a digest of what it answered. */
import { z } from 'zod';
import { contentId, digestOf } from '../platform/ids.ts';
import { timeWindowSchema } from './time-window.ts';

/** Parameters are bound by the server ({name:Type}), never spliced into the text. */
export const queryParameterSchema = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.array(z.string()),
  z.array(z.number()),
]);
export type QueryParameters = Readonly<Record<string, z.infer<typeof queryParameterSchema>>>;

/** A statement as it ran. `digest` covers every row it returned, floats to nine significant digits. */
export const executedQuerySchema = z.object({
  sql: z.string().min(1),
  parameters: z.record(z.string(), queryParameterSchema),
  rowCount: z.int().nonnegative(),
  digest: z.string().length(64),
});
export type ExecutedQuery = z.infer<typeof executedQuerySchema>;

export const evidenceSchema = z.object({
  /** `ev_` and twelve hex digits of (queries, digests): the same observation has the same id. */
  evidenceId: z.string().regex(/^ev_[0-9a-f]{12}$/),
  tool: z.string().min(1),
  /** The tool's input, as validated. */
  input: z.unknown(),
  queries: z.array(executedQuerySchema).min(1),
  window: timeWindowSchema,
  baseline: timeWindowSchema.optional(),
  takenAtMs: z.int().nonnegative(),
  /** One sentence about what the query looked at (not what it proves). */
  summary: z.string().max(500),
});
export type Evidence = z.infer<typeof evidenceSchema>;

export type EvidenceContent = Omit<Evidence, 'evidenceId'>;

export function createEvidence(content: EvidenceContent): Evidence {
  const identity = content.queries.map(({ sql, parameters, digest }) => ({ sql, parameters, digest }));
  return { evidenceId: contentId('ev', identity), ...content };
}

/**
 * Digest of rows in their order. Floats count to nine significant digits, because sums of floats differ in their last bits
 * with the order in which the engine's threads add them.
 */
export function digestRows(rows: readonly Readonly<Record<string, unknown>>[]): string {
  return digestOf(rows.map(roundFloats));
}

/** A sum that misses a whole number by its last bits is that number, as it is when it happens not to miss it. */
function roundFloat(value: number): number {
  const whole = Math.round(value);
  return Math.abs(value - whole) <= Math.abs(value) * 1e-12 ? whole : Number(value.toPrecision(9));
}

function roundFloats(value: unknown): unknown {
  if (typeof value === 'number') return roundFloat(value);
  if (Array.isArray(value)) return value.map(roundFloats);
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, roundFloats(member)]));
  }
  return value;
}

/** holds: the same rows again. drifted: other rows. gone: it had rows and has none now. */
export const verificationStatusSchema = z.enum(['holds', 'drifted', 'gone']);
export type VerificationStatus = z.infer<typeof verificationStatusSchema>;

export function compareQuery(before: ExecutedQuery, after: ExecutedQuery): VerificationStatus {
  if (before.digest === after.digest) return 'holds';
  return before.rowCount > 0 && after.rowCount === 0 ? 'gone' : 'drifted';
}

/** What one piece of evidence is worth now: the worst of its queries. */
export function worstStatus(statuses: readonly VerificationStatus[]): VerificationStatus {
  if (statuses.includes('gone')) return 'gone';
  return statuses.includes('drifted') ? 'drifted' : 'holds';
}
