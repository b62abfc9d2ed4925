/** The first thing anybody reads: what happened and how sure the jury is, or that it does not know and what is missing. */

import type { Investigation, Suspect, Verdict } from '../../domain/investigation.ts';
import { formatClock, formatDay } from '../../domain/time-window.ts';
import { bullet, type Page, paragraph } from './page.ts';
import { asSentence, CAUSE_WORDS, changePhrase, confidenceWord, formatPercent } from './words.ts';

export function renderVerdict(investigation: Investigation, page: Page): string[] {
  const { incident, verdict } = investigation;
  const title = incident.title === '' ? 'Incident' : incident.title;
  const opened = `${incident.incidentId}, opened ${formatDay(incident.openedAtMs)} ${formatClock(incident.openedAtMs)} UTC by ${incident.source === 'manual' ? 'hand' : 'detection'}, severity ${incident.severity}`;
  const head = [
    ...paragraph(page, title).map((line) => page.palette.strong(line.slice(2))),
    ...paragraph(page, opened).map((line) => page.palette.faint(line.slice(2))),
    '',
  ];
  if (investigation.status === 'failed') return [...head, ...failed(investigation, page)];
  if (!verdict) return [...head, ...paragraph(page, 'Still investigating: no verdict yet.')];
  const body = verdict.outcome === 'root-cause' ? convicted(investigation, verdict, page) : abstained(verdict, page);
  return [...head, ...body];
}

function failed(investigation: Investigation, page: Page): string[] {
  const reason = investigation.failure ?? 'no reason was recorded';
  return [
    page.palette.bad('THE INVESTIGATION FAILED'),
    ...paragraph(page, reason),
    ...paragraph(page, 'Nothing below is a verdict.'),
  ];
}

function convicted(investigation: Investigation, verdict: Verdict, page: Page): string[] {
  const [suspect] = verdict.suspects;
  if (!suspect) return paragraph(page, 'A verdict without a suspect: this should not exist.');
  const accusation = `${suspect.service} is the root cause: ${CAUSE_WORDS[suspect.causeType]}${placeOf(suspect, investigation)}.`;
  const confidence = `Confidence: ${confidenceWord(verdict.confidence)}, ${formatPercent(verdict.confidence)}.`;
  return [
    ...paragraph(page, accusation).map((line) => page.palette.strong(line)),
    ...(suspect.statement === '' ? [] : paragraph(page, asSentence(suspect.statement))),
    ...paragraph(page, confidence),
  ];
}

/** Narrows the service: `, in pod a-1, operation GET /cart, with deploy of cart 1.2.3`. */
function placeOf(suspect: Suspect, investigation: Investigation): string {
  const change = investigation.changes.find(({ changeId }) => changeId === suspect.changeId);
  const parts = [
    suspect.pod === undefined ? '' : `in pod ${suspect.pod}`,
    suspect.operation === undefined ? '' : `in ${suspect.operation}`,
    change ? `with the ${changePhrase(change)}` : '',
  ];
  return parts
    .filter((part) => part !== '')
    .map((part) => `, ${part}`)
    .join('');
}

function abstained(verdict: Verdict, page: Page): string[] {
  const [best] = verdict.suspects;
  const lead = best
    ? `The best lead is ${best.service} (${CAUSE_WORDS[best.causeType]}), but nothing explains the incident well enough to accuse it.`
    : 'Nothing in the telemetry explains the incident.';
  const confidence = best
    ? ` Confidence in that lead: ${confidenceWord(verdict.confidence)}, ${formatPercent(verdict.confidence)}.`
    : '';
  return [
    ...paragraph(page, "I don't know what caused this.").map((line) => page.palette.warn(page.palette.strong(line))),
    ...paragraph(page, lead + confidence),
    ...missing(verdict, page),
  ];
}

/** What was not there to see, and what would give it. */
function missing(verdict: Verdict, page: Page): string[] {
  if (verdict.gaps.length === 0)
    return paragraph(page, 'No signal was missing: the signals just do not agree on a cause.');
  return ['', ...paragraph(page, 'What is missing:'), ...verdict.gaps.flatMap((gap) => bullet(page, describeGap(gap)))];
}

export function describeGap(gap: Verdict['gaps'][number]): string {
  const whose = gap.service === '' ? gap.signal : `${gap.signal} of ${gap.service}`;
  const evidence = gap.evidenceIds?.length ? ` [${gap.evidenceIds.join(', ')}]` : '';
  return `${whose}: ${gap.what}.${evidence}${gap.remedy === '' ? '' : ` ${gap.remedy}`}`;
}
