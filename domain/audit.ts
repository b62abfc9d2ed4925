/** The record of who did what and why: append-only, each entry sealed with the hash of the one before it. */
import { z } from 'zod';
import { digestOf } from '../platform/ids.ts';

export const auditContentSchema = z.object({
  atMs: z.int().nonnegative(),
  /** A person (`alice`), an agent (`supervisor`) or a policy (`policy:info`). */
  actor: z.string().min(1),
  /** What happened: `incident.opened`, `approval.decided`, `action.intended`, `action.finished` ... */
  kind: z.string().min(1),
  /** The id of what it happened to. */
  subject: z.string(),
  details: z.record(z.string(), z.unknown()),
});
export type AuditContent = z.infer<typeof auditContentSchema>;

export const auditEntrySchema = auditContentSchema.extend({
  sequence: z.int().positive(),
  previousHash: z.string().length(64),
  hash: z.string().length(64),
});
export type AuditEntry = z.infer<typeof auditEntrySchema>;

/** The hash before the first entry. */
export const GENESIS_HASH = '0'.repeat(64);

/** Seals content behind `previous`, or as the first entry when there is none. */
export function sealAuditEntry(content: AuditContent, previous: AuditEntry | undefined): AuditEntry {
  const sequence = (previous?.sequence ?? 0) + 1;
  const previousHash = previous?.hash ?? GENESIS_HASH;
  return { ...content, sequence, previousHash, hash: digestOf({ ...content, sequence, previousHash }) };
}

/** The sequence number of the first entry that does not follow from the ones before it; undefined: the chain is whole. */
export function findBrokenEntry(entries: readonly AuditEntry[]): number | undefined {
  let previous: AuditEntry | undefined;
  for (const entry of entries) {
    const { hash, sequence, previousHash, ...content } = entry;
    const expected = sealAuditEntry(content, previous);
    if (sequence !== expected.sequence || previousHash !== expected.previousHash || hash !== expected.hash) {
      return expected.sequence;
    }
    previous = entry;
  }
  return undefined;
}
