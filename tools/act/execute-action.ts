/**
 * The only way anything acts: a remediation, the Grant for exactly it, and an idempotency key. A ticket is a file; every other
 * action goes to the webhook, or is a dry run where none is configured, and says so.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Grant } from '../../domain/approval.ts';
import { actionDigest, type Remediation } from '../../domain/remediation.ts';
import { errorMessage, InputError } from '../../platform/errors.ts';
import { contentId } from '../../platform/ids.ts';
import { type ActionResult, createWebhook, type WebhookOptions } from './send-webhook.ts';

export type ExecuteAction = (
  remediation: Remediation,
  grant: Grant,
  idempotencyKey: string,
  signal: AbortSignal,
) => Promise<ActionResult>;

export interface ActionExecutorOptions {
  /** Where tickets are written, one Markdown file each. */
  readonly ticketDir: string;
  /** Who carries the other actions out; undefined: nobody, each is a dry run. */
  readonly webhook?: WebhookOptions | undefined;
}

export function createActionExecutor({ ticketDir, webhook }: ActionExecutorOptions): ExecuteAction {
  const send = webhook && createWebhook(webhook);
  return async (remediation, grant, idempotencyKey, signal) => {
    signal.throwIfAborted();
    if (grant.actionDigest !== actionDigest(remediation)) {
      throw new InputError('The grant is for another action than the one about to run.');
    }
    if (remediation.action !== 'open-ticket' && send) return send(remediation, grant, idempotencyKey);
    if (remediation.action !== 'open-ticket') {
      const detail = `dry run: no executor is configured for ${remediation.action}; nothing was changed`;
      return { status: 'done', detail };
    }
    try {
      const path = await writeTicket(ticketDir, idempotencyKey, remediation);
      return { status: 'done', detail: `ticket written to ${path}` };
    } catch (error) {
      return {
        status: 'failed',
        detail: `the ticket could not be written: ${errorMessage(error)}`,
      };
    }
  };
}

/** The same key writes the same file; a second try finds it there and changes nothing. */
async function writeTicket(ticketDir: string, key: string, remediation: Remediation): Promise<string> {
  await mkdir(ticketDir, { recursive: true, mode: 0o700 });
  const name = /^[\w-]{1,128}$/.test(key) ? key : contentId('ticket', key);
  const path = join(ticketDir, `${name}.md`);
  const text = [
    `# ${remediation.parameters['title'] ?? remediation.service}`,
    '',
    remediation.rationale,
    '',
    `Service: ${remediation.service}`,
    `Evidence: ${remediation.evidenceIds.join(', ')}`,
    '',
  ].join('\n');
  try {
    await writeFile(path, text, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (!isExisting(error)) throw error;
    await readFile(path);
  }
  return path;
}

function isExisting(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'EEXIST';
}
