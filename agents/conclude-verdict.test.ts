import { describe, expect, test } from 'vitest';
import type { Board } from '../context-store/context-store.ts';
import type { Finding } from '../domain/finding.ts';
import type { Hypothesis, Tally } from '../domain/hypothesis.ts';
import { type Scope, type SignalGap, verdictSchema } from '../domain/investigation.ts';
import { concludeVerdict } from './conclude-verdict.ts';
import { changeOf, findingOf, INCIDENT, scopeOf } from './jury.fixture.ts';
import { supervisor } from './supervisor.ts';

/** Scores by service, best first, as a tally would have ranked them. */
function tallyOf(
  hypotheses: readonly Hypothesis[],
  scores: Readonly<Record<string, number>>,
  outcome: Tally['outcome'],
): Tally {
  const ranked = Object.entries(scores).map(([service, score], index) => ({
    hypothesisId: hypotheses.find((one) => one.service === service)?.hypothesisId ?? `hyp_${service}`,
    rank: index + 1,
    score,
    support: score,
    opposition: 0,
    agentsFor: [],
    agentsAgainst: [],
  }));
  return { outcome, confidence: outcome === 'decided' ? 0.8 : 0.3, ranked };
}

interface Words {
  readonly findings: readonly Finding[];
  readonly scores: Readonly<Record<string, number>>;
  readonly scope?: Scope;
  readonly outcome?: Tally['outcome'];
  readonly gaps?: readonly SignalGap[];
}

function conclude({ findings, scores, scope = scopeOf(), outcome = 'decided', gaps = [] }: Words) {
  const hypotheses = supervisor.propose(findings, 1);
  const board: Board = { tasks: [], findings, evidence: [], hypotheses, votes: [], gaps: [] };
  const tally = tallyOf(hypotheses, scores, outcome);
  const verdict = concludeVerdict({ incident: INCIDENT, scope, board, tally, gaps, round: 1 });
  return verdictSchema.parse(verdict);
}

const STOCK = findingOf({ service: 'stock', signal: 'traces', strength: 0.9, causeType: 'errors', onsetMs: 3_100_000 });
const WEB = findingOf({
  service: 'web',
  signal: 'logs',
  strength: 0.6,
  causeType: 'errors',
  canEcho: true,
  onsetMs: 3_120_000,
});
const EDGE = findingOf({ service: 'edge', signal: 'logs', strength: 0.4, causeType: 'errors', canEcho: true });

describe('the outcome', () => {
  test('is a root cause when the jury decided: suspects in its order, the onset of the first', () => {
    const verdict = conclude({ findings: [WEB, STOCK], scores: { stock: 0.9, web: 0.2 } });
    expect(verdict).toMatchObject({ outcome: 'root-cause', confidence: 0.8, onsetMs: 3_100_000 });
    expect(verdict.suspects.map(({ rank, service, score, causeType }) => [rank, service, score, causeType])).toEqual([
      [1, 'stock', 0.9, 'errors'],
      [2, 'web', 0.2, 'errors'],
    ]);
  });

  test('is an abstention when the jury is undecided; the suspects stay as leads, the gaps as what is missing', () => {
    const gap: SignalGap = { signal: 'metrics', service: '', what: 'no metrics', remedy: 'Send some.' };
    const verdict = conclude({
      findings: [STOCK, WEB],
      scores: { stock: 0.3, web: 0.28 },
      outcome: 'undecided',
      gaps: [gap],
    });
    expect(verdict).toMatchObject({ outcome: 'abstained', confidence: 0.3, gaps: [gap] });
    expect(verdict.suspects.map(({ service }) => service)).toEqual(['stock', 'web']);
  });

  test('is an abstention when nobody is suspected, with the onset that was looked at', () => {
    const verdict = conclude({ findings: [], scores: {}, outcome: 'undecided' });
    expect(verdict).toEqual({
      outcome: 'abstained',
      confidence: 0.3,
      onsetMs: 3_000_000,
      suspects: [],
      blastRadius: [],
      propagation: [],
      ruledOut: [],
      gaps: [],
    });
  });

  test('holds no suspect without a score, none of another round, and ten at the most', () => {
    expect(conclude({ findings: [STOCK, WEB], scores: { stock: 0.9, web: 0 } }).suspects).toHaveLength(1);
    const strangers = conclude({ findings: [STOCK], scores: { web: 0.9, stock: 0.5 } });
    expect(strangers.suspects.map(({ rank, service }) => [rank, service])).toEqual([[1, 'stock']]);
    const many = Array.from({ length: 12 }, (_, index) =>
      findingOf({ service: `s${index}`, signal: 'logs', strength: 0.5 }),
    );
    const scores = Object.fromEntries(many.map(({ service }) => [service, 0.5]));
    expect(conclude({ findings: many, scores }).suspects.map(({ rank }) => rank)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ]);
  });
});

describe('a suspect', () => {
  test('cites what accuses it, the strongest first, each once', () => {
    const weaker = findingOf({ service: 'stock', signal: 'logs', strength: 0.3 });
    const defence = findingOf({
      service: 'stock',
      signal: 'traces',
      strength: 1,
      stance: 'against',
      observation: 'echo',
    });
    const again = { ...STOCK, findingId: 'find:again' };
    const { suspects } = conclude({ findings: [weaker, STOCK, defence, again], scores: { stock: 0.9 } });
    expect(suspects[0]?.evidenceIds).toEqual([STOCK.evidenceIds[0], weaker.evidenceIds[0]]);
  });

  test('says what is normal for it, where its findings tell', () => {
    const origin = findingOf({
      service: 'stock',
      signal: 'traces',
      strength: 0.9,
      observation: 'traces:error-origin:stock',
      figures: { windowFailures: 9, windowUnits: 10, normalFailures: 1, normalUnits: 50 },
    });
    const cpu = findingOf({
      service: 'stock',
      signal: 'metrics',
      strength: 0.5,
      observation: 'metrics:cpu:stock',
      figures: { normalMedian: 0.25, normalHigh: 0.4, windowHigh: 0.9, unit: '1' },
    });
    expect(conclude({ findings: [origin, cpu], scores: { stock: 1 } }).suspects[0]?.normal).toEqual({
      errorRatio: 0.02,
      cpuUtilization: 0.25,
    });
    const cores = { ...cpu, figures: { ...cpu.figures, unit: '{cpu}' } };
    expect(conclude({ findings: [cores], scores: { stock: 1 } }).suspects[0]?.normal).toEqual({});
  });
});

describe('propagation', () => {
  test('follows accused callers from the cause outwards, each once, and ends where nobody is hurt', () => {
    const verdict = conclude({
      findings: [STOCK, WEB, EDGE],
      scores: { stock: 0.9 },
      // quiet calls stock too but shows nothing; what calls it is not reached. Circles end.
      scope: scopeOf('edge>web', 'web>stock', 'quiet>stock', 'batch>quiet', 'edge>stock', 'stock>web', 'stock>stock'),
    });
    expect(verdict.propagation).toEqual([
      { from: 'web', to: 'stock' },
      { from: 'edge', to: 'stock' },
    ]);
    expect(verdict.blastRadius).toEqual(['web', 'edge']);
  });

  test('goes over several services', () => {
    const verdict = conclude({
      findings: [STOCK, WEB, EDGE],
      scores: { stock: 0.9 },
      scope: scopeOf('edge>web', 'web>stock'),
    });
    expect(verdict.propagation).toEqual([
      { from: 'web', to: 'stock' },
      { from: 'edge', to: 'web' },
    ]);
  });
});

describe('ruled out', () => {
  test('who only shows the echo of a callee, with the evidence of the callee', () => {
    const verdict = conclude({ findings: [STOCK, WEB], scores: { stock: 0.9, web: 0.1 }, scope: scopeOf('web>stock') });
    expect(verdict.ruledOut).toEqual([
      {
        service: 'web',
        reason: 'what it shows is explained by stock, which it calls',
        evidenceIds: STOCK.evidenceIds,
      },
    ]);
  });

  test('never the first suspect, nor who is hardly accused or hardly explained', () => {
    const faint = { ...EDGE, implications: EDGE.implications.map((one) => ({ ...one, strength: 0.2 })) };
    const doubtful = findingOf({ service: 'stock', signal: 'traces', strength: 0.3 });
    const scope = scopeOf('web>stock', 'edge>stock');
    expect(conclude({ findings: [STOCK, WEB], scores: { web: 0.9 }, scope }).ruledOut).toEqual([]);
    expect(conclude({ findings: [STOCK, faint], scores: { stock: 0.9 }, scope }).ruledOut).toEqual([]);
    expect(conclude({ findings: [doubtful, WEB], scores: { stock: 0.3 }, scope }).ruledOut).toEqual([]);
  });

  test('who was changed around that time but is in no trouble of its own', () => {
    const decoy = changeOf('ads', 2_990_000);
    const verdict = conclude({ findings: [STOCK, decoy, changeOf('stock', 2_990_000)], scores: { stock: 0.9 } });
    expect(verdict.ruledOut).toEqual([
      {
        service: 'ads',
        reason: expect.stringContaining('changed around that time but shows little of its own'),
        evidenceIds: decoy.evidenceIds,
      },
    ]);
  });
});

describe('what would overturn it', () => {
  test('is the strongest observation of the next suspect, asked as a question with its evidence', () => {
    const weak = findingOf({ service: 'web', signal: 'traces', strength: 0.1 });
    const { overturning } = conclude({
      findings: [weak, STOCK, WEB, changeOf('web', 1)],
      scores: { stock: 0.9, web: 0.2 },
    });
    expect(overturning).toEqual({
      question: expect.stringContaining('Did web show this before 1970-01-01T00:52:00.000Z without stock'),
      evidenceId: WEB.evidenceIds[0],
    });
  });

  test('is nothing where there is no second suspect', () => {
    expect(conclude({ findings: [STOCK], scores: { stock: 0.9 } })).not.toHaveProperty('overturning');
  });
});
