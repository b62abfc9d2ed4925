/** The score of replayed days: recall, delay and false incidents over resource faults, by day and by kind; code defects apart. Pure. */
import { formatInstant } from '../../domain/time-window.ts';
import { type FoundIncident, isWithin, type KnownFault, matchIncidents } from './match-incidents.ts';

export interface LabelledFault extends KnownFault {
  /** A defect of the code: many leave no trace in metrics, so that it counts for nothing, and what finds it is not false. */
  readonly isDefect: boolean;
}

export interface ReplayedDay {
  readonly name: string;
  readonly faults: readonly LabelledFault[];
  readonly incidents: readonly FoundIncident[];
}

export interface Tally {
  readonly name: string;
  readonly faults: number;
  readonly found: number;
  /** 0..1; NaN-free: 0 without faults. */
  readonly recall: number;
  readonly medianDelaySeconds: number | undefined;
  /** The injected service is among those named. */
  readonly namesService: number;
}

export interface DayTally extends Tally {
  readonly incidents: number;
  readonly falseIncidents: number;
  readonly defects: number;
  readonly foundDefects: number;
}

export interface DayScore {
  /** Resource faults of all days. */
  readonly all: DayTally;
  /** Of them found, 0..1. */
  readonly recall: number;
  readonly falsePerDay: number;
  readonly days: readonly DayTally[];
  readonly kinds: readonly Tally[];
  readonly faults: readonly { readonly faultId: string; readonly faultType: string; readonly delaySeconds?: number }[];
  readonly falseIncidents: readonly {
    readonly day: string;
    readonly onset: string;
    readonly services: readonly string[];
  }[];
}

interface MatchedDay {
  readonly name: string;
  readonly incidents: number;
  readonly matches: readonly Matched[];
  readonly wrong: readonly FoundIncident[];
}

interface Matched {
  readonly fault: LabelledFault;
  readonly incident: FoundIncident | undefined;
  readonly delayMs: number | undefined;
}

export function scoreDays(days: readonly ReplayedDay[]): DayScore {
  const matched = days.map(matchDay);
  const matches = matched.flatMap((day) => day.matches);
  const all = tallyDay({
    name: 'all days',
    incidents: matched.reduce((sum, { incidents }) => sum + incidents, 0),
    matches,
    wrong: matched.flatMap(({ wrong }) => wrong),
  });
  const kinds = Map.groupBy(matches, ({ fault }) => fault.faultType);
  return {
    all,
    recall: all.recall,
    falsePerDay: all.falseIncidents / Math.max(1, days.length),
    days: matched.map(tallyDay),
    kinds: [...kinds].map(([name, its]) => tally(name, its)),
    faults: matches.map(({ fault, delayMs }) => ({
      faultId: fault.faultId,
      faultType: fault.faultType,
      ...(delayMs === undefined ? {} : { delaySeconds: delayMs / 1_000 }),
    })),
    falseIncidents: matched.flatMap(({ name, wrong }) =>
      wrong.map(({ onsetMs, services }) => ({ day: name, onset: formatInstant(onsetMs), services })),
    ),
  };
}

/** An incident that begins while a code defect is at work is not false, also where the defect has one already. */
function matchDay({ name, faults, incidents }: ReplayedDay): MatchedDay {
  const { matches, unmatched } = matchIncidents(faults, incidents);
  const defects = faults.filter(({ isDefect }) => isDefect);
  const wrong = unmatched.filter(({ onsetMs }) => !defects.some((defect) => isWithin(onsetMs, defect)));
  return { name, incidents: incidents.length, matches, wrong };
}

function tallyDay({ name, incidents, matches, wrong }: MatchedDay): DayTally {
  const defects = matches.filter(({ fault }) => fault.isDefect);
  return {
    ...tally(
      name,
      matches.filter(({ fault }) => !fault.isDefect),
    ),
    incidents,
    falseIncidents: wrong.length,
    defects: defects.length,
    foundDefects: defects.filter(({ incident }) => incident !== undefined).length,
  };
}

function tally(name: string, matches: readonly Matched[]): Tally {
  const delays = matches.flatMap(({ delayMs }) => delayMs ?? []).sort((left, right) => left - right);
  const middle = delays[Math.floor((delays.length - 1) / 2)];
  const upper = delays[Math.ceil((delays.length - 1) / 2)];
  return {
    name,
    faults: matches.length,
    found: delays.length,
    recall: delays.length / Math.max(1, matches.length),
    medianDelaySeconds: middle === undefined || upper === undefined ? undefined : (middle + upper) / 2_000,
    namesService: matches.filter(({ fault, incident }) => incident?.services.includes(fault.service)).length,
  };
}

export function describeDays({ all, falsePerDay, days, kinds, faults, falseIncidents }: DayScore): string {
  const share = ({ found, faults: of }: Tally) => `${found}/${of}`.padStart(8);
  const delay = ({ medianDelaySeconds }: Tally) =>
    (medianDelaySeconds === undefined ? '-' : `${medianDelaySeconds.toFixed(0)} s`).padStart(8);
  const row = (tallied: Tally) => `${tallied.name.padEnd(34)}${share(tallied)}${delay(tallied)}`;
  const named = (tallied: Tally) => String(tallied.namesService).padStart(7);
  const dayRow = (day: DayTally) =>
    `${row(day)}${named(day)}${String(day.falseIncidents).padStart(7)}${`${day.foundDefects}/${day.defects}`.padStart(9)}`;
  const missed = faults.filter(({ delaySeconds }) => delaySeconds === undefined);
  return [
    `${'resource faults'.padEnd(34)}   found   delay  named  false  defects`,
    ...days.map(dayRow),
    dayRow(all),
    '',
    `recall ${(all.recall * 100).toFixed(0)} % (mark: 90 %), median delay ${all.medianDelaySeconds?.toFixed(0) ?? '-'} s (mark: 120 s), ${falsePerDay.toFixed(1)} false incidents a day (mark: 2)`,
    '',
    `${'kind'.padEnd(34)}   found   delay  named`,
    ...kinds.map((kind) => `${row(kind)}${named(kind)}`),
    '',
    `missed: ${missed.map(({ faultId, faultType }) => `${faultId} (${faultType})`).join(', ') || 'none'}`,
    'false:',
    ...falseIncidents.map(
      ({ day, onset, services }) => `  ${day} ${onset.slice(11, 16)} ${services.slice(0, 4).join(', ')}`,
    ),
  ].join('\n');
}
