/**
 * The only step with an effect on production: at most once, whatever crashes. The intent is recorded before, the outcome
 * after; where a record of the intent is found without one of the outcome nobody knows whether it happened, so it is
 * reported as unknown and left to a person.
 */
import { type Approval, type Grant, grant, grantByPolicy, INFO_POLICY } from '../../domain/approval.ts';
import { type ActionOutcome, actionOutcomeSchema } from '../../domain/investigation.ts';
import { AppError, errorMessage, InputError, InvariantError } from '../../platform/errors.ts';
import type { InvestigationParts } from '../investigation-parts.ts';
import { type InvestigationState, type StateUpdate, type StepConfig, signalOf } from '../investigation-state.ts';
import { announceStep, auditStep } from '../record-step.ts';

const INTERRUPTED =
  'The process that was to run it ended before it could say how that went. It was not run again: look whether it took effect.';

/** Holds on to an action until its outcome is recorded: LangGraph leaves a step alone that is running when a signal aborts. */
export type KeepEffect = <T>(effect: Promise<T>) => Promise<T>;

export function createRunAction(parts: InvestigationParts, keep: KeepEffect) {
  return async (state: InvestigationState, config: StepConfig): Promise<StateUpdate> => {
    const { investigationId, approval } = state;
    const signal = signalOf(config);
    if (!approval) throw new InvariantError(`Investigation ${investigationId} acts without an approval.`);
    const actionOutcome = await keep(actOnce(parts, approval, signal));
    const message = `${approval.remediation.action} on ${approval.remediation.service}: ${actionOutcome.status}, ${actionOutcome.detail}`;
    await announceStep(parts, investigationId, { actor: actorOf(approval), kind: 'action', message });
    return { actionOutcome };
  };
}

const intentKey = ({ approvalId }: Approval) => `action/${approvalId}/intent`;
const outcomeKey = ({ approvalId }: Approval) => `action/${approvalId}/outcome`;

async function actOnce(parts: InvestigationParts, approval: Approval, signal: AbortSignal): Promise<ActionOutcome> {
  let permission: Grant;
  try {
    permission = permissionOf(approval);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    // Whoever changed the stored action after it was agreed on gets a record of it, and no effect.
    const outcome: ActionOutcome = {
      status: 'not-run',
      detail: `Refused: ${error.message}`,
      atMs: parts.clock.nowMs(),
    };
    await auditAction(parts, approval, 'action.refused', saidOf(outcome), signal);
    return outcome;
  }
  const started = await recordIntent(parts, approval, signal);
  return started ? await act(parts, approval, permission, signal) : await findOutcome(parts, approval, signal);
}

function permissionOf(approval: Approval): Grant {
  const { remediation, approvalId, decision } = approval;
  return decision?.decidedBy === INFO_POLICY ? grantByPolicy(approvalId, remediation) : grant(approval, remediation);
}

const saidOf = ({ status, detail }: ActionOutcome) => ({ status, detail });
const actorOf = ({ decision }: Approval): string => decision?.decidedBy ?? 'unknown';

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
  await auditAction(
    parts,
    approval,
    outcome.status === 'unknown' ? 'action.unknown' : 'action.finished',
    saidOf(outcome),
  );
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
  await auditAction(parts, approval, 'action.unknown', saidOf(outcome), signal);
  return outcome;
}

function auditAction(
  parts: InvestigationParts,
  approval: Approval,
  kind: string,
  details: object,
  signal?: AbortSignal,
): Promise<void> {
  return auditStep(
    parts,
    approval.investigationId,
    { actor: actorOf(approval), kind, details: { ...details, approvalId: approval.approvalId } },
    signal,
  );
}
