/** A recorded case as an adapter hands it over: OTLP requests to replay, and where to look. No answer, no hint of one. */

import type { ChangeInput } from '../domain/change.ts';
import type { Incident } from '../domain/incident.ts';
import type { TimeWindow } from '../domain/time-window.ts';
import { InvariantError } from '../platform/errors.ts';

export interface OtlpRequest {
  readonly path: '/v1/traces' | '/v1/logs' | '/v1/metrics';
  /** OTLP/JSON. */
  readonly body: object;
}

export interface ReplayCase {
  readonly caseId: string;
  /** Reads the case's files; done only when its turn comes. */
  load(): LoadedCase;
}

export interface LoadedCase {
  /** What an operator would type as --since and --until. */
  readonly searchWindow: TimeWindow;
  /** The service somebody complained about; empty when nobody knows. */
  readonly service: string;
  /** What the page said; left out: that it is a replay. */
  readonly title?: string;
  readonly severity?: Incident['severity'];
  readonly requests: Iterable<OtlpRequest>;
  readonly changes: readonly ChangeInput[];
  /** Rows that the requests must become, by table: an adapter or a path that loses records makes a wrong measurement. */
  readonly expectedRows: Readonly<Record<string, number>>;
}

/** Sends every request through the receiver; throws when one is refused or partly rejected, or the signal aborts. */
export async function replayRequests(
  requests: Iterable<OtlpRequest>,
  receive: (request: Request) => Promise<Response>,
  signal: AbortSignal,
): Promise<void> {
  for (const { path, body } of requests) {
    signal.throwIfAborted();
    const response = await receive(
      new Request(`http://127.0.0.1${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    );
    const answer = await response.text();
    if (response.status !== 200 || /rejected/i.test(answer)) {
      throw new InvariantError(`replay of ${path} was not fully accepted: ${response.status} ${answer.slice(0, 300)}`);
    }
  }
}

/** Sends changes as the webhook takes them; throws when one is refused. */
export async function replayChanges(
  changes: readonly ChangeInput[],
  receive: (request: Request) => Promise<Response>,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  if (changes.length === 0) return;
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ changes });
  const response = await receive(new Request('http://127.0.0.1/v1/changes', { method: 'POST', headers, body }));
  const answer = await response.text();
  if (response.status !== 200 || !answer.includes('"rejected":[]')) {
    throw new InvariantError(`replay of changes was not fully accepted: ${response.status} ${answer.slice(0, 300)}`);
  }
}
