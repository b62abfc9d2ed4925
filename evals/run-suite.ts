/** Runs a suite: each case replayed through the real ingest path into an empty database, investigated, and scored. */
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Investigation } from '../domain/investigation.ts';
import { formatInstant } from '../domain/time-window.ts';
import { loadProcessConfig } from '../platform/config.ts';
import { InputError, InvariantError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import { openRuntime, type Runtime } from '../runtime/open-runtime.ts';
import type { Prediction } from './prediction.ts';
import { type ReplayCase, replayChanges, replayRequests } from './replay-case.ts';
import { type Scored, SUITES } from './suites.ts';
import { unpackDataset } from './unpack-dataset.ts';

export interface RunSuiteOptions {
  readonly suite: string;
  /** Folder of the data set; not needed by suites that make their cases. */
  readonly dataDir?: string | undefined;
  readonly part: string;
  /** Also write one JSON line a case here. */
  readonly predictionsPath?: string | undefined;
  /** Run only cases whose id contains this. */
  readonly only?: string | undefined;
  readonly signal: AbortSignal;
  /** Told after each case. */
  onCase(prediction: Prediction, investigation: Investigation): void;
}

export interface SuiteReport {
  readonly suite: string;
  readonly part: string;
  readonly predictions: readonly Prediction[];
  /** Undefined when the part comes without labels: then there are predictions only. */
  readonly score: object | undefined;
  /** The score as people read it. */
  readonly text: string;
}

export async function runSuite(options: RunSuiteOptions): Promise<SuiteReport> {
  const suite = SUITES[options.suite];
  if (!suite)
    throw new InputError(`There is no suite "${options.suite}"; there are: ${Object.keys(SUITES).join(', ')}.`);
  if (suite.source === 'simulator') {
    const predictions = await predictCases(suite.listCases(), options);
    return report(options, predictions, suite.score(predictions));
  }
  if (options.dataDir === undefined)
    throw new InputError(`The suite ${options.suite} needs --data, the folder of its data set.`);
  const data = await unpackDataset(options.dataDir, options.part);
  try {
    const predictions = await predictCases(suite.listCases(data), options);
    // Labels are opened only here, after the last case.
    const labels: unknown = data.labelsPath ? JSON.parse(await readFile(data.labelsPath, 'utf8')) : undefined;
    return report(options, predictions, labels === undefined ? undefined : suite.score(predictions, labels));
  } finally {
    await data.remove();
  }
}

async function predictCases(cases: readonly ReplayCase[], options: RunSuiteOptions): Promise<Prediction[]> {
  if (options.predictionsPath) await writeFile(options.predictionsPath, '');
  const predictions: Prediction[] = [];
  for (const replayCase of cases.filter(({ caseId }) => caseId.includes(options.only ?? ''))) {
    options.signal.throwIfAborted();
    const { investigation, seconds } = await investigateCase(replayCase, options.signal);
    const prediction = toPrediction(replayCase.caseId, investigation, seconds);
    predictions.push(prediction);
    if (options.predictionsPath) await appendFile(options.predictionsPath, `${JSON.stringify(prediction)}\n`);
    options.onCase(prediction, investigation);
  }
  return predictions;
}

function report(
  { suite, part }: RunSuiteOptions,
  predictions: readonly Prediction[],
  scored: Scored | undefined,
): SuiteReport {
  const text =
    scored?.text ?? `${predictions.length} predictions; no labels.json beside the data, so nothing is scored.`;
  return { suite, part, predictions, score: scored?.score, text };
}

async function investigateCase(
  replayCase: ReplayCase,
  signal: AbortSignal,
): Promise<{ investigation: Investigation; seconds: number }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'inquest-case-'));
  // Replayed history is older than any retention; its rows would vanish at insert.
  const config = loadProcessConfig({ INQUEST_DATA_DIR: dataDir, INQUEST_RETENTION_DAYS: '0', CLICKHOUSE_URL: '' });
  const runtime = await openRuntime(config);
  try {
    const loaded = replayCase.load();
    await replayRequests(loaded.requests, runtime.receiveOtlp);
    await replayChanges(loaded.changes, runtime.receiveChanges);
    await assertRows(runtime, loaded.expectedRows);
    const startedMs = performance.now();
    const { finished } = await runtime.openIncident({
      incidentId: newId('inc'),
      title: `replay ${replayCase.caseId}`,
      status: 'open',
      source: 'manual',
      service: loaded.service,
      openedAtMs: loaded.searchWindow.endMs,
      searchWindow: loaded.searchWindow,
      severity: 'medium',
      anomalies: [],
    });
    signal.throwIfAborted();
    const investigation = await finished;
    return { investigation, seconds: (performance.now() - startedMs) / 1000 };
  } finally {
    await runtime.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function assertRows(runtime: Runtime, expected: Readonly<Record<string, number>>): Promise<void> {
  const { rows } = await runtime.status();
  for (const [table, count] of Object.entries(expected)) {
    if (rows[table] !== count)
      throw new InvariantError(`${table} holds ${rows[table] ?? 0} rows where ${count} were sent`);
  }
}

function toPrediction(caseId: string, investigation: Investigation, seconds: number): Prediction {
  const { verdict } = investigation;
  if (!verdict)
    throw new InvariantError(`the investigation of ${caseId} ended without a verdict: ${investigation.failure ?? ''}`);
  return {
    case_id: caseId,
    abstained: verdict.outcome === 'abstained',
    confidence: verdict.confidence,
    onset_utc: formatInstant(verdict.onsetMs),
    suspects: verdict.suspects.map(({ service, pod, changeId, score }) => ({
      service,
      ...(pod ? { pod } : {}),
      ...(changeId ? { commit: changeId } : {}),
      score,
    })),
    seconds: Number(seconds.toFixed(3)),
  };
}
