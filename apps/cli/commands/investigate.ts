/** `inquest investigate`: follows the investigation of an incident, or opens one for a service and a span of time. */
import type { Command } from 'commander';
import type { OpenIncidentInput } from '../../../api/api-shapes.ts';
import { parseInstantMs, type TimeWindow } from '../../../domain/time-window.ts';
import { errorMessage, InputError } from '../../../platform/errors.ts';
import { joinHost, pageOf, type RunWork } from '../cli.ts';
import { renderReport } from '../render-report.ts';
import { exitOfInvestigation, watchInvestigation } from '../watch-investigation.ts';

export interface InvestigateOptions {
  readonly service?: string;
  readonly since?: string;
  readonly until?: string;
  readonly baseline?: string;
  readonly title?: string;
}

/** How much time before `--since` is searched for normal time when no baseline is given, at least. */
const LOOKBACK_MS = 60 * 60_000;

const EXAMPLES = `
Examples:
  inquest investigate inc_06bq3s9x0e2k7m
  inquest investigate --service checkout --since 15m
  inquest investigate --service checkout --since 10:30 --until 10:50 --baseline 2h..1h
Times: 15m (ago), 10:30 (UTC), 2026-01-31T10:30:00Z, epoch seconds, now.`;

export function addInvestigateCommand(program: Command, run: RunWork): void {
  program
    .command('investigate')
    .description('investigate an incident, or what has been wrong since a point in time')
    .argument('[incident]', 'an incident that is open (see: inquest incidents)')
    .option('--service <name>', 'where it was noticed')
    .option('--since <time>', 'when the trouble began, or a little before: no onset is looked for earlier')
    .option('--until <time>', 'end of the trouble (default: now)')
    .option('--baseline <from..to>', 'known-good time (default: the investigation finds it)')
    .option('--title <text>', 'what to call the incident')
    .addHelpText('after', EXAMPLES)
    .action((incident: string | undefined, options: InvestigateOptions) =>
      run(async (cli) => {
        const input = incident === undefined ? readOpenIncident(options, cli.clock.nowMs()) : refuseOptions(options);
        const { client } = await joinHost(cli);
        const id = input ? (await client.openIncident(input, cli.signal)).incident.incidentId : incident;
        const investigation = await watchInvestigation(cli, client, id ?? '');
        cli.terminal.printJson(investigation);
        cli.terminal.print(renderReport(investigation, pageOf(cli)));
        return exitOfInvestigation(investigation);
      }),
    );
}

function refuseOptions(options: InvestigateOptions): undefined {
  const [given] = Object.keys(options);
  if (given === undefined) return undefined;
  throw new InputError(`--${given} says where and when to look, and so does the incident: give one of them.`);
}

/** What to look at; throws InputError for anything that is not a span of time in the past. */
export function readOpenIncident(options: InvestigateOptions, nowMs: number): OpenIncidentInput {
  const { service = '', title = '', since, until = 'now', baseline } = options;
  if (since === undefined) {
    throw new InputError(
      'Say which incident (inquest incidents lists them) or since when: --service checkout --since 15m.',
    );
  }
  const trouble = readWindow(since, until, nowMs, '--since', '--until');
  const baselineWindow = baseline === undefined ? undefined : readBaseline(baseline, nowMs);
  if (baselineWindow && baselineWindow.endMs > trouble.startMs) {
    throw new InputError(
      `--baseline ${baseline ?? ''} reaches into the trouble that began at --since ${since}: it must end before.`,
    );
  }
  const lookbackMs = Math.max(LOOKBACK_MS, 2 * (trouble.endMs - trouble.startMs));
  const startMs = Math.min(baselineWindow?.startMs ?? trouble.startMs - lookbackMs, trouble.startMs);
  return {
    service,
    title,
    searchWindow: { startMs: Math.max(0, startMs), endMs: trouble.endMs },
    ...(baselineWindow ? { baselineWindow } : {}),
    earliestOnsetMs: trouble.startMs,
  };
}

function readBaseline(text: string, nowMs: number): TimeWindow {
  const [from, to, ...more] = text.split('..');
  if (!from || !to || more.length > 0) {
    throw new InputError(`--baseline "${text}" is not a span of time: write 2h..1h or 09:00..10:00.`);
  }
  return readWindow(from, to, nowMs, '--baseline from', '--baseline to');
}

function readWindow(from: string, to: string, nowMs: number, fromName: string, toName: string): TimeWindow {
  const startMs = readInstant(from, nowMs, fromName);
  const endMs = readInstant(to, nowMs, toName);
  if (endMs <= startMs) throw new InputError(`${toName} ${to} is not after ${fromName} ${from}.`);
  return { startMs, endMs };
}

function readInstant(text: string, nowMs: number, name: string): number {
  let atMs: number;
  try {
    atMs = parseInstantMs(text, nowMs);
  } catch (error) {
    throw new InputError(`${name} ${errorMessage(error)}`, { cause: error });
  }
  if (atMs > nowMs + 60_000) throw new InputError(`${name} ${text} lies in the future.`);
  return Math.min(atMs, nowMs);
}
