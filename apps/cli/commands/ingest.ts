/** `inquest ingest FILE...`: sends files that a Collector's file exporter wrote to the host, line by line, as OTLP. */
import type { Command } from 'commander';
import { checkOtlpFile, readOtlpFile } from '../../../ingest/otlp-file.ts';
import { retry } from '../../../platform/retry.ts';
import { type Cli, joinHost, pageOf, type RunWork } from '../cli.ts';
import { EXIT } from '../exit-codes.ts';
import { bullet, type Page, paragraph } from '../page.ts';
import { plainCopy } from '../plain-text.ts';
import { type OtlpTarget, postOtlp } from '../post-otlp.ts';
import { countOf, formatCount, formatDuration } from '../words.ts';

/** What became of one file. */
export interface IngestedFile {
  readonly file: string;
  /** Requests (lines) that were stored, in whole or in part. */
  requests: number;
  bytes: number;
  /** Records that the host refused one by one inside stored requests. */
  rejectedRecords: number;
  /** Lines that were not stored at all. */
  badLines: number;
  seconds: number;
  /** The first few things that went wrong, with their lines. */
  readonly problems: string[];
}

const MAX_PROBLEMS = 10;
const NOTE_EVERY_MS = 2_000;

export function addIngestCommand(program: Command, run: RunWork): void {
  program
    .command('ingest')
    .description("store OTLP/JSON files as the OpenTelemetry Collector's file exporter writes them (also .gz, .zst)")
    .argument('<file...>', 'files, in the order they are to be stored')
    .action((files: string[]) =>
      run(async (cli) => {
        // A slip of the pen costs nothing: no host is started, no other file is sent.
        for (const file of files) await checkOtlpFile(file);
        const { url, token } = await joinHost(cli);
        const ingested: IngestedFile[] = [];
        for (const file of files) ingested.push(await ingestFile(cli, file, { url, token, signal: cli.signal }));
        cli.terminal.printJson({ files: ingested });
        cli.terminal.print(renderIngested(ingested, pageOf(cli)));
        return ingested.some(({ badLines, rejectedRecords }) => badLines + rejectedRecords > 0)
          ? EXIT.failure
          : EXIT.ok;
      }),
    );
}

async function ingestFile({ terminal, signal }: Cli, file: string, target: OtlpTarget): Promise<IngestedFile> {
  const ingested: IngestedFile = {
    file,
    requests: 0,
    bytes: 0,
    rejectedRecords: 0,
    badLines: 0,
    seconds: 0,
    problems: [],
  };
  const startedMs = performance.now();
  let notedMs = startedMs;
  for await (const line of readOtlpFile(file, signal)) {
    if ('problem' in line) {
      noteProblem(ingested, `line ${line.line}: ${line.problem}`, 1);
    } else {
      await sendLine(ingested, line, target);
    }
    ingested.seconds = (performance.now() - startedMs) / 1000;
    if (performance.now() - notedMs > NOTE_EVERY_MS) {
      notedMs = performance.now();
      terminal.note(`${file}: ${countOf(ingested.requests, 'request')} so far`);
    }
  }
  return ingested;
}

async function sendLine(
  ingested: IngestedFile,
  { line, path, body }: { line: number; path: string; body: string },
  target: OtlpTarget,
): Promise<void> {
  const attempt = () => postOtlp(path, body, target);
  const outcome = await retry(attempt, { attempts: 6, baseDelayMs: 250, maxDelayMs: 4_000, signal: target.signal });
  if (outcome.kind === 'refused') {
    noteProblem(ingested, `line ${line}: ${outcome.reason}`, 1);
    return;
  }
  ingested.requests += 1;
  ingested.bytes += Buffer.byteLength(body);
  ingested.rejectedRecords += outcome.rejected;
  if (outcome.rejected > 0) {
    noteProblem(ingested, `line ${line}: ${countOf(outcome.rejected, 'record')} refused: ${outcome.reason}`, 0);
  }
}

function noteProblem(ingested: IngestedFile, problem: string, badLines: number): void {
  ingested.badLines += badLines;
  if (ingested.problems.length < MAX_PROBLEMS) ingested.problems.push(problem);
}

/** Pure. */
export function renderIngested(raw: readonly IngestedFile[], page: Page): string {
  return plainCopy(raw)
    .flatMap(({ file, requests, bytes, seconds, rejectedRecords, badLines, problems }) => {
      const rate = seconds > 0 ? `, ${(bytes / 1e6 / seconds).toFixed(1)} MB/s` : '';
      const stored = `${file}: stored ${countOf(requests, 'request')} (${(bytes / 1e6).toFixed(1)} MB) in ${formatDuration(seconds * 1000)}${rate}`;
      const lost = [
        ...(rejectedRecords > 0 ? [`${countOf(rejectedRecords, 'record')} refused`] : []),
        ...(badLines > 0 ? [`${countOf(badLines, 'line')} not stored`] : []),
      ];
      const more =
        badLines > problems.length ? bullet(page, `and ${formatCount(badLines - problems.length)} more`) : [];
      const sentence = [stored, ...lost].join('; ');
      return [...paragraph(page, `${sentence}.`), ...problems.flatMap((problem) => bullet(page, problem)), ...more];
    })
    .join('\n');
}
