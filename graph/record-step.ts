/** Telling what happens: to watchers, who may miss it, and to the audit log, which may not. */
import type { Progress } from '../domain/investigation.ts';
import { errorMessage } from '../platform/errors.ts';
import type { InvestigationParts } from './investigation-parts.ts';

type Teller = Pick<InvestigationParts, 'contextStore' | 'appendAudit' | 'clock' | 'logger'>;

/** For the live view. Never rejects: an investigation does not fail because nobody could listen. */
export async function announceStep(
  parts: Teller,
  investigationId: string,
  step: Pick<Progress, 'actor' | 'kind' | 'message'>,
): Promise<void> {
  try {
    await parts.contextStore.announce({ investigationId, atMs: parts.clock.nowMs(), ...step });
  } catch (error) {
    parts.logger.warn({ investigationId, reason: errorMessage(error) }, 'an announcement was lost');
  }
}

/** Details are ids, counts and short texts, never payloads. Rejects when the entry could not be appended. */
export async function auditStep(
  parts: Teller,
  investigationId: string,
  entry: { readonly actor: string; readonly kind: string; readonly details?: Readonly<Record<string, unknown>> },
  signal?: AbortSignal,
): Promise<void> {
  const { actor, kind, details = {} } = entry;
  await parts.appendAudit({ atMs: parts.clock.nowMs(), actor, kind, subject: investigationId, details }, signal);
}
