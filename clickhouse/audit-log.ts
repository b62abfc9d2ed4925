/** The audit chain in its table: appended one at a time, each entry sealed behind the last; nothing here updates or deletes. */
import { type AuditContent, type AuditEntry, auditEntrySchema, sealAuditEntry } from '../domain/audit.ts';
import type { Database } from './database.ts';

export interface AuditLog {
  /** Seals and stores; entries of one process are appended in the order of the calls. */
  append(content: AuditContent, signal?: AbortSignal): Promise<AuditEntry>;
  /** All entries in order, `limit` at the most, from `fromSequence` on. */
  list(fromSequence: number, limit: number, signal?: AbortSignal): Promise<AuditEntry[]>;
}

/** One writer at a time: the host process owns the head of the chain. */
export function createAuditLog(database: Database): AuditLog {
  let tail: Promise<AuditEntry | undefined> | undefined;

  async function readLast(): Promise<AuditEntry | undefined> {
    const { rows } = await database.read<{ Body: string }>(
      'SELECT Body FROM inquest_audit ORDER BY Sequence DESC LIMIT 1',
      {},
      { tag: 'audit.last', maxRows: 1 },
    );
    return rows[0] ? auditEntrySchema.parse(JSON.parse(rows[0].Body)) : undefined;
  }

  async function appendAfter(
    previous: AuditEntry | undefined,
    content: AuditContent,
    signal?: AbortSignal,
  ): Promise<AuditEntry> {
    const entry = sealAuditEntry(content, previous);
    const row = {
      Sequence: String(entry.sequence),
      AtTime: entry.atMs, // DateTime64(3): a whole number is milliseconds
      Actor: entry.actor,
      Kind: entry.kind,
      Subject: entry.subject,
      Body: JSON.stringify(entry),
    };
    // Once on its way it is not called back: the row could arrive after the next one had read the head without it.
    signal?.throwIfAborted();
    await database.insert('inquest_audit', [row]);
    return entry;
  }

  return {
    append: (content, signal) => {
      // After a failed append nobody knows whether the row arrived: the next one reads the head again.
      const previous = (tail ?? readLast()).catch(() => readLast());
      const appended = previous.then((entry) => appendAfter(entry, content, signal));
      tail = appended;
      return appended;
    },
    list: async (fromSequence, limit, signal) => {
      const { rows } = await database.read<{ Body: string }>(
        'SELECT Body FROM inquest_audit WHERE Sequence >= {from:UInt64} ORDER BY Sequence LIMIT {limit:UInt32}',
        { from: fromSequence, limit },
        { tag: 'audit.list', maxRows: limit, signal },
      );
      return rows.map(({ Body }) => auditEntrySchema.parse(JSON.parse(Body)));
    },
  };
}
