/** The chat agent of a process, with what it may not import: the archive for its evidence, and the jury for "why". */
import type { CauseFound, Investigate } from '../agents/chat/asking.ts';
import { type AskedQuestion, type ChatAgent, createChatAgent } from '../agents/chat-agent.ts';
import type { IncidentArchive } from '../clickhouse/incident-archive.ts';
import type { TelemetryReader } from '../clickhouse/telemetry-reader.ts';
import type { Investigation } from '../domain/investigation.ts';
import type { TimeWindow } from '../domain/time-window.ts';
import type { ChatModel } from '../llm/chat-model.ts';
import type { Clock } from '../platform/clock.ts';
import { InputError, UnavailableError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { IncidentDesk } from './incident-desk.ts';

export interface ChatParts {
  readonly telemetry: TelemetryReader;
  readonly archive: IncidentArchive;
  readonly desk: Pick<IncidentDesk, 'openIncident'>;
  readonly model: ChatModel | undefined;
  readonly clock: Clock;
}

export interface Chat {
  /**
   * Conversations are remembered for each caller apart.
   * @param mayInvestigate false: "why" is answered from investigations that there are, and otherwise rejects with InputError
   * (forbidden)
   */
  ask(
    asked: AskedQuestion,
    caller: { readonly name: string; readonly mayInvestigate: boolean },
    signal: AbortSignal,
  ): ReturnType<ChatAgent['ask']>;
}

/** Who asks for a cause waits so long; the investigation itself goes on. */
const PATIENCE_MS = 120_000;
/** Investigations of windows that end so near to each other are one. */
const SAME_TIME_MS = 5 * 60_000;
const LOOKED_THROUGH = 30;

export function openChat(parts: ChatParts): Chat {
  const { telemetry, archive, model, clock } = parts;
  const agents = new Map<string, ChatAgent>();
  const agentOf = (name: string, mayInvestigate: boolean): ChatAgent => {
    const key = `${mayInvestigate} ${name}`;
    const agent =
      agents.get(key) ??
      createChatAgent({
        context: { telemetry, clock },
        model,
        investigate: createInvestigate(parts, mayInvestigate),
        keepEvidence: (evidence, signal) => archive.save('evidence', evidence, signal),
      });
    agents.set(key, agent);
    return agent;
  };
  return { ask: (asked, { name, mayInvestigate }, signal) => agentOf(name, mayInvestigate).ask(asked, signal) };
}

function createInvestigate({ archive, desk, clock }: ChatParts, mayInvestigate: boolean): Investigate {
  return async ({ service, window, title }, signal) => {
    const known = await archive.list('investigation', LOOKED_THROUGH, signal);
    const same = known.filter((one) => isAbout(one, service) && isOfTime(one, window));
    const done = same.find(({ verdict }) => verdict !== undefined);
    if (done) return toCause(done);
    // Asked again while the jury is at work: another one would find the same.
    const running = same.find(({ status }) => status === 'running');
    if (running) throw stillAtWork(running.investigationId);
    if (!mayInvestigate) {
      throw new InputError(
        'Nobody has investigated this yet, and opening an investigation takes a member: ask for figures, or ask one of them.',
        { code: 'forbidden' },
      );
    }
    const { investigationId, finished } = await desk.openIncident({
      ...{ incidentId: newId('inc', clock.nowMs()), title, status: 'open', source: 'manual', service },
      ...{ openedAtMs: clock.nowMs(), searchWindow: window, severity: 'medium', anomalies: [] },
    });
    return toCause(await inTime(finished, investigationId, signal));
  };
}

/** Whether an investigation says something about the service: where it was noticed, who did it, whom it hurt. */
function isAbout({ status, verdict, incident }: Investigation, service: string): boolean {
  if (status === 'failed') return false;
  const places = [incident.service, verdict?.suspects[0]?.service, ...(verdict?.blastRadius ?? [])];
  return service === '' || places.includes(service);
}

function isOfTime({ incident: { searchWindow } }: Investigation, window: TimeWindow): boolean {
  const isSameEnd = Math.abs(searchWindow.endMs - window.endMs) <= SAME_TIME_MS;
  return isSameEnd && searchWindow.startMs <= window.startMs + SAME_TIME_MS;
}

function stillAtWork(investigationId: string): UnavailableError {
  return new UnavailableError(`The jury is still at work: inquest watch ${investigationId} shows how far.`);
}

async function inTime(finished: Promise<Investigation>, investigationId: string, signal: AbortSignal) {
  signal.throwIfAborted();
  const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  const stopped = Promise.withResolvers<never>();
  const stop = () => stopped.reject(signal.aborted ? signal.reason : stillAtWork(investigationId));
  patience.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([finished, stopped.promise]);
  } finally {
    patience.removeEventListener('abort', stop);
  }
}

function toCause({ investigationId, verdict, failure }: Investigation): CauseFound {
  if (!verdict)
    throw new UnavailableError(`The investigation ${investigationId} failed: ${failure ?? 'without a verdict'}.`);
  const { outcome, suspects, confidence, onsetMs, gaps } = verdict;
  return {
    investigationId,
    suspects: suspects.map(({ service, statement, score }) => ({ service, statement, score })),
    isAbstention: outcome === 'abstained',
    confidence,
    onsetMs,
    missing: gaps.map(({ service, what }) => (service === '' ? what : `${service}: ${what}`)),
    evidenceIds: suspects[0]?.evidenceIds ?? [],
  };
}
