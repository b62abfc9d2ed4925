/** The report people read: an investigation as text of a given width. Pure; what foreign text contains is cleaned first. */

import type { Investigation } from '../../domain/investigation.ts';
import { formatDay } from '../../domain/time-window.ts';
import { commandLines, type Page, paragraph, section } from './page.ts';
import { plainCopy } from './plain-text.ts';
import { renderCounsel } from './render-counsel.ts';
import { renderEvidence, renderFindings, renderVotes } from './render-full.ts';
import { renderDissent, renderDoubt, renderRuledOut, renderSpread, renderWhy } from './render-reasons.ts';
import { renderRemediation } from './render-remediation.ts';
import { renderSuspects } from './render-suspects.ts';
import { renderChanges, renderTimeline, verdictAtMs } from './render-timeline.ts';
import { renderVerdict } from './render-verdict.ts';
import { countOf, formatDuration, shortenInstants } from './words.ts';

export interface ReportOptions {
  /** Also every finding, vote and query. */
  readonly full?: boolean;
}

/** The report, without a newline at its end. */
export function renderReport(raw: Investigation, page: Page, options: ReportOptions = {}): string {
  const day = formatDay(raw.incident.openedAtMs);
  const investigation = plainCopy(raw, (text) => shortenInstants(text, day));
  const full = options.full ?? false;
  const lines = [
    ...renderVerdict(investigation, page),
    ...renderSuspects(investigation, page, full),
    ...renderWhy(investigation, page),
    ...renderCounsel(investigation, page),
    ...renderDissent(investigation, page),
    ...renderRuledOut(investigation, page, full),
    ...renderSpread(investigation, page),
    ...renderTimeline(investigation, page),
    ...renderChanges(investigation, page, full),
    ...renderDoubt(investigation, page),
    ...renderRemediation(investigation, page),
    ...(full ? [...renderFindings(investigation, page), ...renderVotes(investigation, page)] : []),
    ...(full ? renderEvidence(raw.evidence, page) : []),
    ...renderFooter(investigation, page, full),
  ];
  return lines.map((line) => line.trimEnd()).join('\n');
}

function renderFooter(investigation: Investigation, page: Page, full: boolean): string[] {
  const { incident, evidence } = investigation;
  const check = commandLines(page, 'verify', incident.incidentId);
  const more = full ? [] : commandLines(page, 'show', incident.incidentId, '--full');
  return section(page, 'CHECK IT', [
    ...(evidence.length > 0 ? [...paragraph(page, 'Run every query behind these sentences again:'), ...check] : []),
    ...(full ? [] : [...paragraph(page, 'Read every finding, vote and query:'), ...more]),
    '',
    ...paragraph(page, summarise(investigation)).map(page.palette.faint),
  ]);
}

/** `Took 3.4 s (first suspects after 1.2 s), 2 rounds, 23 findings from 4 agents, 18 queries.` */
function summarise(investigation: Investigation): string {
  const { findings, evidence, rounds, firstSuspectsMs, startedAtMs } = investigation;
  const endMs = verdictAtMs(investigation);
  const agents = new Set(findings.map(({ agent }) => agent)).size;
  const queries = evidence.reduce((sum, { queries }) => sum + queries.length, 0);
  const first = firstSuspectsMs === undefined ? '' : ` (first suspects after ${formatDuration(firstSuspectsMs)})`;
  const took = endMs === undefined ? 'Still running' : `Took ${formatDuration(endMs - startedAtMs)}${first}`;
  const parts = [
    took,
    countOf(rounds, 'round'),
    `${countOf(findings.length, 'finding')} from ${countOf(agents, 'agent')}`,
    countOf(queries, 'query', 'queries'),
  ];
  return `${parts.join(', ')}.`;
}
