/** The demo's incident: a shop's normal past, a fault in its present, and detection looking on until it sees it. */

import type { JoinedHost } from '../../api/join-or-start-host.ts';
import type { Incident } from '../../domain/incident.ts';
import { formatClock } from '../../domain/time-window.ts';
import type { FaultKind } from '../../simulator/faults/fault-kinds.ts';
import { describeTruth, type GroundTruth } from '../../simulator/ground-truth.ts';
import type { SimulationOptions } from '../../simulator/simulation-options.ts';
import type { Cli } from './cli.ts';
import { describeRate, describeTotals, type FeedOptions, type FeedTotals, feedShop } from './feed-shop.ts';
import { countOf, formatDuration } from './words.ts';

export interface StagedIncident {
  readonly incident: Incident;
  readonly truth: GroundTruth;
}

/** Amounts that show what is normal and keep a demo under a minute on two cores. */
const HISTORY_MS = 45 * 60_000;
const REQUESTS_PER_SECOND = 8;
const HISTORY_BATCH_SECONDS = 60;
/** Short batches: detection looks on after each. */
const PRESENT_BATCH_SECONDS = 5;
const STEP_MS = 10_000;
/** The part with the fault begins so long before the present: a rollout may precede its first victim by minutes. */
const PRELUDE_MS = 6 * 60_000;
/** Age of the fault when the present is reached. */
const HEAD_START_MS = 60_000;
/** How old the fault may grow unseen. */
const PATIENCE_MS = 105_000;

/** Feeds the host and resolves with the incident that detection opened, or one opened by hand when it saw nothing. */
export async function stageIncident(
  cli: Cli,
  host: JoinedHost,
  { fault, seed }: { readonly fault: FaultKind; readonly seed: number },
): Promise<StagedIncident> {
  const { terminal, clock } = cli;
  const startedMs = Math.floor(clock.nowMs() / STEP_MS) * STEP_MS;
  const shop = { seed, requestsPerSecond: REQUESTS_PER_SECOND, decoysAroundMs: startedMs };
  const turnMs = startedMs - PRELUDE_MS;

  terminal.note(
    `A simulated shop, seed ${seed}: its last ${formatDuration(HISTORY_MS + PRELUDE_MS)} go in through OTLP/HTTP ...`,
  );
  const past = { ...shop, startMs: turnMs - HISTORY_MS, endMs: turnMs, batchSeconds: HISTORY_BATCH_SECONDS };
  noteTotals(cli, await feed(cli, host, past));

  const onsetMs = clock.nowMs() - HEAD_START_MS;
  terminal.note(
    `Something breaks at ${formatClock(onsetMs)} UTC: ${fault}, with innocent changes around it. Detection looks on:`,
  );
  const present = {
    ...shop,
    startMs: turnMs,
    endMs: onsetMs + PATIENCE_MS,
    batchSeconds: PRESENT_BATCH_SECONDS,
    fault: { kind: fault, onsetMs },
  };
  let incident: Incident | undefined;
  const totals = await feed(cli, host, present, async ({ endMs }) => {
    if (endMs <= clock.nowMs()) return false;
    incident = await detect(cli, host, onsetMs);
    return incident !== undefined;
  });
  noteTotals(cli, totals);
  incident ??= await openByHand(cli, host, present.startMs - HISTORY_MS);
  return { incident, truth: describeTruth(present) };
}

function feed(
  { clock, signal }: Cli,
  { url, token }: JoinedHost,
  simulation: SimulationOptions,
  isEnough?: FeedOptions['isEnough'],
): Promise<FeedTotals> {
  return feedShop({ simulation, target: { url, token }, clock, signal, ...(isEnough ? { isEnough } : {}) });
}

function noteTotals({ terminal }: Cli, totals: FeedTotals): void {
  terminal.note(`  sent ${describeTotals(totals)} ${describeRate(totals)}`);
}

async function detect(
  { terminal, clock, signal }: Cli,
  { client }: JoinedHost,
  onsetMs: number,
): Promise<Incident | undefined> {
  await client.scan(signal);
  // The host also scans by itself: it may have been faster than this call.
  const { incidents } = await client.listIncidents(signal);
  const incident = incidents.find(({ source, openedAtMs }) => source === 'detection' && openedAtMs >= onsetMs);
  const age = formatDuration(clock.nowMs() - onsetMs);
  if (!incident) {
    terminal.note(`  ${formatClock(clock.nowMs())}  nothing unusual, ${age} after the fault`);
    return undefined;
  }
  const { incidentId, title, anomalies } = incident;
  terminal.note(`  ${formatClock(clock.nowMs())}  ${incidentId} opened, ${age} after the fault: ${title}`);
  terminal.note(`  ${countOf(anomalies.length, 'anomaly agrees', 'anomalies agree')}; nobody set a threshold.`);
  return incident;
}

async function openByHand(
  { terminal, clock, signal }: Cli,
  { client }: JoinedHost,
  startMs: number,
): Promise<Incident> {
  terminal.note('  Detection saw nothing: a miss. Opening an incident by hand, as a person would.');
  const searchWindow = { startMs, endMs: clock.nowMs() };
  const { incident } = await client.openIncident({ title: 'Something is wrong in the shop', searchWindow }, signal);
  return incident;
}
