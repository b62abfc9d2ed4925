/** The supervisor's first step: which stretch of telemetry holds the trouble, where its onset may lie, and who calls whom. */
import type { Evidence } from '../domain/evidence.ts';
import type { Incident } from '../domain/incident.ts';
import type { OnsetGrid, Scope } from '../domain/investigation.ts';
import { formatInstant, type TimeWindow } from '../domain/time-window.ts';
import { InputError, UnavailableError } from '../platform/errors.ts';
import { getCoverage } from '../tools/read/get-coverage.ts';
import { getServiceGraph } from '../tools/read/get-service-graph.ts';
import { rankErrorOrigins } from '../tools/read/rank-error-origins.ts';
import { rankSlowdowns } from '../tools/read/rank-slowdowns.ts';
import { runTool, type ToolContext } from '../tools/tool.ts';

const STEP_SECONDS = 20;
/** Finer grids cost more and let chance pick among more candidates. */
const MAX_CANDIDATES = 45;
/** A hole in a signal longer than this ends a stretch: before it nothing is known about how the trouble began. */
const HOLE_SECONDS: Readonly<Record<string, number>> = { traces: 45, logs: 45, metrics: 180 };
/** A signal that ended longer than this before the search does was not observing any more. */
const STALE_MS = 600_000;
/** Normal time that must lie before the first candidate. */
const LEAST_NORMAL_MS = 60_000;
/** Trouble must be seen for this long to be judged. */
const LEAST_TROUBLE_MS = 30_000;
/** Metrics alone do not say which of a day's excursions is meant: it is looked for at the end. */
const METRICS_ONLY_MS = 900_000;
/** Who calls whom is read from at most this much of what was heard last. */
const CALLS_WINDOW_MS = 3_600_000;

export interface Located {
  readonly scope: Scope;
  readonly evidence: readonly Evidence[];
}

/** Throws UnavailableError when the engine is away. Where there is no telemetry the grid is one arbitrary instant: agents say what is missing. */
export async function locateTrouble(incident: Incident, context: ToolContext): Promise<Located> {
  const whole = {
    startMs: Math.min(incident.searchWindow.startMs, incident.baselineWindow?.startMs ?? incident.searchWindow.startMs),
    endMs: incident.searchWindow.endMs,
  };
  const coverage = await readCoverage(whole, context);
  const stretch = lastStretch(coverage, whole);
  const coarse = chooseGrid(incident, stretch, whole);
  const { onsets, evidence } = await refine(coarse, whole, context);
  const heardUntilMs = stretch?.endMs ?? whole.endMs;
  const calls = await readCalls(
    { startMs: Math.max(whole.startMs, heardUntilMs - CALLS_WINDOW_MS), endMs: heardUntilMs },
    context,
  );
  const all = [...coverage.evidence, ...evidence, calls.evidence];
  return {
    scope: {
      window: { startMs: onsets.firstMs, endMs: whole.endMs },
      baseline: { startMs: Math.min(whole.startMs, onsets.firstMs - 1), endMs: onsets.firstMs },
      onsetMs: incident.onsetMs ?? onsets.firstMs,
      onsetGrid: onsets,
      onsetReason: describeGrid(onsets, incident),
      calls: calls.output,
      evidenceIds: all.map(({ evidenceId }) => evidenceId),
    },
    evidence: all,
  };
}

type Asked<Output> = { readonly output: Output; readonly evidence: Evidence };

async function ask<Output>(
  outcome: ({ ok: true } & Asked<Output>) | { ok: false; error: { code: string; message: string } },
): Promise<Asked<Output>> {
  if (outcome.ok) return outcome;
  const { code, message } = outcome.error;
  throw code === 'unavailable' ? new UnavailableError(message) : new InputError(message);
}

/** undefined where the question was too large to be answered in time: there is a coarser answer. */
async function askIfBearable<Output>(outcome: Parameters<typeof ask<Output>>[0]): Promise<Asked<Output> | undefined> {
  return !outcome.ok && outcome.error.code === 'limit-exceeded' ? undefined : await ask(outcome);
}

/** Steps of one coverage read. */
const MAX_STEPS = 1_500;
const FINE_STEP_SECONDS = 10;

type Ranges = readonly TimeWindow[];

interface Coverage {
  readonly evidence: readonly Evidence[];
  /** Observed ranges of a signal, over everything in coarse steps and near the end in fine ones. */
  ranges(signal: string): { readonly coarse: Ranges; readonly fine: Ranges };
}

async function readCoverage(whole: TimeWindow, context: ToolContext): Promise<Coverage> {
  const fineMs = MAX_STEPS * FINE_STEP_SECONDS * 1000;
  const end = { startMs: Math.max(whole.startMs, whole.endMs - fineMs), endMs: whole.endMs };
  const coarseSeconds = Math.max(FINE_STEP_SECONDS, Math.ceil((whole.endMs - whole.startMs) / 1000 / MAX_STEPS));
  const coarse = await ask(await runTool(getCoverage, { window: whole, stepSeconds: coarseSeconds }, context));
  const isFine = coarseSeconds <= FINE_STEP_SECONDS;
  const fine = isFine
    ? coarse
    : await ask(await runTool(getCoverage, { window: end, stepSeconds: FINE_STEP_SECONDS }, context));
  const rangesOf = (asked: typeof coarse, signal: string) =>
    asked.output.signals.find((one) => one.signal === signal)?.observedRanges ?? [];
  return {
    evidence: isFine ? [coarse.evidence] : [coarse.evidence, fine.evidence],
    ranges: (signal) => ({ coarse: rangesOf(coarse, signal), fine: rangesOf(fine, signal) }),
  };
}

/** An unbroken stretch of one signal at the end, and how much of that signal was observed before it. */
interface Stretch extends TimeWindow {
  readonly signal: string;
  readonly observedBeforeMs: number;
}

/**
 * The last unbroken stretch of traces; of logs, or else metrics, where there are no traces at the end. Where everything fell
 * silent: of what was heard last.
 */
function lastStretch(coverage: Coverage, whole: TimeWindow): Stretch | undefined {
  const stretches = ['traces', 'logs', 'metrics'].flatMap((signal) => stretchOf(signal, coverage) ?? []);
  const [heardLast] = [...stretches].sort((left, right) => right.endMs - left.endMs);
  return stretches.find(({ endMs }) => endMs >= whole.endMs - STALE_MS) ?? heardLast;
}

function stretchOf(signal: string, coverage: Coverage): Stretch | undefined {
  const { coarse, fine } = coverage.ranges(signal);
  const ranges = fine.length > 0 ? fine : coarse;
  const last = ranges.at(-1);
  if (!last) return undefined;
  let { startMs } = last;
  for (const range of [...ranges].reverse()) {
    if (startMs - range.endMs > (HOLE_SECONDS[signal] ?? 0) * 1000) break;
    startMs = Math.min(startMs, range.startMs);
  }
  const observedBeforeMs = coarse.reduce(
    (sum, range) => sum + Math.max(0, Math.min(range.endMs, startMs) - range.startMs),
    0,
  );
  return { signal, startMs, endMs: last.endMs, observedBeforeMs };
}

function chooseGrid(incident: Incident, stretch: Stretch | undefined, whole: TimeWindow): OnsetGrid {
  if (incident.onsetMs !== undefined)
    return gridBetween(incident.onsetMs - 120_000, incident.onsetMs + 60_000, stretch, whole);
  if (!stretch) return gridBetween(whole.startMs, whole.startMs, stretch, whole);
  const missingNormalMs = Math.max(0, LEAST_NORMAL_MS - stretch.observedBeforeMs);
  const firstMs = Math.max(
    stretch.signal === 'metrics' ? stretch.endMs - METRICS_ONLY_MS : stretch.startMs,
    stretch.startMs + missingNormalMs,
    incident.baselineWindow?.endMs ?? 0,
    incident.earliestOnsetMs ?? 0,
  );
  return gridBetween(firstMs, stretch.endMs, stretch, whole);
}

/** Candidates from `fromMs` to `toMs`, as far as there is normal time before and trouble after them. */
function gridBetween(fromMs: number, toMs: number, stretch: TimeWindow | undefined, whole: TimeWindow): OnsetGrid {
  const lastAllowedMs = Math.min(stretch?.endMs ?? whole.endMs, whole.endMs) - LEAST_TROUBLE_MS;
  const firstMs = Math.max(whole.startMs + 1, Math.min(fromMs, lastAllowedMs));
  const lengthMs = Math.max(0, Math.min(toMs, lastAllowedMs) - firstMs);
  const stepSeconds = Math.max(STEP_SECONDS, Math.ceil(lengthMs / MAX_CANDIDATES / 10_000) * 10);
  return { firstMs, stepSeconds, count: Math.min(MAX_CANDIDATES, Math.floor(lengthMs / (stepSeconds * 1000)) + 1) };
}

/** A coarse grid is replaced by a fine one around the candidate at which time and failures shift most. */
async function refine(
  coarse: OnsetGrid,
  window: TimeWindow,
  context: ToolContext,
): Promise<{ onsets: OnsetGrid; evidence: Evidence[] }> {
  if (coarse.stepSeconds <= STEP_SECONDS) return { onsets: coarse, evidence: [] };
  const question = { window, onsets: coarse };
  const slow = await askIfBearable(await runTool(rankSlowdowns, question, context));
  const failing = await askIfBearable(await runTool(rankErrorOrigins, question, context));
  const [strongest] = [...(slow?.output.slowdowns ?? []), ...(failing?.output.origins ?? [])].sort(
    (left, right) => right.strength - left.strength,
  );
  const evidence = [slow, failing].flatMap((asked) => asked?.evidence ?? []);
  if (!strongest) return { onsets: coarse, evidence };
  const stepMs = coarse.stepSeconds * 1000;
  const firstMs = Math.max(coarse.firstMs, strongest.onsetMs - stepMs);
  const fineSeconds = Math.max(STEP_SECONDS, Math.ceil((2 * stepMs) / MAX_CANDIDATES / 10_000) * 10);
  return {
    onsets: { firstMs, stepSeconds: fineSeconds, count: Math.floor((2 * stepMs) / (fineSeconds * 1000)) + 1 },
    evidence,
  };
}

async function readCalls(window: TimeWindow, context: ToolContext): Promise<Asked<Scope['calls']>> {
  const graph = await ask(await runTool(getServiceGraph, { window }, context));
  return { output: graph.output.edges.map(({ caller, callee }) => ({ caller, callee })), evidence: graph.evidence };
}

function describeGrid({ firstMs, stepSeconds, count }: OnsetGrid, incident: Incident): string {
  const lastMs = firstMs + (count - 1) * stepSeconds * 1000;
  const source = incident.onsetMs === undefined ? 'searched' : 'detected';
  return `onset ${source} between ${formatInstant(firstMs)} and ${formatInstant(lastMs)}, every ${stepSeconds} s`;
}
