/** What outlives a process: incidents, investigations, approvals, evidence, feedback and rules, as documents by kind and id; the newest version wins. */
import { type Approval, approvalSchema } from '../domain/approval.ts';
import { type Evidence, evidenceSchema } from '../domain/evidence.ts';
import { type Feedback, feedbackSchema } from '../domain/feedback.ts';
import { type Incident, incidentSchema } from '../domain/incident.ts';
import { type IncidentCourse, incidentCourseSchema } from '../domain/incident-course.ts';
import { type Investigation, investigationSchema } from '../domain/investigation.ts';
import { type NoiseRule, noiseRuleSchema } from '../domain/noise-rule.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from './database.ts';
import { createRowVersions, readNewestVersion } from './row-versions.ts';

interface DocumentShapes {
  incident: Incident;
  course: IncidentCourse;
  investigation: Investigation;
  approval: Approval;
  evidence: Evidence;
  feedback: Feedback;
  rule: NoiseRule;
}
type Kind = keyof DocumentShapes;

const PARSERS: { readonly [K in Kind]: { parse(value: unknown): DocumentShapes[K] } } = {
  incident: incidentSchema,
  course: incidentCourseSchema,
  investigation: investigationSchema,
  approval: approvalSchema,
  evidence: evidenceSchema,
  feedback: feedbackSchema,
  rule: noiseRuleSchema,
};

const IDS: { readonly [K in Kind]: (document: DocumentShapes[K]) => string } = {
  incident: ({ incidentId }) => incidentId,
  course: ({ incidentId }) => incidentId,
  investigation: ({ investigationId }) => investigationId,
  approval: ({ approvalId }) => approvalId,
  evidence: ({ evidenceId }) => evidenceId,
  feedback: ({ feedbackId }) => feedbackId,
  rule: ({ ruleId }) => ruleId,
};

const TIMES: { readonly [K in Kind]: (document: DocumentShapes[K]) => number } = {
  incident: ({ openedAtMs }) => openedAtMs,
  course: ({ openedAtMs }) => openedAtMs,
  investigation: ({ startedAtMs }) => startedAtMs,
  approval: ({ requestedAtMs }) => requestedAtMs,
  evidence: ({ takenAtMs }) => takenAtMs,
  feedback: ({ atMs }) => atMs,
  rule: ({ proposedAtMs }) => proposedAtMs,
};

export interface IncidentArchive {
  /**
   * Stores these documents; one with the same id is replaced where its version is not greater. Left out, the version follows the
   * clock and is greater than all that this process has seen.
   */
  save<K extends Kind>(
    kind: K,
    documents: readonly DocumentShapes[K][],
    signal?: AbortSignal,
    version?: number,
  ): Promise<void>;
  /** The greatest version that any document has. */
  newestVersion(signal?: AbortSignal): Promise<number>;
  find<K extends Kind>(kind: K, id: string, signal?: AbortSignal): Promise<DocumentShapes[K] | undefined>;
  /** Those of these that there are, by id. */
  findAll<K extends Kind>(
    kind: K,
    ids: readonly string[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, DocumentShapes[K]>>;
  /** Newest first by the document's own time. */
  list<K extends Kind>(kind: K, limit: number, signal?: AbortSignal): Promise<DocumentShapes[K][]>;
  /** As `list`, a part at a time. */
  page<K extends Kind>(kind: K, question: PageQuestion, signal?: AbortSignal): Promise<ArchivePage<DocumentShapes[K]>>;
}

export interface PageQuestion {
  readonly limit: number;
  /** Of a course: `open` or `closed`. Of an approval: `pending`, or the outcome of its decision. All when left out. */
  readonly status?: string | undefined;
  /** `next` of the page before; left out: from the newest. */
  readonly after?: ArchivePlace | undefined;
}

/** A document's place in its list; documents that come while somebody reads do not move it. */
export interface ArchivePlace {
  readonly atMs: number;
  readonly id: string;
}

export interface ArchivePage<Document> {
  readonly documents: Document[];
  /** Absent: there are no more. */
  readonly next?: ArchivePlace;
}

const TABLE = 'inquest_archive';
const BEFORE_ALL: ArchivePlace = { atMs: Number.MAX_SAFE_INTEGER, id: '' };

const STATUS_SQL: Readonly<Record<Kind, string>> = {
  incident: `JSONExtractString(NewestBody, 'status')`,
  course: `if(JSONHas(NewestBody, 'closedAtMs'), 'closed', 'open')`,
  investigation: `JSONExtractString(NewestBody, 'status')`,
  approval: `if(JSONHas(NewestBody, 'decision'), JSONExtractString(NewestBody, 'decision', 'outcome'), 'pending')`,
  evidence: `''`,
  feedback: `''`,
  rule: `''`,
};

export function createIncidentArchive(database: Database, clock: Clock): IncidentArchive {
  const nextVersion = createRowVersions(database, TABLE, clock);
  return {
    newestVersion: (signal) => readNewestVersion(database, TABLE, signal),
    save: async (kind, documents, signal, given) => {
      if (documents.length === 0) return;
      const version = String(given ?? (await nextVersion()));
      // Of one id the last counts: rows of one insert that replace each other have one version, and one place.
      const newest = new Map(documents.map((document) => [IDS[kind](document), document]));
      const rows = [...newest].map(([id, document]) => ({
        Kind: kind,
        Id: id,
        Version: version,
        SortTime: TIMES[kind](document), // DateTime64(3): a whole number is milliseconds
        Body: JSON.stringify(document),
      }));
      await database.insert('inquest_archive', rows, signal, { repeatable: true });
    },
    find: async (kind, id, signal) => {
      const { rows } = await database.read<{ Body: string }>(
        'SELECT Body FROM inquest_archive WHERE Kind = {kind:String} AND Id = {id:String} ORDER BY Version DESC LIMIT 1',
        { kind, id },
        { tag: 'archive.find', maxRows: 1, signal },
      );
      return rows[0] ? PARSERS[kind].parse(JSON.parse(rows[0].Body)) : undefined;
    },
    findAll: async (kind, ids, signal) => {
      if (ids.length === 0) return new Map();
      const { rows } = await database.read<{ Body: string }>(
        `SELECT argMax(Body, Version) AS Body FROM inquest_archive
         WHERE Kind = {kind:String} AND Id IN {ids:Array(String)} GROUP BY Id`,
        { kind, ids: [...ids] },
        { tag: 'archive.findAll', maxRows: ids.length, signal },
      );
      const documents = rows.map(({ Body }) => PARSERS[kind].parse(JSON.parse(Body)));
      return new Map(documents.map((document) => [IDS[kind](document), document]));
    },
    list: async (kind, limit, signal) => {
      const { rows } = await database.read<{ Body: string }>(
        `SELECT argMax(Body, Version) AS Body
         FROM inquest_archive WHERE Kind = {kind:String}
         GROUP BY Id ORDER BY argMax(SortTime, Version) DESC, Id DESC LIMIT {limit:UInt32}`,
        { kind, limit },
        { tag: 'archive.list', maxRows: limit, signal },
      );
      return rows.map(({ Body }) => PARSERS[kind].parse(JSON.parse(Body)));
    },
    page: async (kind, { limit, status = '', after = BEFORE_ALL }, signal) => {
      const { rows } = await database.read<{ NewestBody: string }>(
        `SELECT argMax(Body, Version) AS NewestBody, toUnixTimestamp64Milli(argMax(SortTime, Version)) AS AtMs
         FROM inquest_archive WHERE Kind = {kind:String}
         GROUP BY Id
         HAVING ({status:String} = '' OR ${STATUS_SQL[kind]} = {status:String})
           AND (AtMs, Id) < ({atMs:Int64}, {id:String})
         ORDER BY AtMs DESC, Id DESC LIMIT {limit:UInt32}`,
        { kind, status, ...after, limit: limit + 1 },
        { tag: 'archive.page', maxRows: limit + 1, signal },
      );
      const documents = rows.slice(0, limit).map(({ NewestBody }) => PARSERS[kind].parse(JSON.parse(NewestBody)));
      const last = rows.length > limit ? documents.at(-1) : undefined;
      return last ? { documents, next: { atMs: TIMES[kind](last), id: IDS[kind](last) } } : { documents };
    },
  };
}
