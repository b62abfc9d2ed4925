/** What became of the incidents that detection opened, without reading what they rest on: for the false-positive rate. */
import type { IncidentOutcome } from '../domain/false-positive-rate.ts';
import type { TimeWindow } from '../domain/time-window.ts';
import type { Database } from './database.ts';

const MAX_INCIDENTS = 100_000;

/** Opened in the window by detection; those that turned out to be part of another are not counted apart from it. */
export async function readIncidentOutcomes(
  database: Database,
  window: TimeWindow,
  signal?: AbortSignal,
): Promise<IncidentOutcome[]> {
  const { rows } = await database.read<{ incidentId: string; isExplained: number }>(
    OUTCOMES,
    { ...window },
    {
      tag: 'outcomes',
      maxRows: MAX_INCIDENTS,
      signal,
    },
  );
  return rows.map(({ incidentId, isExplained }) => ({ incidentId, isExplained: isExplained === 1 }));
}

/** An investigation begins after its incident opened: no time limits it. */
const OUTCOMES = `
WITH newest AS (
  SELECT Kind, Id, argMax(Body, Version) AS Newest, argMax(SortTime, Version) AS NewestTime
  FROM inquest_archive
  WHERE Kind IN ('incident', 'course', 'investigation') AND SortTime >= fromUnixTimestamp64Milli({startMs:Int64})
  GROUP BY Kind, Id
)
SELECT if(Kind = 'investigation', JSONExtractString(Newest, 'incident', 'incidentId'), Id) AS incidentId,
  toUInt8(max(Kind = 'investigation' AND JSONExtractString(Newest, 'verdict', 'outcome') = 'root-cause')) AS isExplained
FROM newest
GROUP BY incidentId
HAVING max(Kind = 'incident' AND JSONExtractString(Newest, 'source') = 'detection'
    AND NewestTime >= fromUnixTimestamp64Milli({startMs:Int64}) AND NewestTime < fromUnixTimestamp64Milli({endMs:Int64})) = 1
  AND max(Kind = 'course' AND JSONHas(Newest, 'mergedInto')) = 0
ORDER BY incidentId
LIMIT ${MAX_INCIDENTS}`;
