/** Where incidents are handed in and decisions taken: each incident is investigated once, each approval decided once. */
import type { AuditLog } from '../clickhouse/audit-log.ts';
import type { IncidentArchive } from '../clickhouse/incident-archive.ts';
import type { Approval, Decision } from '../domain/approval.ts';
import type { Evidence, ExecutedQuery } from '../domain/evidence.ts';
import type { Incident } from '../domain/incident.ts';
import type { Investigation } from '../domain/investigation.ts';
import type { Investigator } from '../graph/run-investigation.ts';
import type { Clock } from '../platform/clock.ts';
import { errorMessage, InputError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { Logger } from '../platform/logger.ts';
import { verifyEvidence } from '../tools/verify-evidence.ts';
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
  /** Exactly one decision wins; others reject with InputError (conflict), unknown ids with InputError (not-found). */
  decide(approvalId: string, decision: Omit<Decision, 'decidedAtMs'>, signal?: AbortSignal): Promise<Investigation>;
  /** Runs the queries of an incident's, investigation's or single piece of evidence again. */
  verify(id: string, signal?: AbortSignal): Promise<EvidenceVerification[]>;
  /** At start: goes on with investigations that a crash cut off. Resolves when they run. */
  resumeInterrupted(): Promise<void>;
}

export interface IncidentDeskParts {
  readonly investigator: Investigator;
  readonly archive: IncidentArchive;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly journal: ProgressJournal;
  rerun(query: ExecutedQuery, signal: AbortSignal): Promise<ExecutedQuery>;
}

/** Investigations that are looked through at start. */
const MAX_INTERRUPTED = 200;

export function openIncidentDesk(parts: IncidentDeskParts): IncidentDesk & { close(): Promise<void> } {
  const { investigator, archive, audit, clock, logger, journal } = parts;
  const stopping = new AbortController();
  /** By run, not by investigation: a decision that is refused must not take the place of the one that runs. */
  const running = new Map<Promise<unknown>, string>();

  /** Keeps a run until it settles; its outcome goes to whoever asked, its failure also to the log. */
  function track(investigationId: string, run: Promise<Investigation>): Promise<Investigation> {
    const settled = run
      .catch((error: unknown) => {
        if (stopping.signal.aborted || error instanceof InputError) return;
        logger.error({ investigationId, err: error }, 'an investigation broke off');
      })
      .finally(() => running.delete(settled));
    running.set(settled, investigationId);
    return run;
  }

  async function goOn(investigationId: string, work: () => Promise<Investigation>): Promise<void> {
    logger.warn({ investigationId }, 'going on with an investigation that was cut off');
    await journal.record(investigationId);
    track(investigationId, work()).catch((error: unknown) =>
      logger.error({ investigationId, message: errorMessage(error) }, 'it could not go on'),
    );
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
    decide: async (approvalId, decision, signal) => {
      const approval = await archive.find('approval', approvalId, signal);
      if (!approval) {
        throw new InputError(`There is no approval ${approvalId}: "inquest incidents" lists what waits.`, {
          code: 'not-found',
        });
      }
      await journal.record(approval.investigationId);
      const decided = { ...decision, decidedAtMs: clock.nowMs() };
      return track(approval.investigationId, investigator.resume(approval.investigationId, decided, stopping.signal));
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
      const pending = await investigator.pending(stopping.signal);
      for (const { investigationId, approval } of pending) {
        if (!approval) await goOn(investigationId, () => investigator.recover(investigationId, stopping.signal));
      }
      const known = new Set([...pending.map(({ investigationId }) => investigationId), ...running.values()]);
      for (const { investigationId, incident, status } of await archive.list('investigation', MAX_INTERRUPTED)) {
        // Archived, but cut off before its first checkpoint.
        if (status !== 'running' || known.has(investigationId)) continue;
        await goOn(investigationId, () => investigator.start(incident, stopping.signal));
      }
    },
    close: async () => {
      stopping.abort(new DOMException('the host stops', 'AbortError'));
      await Promise.all(running.keys());
    },
  };
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
