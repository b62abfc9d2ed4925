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

/** What stands where an entry should be: its row cannot be read as one, or contradicts it. */
export const unreadableEntrySchema = z.object({ sequence: z.int().nonnegative(), unreadable: z.string() });

/** A row of the log as it was found. */
export const auditRecordSchema = z.union([auditEntrySchema, unreadableEntrySchema]);
export type AuditRecord = z.infer<typeof auditRecordSchema>;

/** A place in the chain: an entry's number and hash. */
export type ChainLink = Pick<AuditEntry, 'sequence' | 'hash'>;

/** What stands before the first entry. */
export const GENESIS: ChainLink = { sequence: 0, hash: '0'.repeat(64) };

/** Of the entry that says that the head outside the table was lost and made anew: nobody vouches for what stands before it. */
export const HEAD_REPLACED = 'audit.head-replaced';

export const auditVerificationSchema = z.object({
  whole: z.boolean(),
  /** Rows that were read. */
  entries: z.int().nonnegative(),
  /** The last of them; worth noting elsewhere, since it stands for all before it. */
  last: z.object({ sequence: z.int().nonnegative(), hash: z.string() }),
  /** The first bad entry first; without a sequence: about the files beside the table. */
  problems: z.array(z.object({ sequence: z.int().nonnegative().optional(), problem: z.string() })),
});
export type AuditVerification = z.infer<typeof auditVerificationSchema>;
export type AuditProblem = AuditVerification['problems'][number];

/** Seals content behind `previous`. */
export function sealAuditEntry(content: AuditContent, previous: ChainLink = GENESIS): AuditEntry {
  const sequence = previous.sequence + 1;
  const previousHash = previous.hash;
  return { ...content, sequence, previousHash, hash: digestOf({ ...content, sequence, previousHash }) };
}

/** Reads a chain from its beginning, a part at a time. */
export interface ChainReader {
  /** Undefined: it follows from those before it. The same entry stored twice counts once. */
  read(record: AuditRecord): AuditProblem | undefined;
  /** The last entry read. */
  last(): ChainLink;
}

export function createChainReader(): ChainReader {
  let last: ChainLink = GENESIS;
  return {
    last: () => last,
    read: (record) => {
      if ('unreadable' in record) {
        // Whatever comes next must follow from a hash that nobody knows: it is reported too.
        last = { sequence: record.sequence, hash: '' };
        return { sequence: record.sequence, problem: record.unreadable };
      }
      const previous = last;
      const { hash, sequence, previousHash, ...content } = record;
      const isSound = digestOf({ ...content, sequence, previousHash }) === hash;
      if (isSound && sequence === previous.sequence && hash === previous.hash) return undefined;
      last = { sequence, hash };
      const problem = problemOf(record, previous, isSound);
      return problem === undefined ? undefined : { sequence: missingAt(record, previous) ?? sequence, problem };
    },
  };
}

function problemOf(entry: AuditEntry, previous: ChainLink, isSound: boolean): string | undefined {
  if (!isSound) return 'its content does not have its hash: it was edited';
  const missing = missingAt(entry, previous);
  if (missing !== undefined) return `missing, the next that is there is ${entry.sequence}`;
  if (entry.sequence <= previous.sequence) return 'another entry has this number: one was put in or moved';
  if (entry.previousHash !== previous.hash) return `it does not follow entry ${previous.sequence} as it stands there`;
  if (entry.kind === HEAD_REPLACED) {
    const { reason } = entry.details;
    return `the head outside the table was replaced here (${String(reason)}): nobody vouches for what stands before`;
  }
  return undefined;
}

function missingAt(entry: AuditEntry, previous: ChainLink): number | undefined {
  return entry.sequence > previous.sequence + 1 ? previous.sequence + 1 : undefined;
}

/** The sequence number of the first entry that does not follow from the ones before it; undefined: the chain is whole. */
export function findBrokenEntry(records: readonly AuditRecord[]): number | undefined {
  const reader = createChainReader();
  for (const record of records) {
    const problem = reader.read(record);
    if (problem) return problem.sequence;
  }
  return undefined;
}
