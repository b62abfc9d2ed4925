import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { TelemetryReader } from '../clickhouse/telemetry-reader.ts';
import { createManualClock } from '../platform/clock.ts';
import { InputError, LimitError, UnavailableError } from '../platform/errors.ts';
import { defineTool } from '../tools/tool.ts';
import { findingOf, INCIDENT, scopeOf } from './jury.fixture.ts';
import { milliseconds, openNotebook, percent, threeDigits, voteByFindings } from './post-findings.ts';
import { supervisor } from './supervisor.ts';

const [TASK, OTHER_TASK] = supervisor.plan(INCIDENT, scopeOf(), 1);
if (!TASK || !OTHER_TASK) expect.unreachable();
const AUTHOR = { name: 'log-agent', signal: 'logs' } as const;
const CONTEXT = {
  // No tool of this test reads telemetry.
  telemetry: {} as TelemetryReader,
  clock: createManualClock(0),
  signal: new AbortController().signal,
};

/** Answers with its input; or fails as told. */
const echo = defineTool({
  name: 'find_echo',
  title: 'Echo',
  description: 'Answers with what it was asked.',
  input: z.object({ word: z.string().min(1), failure: z.instanceof(Error).optional() }),
  output: z.object({ word: z.string() }),
  effect: 'read',
  limits: { maxRows: 1, timeoutMs: 1_000, maxTokens: 100 },
  run: async ({ word, failure }) => {
    if (failure) throw failure;
    return {
      output: { word },
      queries: [{ sql: `SELECT '${word}'`, parameters: {}, rowCount: 1, digest: '0'.repeat(64) }],
      window: { startMs: 0, endMs: 1 },
      summary: word,
    };
  },
});

describe('openNotebook', () => {
  test('keeps the evidence of every answer, the same one once', async () => {
    const notebook = openNotebook(AUTHOR, TASK, CONTEXT);
    const first = await notebook.ask(echo, { word: 'a' });
    const again = await notebook.ask(echo, { word: 'a' });
    const other = await notebook.ask(echo, { word: 'b' });
    expect(first).toEqual({ output: { word: 'a' }, evidenceId: expect.stringMatching(/^ev_/) });
    expect(again).toEqual(first);
    const { evidence, gaps } = notebook.answer();
    expect(evidence.map(({ evidenceId }) => evidenceId)).toEqual([first?.evidenceId, other?.evidenceId]);
    expect(gaps).toEqual([]);
  });

  test.each([
    ['a refused question', { word: '' }],
    ['a limit', { word: 'a', failure: new LimitError('too many rows') }],
    ['a bad input', { word: 'a', failure: new InputError('no such service') }],
  ])('notes %s as a gap of its signal and goes on', async (_, input) => {
    const notebook = openNotebook(AUTHOR, TASK, CONTEXT);
    expect(await notebook.ask(echo, input)).toBeUndefined();
    expect(notebook.answer()).toMatchObject({
      evidence: [],
      gaps: [{ signal: 'logs', service: '', what: expect.stringMatching(/^find_echo gave no answer: /) }],
    });
  });

  test('gives up when the engine is away, so that the task can be tried again', async () => {
    const notebook = openNotebook(AUTHOR, TASK, CONTEXT);
    const away = notebook.ask(echo, { word: 'a', failure: new UnavailableError('restarting') });
    await expect(away).rejects.toThrow(UnavailableError);
    expect(notebook.answer()).toEqual({ findings: [], evidence: [], gaps: [] });
  });

  test('signs findings, with ids that are functions of author, task and observation', () => {
    const {
      findingId: _,
      agent: __,
      taskId: ___,
      signal: ____,
      ...words
    } = findingOf({
      service: 'web',
      signal: 'logs',
      strength: 0.5,
    });
    const noted = (task: typeof TASK, observation: string) => {
      const notebook = openNotebook(AUTHOR, task, CONTEXT);
      notebook.note({ ...words, observation });
      return notebook.answer().findings[0];
    };
    expect(noted(TASK, 'a')).toMatchObject({
      agent: 'log-agent',
      signal: 'logs',
      taskId: TASK.taskId,
      observation: 'a',
    });
    expect(noted(TASK, 'a')).toEqual(noted(TASK, 'a'));
    const ids = [noted(TASK, 'a'), noted(TASK, 'b'), noted(OTHER_TASK, 'a')].map((finding) => finding?.findingId);
    expect(new Set(ids).size).toBe(3);
  });
});

test('votes speak of own findings only, with their stance, on each hypothesis', () => {
  const findings = [
    findingOf({ service: 'web', signal: 'logs', strength: 0.5, observation: 'a' }),
    findingOf({ service: 'web', signal: 'logs', strength: 0.2, stance: 'against', observation: 'b' }),
    findingOf({ service: 'web', signal: 'traces', strength: 0.9, observation: 'c' }),
    findingOf({ service: 'stock', signal: 'traces', strength: 0.3, observation: 'd' }),
  ];
  const hypotheses = supervisor.propose(findings, 2);
  const [web, stock] = hypotheses;
  expect(voteByFindings('log-agent', { hypotheses, findings, calls: [], round: 2 })).toEqual([
    {
      agent: 'log-agent',
      hypothesisId: web?.hypothesisId,
      round: 2,
      reasons: [
        { observation: 'a', stance: 'for', strength: 0.5, evidenceIds: ['ev:a'], sentence: 'Saw a.' },
        { observation: 'b', stance: 'against', strength: 0.2, evidenceIds: ['ev:b'], sentence: 'Saw b.' },
      ],
    },
    { agent: 'log-agent', hypothesisId: stock?.hypothesisId, round: 2, reasons: [] },
  ]);
});

test('numbers read as people write them', () => {
  expect([percent(1, 3), percent(3, 3), percent(0, 3), percent(0, 0)]).toEqual(['33.3 %', '100 %', '0.0 %', '0 %']);
  expect([milliseconds(0.5), milliseconds(12.345), milliseconds(250), milliseconds(2_000)]).toEqual([
    '0.500 ms',
    '12.3 ms',
    '250 ms',
    '2.00 s',
  ]);
  // Never in powers of ten.
  expect([milliseconds(999.9), milliseconds(1_234_567), threeDigits(524_288_000)]).toEqual([
    '1000 ms',
    '1230 s',
    '524000000',
  ]);
});
