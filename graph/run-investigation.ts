/**
 * Investigations from outside: start one, decide on what it asks, go on after a crash, see what waits, watch. Everything is
 * durable before the next step begins, so any process with the same stores can take over where another one died.
 */
import { Command } from '@langchain/langgraph';
import {
  type Approval,
  type Decision,
  decideByExpiry,
  decisionSchema,
  EXPIRY_POLICY,
  hasExpired,
} from '../domain/approval.ts';
import type { Incident } from '../domain/incident.ts';
import type { Investigation, Progress } from '../domain/investigation.ts';
import { errorMessage, InputError } from '../platform/errors.ts';
import { assembleInvestigation } from './assemble-investigation.ts';
import { buildInvestigationGraph } from './investigation-graph.ts';
import type { InvestigationParts } from './investigation-parts.ts';
import type { InvestigationState } from './investigation-state.ts';
import { announceStep, auditStep } from './record-step.ts';

export interface PendingInvestigation {
  readonly investigationId: string;
  /** What it waits for; absent: it was interrupted, `recover` lets it go on. */
  readonly approval?: Approval;
}

export interface Investigator {
  /**
   * Investigates until the verdict is reported or a person is asked. An incident without investigationId gets one; give it
   * one before to watch from the beginning. A failure of a step is an investigation with status `failed`. Rejects with
   * InputError (conflict) when it was started before, and when the signal aborts, after which `recover` goes on.
   */
  start(incident: Incident, signal: AbortSignal): Promise<Investigation>;

  /**
   * Hands in a decision and goes on to the end. Of all decisions on one approval, in any process, the first counts; the
   * others reject with InputError (conflict), as does one where nothing waits, after its time, or on another action than the
   * one that waits.
   */
  resume(investigationId: string, decision: Decision, signal: AbortSignal): Promise<Investigation>;

  /** Ends a wait whose time is over: nothing runs, and it goes on to the report. Rejects as `resume` does. */
  expire(investigationId: string, signal: AbortSignal): Promise<Investigation>;

  /**
   * Goes on where a crash, an abort or a failure ended it; one that waits for a person or is finished is returned as it is.
   * Only for investigations that no living process is at. Rejects with InputError (not-found).
   */
  recover(investigationId: string, signal: AbortSignal): Promise<Investigation>;

  /** What is not finished: waiting for a person, or interrupted; without those that run here right now. */
  pending(signal: AbortSignal): Promise<readonly PendingInvestigation[]>;

  /** Tells what happens from now on; returns how to stop. */
  watch(investigationId: string, listener: (progress: Progress) => void): Promise<() => Promise<void>>;
}

type Input = Parameters<ReturnType<typeof buildInvestigationGraph>['invoke']>[0];

interface Standing {
  readonly state: InvestigationState;
  /** The step to be taken next, or STEP_ANSWERED; undefined at the end. */
  readonly next: string | undefined;
}

/** Steps of one round, times rounds, with room to spare: LangGraph's own limit of 25 is too low for a third round. */
const RECURSION_LIMIT = 200;

/** A crash came between a step's answer, which is stored, and its checkpoint: nothing is next, and yet it is not the end. */
const STEP_ANSWERED = 'step-answered';

const decisionKey = (approvalId: string) => `decision/${approvalId}`;

export function createInvestigator(parts: InvestigationParts): Investigator {
  const effects = new Set<Promise<unknown>>();
  const graph = buildInvestigationGraph(parts, parts.newId('worker'), (effect) => {
    effects.add(effect);
    return effect.finally(() => effects.delete(effect));
  });
  const running = new Set<string>();

  const threadOf = (investigationId: string) => ({ configurable: { thread_id: investigationId } });

  async function findStanding(investigationId: string): Promise<Standing | undefined> {
    const snapshot = await graph.getState(threadOf(investigationId));
    const state = snapshot.values as InvestigationState;
    if (state.investigationId === undefined) return undefined;
    return { state, next: snapshot.next[0] ?? (snapshot.tasks.length > 0 ? STEP_ANSWERED : undefined) };
  }

  async function readStanding(investigationId: string): Promise<Standing> {
    const standing = await findStanding(investigationId);
    if (standing) return standing;
    throw new InputError(`There is no investigation ${investigationId}.`, { code: 'not-found' });
  }

  /** One run of an investigation at a time in this process. */
  async function exclusively<T>(investigationId: string, work: () => Promise<T>): Promise<T> {
    if (running.has(investigationId)) throw conflict(`Investigation ${investigationId} is running: wait for it.`);
    running.add(investigationId);
    try {
      return await work();
    } finally {
      running.delete(investigationId);
    }
  }

  async function run(investigationId: string, input: Input, signal: AbortSignal): Promise<Investigation> {
    const config = {
      ...threadOf(investigationId),
      durability: 'sync' as const,
      recursionLimit: RECURSION_LIMIT,
      signal,
    };
    try {
      await graph.invoke(input, config);
    } catch (error) {
      if (!signal.aborted) return recordFailure(investigationId, error);
      await Promise.allSettled(effects);
      throw error;
    }
    const investigation = describe(await readStanding(investigationId));
    if (investigation.status === 'finished') await dropBoard(investigationId);
    return investigation;
  }

  /** The checkpoint stays before the failed step: `recover` takes it again. */
  async function recordFailure(investigationId: string, error: unknown): Promise<Investigation> {
    const failure = errorMessage(error);
    parts.logger.error({ investigationId, err: error }, 'an investigation failed');
    const { state } = await readStanding(investigationId);
    const failed = assembleInvestigation(state, 'failed', failure);
    await parts.archive.saveInvestigation(failed);
    await parts.archive.saveIncident(failed.incident);
    await auditStep(parts, investigationId, {
      actor: 'supervisor',
      kind: 'investigation.failed',
      details: { failure },
    });
    await announceStep(parts, investigationId, { actor: 'supervisor', kind: 'failed', message: failure });
    return failed;
  }

  /** The archive has it all; a board that stays behind is only memory. */
  async function dropBoard(investigationId: string): Promise<void> {
    try {
      await parts.contextStore.dropBoard(investigationId);
    } catch (error) {
      parts.logger.warn({ investigationId, reason: errorMessage(error) }, 'a board was left behind');
    }
  }

  /** The decision that stands for what this investigation waits for, if there is one. */
  async function findDecision({ state, next }: Standing, signal: AbortSignal): Promise<Decision | undefined> {
    if (next !== 'request-approval' || !state.approval) return undefined;
    const text = await parts.once.get(decisionKey(state.approval.approvalId), signal);
    return text === undefined ? undefined : decisionSchema.parse(JSON.parse(text));
  }

  /** The first decision is the one that stands. */
  async function carryOut(approval: Approval, decision: Decision, signal: AbortSignal): Promise<Investigation> {
    const { approvalId, investigationId } = approval;
    const standing = await parts.once.putOnce(decisionKey(approvalId), JSON.stringify(decision), signal);
    if (!standing.stored) throw alreadyDecided(decisionSchema.parse(JSON.parse(standing.text)));
    return run(investigationId, new Command({ resume: decision }), signal);
  }

  return {
    async start(incident, signal) {
      const investigationId = incident.investigationId ?? parts.newId('inv');
      return exclusively(investigationId, async () => {
        if (await findStanding(investigationId)) throw conflict(`Investigation ${investigationId} was started before.`);
        const opened = { ...incident, investigationId, status: 'investigating' as const };
        const startedAtMs = parts.clock.nowMs();
        return run(investigationId, { investigationId, incident: opened, startedAtMs, round: 1, focus: [] }, signal);
      });
    },

    async resume(investigationId, given, signal) {
      const parsed = decisionSchema.safeParse(given);
      if (!parsed.success) throw new InputError(`That is not a decision: ${parsed.error.message}`);
      const decision = parsed.data;
      return exclusively(investigationId, async () => {
        const approval = refuseUnlessWaiting(await readStanding(investigationId));
        if (hasExpired(approval, decision.decidedAtMs)) throw tooLate(approval);
        const { actionDigest } = approval;
        if ((decision.actionDigest ?? actionDigest) !== actionDigest) throw notWhatWaits(approval);
        return carryOut(approval, { ...decision, actionDigest }, signal);
      });
    },

    async expire(investigationId, signal) {
      return exclusively(investigationId, async () => {
        const approval = refuseUnlessWaiting(await readStanding(investigationId));
        const nowMs = parts.clock.nowMs();
        if (!hasExpired(approval, nowMs)) throw conflict(`Approval ${approval.approvalId} has not expired yet.`);
        return carryOut(approval, decideByExpiry(approval, nowMs), signal);
      });
    },

    async recover(investigationId, signal) {
      return exclusively(investigationId, async () => {
        const standing = await readStanding(investigationId);
        const decision = await findDecision(standing, signal);
        if (decision) return run(investigationId, new Command({ resume: decision }), signal);
        if (standing.next === undefined || standing.next === 'request-approval') return describe(standing);
        return run(investigationId, null, signal);
      });
    },

    async pending(signal) {
      const found: PendingInvestigation[] = [];
      for (const investigationId of await parts.archive.listUnfinished(signal)) {
        if (running.has(investigationId)) continue;
        const standing = await findStanding(investigationId);
        if (!standing || standing.next === undefined) continue;
        const waits = isWaiting(standing) && (await findDecision(standing, signal)) === undefined;
        const { approval } = standing.state;
        found.push({ investigationId, ...(waits && approval ? { approval } : {}) });
      }
      return found;
    },

    watch: (investigationId, listener) => parts.contextStore.subscribe(investigationId, listener),
  };
}

const isWaiting = ({ next }: Standing): boolean => next === 'request-approval';

function describe(standing: Standing): Investigation {
  const { state } = standing;
  if (isWaiting(standing)) return assembleInvestigation(state, 'awaiting-approval');
  return assembleInvestigation(state, state.finishedAtMs === undefined ? 'running' : 'finished');
}

/** The approval that may be decided. */
function refuseUnlessWaiting(standing: Standing): Approval {
  const { approval, investigationId } = standing.state;
  if (approval?.decision) throw alreadyDecided(approval.decision);
  if (!isWaiting(standing) || !approval) throw conflict(`Investigation ${investigationId} waits for no decision.`);
  return approval;
}

function tooLate({ approvalId, expiresAtMs }: Approval): InputError {
  const when = new Date(expiresAtMs).toISOString();
  return conflict(`Approval ${approvalId} expired at ${when}: nothing was run. Investigate again to get a new one.`);
}

function notWhatWaits({ approvalId }: Approval): InputError {
  return conflict(`Approval ${approvalId} is for another action than the one that was shown: look at it again.`);
}

function alreadyDecided({ outcome, decidedBy, decidedAtMs }: Decision): InputError {
  if (decidedBy !== EXPIRY_POLICY) return conflict(`That was decided before: ${outcome} by ${decidedBy}.`);
  const when = new Date(decidedAtMs).toISOString();
  return conflict(`Too late: nobody had decided in time, so it was closed at ${when} and nothing was run.`);
}

function conflict(message: string): InputError {
  return new InputError(message, { code: 'conflict' });
}
