/**
 * The only step with an effect on production: at most once, whatever crashes. The intent is recorded before, the outcome
 * after; where a record of the intent is found without one of the outcome nobody knows whether it happened, so it is
 * reported as unknown and left to a person.
 */
import { type Approval, type Grant, grant, grantByPolicy } from '../../domain/approval.ts';
import { type ActionOutcome, actionOutcomeSchema } from '../../domain/investigation.ts';
import { AppError, errorMessage, InvariantError } from '../../platform/errors.ts';
import type { InvestigationParts } from '../investigation-parts.ts';
import { type InvestigationState, type StateUpdate, type StepConfig, signalOf } from '../investigation-state.ts';
import { announceStep, auditStep } from '../record-step.ts';

const INTERRUPTED =
  'The process that was to run it ended before it could say how that went. It was not run again: look whether it took effect.';

export function createRunAction(parts: InvestigationParts) {
  return async (state: InvestigationState, config: StepConfig): Promise<StateUpdate> => {
    const { investigationId, approval } = state;
    const signal = signalOf(config);
    if (!approval) throw new InvariantError(`Investigation ${investigationId} acts without an approval.`);
    const permission = permissionOf(approval);
    const started = await recordIntent(parts, approval, signal);
    const actionOutcome = started
      ? await act(parts, approval, permission, signal)
      : await findOutcome(parts, approval, signal);
    const message = `${approval.remediation.action} on ${approval.remediation.service}: ${actionOutcome.status}, ${actionOutcome.detail}`;
    await announceStep(parts, investigationId, { actor: permission.grantedBy, kind: 'action', message });
    return { actionOutcome };
  };
}

const intentKey = ({ approvalId }: Approval) => `action/${approvalId}/intent`;
const outcomeKey = ({ approvalId }: Approval) => `action/${approvalId}/outcome`;

function permissionOf(approval: Approval): Grant {
  const { remediation, approvalId } = approval;
  return remediation.tier === 'info' ? grantByPolicy(approvalId, remediation) : grant(approval, remediation);
}

/** True for exactly one caller, ever: the one who may act. The audit entry stands before the right is taken. */
async function recordIntent(parts: InvestigationParts, approval: Approval, signal: AbortSignal): Promise<boolean> {
  if (await parts.once.get(intentKey(approval), signal)) return false;
  const { approvalId, actionDigest, remediation } = approval;
  const details = { approvalId, actionDigest, action: remediation.action, service: remediation.service };
  await auditAction(parts, approval, 'action.intended', details, signal);
  const atMs = parts.clock.nowMs();
  return (await parts.once.putOnce(intentKey(approval), JSON.stringify({ approvalId, actionDigest, atMs }), signal))
    .stored;
}

async function act(
  parts: InvestigationParts,
  approval: Approval,
  permission: Grant,
  signal: AbortSignal,
): Promise<ActionOutcome> {
  parts.logger.info({ approvalId: approval.approvalId, action: approval.remediation.action }, 'acting');
  let outcome: ActionOutcome;
  try {
    const done = await parts.executeAction(approval.remediation, permission, approval.approvalId, signal);
    outcome = { ...done, atMs: parts.clock.nowMs() };
  } catch (error) {
    const status = wasRefused(error) ? 'failed' : 'unknown';
    parts.logger.error({ approvalId: approval.approvalId, status, err: error }, 'an action did not finish');
    outcome = { status, detail: errorMessage(error), atMs: parts.clock.nowMs() };
  }
  // From here on no signal: what has happened is recorded, also when the caller has given up.
  await parts.once.putOnce(outcomeKey(approval), JSON.stringify(outcome));
  await auditAction(parts, approval, 'action.finished', { ...outcome });
  return outcome;
}

/** Errors that an executor raises before it touches anything; see ExecuteAction. */
function wasRefused(error: unknown): boolean {
  return error instanceof AppError && ['InputError', 'ConfigError', 'LimitError'].includes(error.name);
}

async function findOutcome(parts: InvestigationParts, approval: Approval, signal: AbortSignal): Promise<ActionOutcome> {
  const text = await parts.once.get(outcomeKey(approval), signal);
  if (text !== undefined) return actionOutcomeSchema.parse(JSON.parse(text));
  const outcome: ActionOutcome = { status: 'unknown', detail: INTERRUPTED, atMs: parts.clock.nowMs() };
  await auditAction(parts, approval, 'action.unknown', { ...outcome }, signal);
  return outcome;
}

function auditAction(
  parts: InvestigationParts,
  approval: Approval,
  kind: string,
  details: Readonly<Record<string, unknown>>,
  signal?: AbortSignal,
): Promise<void> {
  const actor = approval.decision?.decidedBy ?? 'unknown';
  return auditStep(
    parts,
    approval.investigationId,
    { actor, kind, details: { ...details, approvalId: approval.approvalId } },
    signal,
  );
}
