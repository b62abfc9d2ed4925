/** `inquest approve ID` and `inquest reject ID`: a person's decision on a proposal, made once. */
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import type { ApiClient } from '../../../api/api-client.ts';
import type { Approval, Decision } from '../../../domain/approval.ts';
import type { Investigation } from '../../../domain/investigation.ts';
import { InputError } from '../../../platform/errors.ts';
import { type Cli, joinHost, pageOf, type RunWork } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type Page, paragraph } from '../page.ts';
import { plainCopy } from '../plain-text.ts';
import { describeDecision, renderOutcome } from '../render-remediation.ts';
import { actionPhrase } from '../words.ts';

export function addApproveCommand(program: Command, run: RunWork): void {
  addDecisionCommand(
    program,
    run,
    'approve',
    'approved',
    'approve the remediation that an incident waits for; it runs at once',
  );
}

export function addRejectCommand(program: Command, run: RunWork): void {
  addDecisionCommand(
    program,
    run,
    'reject',
    'rejected',
    'reject the remediation that an incident waits for; nothing runs',
  );
}

function addDecisionCommand(
  program: Command,
  run: RunWork,
  name: string,
  outcome: Decision['outcome'],
  description: string,
): void {
  program
    .command(name)
    .description(description)
    .argument('<id>', 'incident, investigation or approval')
    .option('--reason <text>', `why, for the record${outcome === 'rejected' ? ' (needed)' : ''}`, '')
    .option('--as <name>', "who you are, where the host knows you by the data directory's token only")
    .addHelpText(
      'after',
      `
Low risk takes a member, medium a lead, high a manager; INQUEST_TOKEN shows who you are. Without
configured identities whoever can read the data directory may decide, recorded as "NAME (local)".

Example:
  inquest ${name} inc_06bq3s9x0e2k7m --reason "${outcome === 'rejected' ? 'we deploy the fix instead' : 'known bad deploy'}"`,
    )
    .action((id: string, { reason, as }: { reason: string; as?: string }) =>
      run(async (cli) => {
        if (outcome === 'rejected' && reason.trim() === '') {
          throw new InputError('Say why it is rejected, for the record: --reason "...".');
        }
        if (as !== undefined && cli.config.access.token) {
          throw new InputError('Your token says who you are: leave --as out.');
        }
        const { client } = await joinHost(cli);
        const approval = await findPendingApproval(client, id, cli.signal);
        const investigation = await decideAndPrint(cli, client, approval, { outcome, reason, decidedBy: as });
        cli.terminal.printJson(investigation);
        return exitOfAction(investigation);
      }),
    );
}

/** Decides on the action as it was shown, as the user of this process unless said otherwise, and shows what came of it. */
export async function decideAndPrint(
  cli: Cli,
  client: ApiClient,
  { approvalId, actionDigest }: Approval,
  {
    decidedBy = userInfo().username,
    ...decision
  }: Pick<Decision, 'outcome' | 'reason'> & {
    readonly decidedBy?: string | undefined;
  },
): Promise<Investigation> {
  const investigation = await client.decide(approvalId, { ...decision, decidedBy, actionDigest }, cli.signal);
  cli.terminal.print(renderDecided(investigation, pageOf(cli)));
  return investigation;
}

function exitOfAction({ actionOutcome }: Investigation): ExitCode {
  const status = actionOutcome?.status;
  return status === 'failed' || status === 'unknown' ? EXIT.failure : EXIT.ok;
}

async function findPendingApproval(client: ApiClient, id: string, signal: AbortSignal): Promise<Approval> {
  const { approvals } = await client.listApprovals({}, signal);
  const pending = approvals.find((each) => [each.approvalId, each.incidentId, each.investigationId].includes(id));
  if (pending) return pending;
  const { approval, status } = await client.getInvestigation(id, signal);
  if (approval?.decision) {
    throw new InputError(`Already decided. ${describeDecision(approval)}`, { code: 'conflict' });
  }
  const why =
    status === 'running'
      ? 'its investigation is still running'
      : 'its investigation proposed nothing that needs approval';
  throw new InputError(`${id} waits for no decision: ${why}.`, { code: 'conflict' });
}

function renderDecided(raw: Investigation, page: Page): string {
  const { remediation, ...rest } = plainCopy(raw);
  const { approval } = rest;
  const action = remediation ? [`${actionPhrase(remediation)}.`] : [];
  return [
    ...paragraph(page, [...action, approval ? describeDecision(approval) : ''].join(' ')),
    ...renderOutcome(rest, page),
  ].join('\n');
}
