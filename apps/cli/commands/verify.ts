/** `inquest verify ID`: every query behind an incident, an investigation or one piece of evidence, run again. */
import type { Command } from 'commander';
import type { Verification } from '../../../api/api-shapes.ts';
import type { VerificationStatus } from '../../../domain/evidence.ts';
import { joinHost, pageOf, type RunWork } from '../cli.ts';
import { EXIT } from '../exit-codes.ts';
import { cell } from '../layout.ts';
import { labelled, type Page, paragraph } from '../page.ts';
import { plainCopy } from '../plain-text.ts';
import { countOf, shortenInstants } from '../words.ts';

export function addVerifyCommand(program: Command, run: RunWork): void {
  program
    .command('verify')
    .description('run the queries behind a verdict again: holds, drifted or gone')
    .argument('<id>', 'incident, investigation or evidence')
    .action((id: string) =>
      run(async (cli) => {
        const { client } = await joinHost(cli);
        const answer = await client.verify(id, cli.signal);
        cli.terminal.printJson(answer);
        cli.terminal.print(renderVerifications(answer.verifications, pageOf(cli)));
        return answer.verifications.every(({ status }) => status === 'holds') ? EXIT.ok : EXIT.evidenceChanged;
      }),
    );
}

/** One entry for each piece of evidence, what changed first. Pure. */
export function renderVerifications(raw: readonly Verification[], page: Page): string {
  const order: readonly VerificationStatus[] = ['gone', 'drifted', 'holds'];
  const verifications = [...plainCopy(raw, (text) => shortenInstants(text, ''))].sort(
    (left, right) => order.indexOf(left.status) - order.indexOf(right.status),
  );
  const paint = { holds: page.palette.good, drifted: page.palette.warn, gone: page.palette.bad };
  const lines = verifications.flatMap(({ evidenceId, status, summary, tool, queries }) => {
    const [first = '', ...rest] = labelled(page, '', `${summary} (${tool})`, 24);
    const head = `  ${paint[status](cell(status, 7))} ${evidenceId}`;
    const mark = `${head}${first.slice(2 + 7 + 1 + evidenceId.length)}`;
    return [mark, ...rest, ...(status === 'holds' ? [] : queries.flatMap((query) => difference(query, page)))];
  });
  return [...lines, '', ...paragraph(page, summarise(verifications))].join('\n');
}

/** What a query answered then and what it answers now. */
function difference({ before, after }: Verification['queries'][number], page: Page): string[] {
  if (before.digest === after.digest) return [];
  const text = `${countOf(before.rowCount, 'row')} then (${before.digest.slice(0, 8)}), ${countOf(after.rowCount, 'row')} now (${after.digest.slice(0, 8)})`;
  return labelled(page, '', text, 24).map(page.palette.faint);
}

function summarise(verifications: readonly Verification[]): string {
  if (verifications.length === 0) return 'There is no evidence to verify.';
  const count = (wanted: VerificationStatus) => verifications.filter(({ status }) => status === wanted).length;
  if (count('holds') === verifications.length) {
    return `All ${countOf(verifications.length, 'piece')} of evidence hold: the same queries give the same rows.`;
  }
  return `${countOf(count('holds'), 'piece')} of evidence hold, ${count('drifted')} drifted (other rows now), ${count('gone')} gone (no rows any more).`;
}
