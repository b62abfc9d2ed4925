/** `inquest simulate`: a seeded shop that sends OTLP to a host, past time first and fast, then as time passes. */
import type { Command } from 'commander';
import { parseDurationMs } from '../../../domain/time-window.ts';
import { InputError } from '../../../platform/errors.ts';
import type { FaultKind } from '../../../simulator/faults/fault-kinds.ts';
import type { SimulationOptions } from '../../../simulator/simulation-options.ts';
import { type Cli, joinHost, type RunWork } from '../cli.ts';
import { EXIT } from '../exit-codes.ts';
import { describeRate, describeTotals, type FeedTotals, feedShop } from '../feed-shop.ts';
import { faultOption, readPositive, readSeed } from '../read-numbers.ts';
import { formatClock, formatDuration } from '../words.ts';

export interface SimulateOptions {
  readonly fault?: FaultKind;
  readonly faultAfter: string;
  readonly seed: number;
  readonly rate: number;
  readonly minutes: number;
  readonly history: string;
  readonly decoys?: true;
  readonly fast?: true;
  readonly url?: string;
  readonly token?: string;
}

const NOTE_EVERY_MS = 5_000;

export function addSimulateCommand(program: Command, run: RunWork): void {
  program
    .command('simulate')
    .description('send the telemetry of a simulated shop to the host')
    .addOption(faultOption('break something (default: nothing breaks)'))
    .option('--fault-after <duration>', 'from the end of the history to the fault', '1m')
    .option('--seed <number>', 'the same seed gives the same shop', readSeed, 1)
    .option('--rate <number>', 'user requests a second at average load', readPositive, 5)
    .option('--minutes <number>', 'how long it runs after the history', readPositive, 10)
    .option('--history <duration>', 'past time that is sent first, as fast as the host takes it', '45m')
    .option('--decoys', 'innocent changes around the fault')
    .option('--fast', 'do not wait for time to pass: everything lies in the past and ends now')
    .option('--url <url>', 'OTLP/HTTP endpoint of another receiver (default: the host of the data directory)')
    .option('--token <token>', 'bearer token for --url')
    .action((options: SimulateOptions) =>
      run(async (cli) => {
        const simulation = readSimulation(options, cli.clock.nowMs());
        const target = await targetOf(cli, options);
        const totals = await feed(cli, simulation, target);
        cli.terminal.printJson({ seed: options.seed, fault: simulation.fault ?? null, ...totals });
        cli.terminal.print(`Sent ${describeTotals(totals)} ${describeRate(totals)}.`);
        return totals.rejected > 0 ? EXIT.failure : EXIT.ok;
      }),
    );
}

/** Where the simulated time lies; throws InputError. */
export function readSimulation(options: SimulateOptions, nowMs: number): SimulationOptions {
  const historyMs = parseDurationMs(options.history);
  const faultAfterMs = parseDurationMs(options.faultAfter);
  const runMs = options.minutes * 60_000;
  if (options.fault && faultAfterMs >= runMs) {
    throw new InputError(`--fault-after ${options.faultAfter} is not before the end of --minutes ${options.minutes}.`);
  }
  const turnMs = nowMs - (options.fast ? runMs : 0);
  return {
    seed: options.seed,
    startMs: turnMs - historyMs,
    endMs: turnMs + runMs,
    requestsPerSecond: options.rate,
    ...(options.fault ? { fault: { kind: options.fault, onsetMs: turnMs + faultAfterMs } } : {}),
    ...(options.decoys ? { decoys: true, decoysAroundMs: turnMs + faultAfterMs } : {}),
  };
}

async function targetOf(cli: Cli, { url, token }: SimulateOptions): Promise<{ url: string; token?: string }> {
  if (url === undefined) return joinHost(cli);
  if (!URL.canParse(url)) throw new InputError(`--url "${url}" is not an address: write http://127.0.0.1:4318.`);
  return { url, ...(token === undefined ? {} : { token }) };
}

function feed(cli: Cli, simulation: SimulationOptions, target: { url: string; token?: string }): Promise<FeedTotals> {
  const { terminal, clock, signal } = cli;
  const spanText = formatDuration(simulation.endMs - simulation.startMs);
  terminal.note(`Sending ${spanText} of a simulated shop, seed ${simulation.seed}, to ${target.url}. Ctrl-C ends it.`);
  let notedMs = performance.now();
  return feedShop({
    simulation,
    target,
    clock,
    signal,
    onBatch: (totals, batch) => {
      if (performance.now() - notedMs < NOTE_EVERY_MS) return;
      notedMs = performance.now();
      terminal.note(`until ${formatClock(batch.endMs)}: ${describeTotals(totals)} ${describeRate(totals)}`);
    },
  });
}
