/** Where incidents are handed in and decisions taken: each incident is investigated once, each approval decided once. */
import { setTimeout as delay } from 'node:timers/promises';
import type { AuditLog } from '../clickhouse/audit-log.ts';
import type { IncidentArchive } from '../clickhouse/incident-archive.ts';
import type { ShardLock } from '../context-store/shard-lock.ts';
import { type Approval, type Decision, type Escalation, hasExpired } from '../domain/approval.ts';
import type { Evidence, ExecutedQuery } from '../domain/evidence.ts';
import { type Caller, decisionNameOf, leastRole, mayDecide } from '../domain/identity.ts';
import type { Incident } from '../domain/incident.ts';
import type { Investigation, Progress } from '../domain/investigation.ts';
import { actionDigest, riskOf } from '../domain/remediation.ts';
import type { OnceRegister } from '../graph/once-register.ts';
import type { Investigator } from '../graph/run-investigation.ts';
import type { Clock } from '../platform/clock.ts';
import { AppError, errorMessage, InputError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { Logger } from '../platform/logger.ts';
import { verifyEvidence } from '../tools/verify-evidence.ts';
import { createApprovalTimers } from './approval-timers.ts';
import type { ProgressJournal } from './progress-journal.ts';

export interface OpenedIncident {
  readonly incident: Incident;
  readonly investigationId: string;
  /** Settles when the verdict is reported or a person is asked. */
  readonly finished: Promise<Investigation>;
}

export type EvidenceVerification = Awaited<ReturnType<typeof verifyEvidence>> & Pick<Evidence, 'tool' | 'summary'>;

export interface IncidentDesk {
  /** Archives an incident and starts its investigation; resolves as soon as it runs. */
  openIncident(incident: Incident): Promise<OpenedIncident>;
  /** By incident id or investigation id. */
  findInvestigation(id: string, signal?: AbortSignal): Promise<Investigation | undefined>;
  listIncidents(limit: number, signal?: AbortSignal): Promise<Incident[]>;
  listPendingApprovals(signal?: AbortSignal): Promise<Approval[]>;
  /**
   * Exactly one decision wins, in time; others reject with InputError (conflict), unknown ids with not-found, callers whose
   * role does not reach with forbidden, a rejection without a reason with invalid-input. It is recorded under the caller's own
   * name (decisionNameOf); `actionDigest` is of the action that the caller was shown.
   */
  decide(
    approvalId: string,
    decision: Omit<Decision, 'decidedAtMs'>,
    caller: Caller,
    signal?: AbortSignal,
  ): Promise<Investigation>;
  /** Runs the queries of an incident's, investigation's or single piece of evidence again. */
  verify(id: string, signal?: AbortSignal): Promise<EvidenceVerification[]>;
  /** At start: goes on with investigations that a crash cut off, and ends waits whose time is over. Resolves when they run. */
  resumeInterrupted(): Promise<void>;
}

export interface IncidentDeskParts {
  readonly investigator: Investigator;
  readonly archive: IncidentArchive;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly journal: ProgressJournal;
  readonly once: OnceRegister;
  readonly shardLock: ShardLock;
  readonly announce: (progress: Progress) => Promise<void>;
  rerun(query: ExecutedQuery, signal: AbortSignal): Promise<ExecutedQuery>;
  /** No other process investigates: what is found running here runs nowhere else. */
  readonly isAlone: boolean;
  /** How long a store that is away may take to come back before interrupted investigations are tried again. */
  readonly resumePauseMs?: number;
}

const ESCALATION_POLICY = 'policy:escalation';
const TIMER_RETRY_MS = 60_000;
const RESUME_PAUSE_MS = 10_000;
/** From being archived to its first checkpoint. */
const START_MS = 15_000;
/** Where others take part, it is looked so often whether somebody left something unfinished and nobody noticed. */
const LOOK_AGAIN_MS = 60_000;
/** Investigations that are looked through at start. */
const MAX_INTERRUPTED = 200;

export interface OpenedDesk extends IncidentDesk {
  /** Another process has disappeared: goes on with what it may have left, soon. */
  takeOver(): void;
  close(): Promise<void>;
}

export function openIncidentDesk(parts: IncidentDeskParts): OpenedDesk {
  const { investigator, archive, audit, once, announce, clock, logger, journal } = parts;
  const stopping = new AbortController();
  /** By run, not by investigation: a decision that is refused must not take the place of the one that runs. */
  const running = new Map<Promise<unknown>, string>();
  let willResume = false;

  const timers = createApprovalTimers(clock, (approval, due) => {
    const work = due === 'expired' ? expire(approval) : escalateOnce(approval, due);
    work.catch((error: unknown) => {
      if (stopping.signal.aborted) return;
      logger.error(
        { approvalId: approval.approvalId, message: errorMessage(error) },
        'an approval was not followed up',
      );
      timers.watch(approval, TIMER_RETRY_MS);
    });
  });

  /** Every host has the timer; whoever comes second finds it done. */
  async function escalateOnce(approval: Approval, escalation: Escalation): Promise<void> {
    const shard = `escalation:${approval.approvalId}`;
    await parts.shardLock.runExclusively(shard, () => escalate(approval, escalation), stopping.signal);
  }

  /** Puts it before the next role: told once, whatever restarts in between. */
  async function escalate({ approvalId, investigationId, remediation }: Approval, { role }: Escalation): Promise<void> {
    const key = `escalation/${approvalId}/${role}`;
    if ((await once.get(key, stopping.signal)) !== undefined) return;
    if ((await archive.find('approval', approvalId, stopping.signal))?.decision) return;
    const atMs = clock.nowMs();
    const details = { approvalId, action: remediation.action, service: remediation.service, role };
    await audit.append({
      atMs,
      actor: ESCALATION_POLICY,
      kind: 'approval.escalated',
      subject: investigationId,
      details,
    });
    await once.putOnce(key, String(atMs), stopping.signal);
    const message = `nobody decided yet: every ${role} is asked now`;
    logger.warn({ approvalId, investigationId, role }, message);
    await announce({ investigationId, atMs, actor: ESCALATION_POLICY, kind: 'approval', message });
  }

  /** Ends a wait whose time is over, unless somebody did. */
  async function expire({ investigationId }: Approval): Promise<void> {
    try {
      await track(investigationId, investigator.expire(investigationId, stopping.signal));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
    }
  }

  /** Keeps a run until it settles; its outcome goes to whoever asked, its failure also to the log. */
  function track(investigationId: string, run: Promise<Investigation>): Promise<Investigation> {
    const settled = run
      .then(({ status, approval }) => {
        if (status === 'awaiting-approval' && approval && !stopping.signal.aborted) timers.watch(approval);
      })
      .catch((error: unknown) => {
        if (stopping.signal.aborted || error instanceof InputError) return;
        logger.error({ investigationId, err: error }, 'an investigation broke off');
        resumeLater(error);
      })
      .finally(() => running.delete(settled));
    running.set(settled, investigationId);
    return run;
  }

  /** A store that was away, or full, cuts investigations off as a crash does: nobody should have to restart the host for it. */
  function resumeLater(error: unknown): void {
    if (error instanceof AppError && error.retryable) lookLater();
  }

  function lookLater(): void {
    if (willResume || stopping.signal.aborted) return;
    willResume = true;
    delay(parts.resumePauseMs ?? RESUME_PAUSE_MS, undefined, { signal: stopping.signal, ref: false })
      .finally(() => {
        willResume = false;
      })
      .then(resumeInterrupted)
      .catch(resumeLater);
  }

  async function goOn(investigationId: string, work: () => Promise<Investigation>): Promise<void> {
    await journal.record(investigationId);
    track(investigationId, work()).catch((error: unknown) => {
      // Another process is at it, or was: its lock ends by itself.
      if (error instanceof InputError && error.code === 'conflict') return lookLater();
      logger.error({ investigationId, message: errorMessage(error) }, 'it could not go on');
    });
  }

  async function resumeInterrupted(): Promise<void> {
    const pending = await investigator.pending(stopping.signal);
    for (const { investigationId, approval } of pending) {
      if (approval) timers.watch(approval);
      else await goOn(investigationId, () => investigator.recover(investigationId, stopping.signal));
    }
    const known = new Set([...pending.map(({ investigationId }) => investigationId), ...running.values()]);
    const cutOffMs = clock.nowMs() - (parts.isAlone ? 0 : START_MS);
    for (const { investigationId, incident, status, startedAtMs } of await archive.list(
      'investigation',
      MAX_INTERRUPTED,
    )) {
      // Archived, but cut off before its first checkpoint; or just about to begin in another process.
      if (status !== 'running' || known.has(investigationId) || startedAtMs > cutOffMs) continue;
      await goOn(investigationId, () => investigator.start(incident, stopping.signal));
    }
  }

  async function findInvestigation(id: string, signal?: AbortSignal): Promise<Investigation | undefined> {
    const incident = await archive.find('incident', id, signal);
    return archive.find('investigation', incident?.investigationId ?? id, signal);
  }

  async function evidenceOf(id: string, signal?: AbortSignal): Promise<readonly Evidence[]> {
    const single = await archive.find('evidence', id, signal);
    if (single) return [single];
    const investigation = await findInvestigation(id, signal);
    if (investigation) return investigation.evidence;
    throw new InputError(
      `There is no incident, investigation or evidence ${id}: "inquest incidents" lists what there is.`,
      {
        code: 'not-found',
      },
    );
  }

  async function lookAgain(): Promise<void> {
    const { signal } = stopping;
    while (!signal.aborted) {
      await delay(LOOK_AGAIN_MS, undefined, { signal, ref: false }).catch(() => undefined);
      if (!signal.aborted) await resumeInterrupted().catch(resumeLater);
    }
  }
  const looking = parts.isAlone ? undefined : lookAgain();

  return {
    openIncident: async (given) => {
      const investigationId = given.investigationId ?? newId('inv', clock.nowMs());
      const incident: Incident = { ...given, investigationId, status: 'investigating' };
      await archive.save('investigation', [startedInvestigation(incident, investigationId, clock.nowMs())]);
      await archive.save('incident', [incident]);
      const { incidentId, title, source } = incident;
      const actor = source === 'detection' ? 'detection' : 'person';
      await audit.append({
        atMs: clock.nowMs(),
        actor,
        kind: 'incident.opened',
        subject: incidentId,
        details: { title, investigationId },
      });
      await journal.record(investigationId);
      return {
        incident,
        investigationId,
        finished: track(investigationId, investigator.start(incident, stopping.signal)),
      };
    },
    findInvestigation,
    listIncidents: (limit, signal) => archive.list('incident', limit, signal),
    listPendingApprovals: async (signal) => {
      const pending = await investigator.pending(signal ?? stopping.signal);
      return pending.flatMap(({ approval }) => approval ?? []);
    },
    decide: async (approvalId, decision, caller, signal) => {
      const approval = await archive.find('approval', approvalId, signal);
      if (!approval) {
        throw new InputError(`There is no approval ${approvalId}: "inquest incidents" lists what waits.`, {
          code: 'not-found',
        });
      }
      const { investigationId } = approval;
      const signed = signDecision(approval, decision, caller);
      await journal.record(investigationId);
      const decidedAtMs = clock.nowMs();
      if (hasExpired(approval, decidedAtMs)) await expire(approval);
      const decided = { ...signed, decidedAtMs };
      return track(investigationId, investigator.resume(investigationId, decided, stopping.signal));
    },
    verify: async (id, signal = stopping.signal) => {
      const verifications: EvidenceVerification[] = [];
      for (const evidence of await evidenceOf(id, signal)) {
        const { tool, summary } = evidence;
        verifications.push({ ...(await verifyEvidence(evidence, parts.rerun, signal)), tool, summary });
      }
      return verifications;
    },
    resumeInterrupted: async () => {
      try {
        await resumeInterrupted();
      } catch (error) {
        resumeLater(error);
        throw error;
      }
    },
    takeOver: () => void resumeInterrupted().catch(resumeLater),
    close: async () => {
      timers.close();
      stopping.abort(new DOMException('the host stops', 'AbortError'));
      await Promise.all([...running.keys(), looking]);
    },
  };
}

/** The decision as it is recorded: by somebody who may, on the action that was asked for. */
function signDecision(
  approval: Approval,
  decision: Omit<Decision, 'decidedAtMs'>,
  caller: Caller,
): Omit<Decision, 'decidedAtMs'> {
  const { approvalId, remediation, actionDigest: requested } = approval;
  const tier = riskOf(remediation);
  if (!mayDecide(caller, tier)) {
    const who =
      caller.decides === false
        ? "the data directory's token decides on nothing once identities are configured: set INQUEST_TOKEN to your own"
        : `${caller.name} is a ${caller.role}`;
    throw new InputError(`A ${tier}-risk action is decided on by a ${leastRole(tier)} or above; ${who}.`, {
      code: 'forbidden',
    });
  }
  if (decision.outcome === 'rejected' && decision.reason.trim() === '') {
    throw new InputError('Say why it is rejected: whoever reads the record will ask.');
  }
  if (actionDigest(remediation) !== requested) {
    throw new InputError(
      `Approval ${approvalId} was altered since it was requested: nothing runs on it. "inquest audit list" shows the request.`,
      { code: 'conflict' },
    );
  }
  const decidedBy = decisionNameOf(caller, decision.decidedBy);
  return { ...decision, decidedBy, actionDigest: decision.actionDigest ?? requested };
}

/** Readable as soon as its incident is listed. */
function startedInvestigation(incident: Incident, investigationId: string, startedAtMs: number): Investigation {
  return {
    investigationId,
    incident,
    status: 'running',
    startedAtMs,
    rounds: 0,
    tasks: [],
    findings: [],
    evidence: [],
    hypotheses: [],
    votes: [],
    changes: [],
  };
}
