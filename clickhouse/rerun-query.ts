/**
 * Runs a stored statement again. What is stored may have been tampered with: only one SELECT over tables passes, with the
 * bounds that every read has.
 */
import type { ExecutedQuery } from '../domain/evidence.ts';
import { InputError } from '../platform/errors.ts';
import type { Database } from './database.ts';

export type RerunQuery = (query: ExecutedQuery, signal?: AbortSignal) => Promise<ExecutedQuery>;

/** As many as the tool with the largest limit may have read. */
const MAX_ROWS = 500_000;
const TIMEOUT_MS = 60_000;

type Reads = Pick<Database, 'read'>;

/** Tables that are Inquest's own wherever telemetry is. */
const OWN_TABLES = /\binquest_changes\b/;

/**
 * Rejects with InputError (no plain SELECT), LimitError (now more rows or time than any read may take) or UnavailableError.
 * @param database where telemetry is
 * @param own where recorded changes are
 */
export function createQueryRerunner(database: Reads, own: Reads = database): RerunQuery {
  return async ({ sql, parameters }, signal) => {
    const bare = refuseAllButSelect(sql);
    const again = await (OWN_TABLES.test(bare) ? own : database).read(sql, parameters, {
      tag: 'verify',
      maxRows: MAX_ROWS,
      timeoutMs: TIMEOUT_MS,
      signal,
    });
    return again.query;
  };
}

/** String literals and quoted names, as ClickHouse's lexer sees them: quotes are escaped by a backslash or doubled. */
const QUOTED = /'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"|`(?:[^`\\]|\\[\s\S]|``)*`/g;

/** Table functions and the scalar `file` reach beyond the database: files, other servers, programs. */
const OUTSIDE =
  /\b(?:file|files?cluster|url|urlcluster|s3\w*|gcs|azure\w*|hdfs\w*|remote\w*|cluster\w*|executable|input|mysql|postgresql|mongodb|redis|sqlite|odbc|jdbc|iceberg\w*|delta\w*|hudi\w*|python|dict\w*)\s*\(/i;

const REFUSALS: readonly [pattern: RegExp, reason: string][] = [
  [/^(?!\s*(?:select|with)\b)/i, 'it does not begin with SELECT or WITH'],
  [/;/, 'it holds more than one statement'],
  [/--|\/\*|#/, 'it holds a comment'],
  [/\binto\s+outfile\b/i, 'it writes a file'],
  [/\b(?:settings|format)\b/i, 'it brings its own settings or format'],
  [/\binsert\s+into\b/i, 'it holds an INSERT'],
  [/\b(?:from|(?<!array\s+)join)\s+\w+\s*\(/i, 'it reads from a table function'],
  [OUTSIDE, 'it reaches outside the database'],
];

/** The statement without what stands in quotes. */
function refuseAllButSelect(sql: string): string {
  const bare = sql.replaceAll(QUOTED, ' literal ');
  const refusal = REFUSALS.find(([pattern]) => pattern.test(bare));
  if (refusal)
    throw new InputError(`A stored query was not run: ${refusal[1]}. The evidence may have been tampered with.`);
  return bare;
}
