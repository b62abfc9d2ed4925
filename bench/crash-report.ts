/** What a crash drill found: one column for each victim, and whether every promise was kept. Pure. */
import { type Round, VICTIMS, type Victim } from './crash-drill.ts';

export interface CrashColumn {
  readonly victim: Victim;
  readonly kills: number;
  readonly acknowledgedRequests: number;
  readonly acknowledgedRecords: number;
  readonly lostRecords: number;
  readonly unlistedSpans: number;
  readonly repeatedRows: number;
  readonly openRequests: number;
  readonly openRows: number;
  readonly unexplainedRows: number;
  /** Investigations with a verdict, asked for and carried out. */
  readonly finished: number;
  /** The command that would have opened it was killed before it could. */
  readonly notOpened: number;
  readonly notEnded: number;
  readonly actedOnce: number;
  /** Killed between the intent and its outcome: reported as unknown, and not done again. */
  readonly reportedUnknown: number;
  readonly actedWrongly: number;
  readonly backAfterMs: { readonly median: number; readonly worst: number };
}

export interface CrashReport {
  readonly seed: number;
  /** Nothing lost, nothing unexplained, every investigation ended, no action done twice or in silence. */
  readonly sound: boolean;
  readonly columns: readonly CrashColumn[];
  readonly rounds: readonly Round[];
}

export function reportCrashes(seed: number, rounds: readonly Round[]): CrashReport {
  const columns = VICTIMS.map((victim) => ({ victim, mine: rounds.filter((round) => round.victim === victim) }))
    .filter(({ mine }) => mine.length > 0)
    .map(({ victim, mine }) => columnOf(victim, mine));
  return { seed, sound: columns.every(isSound), columns, rounds };
}

function columnOf(victim: Victim, rounds: readonly Round[]): CrashColumn {
  const sum = (pick: (round: Round) => number) => rounds.reduce((total, round) => total + pick(round), 0);
  const count = (isSo: (round: Round) => boolean) => rounds.filter(isSo).length;
  const waits = rounds.map(({ backAfterMs }) => backAfterMs).sort((left, right) => left - right);
  return {
    victim,
    kills: rounds.length,
    acknowledgedRequests: sum((round) => round.acknowledgedRequests),
    acknowledgedRecords: sum((round) => round.acknowledgedRecords),
    lostRecords: sum((round) => round.lostRecords),
    unlistedSpans: sum((round) => round.unlistedSpans),
    repeatedRows: sum((round) => round.repeatedRows),
    openRequests: sum((round) => round.openRequests),
    openRows: sum((round) => round.openRows),
    unexplainedRows: sum((round) => round.unexplainedRows),
    finished: count(({ investigation }) => investigation === 'finished'),
    notOpened: count(({ investigation }) => investigation === 'not-opened'),
    notEnded: count(({ investigation }) => investigation !== 'finished' && investigation !== 'not-opened'),
    actedOnce: count(({ action, effects }) => action === 'done' && effects === 1),
    reportedUnknown: count(({ action, effects }) => action === 'unknown' && effects <= 1),
    actedWrongly: count((round) => round.investigation === 'finished' && !isRightAct(round)),
    backAfterMs: { median: waits[Math.floor(waits.length / 2)] ?? 0, worst: waits.at(-1) ?? 0 },
  };
}

function isRightAct({ action, effects }: Round): boolean {
  return action === 'done' ? effects === 1 : action === 'unknown' && effects <= 1;
}

function isSound({ lostRecords, unlistedSpans, unexplainedRows, notEnded, actedWrongly }: CrashColumn): boolean {
  return lostRecords + unlistedSpans + unexplainedRows + notEnded + actedWrongly === 0;
}

const LABEL_COLUMNS = 52;
const VALUE_COLUMNS = 9;

/** At most 80 columns wide. */
export function renderCrashReport({ seed, sound, columns }: CrashReport): string {
  const row = (label: string, pick: (column: CrashColumn) => number | string) => {
    const cells = columns.map((column) => {
      const value = pick(column);
      return (typeof value === 'number' ? value.toLocaleString('en-US') : value).padStart(VALUE_COLUMNS);
    });
    return `${label.padEnd(LABEL_COLUMNS)}${cells.join('')}`;
  };
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  return [
    row('kill -9 of', ({ victim }) => victim),
    row('kills under load', ({ kills }) => kills),
    row('requests acknowledged', (column) => column.acknowledgedRequests),
    row('records acknowledged', (column) => column.acknowledgedRecords),
    row('  of these not stored (must be 0)', (column) => column.lostRecords),
    row('  spans not found by their trace (must be 0)', (column) => column.unlistedSpans),
    row('rows stored again, because they were sent again', (column) => column.repeatedRows),
    row('requests whose sender never saw an answer', (column) => column.openRequests),
    row('  rows stored of these', (column) => column.openRows),
    row('rows that no request explains (must be 0)', (column) => column.unexplainedRows),
    row('investigations finished', (column) => column.finished),
    row('  never opened: the client died first', (column) => column.notOpened),
    row('  not ended (must be 0)', (column) => column.notEnded),
    row('actions carried out once', (column) => column.actedOnce),
    row('  cut off in the act, reported as unknown', (column) => column.reportedUnknown),
    row('  done twice, or not as reported (must be 0)', (column) => column.actedWrongly),
    row('acknowledging again after the kill, median', (column) => seconds(column.backAfterMs.median)),
    row('  worst', (column) => seconds(column.backAfterMs.worst)),
    '',
    `Seed ${seed}. ${sound ? 'Every promise was kept.' : 'A PROMISE WAS BROKEN: see the rows that must be 0.'}`,
  ].join('\n');
}
