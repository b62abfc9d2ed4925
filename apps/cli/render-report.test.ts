/** The report says what an investigation holds, cites evidence for every reason, and stays inside its width. */
import { describe, expect, it } from 'vitest';
import {
  abstained,
  advised,
  decided,
  EV_CPU,
  EV_DEPLOY,
  findings,
  pending,
  running,
  troubleWindow,
} from './investigations.fixture.ts';
import { textWidth } from './layout.ts';
import type { Page } from './page.ts';
import { colourPalette, plainPalette } from './palette.ts';
import { renderReport } from './render-report.ts';

function page(width: number, palette = plainPalette): Page {
  return { width, palette, command: ['inquest', '--data-dir', '~/.inquest/demo'] };
}

const cases = { pending, abstained, decided, running, advised };

describe.each(Object.entries(cases))('a report of an investigation that is %s', (_name, investigation) => {
  it.each([60, 72, 80, 120])('stays within %i columns and has no escapes, in short and in full', (width) => {
    for (const full of [false, true]) {
      const text = renderReport(investigation, page(width), { full });
      const tooWide = text.split('\n').filter((line) => textWidth(line) > width);
      expect(tooWide).toEqual([]);
      expect(text).not.toMatch(/\p{Cc}(?<!\n)/u);
    }
  });

  it('is the same text with colours as without them', () => {
    const coloured = renderReport(investigation, page(80, colourPalette), { full: true });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the escapes that colours are made of
    const stripped = coloured.replace(/\u001b\[\d+m/g, '').replace(/ +$/gm, '');
    expect(stripped).toBe(renderReport(investigation, page(80), { full: true }));
  });
});

describe('a report of a jury that heard a model', () => {
  const text = renderReport(advised, page(80));

  it('shows what it said with its evidence, what it came to, and what it cost', () => {
    const section = flat(text.slice(text.indexOf('WHAT A MODEL SAYS')));
    expect(section).toContain(`- Payment fails since the deploy. [${EV_DEPLOY}]`);
    expect(section).toContain(
      'It would put inventory first (not followed: the evidence cited weighs less): Its CPU is full.',
    );
    expect(section).toContain('1 of 2 talks gave nothing: the model refused to answer.');
    expect(section).toContain('3 statements without evidence for it were thrown away.');
    expect(text).toContain('small: 5 calls, 3,000 tokens, $0.012');
  });
});

describe('a report that waits for approval', () => {
  const text = renderReport(pending, page(80));

  it('opens with who, what, where and how sure, in words and a number', () => {
    const head = flat(text).slice(0, 600);
    expect(head).toContain('payment is the root cause: bad change, in POST /charge, with the deploy of payment 2.4.1.');
    expect(head).toContain('Confidence: high, 86%.');
  });

  it('cites evidence behind every reason', () => {
    for (const title of ['WHY payment', 'DISSENT']) {
      const sentences = sentencesOf(text, title);
      expect(sentences.length).toBeGreaterThan(1);
      for (const sentence of sentences) expect(sentence).toMatch(/\[ev_[0-9a-f]{12}\]/);
    }
  });

  it('shows how the jury voted on each suspect', () => {
    const lines = text.split('\n');
    const heading = lines.find((line) => line.includes('service') && line.includes('score')) ?? '';
    const row = lines.find((line) => /^\s+1 {2}payment/.test(line)) ?? '';
    expect(row).toContain('0.84');
    const mark = (agent: string) => row.charAt(heading.indexOf(agent));
    expect({ metrics: mark('metrics'), logs: mark('logs'), traces: mark('traces'), deploys: mark('deploys') }).toEqual({
      metrics: '-',
      logs: '+',
      traces: '+',
      deploys: '+',
    });
  });

  it('tells the story in the order of time', () => {
    const timeline = flat(sectionOf(text, 'TIMELINE'));
    const order = ['8.0.3', '2.4.1', 'onset:', 'first anomaly:', 'incident opened', 'first suspects', 'verdict'];
    const positions = order.map((part) => timeline.indexOf(part));
    expect(positions).not.toContain(-1);
    expect(positions).toEqual([...positions].sort((left, right) => left - right));
  });

  it('says what was ruled out, how it spread, what would change the verdict and what was not seen', () => {
    expect(flat(sectionOf(text, 'RULED OUT'))).toContain(
      `postgres: its latency and connections stay in their range [${EV_CPU}]`,
    );
    expect(sectionOf(text, 'BLAST RADIUS')).toContain('frontend -> checkout -> payment');
    expect(sectionOf(text, 'BLAST RADIUS')).toContain('admin -> payment');
    expect(flat(sectionOf(text, 'WHAT WOULD CHANGE THIS VERDICT'))).toContain(`the deploy is innocent. [${EV_DEPLOY}]`);
    expect(sectionOf(text, 'NOT SEEN')).toContain('metrics of redis');
  });

  it('proposes with risk, promise and undo, and gives the exact command', () => {
    const proposal = flat(sectionOf(text, 'PROPOSAL'));
    expect(proposal).toContain('Roll back the deploy of payment (from 2.4.1, to 2.4.0).');
    expect(proposal).toContain('medium: a lead approves');
    expect(proposal).toContain('error rate of payment falls to 1% or less within 5 min');
    expect(proposal).toContain('inquest --data-dir ~/.inquest/demo approve inc_06bq3s9x0e2k7m');
    expect(flat(text)).toContain('inquest --data-dir ~/.inquest/demo verify inc_06bq3s9x0e2k7m');
  });

  it('counts the time until the verdict, not the time a person takes', () => {
    expect(flat(text)).toContain('Took 3.4 s (first suspects after 1.2 s)');
    expect(flat(renderReport(decided, page(80)))).toContain('Took 3.4 s (first suspects after 1.2 s)');
  });

  it('in full also holds every finding, vote and query with its parameters', () => {
    const full = renderReport(pending, page(80), { full: true });
    expect(full).toContain('FROM otel_traces');
    expect(full).toContain(String(troubleWindow.startMs));
    for (const { findingId } of findings) expect(full).toContain(findingId);
    expect(full).toContain('logs: abstains');
  });
});

describe('other reports', () => {
  it('an abstention says that it does not know, what is missing, and accuses nobody', () => {
    const text = flat(renderReport(abstained, page(80)));
    expect(text).toContain("I don't know what caused this.");
    expect(text).toContain('traces of payment: none arrived in the window. Export spans of payment to this host.');
    expect(text).not.toContain('root cause');
    expect(text).toContain('LEADS');
    expect(text).toContain('Confidence in that lead: low, 34%.');
  });

  it('a decision and its outcome take the place of the question', () => {
    const proposal = flat(sectionOf(renderReport(decided, page(80)), 'PROPOSAL'));
    expect(proposal).toContain('Approved by mira on 2026-01-31 at 10:17:20 UTC: "known bad".');
    expect(proposal).toContain('Done at 10:17:21 UTC: recorded as a dry run');
    expect(proposal).not.toContain('approve inc_');
  });

  it('hostile telemetry cannot act on the terminal or leave its lines', () => {
    const hostile = structuredClone(pending);
    const poison = `\u001b]0;owned\u0007\u001b[2J\u001b[31mpayment\u202egnp.exe\n\n\u009b1A\u200b${'x'.repeat(5_000)}`;
    hostile.incident.title = poison;
    for (const suspect of hostile.verdict?.suspects ?? []) suspect.service = poison;
    for (const each of hostile.findings) each.sentence = poison;
    for (const each of hostile.changes) each.summary = poison;
    for (const each of hostile.evidence) {
      each.summary = poison;
      each.queries = each.queries.map((query) => ({ ...query, sql: poison, parameters: { [poison]: poison } }));
    }
    const text = renderReport(hostile, page(60), { full: true });
    expect(text).not.toMatch(/\p{C}(?<!\n)/u);
    expect(text.split('\n').filter((line) => textWidth(line) > 60)).toEqual([]);
  });
});

/** One line: as a reader's eye joins it. */
function flat(text: string): string {
  return text.replace(/ \\\n/g, ' ').replace(/\s+/g, ' ');
}

function sectionOf(text: string, title: string): string {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.startsWith(title));
  const length = lines.slice(start + 1).findIndex((line) => /^[A-Z]{3}/.test(line));
  return start === -1 ? '' : lines.slice(start, length === -1 ? undefined : start + 1 + length).join('\n');
}

/** The entries of a section: each starts at two columns and goes on deeper. */
function sentencesOf(text: string, title: string): string[] {
  const body = sectionOf(text, title)
    .split('\n')
    .slice(1)
    .filter((line) => line.trim() !== '');
  const entries: string[] = [];
  for (const line of body) {
    if (/^ {2}\S/.test(line)) entries.push(line);
    else entries.push(`${entries.pop() ?? ''} ${line.trim()}`);
  }
  return entries;
}
