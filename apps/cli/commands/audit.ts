/** `inquest audit list|verify|export`: who did what and why, whether that record is whole, and a copy of it to keep elsewhere. */
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { type Command, InvalidArgumentError } from 'commander';
import type { ApiClient } from '../../../api/api-client.ts';
import { type AuditRecord, type AuditVerification, createChainReader } from '../../../domain/audit.ts';
import { errorMessage, InputError } from '../../../platform/errors.ts';
import { joinHost, pageOf, type RunWork } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { plainJson } from '../plain-text.ts';
import { readAuditFile } from '../read-audit-file.ts';
import { renderAuditRecords, renderAuditVerification } from '../render-audit.ts';
import { countOf } from '../words.ts';

const PAGE_ENTRIES = 1_000;
const DEFAULT_LIMIT = 50;

interface ListOptions {
  readonly limit: number;
  readonly kind?: string;
  readonly subject?: string;
}

export function addAuditCommand(program: Command, run: RunWork): void {
  const audit = program.command('audit').description('who did what and why: list, verify or export the audit log');
  audit
    .command('list')
    .description('list the newest entries')
    .option('--limit <count>', 'so many at most', readCount, DEFAULT_LIMIT)
    .option('--kind <kind>', 'only this kind, or those that begin with it: action, approval.decided')
    .option('--subject <id>', 'only of this incident or investigation')
    .addHelpText(
      'after',
      `
Examples:
  inquest audit list --kind approval
  inquest audit list --subject inc_06bq3s9x0e2k7m --limit 200`,
    )
    .action((options: ListOptions) =>
      run(async (cli) => {
        const { client } = await joinHost(cli);
        const entries = await findNewest(client, options, cli.signal);
        cli.terminal.printJson({ entries });
        cli.terminal.print(renderAuditRecords(entries, pageOf(cli)));
        return EXIT.ok;
      }),
    );
  audit
    .command('verify')
    .description('check that no entry was edited, taken out, put in or cut off')
    .option('--file <path>', 'an exported log instead of the host: needs no host')
    .option('--hash <hash>', 'what the last entry must have as its hash, as noted before')
    .addHelpText(
      'after',
      `
The host compares the chain with its head, kept under a key outside the database. A file
shows only that it is a chain: note the last hash when you export it, and give it with --hash.

Examples:
  inquest audit verify
  inquest audit verify --file audit.jsonl --hash 3f1c...`,
    )
    .action((options: { file?: string; hash?: string }) =>
      run(async (cli) => {
        const found =
          options.file === undefined
            ? await (await joinHost(cli)).client.verifyAudit(cli.signal)
            : await readAuditFile(options.file, cli.signal);
        const verification = expectHash(found, options.hash);
        cli.terminal.printJson(verification);
        cli.terminal.print(renderAuditVerification(verification, pageOf(cli), { isFile: options.file !== undefined }));
        return exitOf(verification.whole);
      }),
    );
  audit
    .command('export')
    .description('write all entries as JSON lines, verifiable without Inquest or its host')
    .argument('<file>', 'where to; - is stdout')
    .action((file: string) =>
      run(async (cli) => {
        if (file === '-' && cli.terminal.json) throw new InputError('export - writes JSON lines: leave --json out.');
        const { client } = await joinHost(cli);
        const chain = createChainReader();
        let entries = 0;
        let whole = true;
        const lines = async function* (): AsyncGenerator<string> {
          for await (const record of readAll(client, cli.signal)) {
            entries += 1;
            whole = chain.read(record) === undefined && whole;
            yield `${plainJson(record)}\n`;
          }
        };
        if (file === '-') for await (const line of lines()) cli.terminal.print(line.trimEnd());
        else await writeLines(file, lines(), cli.signal);
        const last = chain.last();
        cli.terminal.printJson({ file, entries, whole, last });
        cli.terminal.note(`${countOf(entries, 'entry', 'entries')} exported; the last has the hash ${last.hash}`);
        if (!whole) cli.terminal.note('The log is broken, and so is the copy: "inquest audit verify" says where.');
        return exitOf(whole);
      }),
    );
}

function readCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('A whole number from 1 on.');
  return count;
}

const exitOf = (whole: boolean): ExitCode => (whole ? EXIT.ok : EXIT.auditBroken);

/** The newest that match, in their order. */
async function findNewest(client: ApiClient, options: ListOptions, signal: AbortSignal): Promise<AuditRecord[]> {
  const found: AuditRecord[] = [];
  let page = (await client.listAudit({ limit: PAGE_ENTRIES }, signal)).entries;
  for (;;) {
    found.unshift(...page.filter((record) => isWanted(record, options)));
    const first = page[0]?.sequence ?? 0;
    if (found.length >= options.limit || first <= 1) return found.slice(-options.limit);
    const fromSequence = Math.max(1, first - PAGE_ENTRIES);
    const { entries } = await client.listAudit({ fromSequence, limit: first - fromSequence }, signal);
    page = entries.filter(({ sequence }) => sequence < first);
    if (page.length === 0) return found.slice(-options.limit);
  }
}

/** What cannot be read is shown whatever is asked for: it may be just that. */
function isWanted(record: AuditRecord, { kind, subject }: ListOptions): boolean {
  if ('unreadable' in record) return true;
  const isKind = kind === undefined || record.kind === kind || record.kind.startsWith(`${kind}.`);
  return isKind && (subject === undefined || record.subject === subject);
}

async function* readAll(client: ApiClient, signal: AbortSignal): AsyncGenerator<AuditRecord> {
  let next: number | undefined = 1;
  while (next !== undefined) {
    const fromSequence: number = next;
    const { entries } = await client.listAudit({ fromSequence, limit: PAGE_ENTRIES }, signal);
    yield* entries;
    const after = (entries.at(-1)?.sequence ?? 0) + 1;
    next = entries.length >= PAGE_ENTRIES ? after : undefined;
  }
}

async function writeLines(file: string, lines: AsyncIterable<string>, signal: AbortSignal): Promise<void> {
  try {
    await pipeline(lines, createWriteStream(file, { mode: 0o600 }), { signal });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    throw new InputError(`${file} cannot be written: ${errorMessage(error)}.`, { cause: error });
  }
}

function expectHash(verification: AuditVerification, hash: string | undefined): AuditVerification {
  const { last, problems } = verification;
  if (hash === undefined || hash.toLowerCase() === last.hash) return verification;
  const problem = `its hash is not the expected ${hash}: entries were cut off, or it is another log`;
  return { ...verification, whole: false, problems: [...problems, { sequence: last.sequence, problem }] };
}
