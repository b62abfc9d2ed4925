/** Counts the votes: a decision or the last round ends in a verdict, otherwise another round looks closer at who leads. */
import { applyCounsel } from '../../domain/counsel.ts';
import type { Tally } from '../../domain/hypothesis.ts';
import { tallyVotes } from '../../domain/tally-votes.ts';
import { InvariantError } from '../../platform/errors.ts';
import { retry } from '../../platform/retry.ts';
import type { RunParts } from '../investigation-parts.ts';
import { type InvestigationState, type StateUpdate, type StepConfig, signalOf } from '../investigation-state.ts';
import { leadingServices } from '../next-round.ts';
import { announceStep, auditStep } from '../record-step.ts';
import { openBoard } from '../restore-board.ts';

export function createDecideVerdict(parts: RunParts) {
  return async (state: InvestigationState, config: StepConfig): Promise<StateUpdate> => {
    const { investigationId, scope, round } = state;
    const signal = signalOf(config);
    if (!scope) throw new InvariantError(`Investigation ${investigationId} decides without a scope.`);
    const hypotheses = state.hypotheses.filter((hypothesis) => hypothesis.round === round);
    const tally = tallyVotes(
      hypotheses,
      state.votes.filter((vote) => vote.round === round),
    );
    const confidence = Number(tally.confidence.toFixed(3));

    if (tally.outcome === 'undecided' && round < parts.limits.maxRounds && !state.isCounselled) {
      const focus = leadingServices(tally, hypotheses);
      const details = { round, confidence, focus };
      await auditStep(parts, investigationId, { actor: 'supervisor', kind: 'round.undecided', details }, signal);
      const message = `undecided after round ${round} (confidence ${confidence}): looks closer${focus.length > 0 ? ` at ${focus.join(', ')}` : ''}`;
      await announceStep(parts, investigationId, { actor: 'supervisor', kind: 'verdict', message });
      return { tally, round: round + 1, focus };
    }

    if (parts.consult && !state.isCounselled && hypotheses.length > 0) {
      const leads = leadingServices(tally, hypotheses).join(', ');
      const message = `so far: ${leads === '' ? 'nobody is accused' : leads} (confidence ${confidence}); a model is heard before the verdict`;
      await announceStep(parts, investigationId, { actor: 'supervisor', kind: 'verdict', message });
      return { tally, round: round + 1, isCounselled: true };
    }
    return conclude(parts, state, tally, signal);
  };
}

async function conclude(
  parts: RunParts,
  state: InvestigationState,
  counted: Tally,
  signal: AbortSignal,
): Promise<StateUpdate> {
  const { investigationId, incident, scope, round } = state;
  if (!scope) throw new InvariantError(`Investigation ${investigationId} concludes without a scope.`);
  const hypotheses = state.hypotheses.filter((hypothesis) => hypothesis.round === round);
  const heard = state.answers.flatMap(({ counsel }) => counsel ?? []);
  const findings = state.answers.flatMap((answer) => answer.findings);
  const { tally, outcomes } = applyCounsel({ tally: counted, hypotheses, findings }, heard);
  const board = await openBoard(parts, state, signal);
  const unsure = await lookForGaps(parts, state, tally, signal);
  const gaps = [...board.gaps, ...unsure.gaps];
  const concluded = parts.supervisor.conclude({ incident, scope, board, tally, gaps, round });
  const verdict = heard.length > 0 ? { ...concluded, counsel: { heard, outcomes } } : concluded;
  const first = verdict.suspects[0];
  const details = {
    round,
    outcome: verdict.outcome,
    confidence: verdict.confidence,
    first: first?.hypothesisId ?? '',
  };
  await auditStep(parts, investigationId, { actor: 'supervisor', kind: 'verdict.reached', details }, signal);
  const message = verdict.outcome === 'root-cause' && first ? first.statement : 'not enough evidence for a verdict';
  await announceStep(parts, investigationId, { actor: 'supervisor', kind: 'verdict', message });
  return { tally, verdict, gapEvidence: unsure.evidence };
}

/** A verdict less sure than this says what would have made it surer. */
const SURE = 0.8;
const MAX_LEADS = 3;

async function lookForGaps(
  parts: RunParts,
  { scope, hypotheses, answers }: InvestigationState,
  tally: Tally,
  signal: AbortSignal,
): Promise<Awaited<ReturnType<RunParts['supervisor']['findGaps']>>> {
  if (!scope || tally.confidence >= SURE) return { gaps: [], evidence: [] };
  const services = new Map(hypotheses.map(({ hypothesisId, service }) => [hypothesisId, service]));
  const leads = tally.ranked.flatMap(({ hypothesisId, score }) =>
    score > 0 ? (services.get(hypothesisId) ?? []) : [],
  );
  const changesKnown = answers.some(({ findings }) => findings.some((finding) => finding.signal === 'changes'));
  const uncertainty = { scope, leads: leads.slice(0, MAX_LEADS), changesKnown };
  const look = () => parts.supervisor.findGaps(uncertainty, parts.toolContext(signal));
  return await retry(look, { attempts: 3, baseDelayMs: 500, maxDelayMs: 5_000, signal });
}
