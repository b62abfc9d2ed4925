/** Investigations whose agents talk with a model that is scripted but for its endpoint: what it may change, and what it may not. */
import { afterEach, describe, expect, it } from 'vitest';
import { consultModel } from '../agents/consult-model.ts';
import type { Investigation } from '../domain/investigation.ts';
import { tallyVotes } from '../domain/tally-votes.ts';
import { openChatModel } from '../llm/chat-model.ts';
import { MISBEHAVIOURS, openScriptedModel, type ScriptedRequest, type Script as Words } from '../llm/scripted-model.ts';
import { systemClock } from '../platform/clock.ts';
import { loadConfig } from '../platform/config.ts';
import { InvariantError } from '../platform/errors.ts';
import { createInvestigator } from './run-investigation.ts';
import { createScriptedParts, INCIDENT, OVERTURNING, type Script } from './scripted-jury.fixture.ts';

const PATIENCE = { silenceMs: 50, totalMs: 2_000, attempts: 2, pauseMs: 1, maxPauseMs: 10 };
const TALK = { turns: 3, totalMs: 5_000 };
const soon = () => AbortSignal.timeout(30_000);

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function investigate(jury: Script, words?: Words): Promise<Investigation> {
  const parts = createScriptedParts(jury, { tier: 'medium' });
  const consult = words && (await openConsult(words, parts.toolContext));
  return createInvestigator({ ...parts, consult }).start({ ...INCIDENT, investigationId: 'inv_1' }, soon());
}

async function openConsult(words: Words, toolContext: ReturnType<typeof createScriptedParts>['toolContext']) {
  const endpoint = await openScriptedModel(words);
  const { llm } = loadConfig({ INQUEST_LLM_URL: endpoint.url, INQUEST_LLM_MODEL: 'small' });
  if (!llm) throw new InvariantError('no model is configured');
  const model = openChatModel(llm, { clock: systemClock, patience: PATIENCE });
  closing.push(endpoint.close, model.close);
  const consult: NonNullable<ReturnType<typeof createScriptedParts>['consult']> = (agent, task, board, signal) => {
    const tally = tallyVotes(board.hypotheses, board.votes);
    return consultModel({ agent, task, board, tally, model, context: toolContext(signal), patience: TALK });
  };
  return consult;
}

const ranksOf = ({ verdict }: Investigation) => verdict?.suspects.map(({ service, score }) => `${service} ${score}`);
const outcomesOf = ({ verdict }: Investigation) =>
  verdict?.counsel?.outcomes.map(({ service, outcome }) => `${service} ${outcome}`);

/** What a model finds in its prompt: the evidence of its agent's findings about a service. */
function evidenceAbout({ messages }: ScriptedRequest, service: string): string[] {
  const text = messages.map(({ content }) => content ?? '').join('\n');
  const findings = JSON.parse(/findings: (\{.*\})$/m.exec(text)?.[1] ?? '{"telemetry":[]}').telemetry;
  return findings.flatMap((one: { service: string; evidenceIds: string[] }) =>
    one.service === service ? one.evidenceIds : [],
  );
}

const says = (suspect: object | null, notes: object[] = []) =>
  ({ kind: 'text', text: JSON.stringify({ notes, suspect }) }) as const;

/** Names a service, on the evidence of one service. */
const naming = (service: string, shownBy: string) => (request: ScriptedRequest) => {
  const evidenceIds = evidenceAbout(request, shownBy);
  return says({ service, why: `${service} broke first.`, evidenceIds });
};

describe('a useless model', () => {
  it.each(Object.entries(MISBEHAVIOURS))('changes no rank: %s', async (_, misbehave) => {
    const alone = await investigate(OVERTURNING);
    const advised = await investigate(OVERTURNING, (request) => misbehave(request));
    expect(ranksOf(advised)).toEqual(ranksOf(alone));
    expect(advised.verdict).toMatchObject({ outcome: 'root-cause', confidence: alone.verdict?.confidence });
    expect(advised.status).toBe('awaiting-approval');
    expect(advised.remediation).toEqual(alone.remediation);
    expect(advised.verdict?.counsel?.heard).toHaveLength(4);
    for (const { notes, suspect, failure, stopped } of advised.verdict?.counsel?.heard ?? []) {
      expect({ notes, suspect }).toEqual({ notes: [], suspect: undefined });
      expect(failure ?? stopped).toBeTruthy();
    }
  });

  it('that invents evidence is not heard, and that is counted', async () => {
    const alone = await investigate(OVERTURNING);
    const inventing = says({ service: 'frontend', why: 'It did it.', evidenceIds: ['ev_ffffffffffff'] }, [
      { text: 'All is clear.', evidenceIds: ['ev_000000000000'] },
      { text: 'Nobody shows this.', evidenceIds: [] },
    ]);
    const advised = await investigate(OVERTURNING, () => inventing);
    expect(ranksOf(advised)).toEqual(ranksOf(alone));
    expect(advised.verdict?.counsel).toMatchObject({ outcomes: [] });
    expect(advised.verdict?.counsel?.heard.map(({ dropped, notes }) => [dropped, notes])).toEqual([
      [3, []],
      [3, []],
      [3, []],
      [3, []],
    ]);
  });

  it('that says what its evidence is not about is not heard', async () => {
    const advised = await investigate(OVERTURNING, (request) =>
      says(null, [{ text: 'The rollback is approved.', evidenceIds: evidenceAbout(request, 'payment') }]),
    );
    for (const { notes, dropped } of advised.verdict?.counsel?.heard ?? []) expect([notes, dropped]).toEqual([[], 1]);
  });

  it('that hides an invented id behind a real one is not heard either', async () => {
    const advised = await investigate(OVERTURNING, (request) =>
      says(null, [{ text: 'See ev_ffffffffffff: payment failed.', evidenceIds: evidenceAbout(request, 'payment') }]),
    );
    for (const { notes, dropped } of advised.verdict?.counsel?.heard ?? []) expect([notes, dropped]).toEqual([[], 1]);
  });

  it.each([
    ['evidence that exists and shows another', naming('frontend', 'payment'), 'frontend irrelevant-evidence'],
    ['evidence that shows it, but weighs less', naming('frontend', 'frontend'), 'frontend weaker-evidence'],
    ['a service that nobody accuses', naming('ledger', 'payment'), 'ledger unknown-suspect'],
  ])('moves nobody on %s', async (_, words, expected) => {
    const alone = await investigate(OVERTURNING);
    const advised = await investigate(OVERTURNING, words);
    expect(ranksOf(advised)).toEqual(ranksOf(alone));
    expect(advised.verdict?.confidence).toBe(alone.verdict?.confidence);
    expect(outcomesOf(advised)).toEqual([expected]);
  });
});

describe('a model that reads', () => {
  it('explains with evidence, and agrees', async () => {
    const advised = await investigate(OVERTURNING, (request) => {
      const evidenceIds = evidenceAbout(request, 'payment');
      return says({ service: 'payment', why: 'Its spans fail.', evidenceIds }, [
        { text: 'Payment fails by itself.', evidenceIds },
      ]);
    });
    expect(outcomesOf(advised)).toEqual(['payment agrees']);
    const notes = advised.verdict?.counsel?.heard.flatMap((one) => one.notes) ?? [];
    expect(notes.length).toBeGreaterThan(0);
    const known = new Set(advised.evidence.map(({ evidenceId }) => evidenceId));
    expect(notes.flatMap(({ evidenceIds }) => evidenceIds).every((id) => known.has(id))).toBe(true);
  });

  it('puts another first on evidence that is no weaker, and the verdict is no surer than a coin', async () => {
    const close: Script = {
      'metrics-agent': () => [{ service: 'cart', stance: 'for', strength: 0.9 }],
      'log-agent': () => [{ service: 'payment', stance: 'for', strength: 0.95 }],
      'trace-agent': () => [{ service: 'payment', stance: 'against', strength: 0.4 }],
    };
    const alone = await investigate(close);
    expect(alone.verdict?.suspects[0]?.service).toBe('cart');
    const advised = await investigate(close, naming('payment', 'payment'));
    expect(advised.verdict?.suspects.map(({ service, rank }) => [service, rank])).toEqual([
      ['payment', 1],
      ['cart', 2],
    ]);
    expect(outcomesOf(advised)).toEqual(['payment moved']);
    expect(advised.verdict?.outcome).toBe(alone.verdict?.outcome);
    expect(advised.verdict?.confidence).toBeLessThanOrEqual(0.5);
  });

  it('has its calls, tokens and cost told', async () => {
    const advised = await investigate(OVERTURNING, () => says(null));
    for (const { usage } of advised.verdict?.counsel?.heard ?? []) {
      expect(usage).toMatchObject({ calls: 1, unpricedCalls: 1, costUsd: 0 });
      expect(usage.inputTokens).toBeGreaterThan(100);
    }
  });
});
