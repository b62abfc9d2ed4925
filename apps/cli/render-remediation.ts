/** What could be done, what it promises, and who decides: the proposal, its approval, and how the action went. */

import { type Approval, EXPIRY_POLICY } from '../../domain/approval.ts';
import type { ActionOutcome, Investigation } from '../../domain/investigation.ts';
import type { Remediation, RiskTier } from '../../domain/remediation.ts';
import { formatClock, formatDay } from '../../domain/time-window.ts';
import { citation, commandLines, labelled, type Page, paragraph, section } from './page.ts';
import { actionPhrase, asSentence, formatDuration, formatFigure } from './words.ts';

const LABEL_COLUMNS = 8;
const OUTCOME_WORDS: Readonly<Record<ActionOutcome['status'], string>> = {
  done: 'Done',
  failed: 'FAILED',
  unknown: 'UNKNOWN whether it took effect',
  'not-run': 'NOT RUN',
};
const TIER_WORDS: Readonly<Record<RiskTier, string>> = {
  info: 'info: runs without approval, changes nothing in production',
  low: 'low: any member may approve',
  medium: 'medium: a lead approves',
  high: 'high: a manager approves',
};

export function renderRemediation(investigation: Investigation, page: Page): string[] {
  const { remediation } = investigation;
  if (!remediation) {
    const none = investigation.verdict ? paragraph(page, 'None: no action in the catalogue fits this verdict.') : [];
    return section(page, 'PROPOSAL', none);
  }
  return section(page, 'PROPOSAL', [
    ...paragraph(page, `${actionPhrase(remediation)}${parametersOf(remediation)}.`).map(page.palette.strong),
    ...details(remediation, page),
    ...decisionLines(investigation, page),
    ...renderOutcome(investigation, page),
  ]);
}

function parametersOf({ parameters }: Remediation): string {
  const pairs = Object.entries(parameters).map(([key, value]) => `${key} ${value}`);
  return pairs.length === 0 ? '' : ` (${pairs.join(', ')})`;
}

function details(remediation: Remediation, page: Page): string[] {
  const { rationale, evidenceIds, tier, preconditions, undo } = remediation;
  const line = (label: string, text: string) => (text === '' ? [] : labelled(page, label, text, LABEL_COLUMNS));
  return [
    ...line('because', rationale === '' ? '' : rationale + citation(evidenceIds, 2)),
    ...line('risk', TIER_WORDS[tier]),
    ...line('only if', preconditions.join('; ')),
    ...line('expect', effectOf(remediation)),
    ...line('undo', undo),
  ];
}

function effectOf({ predictedEffect: effect }: Remediation): string {
  if (!effect) return '';
  const bound = effect.direction === 'down' ? 'falls to' : 'rises to';
  const edge = effect.direction === 'down' ? 'or less' : 'or more';
  return `${effect.measure} of ${effect.service} ${bound} ${targetOf(effect)} ${edge} within ${formatDuration(effect.deadlineSeconds * 1000)}`;
}

function targetOf({ measure, target }: NonNullable<Remediation['predictedEffect']>): string {
  if (measure === 'p95 duration') return `${formatFigure(target)} ms`;
  return measure === 'request rate' ? `${formatFigure(target)}/s` : `${Number((target * 100).toPrecision(2))}%`;
}

function decisionLines({ approval, incident }: Investigation, page: Page): string[] {
  if (!approval) return [];
  if (approval.decision) return ['', ...paragraph(page, describeDecision(approval))];
  const timeOf = (atMs: number) => `${formatDay(atMs)} ${formatClock(atMs)} UTC`;
  const next = (approval.escalations ?? []).map(({ role, atMs }) => ` Every ${role} is asked from ${timeOf(atMs)} on.`);
  const waits = `Waits for your decision until ${timeOf(approval.expiresAtMs)}; nothing happens without it.${next.join('')}`;
  return [
    '',
    ...paragraph(page, waits).map(page.palette.warn),
    ...commandLines(page, 'approve', incident.incidentId),
    ...commandLines(page, 'reject', incident.incidentId, '--reason', '"..."'),
  ];
}

/** `Approved by alice on 2026-01-31 at 10:20:00 UTC: "known bad".` */
export function describeDecision({ decision }: Approval): string {
  if (!decision) return 'Not decided yet.';
  const verb = decision.outcome === 'approved' ? 'Approved' : 'Rejected';
  const when = `on ${formatDay(decision.decidedAtMs)} at ${formatClock(decision.decidedAtMs)} UTC`;
  if (decision.decidedBy === EXPIRY_POLICY) return `Closed ${when}: nobody decided in time, so nothing was run.`;
  if (decision.decidedBy.startsWith('policy:'))
    return `Granted by ${decision.decidedBy} ${when}: no person had to be asked.`;
  const reason = decision.reason === '' ? '' : `: "${decision.reason}"`;
  return asSentence(`${verb} by ${decision.decidedBy} ${when}${reason}`);
}

export function renderOutcome(
  { actionOutcome, approval }: Pick<Investigation, 'actionOutcome' | 'approval'>,
  page: Page,
): string[] {
  if (!actionOutcome) return [];
  // What was rejected or ran out of time is told by its decision.
  if (actionOutcome.status === 'not-run' && approval?.decision?.outcome !== 'approved') return [];
  const words = OUTCOME_WORDS[actionOutcome.status];
  const paint = actionOutcome.status === 'done' ? page.palette.good : page.palette.bad;
  return paragraph(page, asSentence(`${words} at ${formatClock(actionOutcome.atMs)} UTC: ${actionOutcome.detail}`)).map(
    paint,
  );
}
