/** Every anomaly that passed the bar, kept for people and for back-tests: the newest version of each counts. */
import { type AnomalyRecord, anomalyRecordSchema } from '../domain/anomaly-record.ts';
import type { NoiseScope } from '../domain/noise-rule.ts';
import { seriesKey } from '../domain/series-name.ts';
import type { TimeWindow } from '../domain/time-window.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from './database.ts';
import type { ArchivePlace } from './incident-archive.ts';
import { createRowVersions } from './row-versions.ts';

export interface AnomalyArchive {
  /** Begun, grown, joined an incident, hidden or over: one that is known by its id is replaced. */
  save(records: readonly AnomalyRecord[], signal?: AbortSignal): Promise<void>;
  find(anomalyId: string, signal?: AbortSignal): Promise<AnomalyRecord | undefined>;
  /** What was abnormal at any time in the window, what began last first. */
  list(question: AnomalyQuestion, signal?: AbortSignal): Promise<AnomalyPage>;
  /** Those that are not over, for a scanner that goes on where another ended; at most `limit`, the newest first. */
  listOpen(limit: number, signal?: AbortSignal): Promise<AnomalyRecord[]>;
  /** What a rule could be about, whatever the hour and however bad: the newest of the window, at most `limit`. */
  match(about: AnomalySubject, window: TimeWindow, limit: number, signal?: AbortSignal): Promise<AnomalyRecord[]>;
  /** When the first of all that are kept began; undefined: none is. */
  readFirstMs(signal?: AbortSignal): Promise<number | undefined>;
  /** How many anomalies each rule has hidden, by its id. */
  countHidden(signal?: AbortSignal): Promise<Map<string, HiddenCount>>;
}

export type AnomalySubject = Pick<NoiseScope, 'service' | 'aspect' | 'subject'>;

export interface HiddenCount {
  readonly anomalies: number;
  readonly lastMs: number;
}

export interface AnomalyQuestion {
  readonly window: TimeWindow;
  readonly service?: string | undefined;
  readonly incidentId?: string | undefined;
  /** Left out: what passes its bar. */
  readonly minDeviation?: number | undefined;
  /** True: also what a rule hides, and what passes its bar no more since feedback raised it. */
  readonly withHidden?: boolean | undefined;
  readonly limit: number;
  /** `next` of the page before. */
  readonly after?: ArchivePlace | undefined;
}

export interface AnomalyPage {
  readonly records: AnomalyRecord[];
  /** Absent: there are no more. */
  readonly next?: ArchivePlace;
}

const BEFORE_ALL: ArchivePlace = { atMs: Number.MAX_SAFE_INTEGER, id: '' };
const MAX_RULES = 10_000;

export function createAnomalyArchive(database: Database, clock: Clock): AnomalyArchive {
  const nextVersion = createRowVersions(database, 'inquest_anomalies', clock);

  async function read(
    sql: string,
    parameters: Readonly<Record<string, string | number>>,
    limit: number,
    signal: AbortSignal | undefined,
  ): Promise<AnomalyRecord[]> {
    const bounds = { tag: 'anomalies', maxRows: limit, signal };
    const { rows } = await database.read<{ Body: string }>(sql, { ...parameters, limit }, bounds);
    return rows.map(({ Body }) => anomalyRecordSchema.parse(JSON.parse(Body)));
  }

  return {
    save: async (records, signal) => {
      if (records.length === 0) return;
      const version = String(await nextVersion());
      const newest = new Map(records.map((record) => [record.anomaly.anomalyId, record]));
      const rows = [...newest.values()].map((record) => rowOf(record, version));
      await database.insert('inquest_anomalies', rows, signal, { repeatable: true });
    },
    find: async (id, signal) => {
      const [record] = await read(
        'SELECT Body FROM inquest_anomalies WHERE AnomalyId = {id:String} ORDER BY Version DESC LIMIT {limit:UInt32}',
        { id },
        1,
        signal,
      );
      return record;
    },
    list: async ({ window, limit, after = BEFORE_ALL, ...question }, signal) => {
      const { service = '', incidentId = '', withHidden = false, minDeviation = withHidden ? 0 : 1 } = question;
      const filters = { service, incidentId, minDeviation, withHidden: Number(withHidden) };
      const records = await read(LIST, { ...window, ...filters, ...after }, limit + 1, signal);
      const last = records.length > limit ? records[limit - 1]?.anomaly : undefined;
      const shown = records.slice(0, limit);
      return last ? { records: shown, next: { atMs: last.sinceMs, id: last.anomalyId } } : { records: shown };
    },
    listOpen: (limit, signal) => read(LIST_OPEN, {}, limit, signal),
    match: ({ service, aspect, subject }, window, limit, signal) =>
      read(MATCH, { service, aspect, subject, ...window }, limit, signal),
    readFirstMs: async (signal) => {
      const { rows } = await database.read<{ firstMs: number }>(
        'SELECT toFloat64(toUnixTimestamp64Milli(min(Time))) AS firstMs FROM inquest_anomalies HAVING count() > 0',
        {},
        { tag: 'anomalies.first', maxRows: 1, signal },
      );
      return rows[0]?.firstMs;
    },
    countHidden: async (signal) => {
      const { rows } = await database.read<{ ruleId: string; anomalies: number; lastMs: number }>(
        COUNT_HIDDEN,
        {},
        { tag: 'anomalies.hidden', maxRows: MAX_RULES, signal },
      );
      return new Map(rows.map(({ ruleId, ...count }) => [ruleId, count]));
    },
  };
}

/** Columns are for finding; the body is the record. DateTime64(3): a whole number is milliseconds. */
function rowOf(record: AnomalyRecord, version: string): object {
  const { anomaly, incidentId, endedAtMs } = record;
  const { anomalyId, sinceMs, window, service, aspect, detector, subject, deviation, hiddenBy = '' } = anomaly;
  return {
    AnomalyId: anomalyId,
    Version: version,
    Time: sinceMs,
    LastTime: Math.max(window.endMs, endedAtMs ?? 0),
    IsOver: endedAtMs === undefined ? 0 : 1,
    Service: service,
    Aspect: aspect,
    Detector: detector,
    SeriesKey: seriesKey(anomaly.series),
    Subject: subject,
    Deviation: deviation,
    IncidentId: incidentId,
    HiddenBy: hiddenBy,
    Body: JSON.stringify(record),
  };
}

const AT = (name: string): string => `fromUnixTimestamp64Milli({${name}:Int64})`;

/** Of the newest versions: FINAL filters after it has chosen them. */
const LIST = `
SELECT Body FROM inquest_anomalies FINAL
WHERE Time < ${AT('endMs')} AND (IsOver = 0 OR LastTime >= ${AT('startMs')})
  AND ({service:String} = '' OR Service = {service:String})
  AND ({incidentId:String} = '' OR IncidentId = {incidentId:String})
  AND Deviation >= {minDeviation:Float64}
  AND ({withHidden:UInt8} = 1 OR HiddenBy = '')
  AND (toUnixTimestamp64Milli(Time), AnomalyId) < ({atMs:Int64}, {id:String})
ORDER BY Time DESC, AnomalyId DESC
LIMIT {limit:UInt32}`;

const LIST_OPEN = `
SELECT Body FROM inquest_anomalies FINAL
WHERE IsOver = 0
ORDER BY Time DESC, AnomalyId DESC
LIMIT {limit:UInt32}`;

const MATCH = `
SELECT Body FROM inquest_anomalies FINAL
WHERE Time >= ${AT('startMs')} AND Time < ${AT('endMs')}
  AND Service = {service:String} AND Aspect = {aspect:String} AND Subject = {subject:String}
ORDER BY Time DESC, AnomalyId DESC
LIMIT {limit:UInt32}`;

const COUNT_HIDDEN = `
SELECT toString(HiddenBy) AS ruleId, toFloat64(count()) AS anomalies, toFloat64(toUnixTimestamp64Milli(max(LastTime))) AS lastMs
FROM inquest_anomalies FINAL
WHERE HiddenBy != ''
GROUP BY HiddenBy
LIMIT ${MAX_RULES}`;
