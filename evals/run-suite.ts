/** Runs a suite: each case replayed through the real ingest path into an empty database, investigated, and scored. */
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import type { DetectionPart } from '../domain/anomaly.ts';
import type { Incident } from '../domain/incident.ts';
import type { Investigation } from '../domain/investigation.ts';
import { errorMessage, InputError, InvariantError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { Runtime } from '../runtime/open-runtime.ts';
import { endsInTime, unlessAborted } from './ends-in-time.ts';
import { type Prediction, predictionOf } from './prediction.ts';
import { type LoadedCase, type ReplayCase, replayChanges, replayRequests } from './replay-case.ts';
import type { DetectionSuite, Scored, Suite } from './suite.ts';
import { SUITES } from './suites.ts';
import { type UnpackedDataset, unpackDataset } from './unpack-dataset.ts';
import { withEmptyRuntime } from './with-empty-runtime.ts';

/** Replay and investigation of the largest case take a few minutes on a busy machine. */
const CASE_LIMIT_MS = 15 * 60_000;
const CASE_GRACE_MS = 60_000;

export interface RunSuiteOptions {
  readonly suite: string;
  /** Folder of the data set, or of each of them; not needed by suites that make their cases. */
  readonly dataDirs?: readonly string[] | undefined;
  readonly part: string;
  /** Also write one JSON line a case here. */
  readonly predictionsPath?: string | undefined;
  /** Run only cases whose id contains this. */
  readonly only?: string | undefined;
  /** Parts of detection that are switched off, to see what they are worth. */
  readonly without?: ReadonlySet<DetectionPart> | undefined;
  readonly signal: AbortSignal;
  /** Told after each case. */
  onCase(prediction: Prediction, investigation: Investigation): void;
  /** Told how suites without investigations go. */
  note?(line: string): void;
}

export interface SuiteReport {
  readonly suite: string;
  readonly part: string;
  /** None where no incidents are predicted: what was made of files is in the predictions file alone. */
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
    const predictions = await predictCases(suite, suite.listCases(), options);
    return report(options, predictions, suite.score(predictions));
  }
  if (suite.source === 'detection') return runDetection(suite, options);
  const [dataDir] = options.dataDirs ?? [];
  if (dataDir === undefined)
    throw new InputError(`The suite ${options.suite} needs --data, the folder of its data set.`);
  const data = await unpackDataset(dataDir, options.part);
  try {
    if (suite.source === 'files') {
      const files = suite.predict(data, options.only ?? '');
      await writeFiles(files, options);
      return report(options, [], suite.score(data, files), files.length);
    }
    const predictions = await predictCases(suite, suite.listCases(data), options);
    // Labels are opened only here, after the last case.
    const labels: unknown = data.labelsPath ? JSON.parse(await readFile(data.labelsPath, 'utf8')) : undefined;
    return report(options, predictions, labels === undefined ? undefined : suite.score(predictions, labels));
  } finally {
    await data.remove();
  }
}

async function runDetection(suite: DetectionSuite, options: RunSuiteOptions): Promise<SuiteReport> {
  const { dataDirs = [], part, only = '', without = new Set<DetectionPart>(), signal } = options;
  const note = (line: string) => options.note?.(line);
  if (suite.needsData && dataDirs.length === 0)
    throw new InputError(`The suite ${options.suite} needs --data, once for each data set.`);
  const data: UnpackedDataset[] = [];
  try {
    for (const dataDir of suite.needsData ? dataDirs : []) data.push(await unpackDataset(dataDir, part));
    const predictions = await suite.predict({ data, only, without, signal, note });
    if (options.predictionsPath) await writePredictions(options.predictionsPath, jsonLines(predictions));
    return report(options, [], suite.score(predictions, data), predictions.length);
  } finally {
    for (const unpacked of data) await unpacked.remove();
  }
}

function jsonLines(predictions: readonly object[]): string {
  return predictions.map((prediction) => `${JSON.stringify(prediction)}\n`).join('');
}

async function writeFiles(
  files: readonly object[],
  { suite, only = '', predictionsPath }: RunSuiteOptions,
): Promise<void> {
  if (files.length === 0) throw new InputError(`No file of ${suite} has "${only}" in its name.`);
  if (predictionsPath) await writePredictions(predictionsPath, jsonLines(files));
}

async function predictCases(
  suite: Suite,
  cases: readonly ReplayCase[],
  options: RunSuiteOptions,
): Promise<Prediction[]> {
  const { only = '', predictionsPath, signal } = options;
  const chosen = cases.filter(({ caseId }) => caseId.includes(only));
  if (chosen.length === 0) throw new InputError(`No case of ${options.suite} has "${only}" in its id.`);
  if (predictionsPath) await writePredictions(predictionsPath, '');
  const predictions: Prediction[] = [];
  for (const replayCase of chosen) {
    signal.throwIfAborted();
    const { caseId } = replayCase;
    const limit = { what: `The case ${caseId}`, limitMs: CASE_LIMIT_MS, graceMs: CASE_GRACE_MS, signal };
    const { investigation, seconds } = await endsInTime(limit, (within) => investigateCase(replayCase, within));
    const naming = suite.source === 'dataset' && suite.nameRemediation ? suite : {};
    const prediction = predictionOf(caseId, investigation, { seconds, ...naming });
    predictions.push(prediction);
    if (predictionsPath) await appendFile(predictionsPath, `${JSON.stringify(prediction)}\n`);
    options.onCase(prediction, investigation);
  }
  return predictions;
}

/** Before the first case, so that a wrong path costs no run. */
async function writePredictions(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (cause) {
    throw new InputError(`The predictions cannot be written: ${errorMessage(cause)}.`, { cause });
  }
}

function report(
  { suite, part }: RunSuiteOptions,
  predictions: readonly Prediction[],
  scored: Scored | undefined,
  count = predictions.length,
): SuiteReport {
  const text =
    scored?.text ?? `${count} predictions; no labels.json or truth files beside the data: nothing is scored.`;
  return { suite, part, predictions, score: scored?.score, text };
}

function investigateCase(
  { caseId, load }: ReplayCase,
  signal: AbortSignal,
): Promise<{ investigation: Investigation; seconds: number }> {
  return withEmptyRuntime({}, async (runtime) => {
    const loaded = load();
    await replayRequests(loaded.requests, runtime.receiveOtlp, signal);
    await replayChanges(loaded.changes, runtime.receiveChanges, signal);
    await assertRows(runtime, loaded.expectedRows);
    signal.throwIfAborted();
    const startedMs = performance.now();
    const { finished } = await runtime.openIncident(incidentOf(caseId, loaded));
    const investigation = await unlessAborted(finished, signal);
    return { investigation, seconds: (performance.now() - startedMs) / 1000 };
  });
}

function incidentOf(caseId: string, { service, searchWindow, title, severity = 'medium' }: LoadedCase): Incident {
  return {
    incidentId: newId('inc'),
    title: title ?? `replay ${caseId}`,
    status: 'open',
    source: 'manual',
    service,
    openedAtMs: searchWindow.endMs,
    searchWindow,
    severity,
    anomalies: [],
  };
}

async function assertRows(runtime: Runtime, expected: Readonly<Record<string, number>>): Promise<void> {
  const { rows } = await runtime.status();
  for (const [table, count] of Object.entries(expected)) {
    if (rows[table] !== count)
      throw new InvariantError(`${table} holds ${rows[table] ?? 0} rows where ${count} were sent`);
  }
}
