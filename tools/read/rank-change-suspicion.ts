/**
 * Which commit explains the trouble: every diff in reach, judged against what changed in logs, spans and metrics, and against
 * causes outside the code. Says so when none does.
 */
import { z } from 'zod';
import { readSigns, type Sign } from '../../domain/diff/incident-signs.ts';
import { type Judgement, judgeCommits } from '../../domain/diff/judge-commits.ts';
import { causeTypeSchema } from '../../domain/finding.ts';
import { durationMs, type TimeWindow } from '../../domain/time-window.ts';
import { readableStepSeconds } from '../steps.ts';
import { defineTool, describeWindow, type ToolContext, type ToolLimits } from '../tool.ts';
import { cutRows, cutShape, rounded, windowInput } from '../tool-shapes.ts';
import { commitsOfChanges } from './commits-of-changes.ts';

const share = z.number().min(0).max(1);

const signSchema = z.object({
  service: z.string(),
  text: z.string(),
  onsetMs: z.int().nonnegative(),
  weight: share,
  symptoms: z.array(z.string()),
});

const commitSchema = z.object({
  /** As full as it is recorded. */
  commit: z.string(),
  summary: z.string(),
  score: share,
  mechanism: share,
  vocabulary: share,
  /** Share of what is wrong that began after it ran. */
  explained: share,
  sharedWords: z.array(z.string()),
  /** What it does, to be read after "it"; empty where no class of change fits what is seen. */
  does: z.string(),
  path: z.string(),
  symptom: z.string(),
  sign: signSchema.optional(),
  /** Who runs it since when, and by which deploy (empty: none is known). */
  carrier: z.object({ service: z.string(), changeId: z.string(), atMs: z.int().nonnegative() }),
});

const LOOKBACK_MS = 86_400_000;
const DIFF_CHARACTERS = 60_000;
/** All diffs together: the oldest are left out beyond. */
const ALL_DIFF_CHARACTERS = 4_000_000;
const MAX_CHANGES = 500;
const MAX_KINDS = 3_000;
const MAX_SERIES = 2_000;
const TEXT_CHARACTERS = 200;
const MAX_SIGNS = 40;

export const rankChangeSuspicion = defineTool({
  name: 'rank_change_suspicion',
  title: 'Rank commits by suspicion',
  description:
    'Commits (and configuration changes) with diffs, the one that explains the trouble best first: what the diff does against the symptoms, rare words it shares with new log lines, errors and shifted metrics, and whether a deploy carried it before they began; with the best explanation outside the code.',
  input: z.object({
    window: windowInput.describe('All telemetry to look at: normal time, then trouble until the end.'),
    troubleSinceMs: z
      .int()
      .nonnegative()
      .default(0)
      .describe('Unix milliseconds; the trouble began no earlier, so what began before is background.'),
    calls: z
      .array(z.object({ caller: z.string(), callee: z.string() }))
      .max(5_000)
      .default([]),
    limit: z.int().min(1).max(50).default(10),
  }),
  output: z.object({
    commits: z.array(commitSchema),
    /** The first explains the trouble well enough to be named, and better than anything outside. */
    isConvincing: z.boolean(),
    outside: z
      .object({
        name: z.string(),
        causeType: causeTypeSchema,
        strength: share,
        service: z.string(),
        shownBy: z.string(),
      })
      .optional(),
    /** What changed in telemetry, the clearest first. */
    signs: z.array(signSchema),
    ...cutShape,
  }),
  effect: 'read',
  limits: { maxRows: MAX_KINDS, timeoutMs: 30_000, maxTokens: 8_000 },
  run: async ({ window, troubleSinceMs, calls, limit }, context, limits) => {
    const bounds = { maxRows: MAX_CHANGES, timeoutMs: limits.timeoutMs, signal: context.signal };
    const reach = { startMs: Math.max(0, window.startMs - LOOKBACK_MS), endMs: window.endMs };
    const recorded = await context.telemetry.changes.listRecorded(
      { window: reach, diffCharacters: DIFF_CHARACTERS },
      bounds,
    );
    const answer = { window, summary: `Commits up to ${describeWindow(window)} against what changed in telemetry.` };
    const nothing = { commits: [], isConvincing: false, signs: [], totalRows: 0, truncated: false };
    const changes = withinBudget(recorded.rows);
    if (changes.every(({ diff }) => diff === '')) return { ...answer, output: nothing, queries: [recorded.query] };

    const inferred = await context.telemetry.changes.inferDeploys({ window }, bounds);
    const { incident, queries } = await readIncident(window, context, limits);
    const { commits, deploys } = commitsOfChanges(changes, inferred.rows);
    const notes = changes
      .filter(({ kind, diff }) => kind === 'infrastructure' && diff === '')
      .map(({ atMs, summary }) => ({ atMs, text: summary }));
    const { ranked, isConvincing, outside } = judgeCommits({
      commits,
      deploys,
      incident,
      calls,
      notes,
      troubleSinceMs,
    });
    const summaries = new Map(commits.map(({ sha, summary }) => [sha, summary]));
    const shaped = ranked.slice(0, limit).map((one) => shapeCommit(one, summaries.get(one.sha) ?? ''));
    const { rows, ...cut } = cutRows(shaped, limits, ranked.length);
    return {
      ...answer,
      output: {
        commits: rows,
        isConvincing,
        ...(outside ? { outside: { ...outside, strength: rounded(outside.strength) } } : {}),
        signs: incident.signs.slice(0, MAX_SIGNS).map(shapeSign),
        ...cut,
      },
      queries: [recorded.query, inferred.query, ...queries],
    };
  },
});

async function readIncident(window: TimeWindow, { telemetry, signal }: ToolContext, limits: ToolLimits) {
  const stepSeconds = Math.max(60, readableStepSeconds(window, 60));
  const bounds = { maxRows: MAX_KINDS, timeoutMs: limits.timeoutMs, signal };
  const question = { window, stepSeconds };
  // What came before the window ranks the series where there are too many.
  const baseline = { startMs: Math.max(0, window.startMs - durationMs(window)), endMs: window.startMs };
  const [logs, spans, series] = await Promise.all([
    telemetry.changes.readLogKinds(question, bounds),
    telemetry.changes.readSpanKinds(question, bounds),
    telemetry.metrics.readSeries({ ...question, baseline, metric: '' }, { ...bounds, maxRows: MAX_SERIES }),
  ]);
  const incident = readSigns({
    ...window,
    stepMs: stepSeconds * 1000,
    logs: logs.rows,
    spans: spans.rows,
    series: series.rows,
  });
  return { incident, queries: [logs.query, spans.query, series.query] };
}

/** The newest changes with their diffs, as far as all of them together stay readable. */
function withinBudget<Row extends { readonly diff: string }>(rows: readonly Row[]): Row[] {
  let left = ALL_DIFF_CHARACTERS;
  return rows.map((row) => {
    left -= row.diff.length;
    return left >= 0 ? row : { ...row, diff: '' };
  });
}

function shapeSign({ service, text, onsetMs, weight, symptoms }: Sign): z.infer<typeof signSchema> {
  return { service, text: text.slice(0, TEXT_CHARACTERS), onsetMs, weight: rounded(weight), symptoms: [...symptoms] };
}

function shapeCommit(judgement: Judgement, summary: string): z.infer<typeof commitSchema> {
  const { sha, score, mechanism, vocabulary, explained, sharedWords, does, path, symptom, sign, carrier } = judgement;
  return {
    commit: sha,
    summary: summary.slice(0, TEXT_CHARACTERS),
    score: rounded(score),
    mechanism: rounded(mechanism),
    vocabulary: rounded(vocabulary),
    explained: rounded(explained),
    sharedWords: [...sharedWords],
    does,
    path,
    symptom,
    ...(sign ? { sign: shapeSign(sign) } : {}),
    carrier: { service: carrier.service, changeId: carrier.changeId, atMs: carrier.atMs },
  };
}
