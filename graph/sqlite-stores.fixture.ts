/** For tests: the graph's durable stores in one SQLite file, which a killed process leaves as it was. */
import { DatabaseSync } from 'node:sqlite';
import { type Incident, incidentSchema } from '../domain/incident.ts';
import { type Investigation, investigationSchema } from '../domain/investigation.ts';
import type { CheckpointRow, CheckpointStore } from './checkpoint-store.ts';
import type { InvestigationArchive } from './investigation-parts.ts';
import type { OnceRegister } from './once-register.ts';

export interface SqliteStores {
  readonly checkpoints: CheckpointStore;
  readonly once: OnceRegister;
  readonly archive: InvestigationArchive;
  newestVersion(): Promise<number>;
  findInvestigation(investigationId: string): Investigation | undefined;
  findIncident(incidentId: string): Incident | undefined;
}

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA busy_timeout = 5000;
  CREATE TABLE IF NOT EXISTS checkpoints
    (thread_id TEXT, namespace TEXT, kind TEXT, key TEXT, text TEXT, version INTEGER, PRIMARY KEY (thread_id, namespace, kind, key));
  CREATE TABLE IF NOT EXISTS once (key TEXT PRIMARY KEY, text TEXT);
  CREATE TABLE IF NOT EXISTS documents (kind TEXT, id TEXT, text TEXT, version INTEGER, PRIMARY KEY (kind, id));`;

export function openSqliteStores(file: string): SqliteStores {
  const database = new DatabaseSync(file);
  database.exec(SCHEMA);
  const readText = (sql: string, ...parameters: string[]): string | undefined => {
    const row = database.prepare(sql).get(...parameters);
    return row === undefined ? undefined : String(row['text']);
  };
  const saveDocument = (kind: string, id: string, document: object, version: number) => {
    database
      .prepare(
        `INSERT INTO documents VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET text = excluded.text, version = excluded.version
         WHERE version <= excluded.version`,
      )
      .run(kind, id, JSON.stringify(document), version);
  };
  const findDocument = (kind: string, id: string): unknown => {
    const text = readText('SELECT text FROM documents WHERE kind = ? AND id = ?', kind, id);
    return text && JSON.parse(text);
  };
  return {
    checkpoints: createCheckpointStore(database),
    once: {
      async putOnce(key, text) {
        const { changes } = database.prepare('INSERT OR IGNORE INTO once VALUES (?, ?)').run(key, text);
        return { stored: changes === 1, text: readText('SELECT text FROM once WHERE key = ?', key) ?? '' };
      },
      get: async (key) => readText('SELECT text FROM once WHERE key = ?', key),
    },
    archive: {
      async saveInvestigation(investigation, version) {
        saveDocument('investigation', investigation.investigationId, investigation, version);
      },
      async saveIncident(incident, version) {
        saveDocument('incident', incident.incidentId, incident, version);
      },
      async listUnfinished() {
        const rows = database.prepare("SELECT text FROM documents WHERE kind = 'investigation'").all();
        const all = rows.map((row) => investigationSchema.parse(JSON.parse(String(row['text']))));
        return all
          .filter(({ status }) => status === 'running' || status === 'awaiting-approval')
          .map((one) => one.investigationId);
      },
    },
    newestVersion: async () => {
      const sql =
        'SELECT max(version) AS newest FROM (SELECT version FROM checkpoints UNION ALL SELECT version FROM documents)';
      return Number(database.prepare(sql).get()?.['newest'] ?? 0);
    },
    findInvestigation: (id) => investigationSchema.optional().parse(findDocument('investigation', id)),
    findIncident: (id) => incidentSchema.optional().parse(findDocument('incident', id)),
  };
}

function createCheckpointStore(database: DatabaseSync): CheckpointStore {
  return {
    async put(rows, version) {
      database.exec('BEGIN IMMEDIATE');
      const insert = database.prepare(
        `INSERT INTO checkpoints VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET text = excluded.text, version = excluded.version
         WHERE version <= excluded.version`,
      );
      for (const { threadId, namespace, kind, key, text } of rows)
        insert.run(threadId, namespace, kind, key, text, version);
      database.exec('COMMIT');
    },
    async read({ kind, threadId, namespace, keys, keyPrefix, maxRows }) {
      const rows = database
        .prepare(
          `SELECT thread_id AS threadId, namespace, kind, key, text FROM checkpoints
           WHERE kind = :kind AND thread_id = ifnull(:threadId, thread_id) AND namespace = ifnull(:namespace, namespace)
             AND (:keys IS NULL OR key IN (SELECT value FROM json_each(:keys))) AND substr(key, 1, length(:prefix)) = :prefix
           ORDER BY version DESC, key DESC LIMIT :maxRows`,
        )
        .all({
          kind,
          threadId: threadId ?? null,
          namespace: namespace ?? null,
          keys: keys ? JSON.stringify(keys) : null,
          prefix: keyPrefix ?? '',
          maxRows: maxRows ?? -1,
        });
      return rows.map(
        (row): CheckpointRow => ({
          threadId: String(row['threadId']),
          namespace: String(row['namespace']),
          kind,
          key: String(row['key']),
          text: String(row['text']),
        }),
      );
    },
    async deleteThread(threadId) {
      database.prepare('DELETE FROM checkpoints WHERE thread_id = ?').run(threadId);
    },
  };
}
