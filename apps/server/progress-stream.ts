/**
 * The live view of an investigation as server-sent events: what happened so far, what happens, and an end when it is
 * finished, failed or waits for approval.
 */
import { formatStreamEvent, STREAM_COMMENT } from '../../api/event-stream.ts';
import type { Investigation, Progress } from '../../domain/investigation.ts';
import { UnavailableError } from '../../platform/errors.ts';
import { refuseUnknown } from './api-handlers.ts';
import type { Host } from './host.ts';
import type { HostRuntime } from './host-runtime.ts';
import { toAppError } from './http-errors.ts';
import { progressOf } from './progress-of.ts';

/** How often a quiet investigation is looked at. Its document says when it ends, announcements only hint at it. */
const QUIET_CHECK_MS = 1_000;
const HINTED_CHECK_MS = 50;
const HINTS: readonly Progress['kind'][] = ['approval', 'finished', 'failed'];

/** Answers before the stream begins when there is nothing to watch (InputError, not-found). */
export async function answerProgress(host: Host, id: string, hungUp: AbortSignal): Promise<Response> {
  const investigation = (await host.runtime().findInvestigation(id, hungUp)) ?? refuseUnknown('investigation', id);
  const texts = streamTexts(host, investigation.investigationId, AbortSignal.any([hungUp, host.stopping]));
  const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' };
  return new Response(streamOf(texts), { headers });
}

function streamOf(texts: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    pull: async (controller) => {
      const next = await texts.next();
      if (next.done === true) controller.close();
      else controller.enqueue(encoder.encode(next.value));
    },
    cancel: async () => {
      await texts.return(undefined);
    },
  });
}

async function* streamTexts(host: Host, investigationId: string, cut: AbortSignal): AsyncGenerator<string> {
  const endActivity = host.activity.begin();
  try {
    yield* watchTexts(host, investigationId, cut);
  } catch (error) {
    const { code, message } = toAppError(error);
    if (code === 'invariant-violated')
      host.logger.error({ err: error, investigationId }, 'a stream of progress failed');
    yield formatStreamEvent({ type: 'error', data: JSON.stringify({ error: { code, message } }) });
  } finally {
    endActivity();
  }
}

async function* watchTexts(host: Host, investigationId: string, cut: AbortSignal): AsyncGenerator<string> {
  const runtime = host.runtime();
  const inbox = createInbox();
  const stopWatching = await runtime.watch(investigationId, inbox.put);
  try {
    const heard = inbox.takeAll();
    const investigation = await readInvestigation(runtime, investigationId);
    // A host that was started again heard nothing of what went on before it.
    yield formatAll(heard.length > 0 ? heard : progressOf(investigation));
    const status = yield* followTexts(runtime, investigation, inbox, cut);
    yield formatStreamEvent({ type: 'end', data: JSON.stringify({ status }) });
  } finally {
    await stopWatching();
  }
}

/** News until the investigation no longer runs; returns what it then is. */
async function* followTexts(
  runtime: HostRuntime,
  first: Investigation,
  inbox: Inbox,
  cut: AbortSignal,
): AsyncGenerator<string, Investigation['status']> {
  let { status } = first;
  let checkMs = QUIET_CHECK_MS;
  for (;;) {
    const news = inbox.takeAll();
    if (news.length === 0 && status !== 'running') return status;
    if (cut.aborted) throw new UnavailableError('The host stops: ask again when it is back.');
    yield news.length > 0 ? formatAll(news) : STREAM_COMMENT;
    if (news.some(({ kind }) => HINTS.includes(kind))) checkMs = HINTED_CHECK_MS;
    const isQuiet = (await inbox.arrival(checkMs, cut)) === 'quiet';
    if (isQuiet || checkMs === HINTED_CHECK_MS) {
      ({ status } = await readInvestigation(runtime, first.investigationId));
    }
  }
}

async function readInvestigation(runtime: HostRuntime, investigationId: string): Promise<Investigation> {
  return (await runtime.findInvestigation(investigationId)) ?? refuseUnknown('investigation', investigationId);
}

function formatAll(progress: readonly Progress[]): string {
  return progress.map((one) => formatStreamEvent({ type: 'progress', data: JSON.stringify(one) })).join('');
}

interface Inbox {
  readonly put: (progress: Progress) => void;
  takeAll(): Progress[];
  /** Resolves at the next announcement (at once when one waits), after `timeoutMs`, or when `cut` is aborted. */
  arrival(timeoutMs: number, cut: AbortSignal): Promise<'arrived' | 'quiet'>;
}

/** Announcements on their way to one watcher. */
function createInbox(): Inbox {
  let waiting: Progress[] = [];
  let wake = () => {};
  return {
    put: (progress) => {
      waiting.push(progress);
      wake();
    },
    takeAll: () => {
      const taken = waiting;
      waiting = [];
      return taken;
    },
    arrival: (timeoutMs, cut) =>
      new Promise((resolve) => {
        const settle = () => {
          clearTimeout(timer);
          cut.removeEventListener('abort', settle);
          resolve(waiting.length > 0 ? 'arrived' : 'quiet');
        };
        const timer = setTimeout(settle, timeoutMs);
        cut.addEventListener('abort', settle, { once: true });
        wake = settle;
        if (waiting.length > 0 || cut.aborted) settle();
      }),
  };
}
