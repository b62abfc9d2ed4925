/** The condition that a time column lies in a span of milliseconds, written so that parts and primary key are pruned by it. */

/** DateTime ends in 2106 and wraps beyond. */
const LAST_DATETIME_MS = 4_294_967_000_000;

/**
 * @param column of type DateTime64
 * @param start an SQL expression, milliseconds since the Unix epoch, inside
 * @param end the same, outside
 */
export function timeWithin(column: string, start: string, end: string): string {
  return `(${column} >= fromUnixTimestamp64Milli(greatest(${start}, 0)) AND ${column} < fromUnixTimestamp64Milli(least(${end}, ${LAST_DATETIME_MS})))`;
}

/** The same for a column of whole seconds: a superset of what `timeWithin` takes. */
export function secondWithin(column: string, start: string, end: string): string {
  return `(${column} >= toDateTime(intDiv(greatest(${start}, 0), 1000)) AND ${column} <= toDateTime(intDiv(least(${end}, ${LAST_DATETIME_MS}), 1000)))`;
}
