/** `inquest rules [list|accept|revoke]`: what is kept quiet, what waits to be, and people's decisions on it. */
import type { Command } from 'commander';
import { joinHost, pageOf, type RunWork } from '../cli.ts';
import { EXIT } from '../exit-codes.ts';
import { renderRule, renderRules } from '../render-rules.ts';
import { AS_OPTION, speakerOf } from '../speaker.ts';

export function addRulesCommand(program: Command, run: RunWork): void {
  const rules = program.command('rules').description('rules about noise: list them, accept or revoke one');
  rules
    .command('list', { isDefault: true })
    .description('list the rules with what each has hidden, the newest first')
    .action(() =>
      run(async (cli) => {
        const { client } = await joinHost(cli);
        const answer = await client.listRules(cli.signal);
        cli.terminal.printJson(answer);
        cli.terminal.print(renderRules(answer.rules, pageOf(cli)));
        return EXIT.ok;
      }),
    );
  addDecision(rules, run, 'accept', 'put a proposed rule in force for 30 days', (client) => client.acceptRule);
  addDecision(rules, run, 'revoke', 'take a rule out of force, or withdraw a proposal', (client) => client.revokeRule);
}

type Client = Awaited<ReturnType<typeof joinHost>>['client'];

function addDecision(
  rules: Command,
  run: RunWork,
  name: 'accept' | 'revoke',
  description: string,
  callOf: (client: Client) => Client['acceptRule'],
): void {
  rules
    .command(name)
    .description(description)
    .argument('<id>', 'the rule')
    .option('--reason <text>', 'why, for the record', '')
    .option(...AS_OPTION)
    .action((id: string, { reason, as }: { reason: string; as?: string }) =>
      run(async (cli) => {
        const by = speakerOf(cli, as);
        const { client } = await joinHost(cli);
        const rule = await callOf(client)(id, { reason, by }, cli.signal);
        cli.terminal.printJson(rule);
        cli.terminal.print(renderRule(rule, pageOf(cli)));
        return EXIT.ok;
      }),
    );
}
