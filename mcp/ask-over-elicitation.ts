/** A form for the person behind a client. What comes back was clicked by them, or nothing came back. */
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { type ElicitRequestFormParams, ErrorCode, McpError, type RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { PersonAnswer, PersonForm } from './catalogue.ts';

export interface AskedDuring {
  readonly signal: AbortSignal;
  /** The call during which the person is asked: the form travels on its stream. */
  readonly requestId: RequestId;
  readonly patienceMs: number;
}

export async function askOverElicitation(
  server: Server,
  { message, schema }: PersonForm,
  { signal, requestId, patienceMs }: AskedDuring,
): Promise<PersonAnswer> {
  if (!server.getClientCapabilities()?.elicitation?.form) return { kind: 'unable' };
  const form = { mode: 'form', message, requestedSchema: schema } as ElicitRequestFormParams;
  try {
    const { action, content } = await server.elicitInput(form, {
      signal,
      timeout: patienceMs,
      relatedRequestId: requestId,
    });
    return action === 'accept' ? { kind: 'answered', content: content ?? {} } : { kind: 'refused' };
  } catch (error) {
    if (!(error instanceof McpError)) throw error;
    return { kind: error.code === ErrorCode.RequestTimeout ? 'silent' : 'unable' };
  }
}
