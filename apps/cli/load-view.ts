/** What a load generator achieves, as a person reads it: a small table while it runs and at its end, one line for a log. Pure. */
import { formatClock } from '../../domain/time-window.ts';
import type { FeedTotals } from './feed-shop.ts';
import { countOf, formatCount, formatDuration, formatFigure } from './words.ts';

/** Per second of wall clock. */
export interface LoadRates {
  readonly userRequestsPerSecond: number;
  readonly spansPerSecond: number;
  readonly logsPerSecond: number;
  readonly pointsPerSecond: number;
}

export interface LoadPhase {
  /** `now`, `past`, `present`: a column's heading. */
  readonly name: string;
  readonly rates: LoadRates;
}

/** What there is at one moment; `elapsedMs` of wall clock. */
export type Amounts = Pick<FeedTotals, 'userRequests' | 'spans' | 'logRecords' | 'dataPoints' | 'elapsedMs'>;

const NOTHING: Amounts = { userRequests: 0, spans: 0, logRecords: 0, dataPoints: 0, elapsedMs: 0 };
const NAME_WIDTH = 16;
const NUMBER_WIDTH = 15;
/** Less than this is how long a batch takes. */
const WORTH_A_WORD_MS = 3_000;

/** @param before an earlier moment; left out: the beginning */
export function ratesOf(now: Amounts, before: Amounts = NOTHING): LoadRates {
  const seconds = (now.elapsedMs - before.elapsedMs) / 1000;
  const rate = (more: number) => (seconds > 0 ? Math.round((more / seconds) * 10) / 10 : 0);
  return {
    userRequestsPerSecond: rate(now.userRequests - before.userRequests),
    spansPerSecond: rate(now.spans - before.spans),
    logsPerSecond: rate(now.logRecords - before.logRecords),
    pointsPerSecond: rate(now.dataPoints - before.dataPoints),
  };
}

/** At most 64 columns with two phases. */
export function loadTable(totals: FeedTotals, phases: readonly LoadPhase[]): string[] {
  const line = (name: string, count: string, cells: readonly string[]) =>
    ['  ', name.padEnd(NAME_WIDTH), ...[count, ...cells].map((cell) => cell.padStart(NUMBER_WIDTH))].join('');
  const row = (name: string, count: number, rate: keyof LoadRates) =>
    line(
      name,
      formatCount(count),
      phases.map(({ rates }) => `${formatFigure(rates[rate])}/s`),
    );
  return [
    line(
      '',
      'accepted',
      phases.map(({ name }) => name),
    ),
    row('user requests', totals.userRequests, 'userRequestsPerSecond'),
    row('spans', totals.spans, 'spansPerSecond'),
    row('log records', totals.logRecords, 'logsPerSecond'),
    row('metric points', totals.dataPoints, 'pointsPerSecond'),
    `  ${'OTLP requests'.padEnd(NAME_WIDTH)}${formatCount(totals.requests.accepted).padStart(NUMBER_WIDTH)}  ${setbacks(totals)}`,
  ];
}

/** `12:04:10: 3,120 spans/s, 780 logs/s, 1,240 points/s; 812 requests, 0 refused, 3 retried` */
export function loadLine(totals: FeedTotals, { rates }: LoadPhase, behindMs: number): string {
  const { requests } = totals;
  const troubles = requests.refused + requests.retried > 0 ? `, ${setbacks(totals)}` : '';
  const { spansPerSecond, logsPerSecond, pointsPerSecond } = rates;
  const speed = `${formatFigure(spansPerSecond)} spans/s, ${formatFigure(logsPerSecond)} logs/s, ${formatFigure(pointsPerSecond)} points/s`;
  return `${formatClock(totals.endMs)}: ${speed}; ${countOf(requests.accepted, 'request')}${troubles}${lag(behindMs)}`;
}

/** `Simulated time: 12:04:10 UTC, 12 s behind` */
export function loadHeadline({ endMs }: FeedTotals, behindMs: number): string {
  return `Simulated time: ${formatClock(endMs)} UTC${lag(behindMs)}`;
}

/** Who set the pace of a sender that never waits for the clock. */
export function describeBottleneck({ heldUpMs, busyMs }: FeedTotals): string {
  const share = busyMs > 0 ? heldUpMs / busyMs : 0;
  const percent = `${Math.round(share * 100)}% of the time this sender waited for the receiver`;
  return share >= 0.5
    ? `${percent}: the receiver set the pace.`
    : `Only ${percent}: making and encoding the load set the pace.`;
}

function setbacks({ requests: { refused, retried } }: FeedTotals): string {
  return `${formatCount(refused)} refused, ${formatCount(retried)} retried`;
}

function lag(behindMs: number): string {
  return behindMs > WORTH_A_WORD_MS ? `, ${formatDuration(behindMs)} behind` : '';
}
