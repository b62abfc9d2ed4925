/** The person of a drill: opens an incident, agrees to what is proposed, and does not give up while the host is away. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ApiClient } from '../api/api-client.ts';
import type { OpenIncidentInput } from '../api/api-shapes.ts';
import type { Investigation } from '../domain/investigation.ts';
import { InputError, UnavailableError } from '../platform/errors.ts';

/** The host's client now: another one after each restart. */
export type CurrentClient = () => ApiClient;

const PAUSE_MS = 50;

/** Repeats `ask` while the host is away; rejects with the signal's reason. */
export async function patiently<T>(
  client: CurrentClient,
  ask: (client: ApiClient) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  for (;;) {
    try {
      return await ask(client());
    } catch (error) {
      // Between a restart and the news of it the old token is tried on the new host.
      const isAway =
        error instanceof UnavailableError || (error instanceof InputError && error.details['status'] === 401);
      if (!isAway) throw error;
      await delay(PAUSE_MS, undefined, { signal });
    }
  }
}

/** Opens it once: what an answer that never came had opened is found by its title. */
export async function openOnce(
  client: CurrentClient,
  input: OpenIncidentInput & { title: string },
  signal: AbortSignal,
): Promise<string> {
  return patiently(
    client,
    async (host) => {
      const before = await findByTitle(host, input.title, signal);
      return before ?? (await host.openIncident(input, signal)).incident.incidentId;
    },
    signal,
  );
}

export async function findByTitle(host: ApiClient, title: string, signal: AbortSignal): Promise<string | undefined> {
  const { incidents } = await host.listIncidents(signal);
  return incidents.find((incident) => incident.title === title)?.incidentId;
}

/** Watches an investigation, approves what it asks for, and resolves with its end. */
export async function bringToEnd(client: CurrentClient, id: string, signal: AbortSignal): Promise<Investigation> {
  for (;;) {
    const standing = await patiently(client, (host) => host.getInvestigation(id, signal), signal);
    if (standing.status === 'finished' || standing.status === 'failed') return standing;
    if (standing.status === 'awaiting-approval' && standing.approval) {
      await approve(client, standing.approval.approvalId, signal);
    } else {
      await watchOnce(client, id, signal);
    }
  }
}

async function approve(client: CurrentClient, approvalId: string, signal: AbortSignal): Promise<void> {
  const decision = { outcome: 'approved' as const, decidedBy: 'drill', reason: 'the drill agrees' };
  try {
    await client().decide(approvalId, decision, signal);
  } catch (error) {
    signal.throwIfAborted();
    // Decided in an attempt whose answer never came, or the host is away: what stands now says which.
    if (!(error instanceof UnavailableError || error instanceof InputError)) throw error;
    await delay(PAUSE_MS, undefined, { signal });
  }
}

async function watchOnce(client: CurrentClient, id: string, signal: AbortSignal): Promise<void> {
  try {
    for await (const _progress of client().watchInvestigation(id, signal));
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof UnavailableError || error instanceof InputError)) throw error;
  }
  await delay(PAUSE_MS, undefined, { signal });
}
