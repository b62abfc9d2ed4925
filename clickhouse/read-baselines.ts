/**
 * What to expect of any series in any hour, past or coming, from how it was in that hour on other days: of workdays or weekends, of
 * the same day of other weeks, or else in its last hours. All inside the engine: one row a series comes out.
 */
import type { BaselineKind, PastTimes, SeriesBaseline } from '../domain/baseline.ts';
import type { QueryParameters } from '../domain/evidence.ts';
import type { SeriesName } from '../domain/series-name.ts';
import { BASELINE_SIGNALS, isCounted, minuteValues, signalOf } from './baseline-sql.ts';
import type { Bounds, Database, Reading } from './database.ts';

/** What is absent matches everything. */
export interface SeriesFilter {
  readonly kind?: BaselineKind | undefined;
  readonly service?: string | undefined;
  readonly name?: string | undefined;
  readonly detail?: string | undefined;
  /** Only these. */
  readonly series?: readonly SeriesName[] | undefined;
}

export interface BaselineReader {
  /**
   * For the hour that `atMs` lies in, past or coming; only hours before it count. Series without any are not there. In the order of
   * their names. Rejects with LimitError beyond `maxRows` series.
   */
  read(question: { atMs: number } & SeriesFilter, bounds: Bounds): Promise<Reading<SeriesBaseline>>;
  /**
   * What the minute that `atMs` lies in gave, in the same measure, from rollups. Series that had nothing in it are not there.
   */
  readMinute(question: { atMs: number } & SeriesFilter, bounds: Bounds): Promise<Reading<MinuteRow>>;
}

export interface MinuteRow extends SeriesName {
  readonly value: number;
}

const MINUTE_MS = 60_000;
const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 86_400;
const WEEKS_BACK = 4;
const DAYS_BACK = 7 * WEEKS_BACK;
const RECENT_HOURS = 6;

/**
 * @param database where the telemetry is
 * @param own where baselines are kept
 */
export function createBaselineReader(database: Pick<Database, 'read'>, own: Pick<Database, 'read'>): BaselineReader {
  return {
    readMinute: ({ atMs, ...filter }, bounds) => {
      const minute = Math.floor(atMs / MINUTE_MS) * (MINUTE_MS / 1000);
      return database.read(MINUTE, { minute, ...bindFilter(filter) }, { tag: 'baselines.readMinute', ...bounds });
    },
    read: async ({ atMs, ...filter }, bounds) => {
      const { rows, query } = await own.read<FlatRow>(
        READ,
        { ...bindTimes(atMs), ...bindFilter(filter) },
        {
          tag: 'baselines.read',
          ...bounds,
        },
      );
      return { rows: rows.map(shapeRow), query };
    },
  };
}

function bindTimes(atMs: number): QueryParameters {
  const target = Math.floor(atMs / 1000 / HOUR_SECONDS) * HOUR_SECONDS;
  const around = Array.from({ length: DAYS_BACK }, (_, index) => index + 1)
    .filter((day) => isWeekend(target - day * DAY_SECONDS) === isWeekend(target))
    .flatMap((day) => [-1, 0, 1].map((beside) => ({ day, beside })));
  return {
    target,
    hours: around.map(({ day, beside }) => target - day * DAY_SECONDS + beside * HOUR_SECONDS),
    days: around.map(({ day }) => day),
    own: around.map(({ beside }) => Number(beside === 0)),
  };
}

function bindFilter({ kind, service, name, detail, series }: SeriesFilter): QueryParameters {
  return {
    ...{ kind: kind ?? '', service: service ?? '', name: name ?? '', detail: detail ?? '' },
    any: [service, name, detail, series].map((asked) => Number(asked === undefined)),
    kinds: series?.map((one) => one.kind) ?? [],
    services: series?.map((one) => one.service) ?? [],
    names: series?.map((one) => one.name) ?? [],
    details: series?.map((one) => one.detail) ?? [],
  };
}

/** In UTC: elsewhere a few hours at its ends are taken for the other class, which costs them a wider range. */
function isWeekend(seconds: number): boolean {
  return new Date(seconds * 1000).getUTCDay() % 6 === 0;
}

interface FlatRow extends SeriesName, Readonly<Record<TimeClass['name'], FlatTimes>> {}
type FlatTimes = readonly [times: number, usual: readonly number[], lows: readonly number[], highs: readonly number[]];

function shapeRow({ kind, service, name, detail, day, week, hour }: FlatRow): SeriesBaseline {
  const series = { kind, service, name, detail };
  return { series, ofDays: shapeTimes(day), ofWeeks: shapeTimes(week), ofHours: shapeTimes(hour) };
}

function shapeTimes([times, usual, lows, highs]: FlatTimes): PastTimes {
  return times === 0 ? { times, usual: [], lows: [], highs: [] } : { times, usual, lows, highs };
}

const MATCHES = `({kind:String} IN ('', Kind) AND ({any:Array(UInt8)}[1] OR Service = {service:String})
    AND ({any:Array(UInt8)}[2] OR Name = {name:String}) AND ({any:Array(UInt8)}[3] OR Detail = {detail:String})
    AND ({any:Array(UInt8)}[4] OR (toString(Kind), toString(Service), Name, Detail) IN (
      SELECT arrayJoin(arrayZip({kinds:Array(String)}, {services:Array(String)}, {names:Array(String)}, {details:Array(String)})))))`;

const MINUTE = `
SELECT Kind AS kind, Service AS service, Name AS name, Detail AS detail, Value AS value
FROM (${BASELINE_SIGNALS.map((signal) => minuteValues(signal, { from: '{minute:UInt32}', until: '{minute:UInt32} + 60' })).join('\n  UNION ALL')}
)
WHERE ${MATCHES}
ORDER BY kind, service, name, detail`;

/** Slots up to 28 are days before the target; from here on they are the last hours. */
const FIRST_HOUR_SLOT = 100;
const isDay = (slot: string) => `${slot} < ${FIRST_HOUR_SLOT}`;
const isWeek = (slot: string) => `(${isDay(slot)} AND ${slot} % 7 = 0)`;
const isHour = (slot: string) => `${slot} >= ${FIRST_HOUR_SLOT}`;

/** Of the same hour: its typical value, and the ends of its range. */
const USUAL = { typical: "if(Kind = 'errors', Mean, P50)", from: 'P1', upTo: 'P99' };
/** Of the hour and those beside it. */
const LOWS = ['Lowest', 'P1', 'P10', 'P25', 'P50'];
const HIGHS = ['Highest', 'P99', 'P90', 'P75', 'P50'];

/** By series and slot. */
const SLOT_FIGURES = [
  ...Object.entries(USUAL).map(([name, value]) => `anyIf(${value}, isOwn) AS ${name}`),
  ...LOWS.map((level) => `if(isCounted AND uniqExact(hours.Hour) < any(slotHours), 0, min(${level})) AS least${level}`),
  ...HIGHS.map((level) => `max(${level}) AS most${level}`),
].join(', ');
const SLOT_NAMES = [
  ...Object.keys(USUAL),
  ...LOWS.map((level) => `least${level}`),
  ...HIGHS.map((level) => `most${level}`),
];

interface TimeClass {
  readonly name: 'day' | 'week' | 'hour';
  /** SQL over a slot. */
  readonly has: (slot: string) => string;
  readonly figures: readonly string[];
}

const CLASSES: readonly TimeClass[] = [
  { name: 'day', has: isDay, figures: SLOT_NAMES },
  { name: 'week', has: isWeek, figures: SLOT_NAMES },
  { name: 'hour', has: isHour, figures: Object.keys(USUAL) },
];

/** By series: of all its slots of a class the figures, each sorted. */
function gatherFigures({ name, has, figures }: TimeClass): string {
  const sorted = figures.map((figure) => `arraySort(groupArrayIf(${figure}, ${has('slot')}))`);
  return `groupArrayIf(slot, ${has('slot')}) AS ${name}Slots, [${sorted.join(', ')}] AS ${name}Figures`;
}

/** What is counted was zero in slots that were observed without it, since it was first seen. */
function countZeros({ name, has }: TimeClass): string {
  const without = `slot -> ${has('slot')} AND slot <= arrayMax(${name}Slots) AND NOT has(${name}Slots, slot)`;
  return `if(${isCounted('kind')}, toInt64(arrayCount(${without}, slotList)), 0) AS ${name}Zeros`;
}

/** Places of the middle, or of the two there are, where the zeros come before all others; 0: it is one of them. */
function findMiddle({ name }: TimeClass): string {
  return `length(${name}Slots) + ${name}Zeros AS ${name}Count,
      greatest(0, intDiv(${name}Count + 1, 2) - ${name}Zeros) AS ${name}Lower, greatest(0, intDiv(${name}Count, 2) + 1 - ${name}Zeros) AS ${name}Upper`;
}

/** (times, usual, lows, highs), in the order of FIGURES. */
function pickFigures({ name }: TimeClass): string {
  const pick = (from: number, count: number, value: string) =>
    `arrayMap(values -> ${value}, arraySlice(${name}Figures, ${from}, ${count}))`;
  const [lower, upper] = [`values[${name}Lower]`, `values[${name}Upper]`];
  return `(toFloat64(${name}Count), ${pick(1, 3, `(${lower} + ${upper}) / 2`)}, ${pick(4, 5, lower)}, ${pick(9, 5, upper)}) AS ${name}`;
}

/**
 * slots: which times of the past an hour belongs to; an hour of a day that is not its own is the one before or after. asked: the
 * hours that were observed, as they were summed up last. times: both together, with how many hours of each slot were observed; slots
 * whose own hour was not are left out. Series go by a hash of their name: strings are slow to group by.
 */
const READ = `
WITH
slots AS (
  SELECT toDateTime(tupleElement(hour, 1)) AS Hour, tupleElement(hour, 2) AS slot, tupleElement(hour, 3) AS isOwn
  FROM (SELECT arrayJoin(arrayZip({hours:Array(UInt32)}, {days:Array(UInt8)}, {own:Array(UInt8)})) AS hour)
  UNION ALL
  SELECT max(Hour) - arrayJoin(range(${RECENT_HOURS}) AS ago) * ${HOUR_SECONDS}, toUInt8(${FIRST_HOUR_SLOT} + arrayJoin(ago)), toUInt8(1)
  FROM inquest_baseline_hours
  WHERE Hour < toDateTime({target:UInt32}) AND Minutes > 0
),
asked AS (
  SELECT toString(Signal) AS signal, Hour, max(Generation) AS Generation, argMax(Minutes, inquest_baseline_hours.Generation) AS minutes
  FROM inquest_baseline_hours
  WHERE Hour IN (SELECT Hour FROM slots)
  GROUP BY signal, Hour
  HAVING minutes > 0
),
times AS (
  SELECT signal, slot, Hour, Generation, isOwn, count() OVER (PARTITION BY signal, slot) AS slotHours,
    max(isOwn) OVER (PARTITION BY signal, slot) AS hasOwn
  FROM asked INNER JOIN slots USING (Hour)
),
bySlot AS (
  SELECT cityHash64(Kind, Service, Name, Detail) AS key, slot, any(Kind) AS kind, any(Service) AS service, any(Name) AS name,
    any(Detail) AS detail, ${isCounted('kind')} AS isCounted, max(isOwn) AS isSeen, ${SLOT_FIGURES}
  FROM inquest_baselines_1h AS hours
  INNER JOIN times ON hours.Hour = times.Hour AND hours.Generation = times.Generation AND ${signalOf('hours.Kind')} = times.signal
  WHERE hours.Hour IN (SELECT Hour FROM times) AND hasOwn AND ${MATCHES}
  GROUP BY key, slot
),
bySeries AS (
  SELECT any(kind) AS kind, any(service) AS service, any(name) AS name, any(detail) AS detail, ${signalOf('kind')} AS signal,
    ${CLASSES.map(gatherFigures).join(',\n    ')}
  FROM bySlot
  WHERE isSeen OR isCounted
  GROUP BY key
),
observed AS (SELECT signal, groupUniqArray(slot) AS slotList FROM times WHERE hasOwn GROUP BY signal)
SELECT kind, service, name, detail, ${CLASSES.map(pickFigures).join(', ')}
FROM (
  SELECT *, ${CLASSES.map(findMiddle).join(', ')}
  FROM (SELECT *, ${CLASSES.map(countZeros).join(', ')} FROM bySeries INNER JOIN observed USING (signal))
)
ORDER BY kind, service, name, detail`;
