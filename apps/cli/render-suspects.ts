/** The line-up: each suspect's score and who in the jury speaks for and against it. */
import type { TalliedHypothesis } from '../../domain/hypothesis.ts';
import type { Investigation, Suspect } from '../../domain/investigation.ts';
import { AGENT_NAMES, type AgentName } from '../../domain/signal.ts';
import { bar, type Column, cut, table } from './layout.ts';
import { type Page, section } from './page.ts';
import { AGENT_WORDS, CAUSE_WORDS } from './words.ts';

const MAX_SUSPECTS = 5;
const NARROW = 76;

export function renderSuspects(investigation: Investigation, page: Page, full: boolean): string[] {
  const suspects = investigation.verdict?.suspects ?? [];
  if (suspects.length === 0) return [];
  const shown = full ? suspects : suspects.slice(0, MAX_SUSPECTS);
  const tallied = new Map(investigation.tally?.ranked.map((each) => [each.hypothesisId, each]));
  const narrow = page.width < NARROW;
  const rows = shown.map((suspect) => rowOf(suspect, tallied.get(suspect.hypothesisId), narrow));
  const [heading = '', ...drawn] = table(columnsFor(narrow), rows, page.width - 2);
  const lines = shown.flatMap((suspect, index) => [
    index === 0 ? `  ${page.palette.strong(drawn[index] ?? '')}` : `  ${drawn[index] ?? ''}`,
    ...placeLine(suspect, page),
  ]);
  const rest = suspects.length - shown.length;
  const title = investigation.verdict?.outcome === 'abstained' ? 'LEADS' : 'SUSPECTS';
  return section(
    page,
    title,
    [`  ${page.palette.faint(heading)}`, ...lines],
    `+ speaks for it, - against it, . is silent${rest > 0 ? `; ${rest} more with --full` : ''}`,
  );
}

function columnsFor(narrow: boolean): Column[] {
  return [
    { heading: '#', align: 'right' },
    { heading: 'service', minWidth: 12 },
    { heading: 'cause', minWidth: 10 },
    { heading: 'score' },
    ...AGENT_NAMES.map((agent) => ({ heading: agentHeading(agent, narrow) })),
  ];
}

function agentHeading(agent: AgentName, narrow: boolean): string {
  return narrow ? AGENT_WORDS[agent].slice(0, 3) : AGENT_WORDS[agent];
}

function rowOf(suspect: Suspect, tallied: TalliedHypothesis | undefined, narrow: boolean): string[] {
  const score = suspect.score.toFixed(2);
  return [
    String(suspect.rank),
    suspect.service,
    CAUSE_WORDS[suspect.causeType],
    narrow ? score : `${bar(suspect.score, 6)} ${score}`,
    ...AGENT_NAMES.map((agent) => voteMark(agent, tallied)),
  ];
}

function voteMark(agent: AgentName, tallied: TalliedHypothesis | undefined): string {
  const inFavour = tallied?.agentsFor.includes(agent) ?? false;
  const opposed = tallied?.agentsAgainst.includes(agent) ?? false;
  if (inFavour && opposed) return '+ -';
  if (inFavour) return '+';
  return opposed ? '-' : '.';
}

/** Where in the service, under its row, when somebody knows. */
function placeLine({ pod, operation }: Suspect, page: Page): string[] {
  const places = [pod === undefined ? '' : `pod ${pod}`, operation ?? ''].filter((part) => part !== '');
  return places.length === 0 ? [] : [page.palette.faint(`     ${cut(`in ${places.join(', ')}`, page.width - 5)}`)];
}
