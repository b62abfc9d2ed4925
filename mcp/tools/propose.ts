/** What Inquest would do about a cause, and who decides on it. Nothing here decides. */
import { z } from 'zod';
import type { Approval } from '../../domain/approval.ts';
import { InputError } from '../../platform/errors.ts';
import { defineMcpTool, type McpContext, READS } from '../catalogue.ts';
import { fitRows } from '../fit-answer.ts';
import { incidentInput, isoOf, rowsShape } from '../tool-input.ts';
import { describeRemediation } from '../write-report.ts';

export const propose = defineMcpTool({
  name: 'propose',
  title: 'Show proposals',
  description:
    'Actions that investigations propose and that wait for a person: what would be done, its risk, predicted effect and undo, and how a person decides. An investigation proposes by itself, once it has a verdict; this tool cannot decide and cannot act.',
  input: z.strictObject({ id: incidentInput.optional().describe('Only that of this incident or investigation.') }),
  output: z.object({ ...rowsShape, howToDecide: z.string() }),
  example: { id: 'inc_06bq3s9x0e2k7m' },
  hints: READS,
  run: async ({ id }, context) => {
    const pending =
      id === undefined
        ? (await context.backend.listApprovals({}, context.signal)).approvals
        : [await findPending(id, context)];
    const rows = pending.map((approval) => ({
      approvalId: approval.approvalId,
      incidentId: approval.incidentId,
      risk: approval.remediation.tier,
      expiresAt: isoOf(approval.expiresAtMs),
      proposal: describeRemediation(approval.remediation),
    }));
    return fitRows(rows, ({ rows: kept }) => ({
      data: {
        telemetry: kept,
        total: rows.length,
        howToDecide: `request_decision {"id": "..."} asks the person at this client; or they type ${howToDecide(context)}.`,
      },
    }));
  },
});

/** The commands with which a person decides elsewhere. */
export function howToDecide({ command }: Pick<McpContext, 'command'>, id = 'ID'): string {
  return `\`${command('approve', id)}\` or \`${command('reject', id, '--reason', '"..."')}\``;
}

/** By the id of an approval, incident or investigation; throws InputError where nothing waits. */
export async function findPending(id: string, { backend, signal }: McpContext): Promise<Approval> {
  const { approvals } = await backend.listApprovals({ limit: 200 }, signal);
  const pending = approvals.find((each) => [each.approvalId, each.incidentId, each.investigationId].includes(id));
  if (pending) return pending;
  const { status, approval, remediation } = await backend.getInvestigation(id, signal);
  throw new InputError(`${id} waits for no decision: ${reasonFor(status, remediation !== undefined, approval)}.`, {
    code: 'conflict',
  });
}

function reasonFor(status: string, hasRemediation: boolean, approval: Approval | undefined): string {
  if (approval?.decision) return `it was ${approval.decision.outcome} already`;
  if (status === 'running') return 'its investigation is still running';
  return hasRemediation ? 'its action needs no approval' : 'its investigation proposed nothing';
}
