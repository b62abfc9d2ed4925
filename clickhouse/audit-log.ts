/**
 * The audit chain in its table: appended one at a time, each entry sealed behind the last; nothing here updates or deletes.
 * Where the chain ends is known from its head, which is kept outside the table (AuditHead), never from the table itself.
 *
 * An append is three steps, each durable before the next: the head says which entry comes next, the row is stored, the head
 * says that it stands. A crash in between leaves a head that names the entry on its way, so the next append finishes it (the
 * same row twice counts once). The table may therefore differ from its head by exactly that one entry; every other difference
 * was made by somebody else, and the next entry still follows the head, so that the break stays visible.
 */
import {
  type AuditContent,
  type AuditEntry,
  type AuditProblem,
  type AuditRecord,
  type AuditVerification,
  auditEntrySchema,
  type ChainLink,
  createChainReader,
  GENESIS,
  HEAD_REPLACED,
  sealAuditEntry,
} from '../domain/audit.ts';
import { errorMessage } from '../platform/errors.ts';
import { canonicalJson } from '../platform/ids.ts';
import type { Database } from './database.ts';

export interface HeadRecord {
  /** The last entry that stands. */
  readonly standing: ChainLink;
  /** The entry on its way into the table. */
  readonly next?: AuditEntry;
}

export type HeadReading =
  | ({ readonly trusted: true } & HeadRecord)
  /** `unused`: nothing shows that there ever was one. */
  | { readonly trusted: false; readonly reason: string; readonly unused: boolean };

/** The head of the chain, kept where whoever rewrites the table cannot forge it. */
export interface AuditHead {
  read(): Promise<HeadReading>;
  /**
   * Replaces it whole, durable when it resolves, where `expected` is what stands; false where it is not. Rejects with
   * UnavailableError.
   */
  write(head: HeadRecord, expected: HeadReading): Promise<boolean>;
}

export interface AuditLog {
  /** Seals and stores; entries of one process are appended in the order of the calls, those of several one after the other. */
  append(content: AuditContent, signal?: AbortSignal): Promise<AuditEntry>;
  /** `limit` rows (and those that share the last one's number) from a sequence on, in order; undefined: the newest. */
  list(fromSequence: number | undefined, limit: number, signal?: AbortSignal): Promise<AuditRecord[]>;
  /** Reads the chain from its beginning and compares its end with the head. */
  verify(signal?: AbortSignal): Promise<AuditVerification>;
}

const PAGE_ROWS = 1_000;
const MAX_ROWS = 100_000;
const MAX_PROBLEMS = 20;

/**
 * Processes that share a head append without a lock: whoever finds an entry on its way finishes it, and whoever lost the race for
 * the next place tries the one after.
 */
export function createAuditLog(database: Database, head: AuditHead): AuditLog {
  let last: Promise<unknown> = Promise.resolve();
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = last.then(work, work);
    last = turn;
    return turn;
  }

  /**
   * False where somebody else took the place. Once on its way it is not called back: the head names it already, and whoever comes
   * next finishes it.
   */
  async function put(entry: AuditEntry, standing: ChainLink, reading: HeadReading): Promise<boolean> {
    if (!(await head.write({ standing, next: entry }, reading))) return false;
    await finish(entry, standing);
    return true;
  }

  async function finish(next: AuditEntry, standing: ChainLink): Promise<void> {
    await database.insert('inquest_audit', [rowOf(next)], undefined, { repeatable: true });
    await head.write({ standing: linkOf(next) }, { trusted: true, standing, next });
  }

  /** Where the next entry goes; undefined after something that stood in its way was put right: look again. */
  async function findEnd(reading: HeadReading, atMs: number): Promise<ChainLink | undefined> {
    if (reading.trusted) {
      const { standing, next } = reading;
      if (!next) return standing;
      const stored = await readRecords(database, next.sequence, 1);
      if (!stored.some((record) => 'hash' in record && record.hash === next.hash)) await finish(next, standing);
      else await head.write({ standing: linkOf(next) }, reading);
      return undefined;
    }
    const [newest] = (await readNewest(database, 1)).slice(-1);
    if (reading.unused && !newest) return GENESIS;
    const details = { reason: reading.reason };
    const mark = { atMs, actor: 'host', kind: HEAD_REPLACED, subject: 'audit', details };
    const end = newest && 'hash' in newest ? linkOf(newest) : { ...GENESIS, sequence: newest?.sequence ?? 0 };
    await put(sealAuditEntry(mark, end), end, reading);
    return undefined;
  }

  async function append(content: AuditContent, signal: AbortSignal | undefined): Promise<AuditEntry> {
    for (;;) {
      signal?.throwIfAborted();
      const reading = await head.read();
      const end = await findEnd(reading, content.atMs);
      if (end === undefined) continue;
      signal?.throwIfAborted();
      const entry = sealAuditEntry(content, end);
      if (await put(entry, end, reading)) return entry;
    }
  }

  /** The head and the newest row of one moment: other processes may append in between. */
  async function readEnd(signal: AbortSignal | undefined): Promise<[HeadReading, AuditRecord | undefined]> {
    for (let reading = await head.read(); ; ) {
      const newest = (await readNewest(database, 1, signal)).at(-1);
      const after = await head.read();
      if (canonicalJson(after) === canonicalJson(reading)) return [reading, newest];
      reading = after;
    }
  }

  return {
    append: (content, signal) => inTurn(() => append(content, signal)),
    list: (fromSequence, limit, signal) =>
      fromSequence === undefined
        ? readNewest(database, limit, signal)
        : readRecords(database, fromSequence, limit, signal),
    verify: async (signal) => {
      const [reading, newest] = await inTurn(() => readEnd(signal));
      const walked = await walk(database, newest?.sequence ?? 0, signal);
      const ending = compareEnd(reading, walked.last);
      const problems = [...walked.problems, ...ending].sort((left, right) => orderOf(left) - orderOf(right));
      return { ...walked, whole: problems.length === 0, problems: problems.slice(0, MAX_PROBLEMS) };
    },
  };
}

const linkOf = ({ sequence, hash }: ChainLink): ChainLink => ({ sequence, hash });
const orderOf = ({ sequence }: AuditProblem): number => sequence ?? Number.POSITIVE_INFINITY;

async function walk(database: Database, to: number, signal?: AbortSignal) {
  const chain = createChainReader();
  const problems: AuditProblem[] = [];
  let entries = 0;
  for (let from = 0; from <= to && to > 0; ) {
    const page = (await readRecords(database, from, PAGE_ROWS, signal)).filter(({ sequence }) => sequence <= to);
    for (const record of page) {
      const problem = chain.read(record);
      if (problem && problems.length < MAX_PROBLEMS) problems.push(problem);
    }
    entries += page.length;
    from = (page.at(-1)?.sequence ?? to) + 1;
  }
  return { entries, last: linkOf(chain.last()), problems };
}

/** What the head says about the end of the chain in the table. */
function compareEnd(reading: HeadReading, last: ChainLink): AuditProblem[] {
  if (!reading.trusted) return reading.unused && last.sequence === 0 ? [] : [{ problem: reading.reason }];
  const { standing, next } = reading;
  if ([standing, next].some((link) => link?.sequence === last.sequence && link.hash === last.hash)) return [];
  const vouched = `the head outside the table vouches for ${standing.sequence} entries`;
  if (last.sequence < standing.sequence) return [{ sequence: last.sequence + 1, problem: `missing: ${vouched}` }];
  if (last.sequence > standing.sequence) {
    return [{ sequence: standing.sequence + 1, problem: `not written by this Inquest: ${vouched}` }];
  }
  return [
    { sequence: last.sequence, problem: 'not the entry that the head outside the table vouches for: it was rewritten' },
  ];
}

interface Row {
  Sequence: string;
  AtMs: string;
  Actor: string;
  Kind: string;
  Subject: string;
  Body: string;
}

/** Columns are for reading by hand; the body is the entry. */
function rowOf(entry: AuditEntry): object {
  return {
    Sequence: String(entry.sequence),
    AtTime: entry.atMs, // DateTime64(3): a whole number is milliseconds
    ...columnsOf(entry),
    Body: JSON.stringify(entry),
  };
}

/** Half of a surrogate pair is nothing that a column can hold. */
function columnsOf({ actor, kind, subject }: AuditEntry): Pick<Row, 'Actor' | 'Kind' | 'Subject'> {
  return { Actor: actor.toWellFormed(), Kind: kind.toWellFormed(), Subject: subject.toWellFormed() };
}

const COLUMNS = 'Sequence, toUnixTimestamp64Milli(AtTime) AS AtMs, Actor, Kind, Subject, Body';

async function readRecords(
  database: Database,
  fromSequence: number,
  limit: number,
  signal?: AbortSignal,
): Promise<AuditRecord[]> {
  const { rows } = await database.read<Row>(
    `SELECT DISTINCT ${COLUMNS} FROM inquest_audit WHERE Sequence >= {from:UInt64}
     ORDER BY Sequence LIMIT {limit:UInt32} WITH TIES`,
    { from: fromSequence, limit },
    { tag: 'audit.list', maxRows: MAX_ROWS, signal },
  );
  return rows.map(recordOf);
}

async function readNewest(database: Database, limit: number, signal?: AbortSignal): Promise<AuditRecord[]> {
  const { rows } = await database.read<Row>(
    `SELECT DISTINCT ${COLUMNS} FROM inquest_audit ORDER BY Sequence DESC LIMIT {limit:UInt32} WITH TIES`,
    { limit },
    { tag: 'audit.newest', maxRows: MAX_ROWS, signal },
  );
  return rows.map(recordOf).reverse();
}

function recordOf(row: Row): AuditRecord {
  const sequence = Math.min(Number(row.Sequence), Number.MAX_SAFE_INTEGER - 1);
  try {
    const entry = auditEntrySchema.parse(JSON.parse(row.Body));
    const columns = columnsOf(entry);
    const agrees =
      String(entry.sequence) === row.Sequence &&
      String(entry.atMs) === row.AtMs &&
      (['Actor', 'Kind', 'Subject'] as const).every((column) => columns[column] === row[column]);
    return agrees ? entry : { sequence, unreadable: 'its columns contradict its body: the row was edited' };
  } catch (error) {
    const why = errorMessage(error).replace(/\s+/g, ' ').slice(0, 200);
    return { sequence, unreadable: `its body is no audit entry: ${why}` };
  }
}
