/** What outlives a process: incidents, investigations, approvals and evidence, as documents by kind and id; the newest version wins. */
import { type Approval, approvalSchema } from '../domain/approval.ts';
import { type Evidence, evidenceSchema } from '../domain/evidence.ts';
import { type Incident, incidentSchema } from '../domain/incident.ts';
import { type Investigation, investigationSchema } from '../domain/investigation.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from './database.ts';

interface DocumentShapes {
  incident: Incident;
  investigation: Investigation;
  approval: Approval;
  evidence: Evidence;
}
type Kind = keyof DocumentShapes;

const PARSERS: { readonly [K in Kind]: { parse(value: unknown): DocumentShapes[K] } } = {
  incident: incidentSchema,
  investigation: investigationSchema,
  approval: approvalSchema,
  evidence: evidenceSchema,
};

const IDS: { readonly [K in Kind]: (document: DocumentShapes[K]) => string } = {
  incident: ({ incidentId }) => incidentId,
  investigation: ({ investigationId }) => investigationId,
  approval: ({ approvalId }) => approvalId,
  evidence: ({ evidenceId }) => evidenceId,
};

const TIMES: { readonly [K in Kind]: (document: DocumentShapes[K]) => number } = {
  incident: ({ openedAtMs }) => openedAtMs,
  investigation: ({ startedAtMs }) => startedAtMs,
  approval: ({ requestedAtMs }) => requestedAtMs,
  evidence: ({ takenAtMs }) => takenAtMs,
};

export interface IncidentArchive {
  /** Stores these documents; one with the same id is replaced. */
  save<K extends Kind>(kind: K, documents: readonly DocumentShapes[K][], signal?: AbortSignal): Promise<void>;
  find<K extends Kind>(kind: K, id: string, signal?: AbortSignal): Promise<DocumentShapes[K] | undefined>;
  /** Newest first by the document's own time. */
  list<K extends Kind>(kind: K, limit: number, signal?: AbortSignal): Promise<DocumentShapes[K][]>;
}

export function createIncidentArchive(database: Database, clock: Clock): IncidentArchive {
  let lastVersion = 0;
  /** Grows with every save, also within one millisecond and when the clock steps back while this process lives. */
  const nextVersion = () => {
    lastVersion = Math.max(lastVersion + 1, clock.nowMs() * 1_000);
    return lastVersion;
  };
  return {
    save: async (kind, documents, signal) => {
      const rows = documents.map((document) => ({
        Kind: kind,
        Id: IDS[kind](document),
        Version: String(nextVersion()),
        SortTime: TIMES[kind](document), // DateTime64(3): a whole number is milliseconds
        Body: JSON.stringify(document),
      }));
      await database.insert('inquest_archive', rows, signal);
    },
    find: async (kind, id, signal) => {
      const { rows } = await database.read<{ Body: string }>(
        'SELECT Body FROM inquest_archive WHERE Kind = {kind:String} AND Id = {id:String} ORDER BY Version DESC LIMIT 1',
        { kind, id },
        { tag: 'archive.find', maxRows: 1, signal },
      );
      return rows[0] ? PARSERS[kind].parse(JSON.parse(rows[0].Body)) : undefined;
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
  };
}
