/** The record behind the report, for `show --full`: every finding, every query with its parameters, every vote. */

import type { Evidence, ExecutedQuery } from '../../domain/evidence.ts';
import type { Finding } from '../../domain/finding.ts';
import type { Vote } from '../../domain/hypothesis.ts';
import type { Investigation } from '../../domain/investigation.ts';
import { formatClock, formatDay } from '../../domain/time-window.ts';
import { textWidth, wrapText } from './layout.ts';
import { bullet, citation, labelled, type Page, paragraph, section } from './page.ts';
import { plainBlock, plainCopy } from './plain-text.ts';
import { citeFinding } from './render-reasons.ts';
import { AGENT_WORDS, CAUSE_WORDS, countOf, formatFigure, shortenInstants } from './words.ts';

export function renderFindings({ findings }: Investigation, page: Page): string[] {
  const lines = findings.flatMap((finding) => [
    ...bullet(page, citeFinding(finding)),
    ...findingDetails(finding, page),
  ]);
  return section(page, 'ALL FINDINGS', lines, String(findings.length));
}

function findingDetails(finding: Finding, page: Page): string[] {
  const known = Object.entries(finding.figures).filter(([, value]) => value !== '');
  const figures = known.map(([name, value]) => `${name} ${typeof value === 'number' ? formatFigure(value) : value}`);
  const stances = finding.implications.map(
    ({ stance, service, causeType, strength }) =>
      `${stance} ${service} (${CAUSE_WORDS[causeType]}) ${strength.toFixed(2)}`,
  );
  const who = `${finding.agent}, ${finding.findingId}, ${finding.observation}`;
  return [who, stances.join('; '), figures.join(', ')]
    .filter((text) => text !== '')
    .flatMap((text) => wrapText(text, page.width - 4))
    .map((line) => page.palette.faint(`    ${line}`));
}

/** Hypotheses with every reason of every vote, round by round. */
export function renderVotes(investigation: Investigation, page: Page): string[] {
  const lines = investigation.hypotheses.flatMap((hypothesis) => {
    const votes = investigation.votes.filter(
      ({ hypothesisId, round }) => hypothesisId === hypothesis.hypothesisId && round === hypothesis.round,
    );
    const head = `round ${hypothesis.round}, proposed ${hypothesis.proposedRank}: ${hypothesis.service}, ${CAUSE_WORDS[hypothesis.causeType]}. ${hypothesis.statement}`;
    return [...bullet(page, head), ...votes.flatMap((vote) => voteLines(vote, page))];
  });
  return section(page, 'LEDGER OF VOTES', lines, countOf(investigation.votes.length, 'vote'));
}

function voteLines(vote: Vote, page: Page): string[] {
  const agent = AGENT_WORDS[vote.agent];
  if (vote.reasons.length === 0) return [page.palette.faint(`    ${agent}: abstains`)];
  return vote.reasons
    .map(
      (reason) =>
        `${agent} ${reason.stance} ${reason.strength.toFixed(2)}: ${reason.sentence}${citation(reason.evidenceIds, 2)}`,
    )
    .flatMap((text) =>
      wrapText(text, page.width - 6).map((line, index) => (index === 0 ? `    ${line}` : `      ${line}`)),
    );
}

/** @param raw evidence as it was archived: SQL keeps its lines, and everything else is cleaned here */
export function renderEvidence(raw: readonly Evidence[], page: Page): string[] {
  const lines = raw.flatMap((each) => evidenceLines(each, page));
  return section(page, 'EVIDENCE', lines, countOf(raw.length, 'piece'));
}

function evidenceLines(raw: Evidence, page: Page): string[] {
  const { evidenceId, tool, summary, window, takenAtMs } = plainCopy(raw);
  const span = `${formatDay(window.startMs)} ${formatClock(window.startMs)} to ${formatClock(window.endMs)} UTC, taken ${formatClock(takenAtMs)}`;
  return [
    '',
    `  ${page.palette.strong(evidenceId)}  ${page.palette.faint(tool)}`,
    ...paragraph(page, shortenInstants(summary, formatDay(window.startMs))),
    ...paragraph(page, span).map(page.palette.faint),
    ...raw.queries.flatMap((query) => queryLines(query, page)),
  ];
}

function queryLines(raw: ExecutedQuery, page: Page): string[] {
  const { parameters, rowCount, digest } = plainCopy(raw);
  const bound = Object.entries(parameters).flatMap(([name, value]) => labelled(page, name, JSON.stringify(value), 16));
  return [
    ...plainBlock(raw.sql)
      .split('\n')
      .filter((line) => line.trim() !== '')
      .flatMap((line) => wrapIndented(line, page.width - 4))
      .map((line) => `    ${line}`),
    ...bound,
    page.palette.faint(`  ${countOf(rowCount, 'row')}, digest ${digest.slice(0, 16)}`),
  ];
}

/** Keeps a line's own indentation, as far as there is room for it. */
function wrapIndented(line: string, width: number): string[] {
  const indent = ' '.repeat(Math.min(textWidth(line) - textWidth(line.trimStart()), Math.floor(width / 3)));
  return wrapText(line, width - indent.length).map((each) => indent + each);
}
