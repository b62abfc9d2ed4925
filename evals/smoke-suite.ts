/**
 * A model must never make a verdict worse: each kind of fault once, its telemetry investigated without a model and again with one. Against
 * a model that is of no use (each case another way of failing) the ranks must be equal; against a real one (INQUEST_LLM_URL) the table
 * says what it moved, and what that was worth.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Investigation } from '../domain/investigation.ts';
import type { TimeWindow } from '../domain/time-window.ts';
import { MISBEHAVIOURS, openScriptedModel } from '../llm/scripted-model.ts';
import { loadProcessConfig } from '../platform/config.ts';
import { InputError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import { openRuntime } from '../runtime/open-runtime.ts';
import { listSimulatedCases, simulatedTruths } from './datasets/simulated-shop.ts';
import { type ReplayCase, replayChanges, replayRequests } from './replay-case.ts';
import type { DetectionSuite, Scored } from './suite.ts';

interface Pair {
  readonly caseId: string;
  /** What the model was, or how it failed. */
  readonly model: string;
  readonly alone: readonly string[];
  readonly advised: readonly string[];
  readonly moved: number;
  readonly dropped: number;
  readonly calls: number;
  readonly failures: readonly string[];
  readonly seconds: { readonly alone: number; readonly advised: number };
}

export const smokeSuite: DetectionSuite<Pair> = {
  source: 'detection',
  needsData: false,
  predict: async ({ only, signal, note }) => {
    const ways = Object.entries(MISBEHAVIOURS);
    const cases = listSimulatedCases()
      .filter(({ caseId }) => caseId.endsWith('-1'))
      .map((one, index) => ({ one, way: ways[index % ways.length] }))
      .filter(({ one }) => one.caseId.includes(only));
    if (cases.length === 0) throw new InputError(`No case of smoke has "${only}" in its id.`);
    const pairs: Pair[] = [];
    for (const { one, way } of cases) {
      const pair = await investigateTwice(one, way, signal);
      note(tabulate([pair]).split('\n').at(-1) ?? '');
      pairs.push(pair);
    }
    return pairs;
  },
  score: scorePairs,
};

type Way = readonly [name: string, misbehave: (typeof MISBEHAVIOURS)[keyof typeof MISBEHAVIOURS]] | undefined;

async function investigateTwice({ caseId, load }: ReplayCase, way: Way, signal: AbortSignal): Promise<Pair> {
  const dataDir = await mkdtemp(join(tmpdir(), 'inquest-smoke-'));
  const settings = {
    INQUEST_DATA_DIR: dataDir,
    INQUEST_RETENTION_DAYS: '0',
    CLICKHOUSE_URL: '',
    REDIS_URL: '',
    REDIS_LOCK_URLS: '',
  };
  const configured = loadProcessConfig(settings).llm;
  const endpoint = configured ? undefined : await openScriptedModel((request) => way?.[1](request) ?? { kind: 'hang' });
  let window: TimeWindow | undefined;
  const investigate = async (environment: Record<string, string>) => {
    const runtime = await openRuntime(loadProcessConfig({ ...settings, ...environment }));
    try {
      window ??= await replay(runtime, load, signal);
      const startedMs = performance.now();
      const { finished } = await runtime.openIncident({
        incidentId: newId('inc'),
        title: `smoke ${caseId}`,
        status: 'open',
        source: 'manual',
        service: '',
        openedAtMs: window.endMs,
        searchWindow: window,
        severity: 'medium',
        anomalies: [],
      });
      return { investigation: await finished, seconds: (performance.now() - startedMs) / 1_000 };
    } finally {
      await runtime.close();
    }
  };
  try {
    const noModel = { INQUEST_LLM_URL: '', INQUEST_LLM_MODEL: '', INQUEST_LLM_KEY: '' };
    const alone = await investigate(noModel);
    const model = endpoint ? { ...noModel, INQUEST_LLM_URL: endpoint.url, INQUEST_LLM_MODEL: 'useless' } : {};
    const advised = await investigate(model);
    const heard = advised.investigation.verdict?.counsel?.heard ?? [];
    const outcomes = advised.investigation.verdict?.counsel?.outcomes ?? [];
    return {
      caseId,
      model: configured?.model ?? way?.[0] ?? 'none',
      alone: ranksOf(alone.investigation),
      advised: ranksOf(advised.investigation),
      moved: outcomes.filter(({ outcome }) => outcome === 'moved').length,
      dropped: heard.reduce((sum, one) => sum + one.dropped, 0),
      calls: heard.reduce((sum, one) => sum + one.usage.calls, 0),
      failures: heard.flatMap(({ failure, stopped }) => failure ?? (stopped ? `stopped by ${stopped}` : [])),
      seconds: { alone: alone.seconds, advised: advised.seconds },
    };
  } finally {
    await endpoint?.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** A case is hundreds of megabytes: nothing of it stays. */
async function replay(
  { receiveOtlp, receiveChanges }: Awaited<ReturnType<typeof openRuntime>>,
  load: ReplayCase['load'],
  signal: AbortSignal,
): Promise<TimeWindow> {
  const { requests, changes, searchWindow } = load();
  await replayRequests(requests, receiveOtlp, signal);
  await replayChanges(changes, receiveChanges, signal);
  return searchWindow;
}

/** With the outcome: an abstention is another verdict than the same names as an accusation. */
function ranksOf({ verdict }: Investigation): string[] {
  return [verdict?.outcome ?? 'none', ...(verdict?.suspects ?? []).map(({ service, score }) => `${service} ${score}`)];
}

function scorePairs(pairs: readonly Pair[]): Scored {
  const truths = new Map(simulatedTruths().map(({ caseId, service }) => [caseId, service]));
  const equal = pairs.filter(({ alone, advised }) => alone.join() === advised.join()).length;
  const isRight = (caseId: string, ranks: readonly string[]) => ranks[1]?.split(' ')[0] === truths.get(caseId);
  const faulty = pairs.filter(({ caseId }) => truths.has(caseId));
  const right = (side: 'alone' | 'advised') => faulty.filter((pair) => isRight(pair.caseId, pair[side])).length;
  const figures = { cases: pairs.length, equal, rightAlone: right('alone'), rightAdvised: right('advised') };
  const summary = `${equal} of ${pairs.length} verdicts with equal ranks; first suspect right: ${figures.rightAlone} of ${faulty.length} without a model, ${figures.rightAdvised} with one`;
  return { score: { ...figures, pairs }, text: `${tabulate(pairs)}\n\n${summary}` };
}

function tabulate(pairs: readonly Pair[]): string {
  const rows = pairs.map(({ caseId, model, alone, advised, moved, dropped, calls, failures, seconds }) => [
    caseId.padEnd(22),
    model.slice(0, 20).padEnd(20),
    (alone.join() === advised.join() ? 'equal' : 'DIFFER').padEnd(7),
    String(calls).padStart(5),
    String(failures.length).padStart(6),
    String(dropped).padStart(8),
    String(moved).padStart(6),
    `${seconds.alone.toFixed(1)}/${seconds.advised.toFixed(1)} s`.padStart(14),
  ]);
  const heading = [
    'case'.padEnd(22),
    'model'.padEnd(20),
    'ranks'.padEnd(7),
    'calls',
    'failed',
    ' dropped',
    ' moved',
    '  alone/advised',
  ];
  return [heading, ...rows].map((cells) => cells.join(' ').trimEnd()).join('\n');
}
