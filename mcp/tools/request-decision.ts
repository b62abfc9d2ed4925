/** Puts a proposal before the person at the client. Their click decides; no argument of this tool, and no model, can. */
import { z } from 'zod';
import type { Approval } from '../../domain/approval.ts';
import { cleanTelemetry } from '../../domain/quote-telemetry.ts';
import { InvariantError } from '../../platform/errors.ts';
import { defineMcpTool, type McpAnswer, type McpContext, type PersonAnswer, type PersonForm } from '../catalogue.ts';
import { incidentInput } from '../tool-input.ts';
import { describeRemediation } from '../write-report.ts';
import { findPending, howToDecide } from './propose.ts';

const MAX_REASON = 500;
const NO_REASON = 'No reason was given in the form.';

/** What a client that keeps to the form sends. */
const filledSchema = z.object({
  decision: z.enum(['approve', 'reject']),
  reason: z.string().max(2_000).optional(),
});

const PENDING: Readonly<Record<Exclude<PersonAnswer['kind'], 'answered'>, string>> = {
  unable: 'This client cannot show forms (elicitation), so nobody was asked',
  silent: 'Nobody answered in time',
  refused: 'The person closed the form without deciding',
};

export const requestDecision = defineMcpTool({
  name: 'request_decision',
  title: 'Ask a person to decide',
  description:
    'Shows the person at this client a form with the pending proposal of an incident: approve or reject, with a reason. Only their click decides; an approved action runs at once. Without an answer the proposal stays pending, and the answer says which command decides.',
  input: z.strictObject({ id: incidentInput.describe('Id of an incident, investigation or approval.') }),
  output: z.object({
    approvalId: z.string(),
    incidentId: z.string(),
    decision: z.enum(['approved', 'rejected', 'pending']),
    action: z.object({ status: z.string(), detail: z.string() }).optional().describe('How the approved action went.'),
    message: z.string(),
  }),
  example: { id: 'inc_06bq3s9x0e2k7m' },
  hints: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  run: async ({ id }, context) => {
    const approval = await findPending(id, context);
    await context.report('Waiting for the person at this client to decide.');
    const answer = await context.askPerson(formFor(approval));
    if (answer.kind !== 'answered') return answerPending(approval, PENDING[answer.kind], context);
    const filled = filledSchema.safeParse(answer.content);
    if (!filled.success) return answerPending(approval, 'The form came back without a decision', context);
    return decide(approval, filled.data, context);
  },
});

function formFor({ remediation, incidentId, approvalId, actionDigest }: Approval): PersonForm {
  const lines = [
    `Inquest proposes, for ${incidentId}:`,
    ...describeRemediation(remediation).map((line) => `- ${line}`),
  ];
  const bound = `Approval ${approvalId}, action ${actionDigest.slice(0, 12)}. An approved action runs at once.`;
  return {
    message: [...lines, bound].join('\n'),
    schema: {
      type: 'object',
      properties: {
        decision: { type: 'string', title: 'Decision', enum: ['approve', 'reject'], enumNames: ['Approve', 'Reject'] },
        reason: { type: 'string', title: 'Reason', description: 'For the record.', maxLength: MAX_REASON },
      },
      required: ['decision'],
    },
  };
}

async function decide(
  { approvalId, incidentId, actionDigest }: Approval,
  { decision, reason = '' }: z.infer<typeof filledSchema>,
  { backend, personName }: McpContext,
): Promise<McpAnswer> {
  const outcome = decision === 'approve' ? 'approved' : 'rejected';
  const said = reason.trim() === '' && outcome === 'rejected' ? NO_REASON : reason.trim();
  // Without the call's signal: what a person decided goes on when their client hangs up.
  const investigation = await backend.decide(approvalId, {
    outcome,
    reason: said,
    decidedBy: personName,
    actionDigest,
  });
  const decided = investigation.approval?.decision?.outcome;
  if (decided === undefined) throw new InvariantError(`the decision on ${approvalId} came back undecided`);
  const { actionOutcome } = investigation;
  const detail = String(cleanTelemetry(actionOutcome?.detail ?? '', { maxCharacters: 1_000 }).value);
  return {
    data: {
      ...{ approvalId, incidentId, decision: decided },
      ...(actionOutcome ? { action: { status: actionOutcome.status, detail } } : {}),
      message: decided === 'approved' ? 'The person approved it.' : 'The person rejected it; nothing ran.',
    },
  };
}

function answerPending({ approvalId, incidentId }: Approval, why: string, context: McpContext): McpAnswer {
  const message = `${why}: it stays pending. A person decides with ${howToDecide(context, incidentId)}.`;
  return { data: { approvalId, incidentId, decision: 'pending', message } };
}
