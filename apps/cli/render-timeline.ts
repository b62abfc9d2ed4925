/** When what happened: changes nearby, the first anomaly, the onset, and the inquest's own steps. UTC. */

import type { Anomaly } from '../../domain/anomaly.ts';
import type { Change } from '../../domain/change.ts';
import type { Investigation } from '../../domain/investigation.ts';
import { formatClock, formatDay } from '../../domain/time-window.ts';
import { bullet, labelled, type Page, section } from './page.ts';
import { changePhrase, countOf, formatDuration, formatOffset } from './words.ts';

const NEARBY_MS = 30 * 60_000;
const MAX_NEARBY_CHANGES = 4;
const MAX_CHANGES = 5;

interface Moment {
  readonly atMs: number;
  readonly text: string;
}

export function renderTimeline(investigation: Investigation, page: Page): string[] {
  const moments = [...changeMoments(investigation), ...inquestMoments(investigation)];
  moments.sort((left, right) => left.atMs - right.atMs);
  const day = formatDay(moments.at(-1)?.atMs ?? investigation.startedAtMs);
  const lines = moments.flatMap(({ atMs, text }) => labelled(page, clockOn(atMs, day), text, 8));
  return section(page, 'TIMELINE', lines, `${day}, UTC`);
}

function clockOn(atMs: number, day: string): string {
  return formatDay(atMs) === day ? formatClock(atMs) : `${formatDay(atMs).slice(5)} ${formatClock(atMs).slice(0, 2)}h`;
}

function onsetOf({ verdict, scope, incident }: Investigation): number | undefined {
  // Where nobody is suspected, the verdict's onset is only where the search began.
  if (verdict?.suspects.length === 0) return incident.onsetMs;
  return verdict?.onsetMs ?? scope?.onsetMs ?? incident.onsetMs;
}

function changeMoments(investigation: Investigation): Moment[] {
  const onsetMs = onsetOf(investigation);
  if (onsetMs === undefined) return [];
  return byDistance(investigation.changes, onsetMs)
    .filter(({ atMs }) => Math.abs(atMs - onsetMs) <= NEARBY_MS)
    .slice(0, MAX_NEARBY_CHANGES)
    .map((change) => ({
      atMs: change.atMs,
      text: `${changePhrase(change)} (${formatOffset(change.atMs, onsetMs)} the onset)`,
    }));
}

function anomalyMoments({ anomalies }: Investigation['incident']): Moment[] {
  const first = anomalies.reduce<Anomaly | undefined>(
    (earliest, each) => (earliest && earliest.sinceMs <= each.sinceMs ? earliest : each),
    undefined,
  );
  return first ? [{ atMs: first.sinceMs, text: `first anomaly: ${first.sentence}` }] : [];
}

function inquestMoments(investigation: Investigation): Moment[] {
  const { incident, startedAtMs, firstSuspectsMs, verdict } = investigation;
  const endMs = verdictAtMs(investigation);
  const onsetMs = onsetOf(investigation);
  const onset = onsetMs === undefined ? [] : [{ atMs: onsetMs, text: 'onset: the trouble begins' }];
  const moments: Moment[] = [
    ...onset,
    ...anomalyMoments(incident),
    { atMs: incident.openedAtMs, text: 'incident opened' },
  ];
  if (firstSuspectsMs !== undefined) {
    moments.push({
      atMs: startedAtMs + firstSuspectsMs,
      text: `first suspects, ${formatDuration(firstSuspectsMs)} after the start`,
    });
  }
  if (verdict && endMs !== undefined) {
    moments.push({ atMs: endMs, text: verdict.outcome === 'root-cause' ? 'verdict' : 'verdict: abstained' });
  }
  return moments;
}

/** When the jury was done; what comes after it is a person's time. */
export function verdictAtMs({ approval, finishedAtMs }: Investigation): number | undefined {
  return approval?.requestedAtMs ?? finishedAtMs;
}

/** Every change that the jury looked at: the suspected first, then the nearest to the onset. */
export function renderChanges(investigation: Investigation, page: Page, full: boolean): string[] {
  const onsetMs = onsetOf(investigation) ?? investigation.incident.openedAtMs;
  const suspected = new Set(investigation.verdict?.suspects.map(({ changeId }) => changeId));
  const changes = byDistance(investigation.changes, onsetMs).sort(
    (left, right) => Number(suspected.has(right.changeId)) - Number(suspected.has(left.changeId)),
  );
  if (changes.length === 0) {
    return section(
      page,
      'CHANGES CONSIDERED',
      bullet(page, 'none: no deploy, flag or config change is known in the search window'),
    );
  }
  const shown = full ? changes : changes.slice(0, MAX_CHANGES);
  const lines = shown.flatMap((change) =>
    bullet(page, describeChange(change, onsetMs, suspected.has(change.changeId))),
  );
  const rest = changes.length - shown.length;
  return section(page, 'CHANGES CONSIDERED', lines, rest > 0 ? `${countOf(rest, 'more', 'more')} with --full` : '');
}

function describeChange(change: Change, onsetMs: number, suspected: boolean): string {
  const summary = change.summary === '' ? '' : `: ${change.summary}`;
  const author = change.author === '' ? '' : `, by ${change.author}`;
  const origin = change.source === 'inferred' ? ', inferred from a new service.version' : '';
  const mark = suspected ? ' (suspected)' : '';
  return `${formatClock(change.atMs)}, ${formatOffset(change.atMs, onsetMs)} the onset: ${changePhrase(change)}${mark}${summary}${author}${origin}`;
}

function byDistance(changes: readonly Change[], onsetMs: number): Change[] {
  return [...changes].sort((left, right) => Math.abs(left.atMs - onsetMs) - Math.abs(right.atMs - onsetMs));
}
