/** What detection has learned of each series, kept between hosts: one text by watch and key, the newest counts. */
import type { Database } from './database.ts';

/** What a watch knows of one series, as it is kept. */
export interface DetectorState {
  /** Name of the watch. */
  readonly watch: string;
  /** seriesKey, or whatever else the watch keeps its states by. */
  readonly key: string;
  /** Windows that end by then are learned. */
  readonly learnedToMs: number;
  /** JSON, with the version of its shape inside. */
  readonly state: string;
}

export interface DetectorStates {
  save(states: readonly DetectorState[], signal: AbortSignal): Promise<void>;
  /** Page by page, so that tens of thousands of series are never one answer. */
  readAll(signal: AbortSignal): Promise<DetectorState[]>;
}

const PAGE_ROWS = 2_000;

export function createDetectorStates(database: Database): DetectorStates {
  return {
    save: async (states, signal) => {
      if (states.length === 0) return;
      const rows = states.map(({ watch, key, learnedToMs, state }) => {
        return { Watch: watch, StateKey: key, LearnedTo: learnedToMs, State: state };
      });
      await database.insert('inquest_detector_states', rows, signal, { repeatable: true });
    },
    readAll: async (signal) => {
      const states: DetectorState[] = [];
      let after = { watch: '', key: '' };
      for (;;) {
        const { rows } = await database.read<DetectorState>(
          PAGE,
          { ...after, limit: PAGE_ROWS },
          { tag: 'detector-states', maxRows: PAGE_ROWS, signal },
        );
        states.push(...rows);
        const last = rows.at(-1);
        if (!last || rows.length < PAGE_ROWS) return states;
        after = { watch: last.watch, key: last.key };
      }
    },
  };
}

const PAGE = `
SELECT toString(Watch) AS watch, StateKey AS key, toFloat64(toUnixTimestamp64Milli(max(LearnedTo))) AS learnedToMs,
  argMax(State, LearnedTo) AS state
FROM inquest_detector_states
WHERE (Watch, StateKey) > ({watch:String}, {key:String})
GROUP BY Watch, StateKey
ORDER BY Watch, StateKey
LIMIT {limit:UInt32}`;
