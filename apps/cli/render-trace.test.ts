/** A trace on a terminal: the tree, where time went, what failed, and what may be missing; never wider than asked. */
import { describe, expect, it } from 'vitest';
import type { Trace, TraceSpan } from '../../domain/trace.ts';
import { textWidth } from './layout.ts';
import type { Page } from './page.ts';
import { plainPalette } from './palette.ts';
import { renderTrace } from './render-trace.ts';

const ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const page = (width: number): Page => ({ width, palette: plainPalette, command: ['inquest'] });

function span(depth: number, service: string, operation: string, offsetMs: number, durationMs: number): TraceSpan {
  const selfMs = durationMs;
  return {
    depth,
    spanId: `${service}${offsetMs}`,
    service,
    operation,
    spanKind: 'Server',
    offsetMs,
    durationMs,
    selfMs,
    status: 'Unset',
  };
}

const trace: Trace = {
  startMs: Date.UTC(2026, 2, 4, 10),
  spans: [
    span(0, 'web', 'GET /cart', 0, 1_200),
    {
      ...span(1, 'pay', 'POST /charge', 300, 600),
      status: 'Error',
      statusMessage: 'declined',
      exception: 'CardError: no',
    },
    { ...span(2, 'ledger', 'INSERT', 600, 3), logs: [{ offsetMs: 601, severity: 'INFO', body: 'row 7 written' }] },
  ],
  totalSpans: 3,
  logs: [{ offsetMs: -20, service: 'proxy', spanId: '', severity: 'WARN', body: 'retry \u001b[31mred' }],
  totalLogs: 45,
  exemplars: [
    {
      offsetMs: 310,
      service: 'pay',
      metric: 'http.server.duration',
      unit: 'ms',
      value: 600,
      spanId: '',
      attributes: { route: '/charge' },
    },
  ],
  totalExemplars: 1,
  orphans: 1,
  searched: { startMs: Date.UTC(2026, 2, 4, 9, 59), endMs: Date.UTC(2026, 2, 4, 10, 1) },
  truncated: true,
};

it('draws where the time of each span lies, and says below it what failed and was logged', () => {
  expect(renderTrace(ID, trace, page(80))).toBe(`Trace ${ID}
  2026-03-04 10:00:00 UTC, 1.2 s, 3 spans of 3 services, 1 failed, 45 log
  records, 1 exemplar

SPANS
  GET /cart                       web                1.2 s  ━━━━━━━━━━━━━━━━━━━━
   ✗ POST /charge                 pay               600 ms       ━━━━━━━━━━
     declined; CardError: no
    INSERT                        ledger              3 ms            ━
      +601 ms INFO row 7 written

RECORDS OF NO SPAN SHOWN  1 of 44; more with --json
  -20 ms    proxy WARN retry red

EXEMPLARS
       at  service  metric                 value  attributes
  +310 ms  pay      http.server.duration  600 ms  route=/charge

  1 span of a parent that is not stored: the trace is incomplete.
  Records and exemplars were looked for from 2026-03-04 09:59:00 to 2026-03-04
  10:01:00 UTC.`);
});

it('says what a trace without spans may be', () => {
  const text = renderTrace(ID, { ...trace, spans: [], totalSpans: 0, orphans: 0 }, page(80));
  expect(text).toContain('No span with this id is stored');
  expect(text).not.toContain('SPANS\n');
});

describe.each([60, 80, 120])('in %i columns', (width) => {
  it('stays inside them, however deep and talkative', () => {
    const deep = Array.from({ length: 300 }, (_, depth) => ({
      ...span(depth, 'a-service-with-a-rather-long-name', `operation ${'long '.repeat(10)}${depth}`, depth, 5_000),
      logs: Array.from({ length: 9 }, (_, offsetMs) => ({
        offsetMs,
        severity: 'INFO',
        body: `審問 ${'word '.repeat(40)}`,
      })),
    }));
    const text = renderTrace(ID, { ...trace, spans: deep, totalSpans: 2_500 }, page(width));
    expect(text.split('\n').filter((line) => textWidth(line) > width)).toEqual([]);
    expect(text).toContain('200 of 2500; more with --json');
    expect(text).toContain('4 earlier records: --json');
  });
});
