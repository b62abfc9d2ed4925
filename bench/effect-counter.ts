/** Stands for the system that approved actions change: a webhook that counts what reached it, by approval. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

export interface EffectCounter {
  readonly url: string;
  /** Requests to act on this approval so far. */
  effectsOf(approvalId: string): number;
  close(): Promise<void>;
}

/** An action takes a while: a crash may hit in the middle of it. */
const ACTION_MS = 30;
const bodySchema = z.object({ approvalId: z.string() });

export async function startEffectCounter(): Promise<EffectCounter> {
  const effects = new Map<string, number>();
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    const { approvalId } = bodySchema.parse(JSON.parse(text));
    effects.set(approvalId, (effects.get(approvalId) ?? 0) + 1);
    await delay(ACTION_MS);
    response.end('done');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/act`,
    effectsOf: (approvalId) => effects.get(approvalId) ?? 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
