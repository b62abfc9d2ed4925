/** Watching an investigation: who does what, and a block that is drawn over without a trace. */
import { describe, expect, it } from 'vitest';
import type { Progress } from '../../domain/investigation.ts';
import { textWidth } from './layout.ts';
import { openLiveBlock } from './live-block.ts';
import { addProgress, emptyProgressView, progressLines, progressLogLines } from './progress-view.ts';

const START_MS = Date.UTC(2026, 0, 31, 10, 13, 20);

function step(actor: string, kind: Progress['kind'], message: string, afterMs = 0): Progress {
  return { investigationId: 'inv_1', atMs: START_MS + afterMs, actor, kind, message };
}

const steps = [
  step('supervisor', 'started', 'checkout fails'),
  step('trace-agent', 'task-claimed', 'Where do errors begin?', 300),
  step('trace-agent', 'finding', 'Errors begin in payment.', 900),
  step('trace-agent', 'finding', 'No child of payment fails.', 1_100),
  step('mira', 'approval', 'approved: known bad', 2_400),
];

describe('the view of an investigation', () => {
  const lines = progressLines(steps.reduce(addProgress, emptyProgressView), 'inc_1');

  it('has a line for each of the jury, also for those who wait, and for whoever joins in', () => {
    expect(lines[0]).toBe('Investigating inc_1: 2.4 s');
    expect(lines.map((line) => line.trim().split(/\s+/)[0])).toEqual([
      'Investigating',
      'supervisor',
      'metrics-agent',
      'log-agent',
      'trace-agent',
      'deploy-agent',
      'mira',
    ]);
    expect(lines.find((line) => line.includes('log-agent'))).toContain('waits');
  });

  it('shows what each did last and how much it found', () => {
    expect(lines.find((line) => line.includes('trace-agent'))).toMatch(
      /found +\(2 findings\) No child of payment fails\./,
    );
  });

  it('as a log wraps behind time and actor', () => {
    const logged = progressLogLines(step('log-agent', 'finding', 'many words '.repeat(20)), 60);
    expect(logged[0]).toMatch(/^10:13:20 {2}log-agent {6}found {5}many words/);
    expect(Math.max(...logged.map(textWidth))).toBeLessThanOrEqual(60);
    expect(progressLogLines(step('a\u001b[2J', 'finding', '\u001b]0;x\u0007ok'), 60).join('')).not.toContain('\u001b');
  });
});

describe('a live block', () => {
  function screen(columns: number, rows = 24) {
    const written: string[] = [];
    const stream = { columns, rows, write: (text: string) => written.push(text) };
    return { written, stream, block: openLiveBlock(stream, (line) => line) };
  }

  it('goes up exactly as many rows as it drew, and writes once for each update', () => {
    const { written, block } = screen(40);
    block.update(['one', 'two']);
    block.update(['one', 'two', 'three']);
    block.update(['one']);
    expect(written).toHaveLength(3);
    expect(written[0]).toBe('one\u001b[K\ntwo\u001b[K\n\u001b[J');
    expect(written[1]?.startsWith('\u001b[2F')).toBe(true);
    expect(written[2]).toBe('\u001b[3Fone\u001b[K\n\u001b[J');
  });

  it('never wraps or scrolls: lines are cut to the columns, the block to the rows', () => {
    const { written, block } = screen(20, 4);
    block.update(Array.from({ length: 9 }, () => 'x'.repeat(100)));
    const rows = (written[0] ?? '').split('\n').slice(0, -1);
    expect(rows).toHaveLength(3);
    expect(rows[0]).toBe(`${'x'.repeat(18)}…\u001b[K`);
  });

  it('erases what a narrower terminal has wrapped', () => {
    const { written, stream, block } = screen(40);
    block.update(['x'.repeat(30), 'y']);
    stream.columns = 15;
    block.update(['z']);
    expect(written[1]?.startsWith('\u001b[3F')).toBe(true);
  });
});
