/**
 * An approved action, told to whoever carries it out: one signed POST, sent once. What came of it is never guessed: only what
 * surely did not arrive, or was refused, has failed; everything between is unknown and left to a person.
 *
 * Body: {action, service, parameters, approvalId, actionDigest, grantedBy}. Headers: `Idempotency-Key`, the action's digest and
 * the approval it runs for, the same for every attempt; `Inquest-Signature: t=SECONDS,v1=HEX`, where HEX is HMAC-SHA-256 with
 * the shared secret over `SECONDS.BODY`: compare in constant time, and refuse old timestamps.
 */
import { createHmac } from 'node:crypto';
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Grant } from '../../domain/approval.ts';
import type { Remediation } from '../../domain/remediation.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Secret } from '../../platform/config.ts';

export interface WebhookOptions {
  readonly url: string;
  readonly secret: Secret;
  readonly clock: Clock;
  /** For the whole exchange, connecting and answering included. */
  readonly timeoutMs?: number;
}

export interface ActionResult {
  readonly status: 'done' | 'failed' | 'unknown';
  readonly detail: string;
}

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 4_096;
const SHOWN_CHARACTERS = 200;

export function createWebhook({ url, secret, clock, timeoutMs = TIMEOUT_MS }: WebhookOptions) {
  /** Never rejects. Not called back once it is on its way: an answer within the time limit is worth more than haste. */
  return async (remediation: Remediation, grant: Grant, idempotencyKey: string): Promise<ActionResult> => {
    const { action, service, parameters } = remediation;
    const { approvalId, actionDigest, grantedBy } = grant;
    const body = JSON.stringify({ action, service, parameters, approvalId, actionDigest, grantedBy });
    const seconds = Math.floor(clock.nowMs() / 1_000);
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'inquest',
      'idempotency-key': `${actionDigest}.${idempotencyKey}`,
      'inquest-signature': `t=${seconds},v1=${signWebhook(secret.reveal(), seconds, body)}`,
    };
    return await exchange(new URL(url), headers, body, timeoutMs);
  };
}

/** HMAC-SHA-256 over `SECONDS.BODY`, in hex. */
export function signWebhook(secret: string, seconds: number, body: string): string {
  return createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
}

function exchange(
  url: URL,
  headers: Readonly<Record<string, string | number>>,
  body: string,
  timeoutMs: number,
): Promise<ActionResult> {
  const isTls = url.protocol === 'https:';
  const { promise, resolve } = Promise.withResolvers<ActionResult>();
  // A connection of its own: one that was kept could be gone, and then nobody knows what arrived.
  const options = { method: 'POST', headers, agent: false } as const;
  const request: ClientRequest = isTls ? requestHttps(url, options) : requestHttp(url, options);
  let isConnected = false;
  let isAnswered = false;
  request.once('socket', (socket) => {
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      isConnected = true;
    });
  });
  const giveUp = (problem: string) => {
    if (!isAnswered) resolve(isConnected ? unknown(problem) : failed(`nothing was sent: ${problem}`));
  };
  const timer = setTimeout(() => {
    giveUp(`no answer within ${timeoutMs} ms`);
    request.destroy();
  }, timeoutMs);
  request.on('error', (error) => giveUp(error.message || String((error as NodeJS.ErrnoException).code)));
  request.once('response', (response) => {
    isAnswered = true;
    const answered = readAnswer(response).then((text) => judge(response.statusCode ?? 0, text));
    resolve(answered.finally(() => request.destroy()));
  });
  request.end(body);
  return promise.finally(() => clearTimeout(timer));
}

/** The beginning of the answer: the status has said what counts, so an answer that breaks off is still one. */
async function readAnswer(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= MAX_ANSWER_BYTES) break;
    }
  } catch {
    chunks.push(Buffer.from(' (the answer broke off)'));
  }
  const text = Buffer.concat(chunks).toString('utf8').replace(/\s+/g, ' ').trim();
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}...` : text;
}

function judge(status: number, text: string): ActionResult {
  const said = `the webhook answered ${status}${text === '' ? '' : `: ${text}`}`;
  if (status >= 200 && status < 300) return { status: 'done', detail: said };
  if (status >= 400 && status < 500) return failed(said);
  return unknown(status < 400 ? `${said} (redirects are not followed)` : said);
}

const failed = (detail: string): ActionResult => ({ status: 'failed', detail });
const unknown = (problem: string): ActionResult => ({
  status: 'unknown',
  detail: `${problem}. It may have taken effect: look, before anybody does it again.`,
});
