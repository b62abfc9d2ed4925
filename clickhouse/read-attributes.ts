/** Which attributes telemetry carries, and with which values how often: by whole hours, from a rollup that counts every record. */
import type { TimeWindow } from '../domain/time-window.ts';
import type { Bounds, Database, Reading } from './database.ts';
import { OF_SERVICE } from './span-sql.ts';

export interface AttributeQuestion {
  readonly window: TimeWindow;
  readonly service?: string | undefined;
  /** Values of this key alone. */
  readonly key?: string | undefined;
}

export interface AttributeUseRow {
  /** Attributes of spans, of their resources, or of log lines. */
  readonly source: 'span' | 'resource' | 'log';
  readonly key: string;
  /** Records with it, in all hours that the window touches. */
  readonly uses: number;
  /** [value, records], the most frequent first, twenty at the most. */
  readonly values: readonly (readonly [string, number])[];
  /** Records whose value is one of very many and was not kept. */
  readonly otherUses: number;
  readonly totalRows: number;
}

export interface AttributeReader {
  /** The most used first, `maxRows` at the most. */
  list(question: AttributeQuestion, bounds: Bounds): Promise<Reading<AttributeUseRow>>;
}

export function createAttributeReader(database: Pick<Database, 'read'>): AttributeReader {
  return {
    list: ({ window, service = '', key = '' }, bounds) =>
      database.read(
        LIST,
        { startMs: window.startMs, endMs: window.endMs, service, key, limit: bounds.maxRows },
        { tag: 'attributes.list', ...bounds },
      ),
  };
}

const LIST = `
SELECT source, key, uses, arrayMap(one -> (one.2, one.1), arraySlice(arrayReverseSort(arrayFilter(one -> one.2 != '', found)), 1, 20)) AS values,
  arraySum(one -> if(one.2 = '', one.1, 0), found) AS otherUses, toFloat64(count() OVER ()) AS totalRows
FROM (
  SELECT source, key, sum(valueUses) AS uses, groupArray((valueUses, value)) AS found
  FROM (
    SELECT Source AS source, Key AS key, Value AS value, toFloat64(sum(Uses)) AS valueUses
    FROM inquest_attributes_1h
    WHERE Time >= toStartOfHour(toDateTime(intDiv({startMs:Int64}, 1000))) AND Time < toDateTime(intDiv({endMs:Int64} + 999, 1000))
      AND ${OF_SERVICE} AND ({key:String} = '' OR Key = {key:String})
    GROUP BY source, key, value
  )
  GROUP BY source, key
)
ORDER BY uses DESC, source, key
LIMIT {limit:UInt32}`;
