/** Why the jury thinks so: findings behind the first suspect, dissent, what was ruled out, where the trouble spreads. */
import type { Finding } from '../../domain/finding.ts';
import type { Vote, VoteReason } from '../../domain/hypothesis.ts';
import type { Investigation, Suspect, Verdict } from '../../domain/investigation.ts';
import { bullet, citation, labelled, type Page, paragraph, section } from './page.ts';
import { describeGap } from './render-verdict.ts';
import { AGENT_WORDS, SIGNAL_WORDS } from './words.ts';

const MAX_REASONS = 5;
const MAX_DISSENT = 3;
const MAX_RULED_OUT = 5;
const MAX_CITED = 2;
const SIGNAL_COLUMNS = 7;

export function renderWhy(investigation: Investigation, page: Page): string[] {
  const [suspect] = investigation.verdict?.suspects ?? [];
  if (!suspect) return [];
  const findings = findingsFor(suspect, investigation);
  const lines = findings
    .slice(0, MAX_REASONS)
    .flatMap((each) => labelled(page, SIGNAL_WORDS[each.signal], citeFinding(each, MAX_CITED), SIGNAL_COLUMNS));
  const rest = findings.length - MAX_REASONS;
  const title = investigation.verdict?.outcome === 'abstained' ? 'WHAT POINTS TO' : 'WHY';
  return section(page, `${title} ${suspect.service}`, lines, rest > 0 ? `the strongest of ${findings.length}` : '');
}

export function citeFinding(finding: Finding, atMost?: number): string {
  return finding.sentence + citation(finding.evidenceIds, atMost);
}

/** The findings that speak for a suspect, the strongest first, one for each observation. */
function findingsFor(suspect: Suspect, investigation: Investigation): Finding[] {
  const named = new Set(
    investigation.hypotheses.find((each) => each.hypothesisId === suspect.hypothesisId)?.findingIds,
  );
  const strengthOf = (finding: Finding) =>
    Math.max(
      named.has(finding.findingId) ? 0 : -1,
      ...finding.implications
        .filter((each) => each.stance === 'for' && each.service === suspect.service)
        .map((each) => each.strength + (named.has(finding.findingId) ? 1 : 0)),
    );
  const ranked = investigation.findings
    .map((finding) => ({ finding, strength: strengthOf(finding) }))
    .filter(({ strength }) => strength >= 0)
    .sort((left, right) => right.strength - left.strength);
  const seen = new Set<string>();
  return ranked.flatMap(({ finding }) => {
    if (seen.has(finding.observation)) return [];
    seen.add(finding.observation);
    return [finding];
  });
}

/** Votes that point elsewhere: against the first suspect, or for another one. */
export function renderDissent(investigation: Investigation, page: Page): string[] {
  const [suspect, runnerUp] = investigation.verdict?.suspects ?? [];
  if (!suspect) return [];
  const against = reasonsIn(investigation, suspect.hypothesisId, 'against').slice(0, MAX_DISSENT);
  const elsewhere = runnerUp ? reasonsIn(investigation, runnerUp.hypothesisId, 'for').slice(0, 1) : [];
  const lines = [
    ...against.flatMap((each) => bullet(page, `${each.agent} against ${suspect.service}: ${citeReason(each.reason)}`)),
    ...elsewhere.flatMap((each) =>
      bullet(page, `${each.agent} for ${runnerUp?.service ?? ''} (second): ${citeReason(each.reason)}`),
    ),
  ];
  return section(
    page,
    'DISSENT',
    lines.length > 0 ? lines : bullet(page, `none: nobody spoke against ${suspect.service}`),
  );
}

function citeReason(reason: VoteReason): string {
  return reason.sentence + citation(reason.evidenceIds, MAX_CITED);
}

interface HeardReason {
  readonly agent: string;
  readonly reason: VoteReason;
}

/** The reasons of the last round in which anybody voted, the strongest first. */
function reasonsIn(investigation: Investigation, hypothesisId: string, stance: VoteReason['stance']): HeardReason[] {
  const lastRound = Math.max(0, ...investigation.votes.map(({ round }) => round));
  return investigation.votes
    .filter((vote) => vote.round === lastRound && vote.hypothesisId === hypothesisId)
    .flatMap((vote: Vote) => vote.reasons.map((reason) => ({ agent: AGENT_WORDS[vote.agent], reason })))
    .filter(({ reason }) => reason.stance === stance)
    .sort((left, right) => right.reason.strength - left.reason.strength);
}

export function renderRuledOut({ verdict }: Investigation, page: Page, full: boolean): string[] {
  const ruledOut = verdict?.ruledOut ?? [];
  const shown = full ? ruledOut : ruledOut.slice(0, MAX_RULED_OUT);
  const lines = shown.flatMap(({ service, reason, evidenceIds }) =>
    bullet(page, `${service}: ${reason}${citation(evidenceIds, MAX_CITED)}`),
  );
  const rest = ruledOut.length - shown.length;
  return section(page, 'RULED OUT', lines, rest > 0 ? `${rest} more with --full` : '');
}

export function renderSpread({ verdict, findings }: Investigation, page: Page): string[] {
  if (!verdict) return [];
  const paths = propagationPaths(verdict.propagation);
  // Which of its requests: one customer, one region, one version.
  const concentrations = findings.filter(
    ({ observation, service }) => observation.includes('-attribute:') && service === verdict.suspects[0]?.service,
  );
  return section(page, 'BLAST RADIUS', [
    ...concentrations.flatMap((each) => labelled(page, 'whom', citeFinding(each, MAX_CITED), 4)),
    ...(verdict.blastRadius.length > 0 ? labelled(page, 'hurt', verdict.blastRadius.join(', '), 4) : []),
    ...paths.flatMap((path, index) => labelled(page, index === 0 ? 'path' : '', path, 4)),
  ]);
}

/** Edges nearest the cause first, joined into the callers' chains: `frontend -> checkout -> payment`. */
export function propagationPaths(edges: Verdict['propagation']): string[] {
  const paths: string[][] = [];
  for (const { from, to } of edges) {
    const path = paths.find(([first]) => first === to);
    if (path && !path.includes(from)) path.unshift(from);
    else paths.push([from, to]);
  }
  return paths.map((path) => path.join(' -> '));
}

/** The query that would change the verdict, and what nobody could look at. */
export function renderDoubt({ verdict }: Investigation, page: Page): string[] {
  if (!verdict) return [];
  const { overturning, gaps, outcome } = verdict;
  const cited = overturning?.evidenceId === undefined ? [] : [overturning.evidenceId];
  const doubt = overturning ? paragraph(page, overturning.question + citation(cited)) : [];
  const unseen = outcome === 'abstained' ? [] : gaps.flatMap((gap) => bullet(page, describeGap(gap)));
  return [...section(page, 'WHAT WOULD CHANGE THIS VERDICT', doubt), ...section(page, 'NOT SEEN', unseen)];
}
