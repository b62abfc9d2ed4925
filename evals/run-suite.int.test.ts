/** A suite from its packed files to its predictions: a hand-made one in full, one case of a real one where it can be had. */
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { create, extract } from 'tar';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Investigation } from '../domain/investigation.ts';
import { InputError } from '../platform/errors.ts';
import { listNezhaCases } from './datasets/nezha.ts';
import { type Prediction, predictionSchema } from './prediction.ts';
import { runSuite } from './run-suite.ts';
import { SUITES } from './suites.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'inquest-suite-'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const [SUITE = ''] = Object.entries(SUITES).flatMap(([name, { source }]) => (source === 'dataset' ? [name] : []));
const { signal } = new AbortController();

const pod = (service: string) => `${service}-5b67c48447-mv5hb`;
const MINUTE_MS = 60_000;
/** Injected at this minute: order begins to skip a line and to take long. */
const ONSET_MS = Date.UTC(2024, 4, 6, 8, 43);

function toCsv(rows: readonly (readonly (string | number)[])[]): string {
  return rows.map((cells) => cells.map((cell) => `"${String(cell).replaceAll('"', '""')}"`).join(',')).join('\n');
}

/** A minute of telemetry: a request every second, web calls order. */
function writeMinute(dir: string, startMs: number, isTrouble: boolean): void {
  for (const kind of ['trace', 'log', 'metric']) mkdirSync(join(dir, kind), { recursive: true });
  const spans: (string | number)[][] = [
    ['TraceID', 'SpanID', 'ParentID', 'PodName', 'OperationName', 'StartTimeUnixNano', 'EndTimeUnixNano', 'Duration'],
  ];
  const logs: (string | number)[][] = [
    ['Timestamp', 'TimeUnixNano', 'Node', 'PodName', 'Container', 'TraceID', 'SpanID', 'Log'],
  ];
  for (let second = 0; second < 60; second++) {
    const atMs = startMs + second * 1000;
    const trace = atMs.toString(16).padStart(32, '0');
    const tookMs = isTrouble ? 700 : 5;
    const span = (digit: string, parent: string, service: string, ms: number) =>
      spans.push([
        trace,
        digit.repeat(16),
        parent,
        pod(service),
        `/${service}`,
        `${atMs}000000`,
        `${atMs + ms}000000`,
        ms * 1000,
      ]);
    span('1', 'root', 'web', tookMs + 4);
    span('2', '1'.repeat(16), 'web', tookMs + 1);
    span('3', '2'.repeat(16), 'order', tookMs);
    const log = (service: string, text: string) =>
      logs.push([
        '',
        `${atMs}000000`,
        '10.0.0.1',
        pod(service),
        'server',
        trace,
        '3'.repeat(16),
        JSON.stringify({ log: `${text}\n` }),
      ]);
    log('order', `INFO order ${second} received`);
    if (!isTrouble) log('order', `INFO order ${second} stored`);
  }
  const clock = new Date(startMs).toISOString().slice(11, 16).replace(':', '_');
  writeFileSync(join(dir, 'trace', `${clock}_trace.csv`), toCsv(spans));
  writeFileSync(join(dir, 'log', `${clock}_log.csv`), toCsv(logs));
  const time = new Date(startMs).toISOString().slice(0, 19).replace('T', ' ');
  const metric = [
    ['Time', 'PodName', 'CpuUsageRate(%)'],
    [`${time} +0000 UTC m=+1`, pod('order'), 'NaN'],
    [`${time} +0000 UTC`, pod('order'), 20],
  ];
  writeFileSync(join(dir, 'metric', `${pod('order')}_${clock}_metric.csv`), toCsv(metric));
}

async function pack(source: string, target: string): Promise<void> {
  mkdirSync(target, { recursive: true });
  const archive = create({ cwd: source }, readdirSync(source));
  await pipeline(archive, createZstdCompress(), createWriteStream(join(target, 'data.tar.zst')));
}

/** A part with two cases and no labels. */
async function writeSuite(): Promise<string> {
  for (const caseId of ['c-1', 'c-2']) {
    const dir = join(root, 'raw', 'dev', 'cases', caseId);
    for (const minute of [0, 1]) writeMinute(dir, ONSET_MS + minute * MINUTE_MS, true);
  }
  writeMinute(join(root, 'raw', 'common', '2024-05-06'), ONSET_MS - 20 * MINUTE_MS, false);
  for (const part of ['dev', 'common']) await pack(join(root, 'raw', part), join(root, 'data', part));
  return join(root, 'data');
}

describe('a suite without labels', () => {
  test('gives predictions only, one line a case, in the documented shape', async () => {
    const dataDir = await writeSuite();
    const predictionsPath = join(root, 'predictions.jsonl');
    writeFileSync(predictionsPath, 'left over from an older run\n');
    const seen: [Prediction, Investigation][] = [];
    const report = await runSuite({
      suite: SUITE,
      dataDirs: [dataDir],
      part: 'dev',
      predictionsPath,
      only: 'c-2',
      signal,
      onCase: (...told) => seen.push(told),
    });
    expect(report).toMatchObject({ suite: SUITE, part: 'dev', score: undefined });
    expect(report.text).toContain('no labels.json');

    const lines = readFileSync(predictionsPath, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(report.predictions);
    const [prediction] = report.predictions;
    if (!prediction) return expect.unreachable();
    expect(predictionSchema.strict().parse(prediction)).toEqual(prediction);
    expect(Object.keys(prediction).sort()).toEqual([
      'abstained',
      'blast_radius',
      'case_id',
      'confidence',
      'first_failing_service',
      'onset_utc',
      'remediation',
      'seconds',
      'suspects',
    ]);
    expect(prediction.case_id).toBe('c-2');
    expect(prediction.suspects[0]?.service).toBe('order');
    expect(Math.abs(Date.parse(prediction.onset_utc) - ONSET_MS)).toBeLessThanOrEqual(MINUTE_MS);
    expect(seen.map(([told]) => told)).toEqual(report.predictions);
    // What the investigator was told: the day up to the last row, and nothing else.
    expect(seen[0]?.[1].incident).toMatchObject({
      service: '',
      searchWindow: { startMs: Date.UTC(2024, 4, 6), endMs: ONSET_MS + MINUTE_MS + 59_704 + 1 },
    });
    expect(seen[0]?.[1].incident).not.toHaveProperty('onsetMs');
  });

  test('says which folder or suite is missing', async () => {
    const options = { suite: SUITE, part: 'dev', signal, onCase: () => undefined };
    await expect(runSuite({ ...options, suite: 'unheard-of' })).rejects.toThrow(InputError);
    await expect(runSuite(options)).rejects.toThrow('needs --data');
    await expect(runSuite({ ...options, dataDirs: [root] })).rejects.toThrow('data.tar.zst');
    await expect(runSuite({ ...options, suite: 'simulator', only: 'unheard-of' })).rejects.toThrow('No case');
  });

  test('says which archive is broken, and which predictions file cannot be written', async () => {
    const options = { suite: SUITE, part: 'dev', signal, onCase: () => undefined };
    const dataDir = await writeSuite();
    const away = join(root, 'away', 'predictions.jsonl');
    await expect(runSuite({ ...options, dataDirs: [dataDir], predictionsPath: away })).rejects.toThrow(
      'predictions cannot be written',
    );
    writeFileSync(join(dataDir, 'common', 'data.tar.zst'), 'not an archive');
    await expect(runSuite({ ...options, dataDirs: [dataDir] })).rejects.toThrow(/common.*cannot be unpacked/);
  });
});

function readCsv(path: string): Record<string, string>[] {
  return parse(readFileSync(path), { columns: true, skip_empty_lines: true });
}

/** Beside the repository on machines that measure; a stranger's clone has none. */
const REAL = fileURLToPath(new URL(`../../shared/datasets/${SUITE}`, import.meta.url));
const isReal = existsSync(join(REAL, 'dev', 'data.tar.zst'));
const MISSING = `the recorded cases are not at ${REAL}`;
if (!isReal) process.stderr.write(`skipped: ${MISSING}\n`); // the runner's summary tells no reasons

test('one case of the real recordings becomes as many records as its files have rows', async ({ skip }) => {
  skip(!isReal, MISSING);
  const unpack = (part: string, accept: (path: string) => boolean) =>
    pipeline(
      createReadStream(join(REAL, part, 'data.tar.zst')),
      createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: 27 } }),
      extract({ cwd: root, strict: true, filter: (path) => accept(path.replace(/^\.\//, '')) }),
    );
  let caseId = '';
  await unpack('dev', (path) => {
    caseId ||= /^cases\/([^/]+)\//.exec(path)?.[1] ?? '';
    return caseId !== '' && path.startsWith(`cases/${caseId}/`);
  });
  // Without the rest of the day: its rows are the case's own.
  const [loaded] = listNezhaCases(root, join(root, 'nothing')).map((one) => one.load());
  const rowsOf = (kind: string): Record<string, string>[] =>
    readdirSync(join(root, 'cases', caseId, kind)).flatMap((file) => readCsv(join(root, 'cases', caseId, kind, file)));
  const [spans, logs] = [rowsOf('trace'), rowsOf('log')];
  expect(spans.length).toBeGreaterThan(1_000);
  expect(loaded?.expectedRows).toMatchObject({ otel_traces: spans.length, otel_logs: logs.length });
  const cells = rowsOf('metric').flatMap(({ Time, TimeStamp, PodName, ServiceName, ...numbers }) =>
    Object.values(numbers),
  );
  const numbers = cells.filter((cell) => cell !== '' && Number.isFinite(Number(cell)));
  expect(loaded?.expectedRows['otel_metrics_gauge']).toBe(numbers.length);
  const sent = [...(loaded?.requests ?? [])];
  expect(new Set(sent.map(({ path }) => path))).toEqual(new Set(['/v1/metrics', '/v1/traces', '/v1/logs']));
});
