/**
 * A process that sends numbered telemetry from several clients at once and keeps a journal of it. Whoever started it may kill
 * it at any moment: what the journal says was acknowledged, was. Started by start-sender.ts.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { DRILL_SIGNALS, numberedBody } from './numbered-telemetry.ts';

export interface SenderOrders {
  /** Base of the host; the same after a restart. */
  readonly url: string;
  /** Name of this sender: its requests are called NAME.CLIENT.N. */
  readonly name: string;
  readonly service: string;
  readonly clients: number;
  readonly recordsPerRequest: number;
  readonly journalPath: string;
  readonly keys: { readonly request: string; readonly record: string };
}

/** Journal lines: `S REQUEST RECORDS` before every attempt, `A REQUEST` once it is acknowledged in full. */
export type JournalMark = 'S' | 'A';

/** As impatient as it may be: real senders wait longer, and find more done. */
const PAUSE_MS = 40;
const ATTEMPT_TIMEOUT_MS = 20_000;

async function work(orders: SenderOrders, stopping: AbortSignal): Promise<void> {
  const journal = (mark: JournalMark, ...words: (string | number)[]) =>
    appendFileSync(orders.journalPath, `${[mark, ...words].join(' ')}\n`);

  async function attempt(signal: string, body: string): Promise<boolean> {
    try {
      const response = await fetch(`${orders.url}/v1/${signal}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        signal: AbortSignal.timeout(ATTEMPT_TIMEOUT_MS),
      });
      const answer = await response.text();
      return response.ok && !answer.includes('partialSuccess');
    } catch {
      return false;
    }
  }

  /** Until it is acknowledged: also when it has been told to stop, so that nothing is left open without need. */
  async function deliver(client: number, turn: number): Promise<void> {
    const request = `${orders.name}.${client}.${turn}`;
    const signal = DRILL_SIGNALS[turn % DRILL_SIGNALS.length] ?? 'logs';
    const { service, recordsPerRequest: records, keys } = orders;
    const body = numberedBody({ request, signal, service, records, keys, atMs: Date.now() });
    for (;;) {
      journal('S', request, records);
      if (await attempt(signal, body)) break;
      await delay(PAUSE_MS);
    }
    journal('A', request);
    process.send?.('acknowledged');
  }

  async function keepSending(client: number): Promise<void> {
    for (let turn = 1; !stopping.aborted; turn++) await deliver(client, turn);
  }
  await Promise.all(Array.from({ length: orders.clients }, (_, client) => keepSending(client)));
}

if (import.meta.main && process.send) {
  const stopping = new AbortController();
  process.once('disconnect', () => process.exit()); // nobody reads its journal any more
  process.once('message', (orders: SenderOrders) => {
    process.once('message', () => stopping.abort());
    work(orders, stopping.signal).then(
      () => process.exit(),
      () => process.exit(1),
    );
  });
}
