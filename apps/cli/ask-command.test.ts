/** `inquest ask` against a host that answers over real HTTP, and how its answers look. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AskOutput } from '../../api/api-shapes.ts';
import { textWidth } from './layout.ts';
import type { Page } from './page.ts';
import { plainPalette } from './palette.ts';
import { renderAnswer } from './render-answer.ts';
import { startInquest } from './run-inquest.fixture.ts';
import { openStubHost, type StubHost } from './stub-host.fixture.ts';

const NOW_MS = Date.UTC(2026, 2, 4, 11, 5);
const PAGE: Page = { width: 80, palette: plainPalette, command: ['inquest'] };
const LINE = 'Connection is not available, request timed out after 1501 ms (total=20, active=20, idle=0, waiting=17)';

const ANSWER: AskOutput = {
  ...{ kind: 'answered', by: 'grammar', text: 'order: p95 2.08 s (197 requests).', understood: 'p95 of order' },
  window: { startMs: NOW_MS - 300_000, endMs: NOW_MS },
  tables: [
    {
      columns: [
        { heading: 'time (UTC)', quantity: 'instant' },
        { heading: 'errors', quantity: 'count' },
        { heading: 'line', quantity: 'text' },
      ],
      rows: [[NOW_MS - 60_000, 1204, LINE]],
      totalRows: 3,
    },
  ],
  chart: {
    ...{ label: 'p95 of order', quantity: 'duration', startMs: NOW_MS - 300_000, stepMs: 60_000 },
    values: [20, 1_000, 2_000, null, 500],
  },
  ...{ evidenceIds: ['ev_0123456789ab'], notes: [], suggestions: [], conversationId: 'talk_1' },
};
const DECLINED: AskOutput = {
  ...{ kind: 'declined', by: 'grammar', text: 'I did not understand this question.', understood: '' },
  ...{ tables: [], evidenceIds: [], notes: [], suggestions: ['logs containing "timeout"'], conversationId: 'talk_1' },
};

describe('an answer', () => {
  it('is a sentence, a chart, figures, how it was read and what it rests on', () => {
    const lines = renderAnswer(ANSWER, PAGE, NOW_MS).split('\n');
    expect(lines).toEqual([
      '  order: p95 2.08 s (197 requests).',
      '',
      '  p95 of order, 0 to 2 s',
      '  ▁▅█·▃',
      '  11:00:00  11:05:00',
      '',
      '  time (UTC)  errors',
      '    11:04:00   1,204',
      '    Connection is not available, request timed out after 1501 ms (total=20,',
      '    active=20, idle=0, waiting=17)',
      '  ... and 2 more',
      '',
      '  read as     p95 of order',
      '  window      11:00 to 11:05 (UTC)',
      '  evidence    ev_0123456789ab',
      '  inquest verify ev_0123456789ab',
    ]);
    expect(lines.every((line) => textWidth(line) <= 80)).toBe(true);
  });

  it('shows what telemetry says without its escapes', () => {
    const hostile = { ...ANSWER, text: 'cart\u001b[2J\u202e is fine', tables: [], notes: ['\u0007beep'] };
    const text = renderAnswer(hostile, PAGE, NOW_MS);
    for (const mark of ['\u001b', '\u202e', '\u0007']) expect(text).not.toContain(mark);
  });

  it('that is none offers questions to copy, whatever services call themselves', () => {
    expect(renderAnswer(DECLINED, PAGE, NOW_MS)).toContain(`inquest ask 'logs containing "timeout"'`);
    const hostile = { ...DECLINED, suggestions: ["how is $(reboot)'`id` doing?"] };
    expect(renderAnswer(hostile, PAGE, NOW_MS)).toContain(`inquest ask 'how is $(reboot)'\\''\`id\` doing?'`);
  });

  it('squeezes a long chart, keeping its peaks', () => {
    const values = Array.from({ length: 1_000 }, (_, index) => (index === 777 ? 50 : 1));
    const chart = { ...ANSWER.chart, values } as AskOutput['chart'];
    const line = renderAnswer({ ...ANSWER, chart }, PAGE, NOW_MS)
      .split('\n')
      .find((each) => each.includes('▁▁'));
    expect(line).toContain('█');
    expect(textWidth(line ?? '')).toBeLessThanOrEqual(80);
  });
});

describe('inquest ask', () => {
  let dataDir: string;
  let host: StubHost;
  const asked: unknown[] = [];

  beforeEach(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'inquest-ask-'));
    asked.length = 0;
    host = await openStubHost({
      dataDir,
      answers: {
        ask: (_, input) => {
          asked.push(input);
          return [200, JSON.stringify(input).includes('weather') ? DECLINED : ANSWER];
        },
      },
    });
  });
  afterEach(async () => {
    await host.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const inquest = (...words: string[]) => startInquest(['--data-dir', dataDir, ...words]).finished;

  it('takes a question without quotes, and says its answer', async () => {
    const { code, stdout, stderr } = await inquest('ask', 'p95', 'of', 'order', '--at', '2026-03-04T11:05:00Z');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('order: p95 2.08 s');
    expect(asked).toEqual([{ question: 'p95 of order', by: 'auto', nowMs: NOW_MS }]);
  });

  it('gives machines one document', async () => {
    const { stdout } = await inquest('--json', 'ask', 'p95 of order', '--conversation', 'talk_1', '--by', 'grammar');
    expect(JSON.parse(stdout)).toEqual(ANSWER);
    expect(asked).toEqual([{ question: 'p95 of order', by: 'grammar', conversationId: 'talk_1' }]);
  });

  it('ends with 3 when it was not understood, with 2 when it was not asked', async () => {
    expect(await inquest('ask', 'weather')).toMatchObject({
      code: 3,
      stdout: expect.stringContaining('did not understand'),
    });
    expect(await inquest('ask')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('What is the question?'),
    });
    expect(await inquest('ask', 'x', '--by', 'magic')).toMatchObject({ code: 2 });
  });
});
