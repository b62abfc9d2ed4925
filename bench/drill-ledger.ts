/** Double-entry bookkeeping of a drill: what its senders were told is stored, against what is. Pure but for reading journals. */
import { existsSync, readFileSync } from 'node:fs';
import type { StoredRequest } from '../clickhouse/read-ledger.ts';

interface SentRequest {
  readonly records: number;
  attempts: number;
  acknowledged: boolean;
}

export interface Balance {
  /** Requests and records that were acknowledged to their senders. */
  readonly acknowledgedRequests: number;
  readonly acknowledgedRecords: number;
  /** Acknowledged records that are not stored: must be 0. */
  readonly lostRecords: number;
  /** Requests whose sender never saw an answer, and what is stored of them. Whole or in part: nobody was promised anything. */
  readonly openRequests: number;
  readonly openRows: number;
  /** Rows beyond the first of a record whose request was sent more than once, as the protocol asks for. */
  readonly repeatedRows: number;
  /** Rows that no attempt accounts for: must be 0. */
  readonly unexplainedRows: number;
  /** Spans of acknowledged requests that the table of trace ids does not know: must be 0. */
  readonly unlistedSpans: number;
}

/** The journals of all senders of one round. A line cut off by a kill says nothing yet. */
export function readJournals(paths: readonly string[]): Map<string, SentRequest> {
  const sent = new Map<string, SentRequest>();
  const lines = paths
    .filter((path) => existsSync(path))
    .flatMap((path) => readFileSync(path, 'utf8').split('\n').slice(0, -1));
  for (const line of lines) {
    const [mark, request = '', records = '0'] = line.split(' ');
    const known = sent.get(request) ?? { records: Number(records), attempts: 0, acknowledged: false };
    sent.set(request, known);
    if (mark === 'S') known.attempts++;
    else known.acknowledged = true;
  }
  return sent;
}

/** Every stored row is accounted for by one attempt to send it, every acknowledged record by a row. */
export function balance(sent: ReadonlyMap<string, SentRequest>, stored: readonly StoredRequest[]): Balance {
  const byRequest = new Map(stored.map((each) => [each.request, each]));
  const total = {
    acknowledgedRequests: 0,
    acknowledgedRecords: 0,
    lostRecords: 0,
    openRequests: 0,
    openRows: 0,
    repeatedRows: 0,
    unexplainedRows: 0,
    unlistedSpans: 0,
  };
  for (const [request, { records, attempts, acknowledged }] of sent) {
    const there = byRequest.get(request) ?? { rows: 0, records: 0, unlisted: 0 };
    byRequest.delete(request);
    const unexplained = Math.max(0, there.rows - attempts * records);
    total.unexplainedRows += unexplained;
    if (acknowledged) {
      total.acknowledgedRequests++;
      total.acknowledgedRecords += records;
      total.lostRecords += records - there.records;
      total.repeatedRows += there.rows - there.records - unexplained;
      total.unlistedSpans += there.unlisted;
    } else {
      total.openRequests++;
      total.openRows += there.rows - unexplained;
    }
  }
  for (const { rows } of byRequest.values()) total.unexplainedRows += rows;
  return total;
}
