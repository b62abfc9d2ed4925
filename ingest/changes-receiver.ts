/**
 * POST /v1/changes: what people do to production, told by the tools they do it with. Takes one change, an array, or
 * `{"changes": [...]}` as JSON; a bad change is named by its index and costs no other.
 */
import type { z } from 'zod';
import { type Change, type ChangeInput, changeInputSchema } from '../domain/change.ts';
import type { Clock } from '../platform/clock.ts';
import { AppError, InputError, LimitError } from '../platform/errors.ts';
import { contentId } from '../platform/ids.ts';
import { type Logger, silentLogger } from '../platform/logger.ts';
import { createIngestCounts, type IngestCounts } from './ingest-counts.ts';
import { type TimeLimits, timeLimitsAt } from './otlp/time-limits.ts';
import { parseJson } from './parse-json.ts';
import { type ContentCoding, contentCodingOf, createByteBudget, readBody } from './read-body.ts';
import { DEFAULT_WRITE_TIMEOUT_MS, writeInTime } from './write-in-time.ts';

const MAX_CHANGES_PER_REQUEST = 500;
/** Generous: a change has a handful. */
const MAX_ATTRIBUTES = 256;

const HOUR_MS = 3_600_000;

export interface ChangesReceiverOptions {
  /** Resolves when the changes are stored; a change whose id is known already replaces itself. */
  readonly writeChanges: (changes: readonly Change[], signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly maxBodyBytes: number;
  /** Bodies in work at one time; four full ones by default. */
  readonly maxInFlightBytes?: number;
  readonly writeTimeoutMs?: number;
  readonly counts?: IngestCounts;
  readonly logger?: Logger;
}

/** What the sender is told about a request of which at least one change was stored (200), or none (400, with an `error` beside). */
export interface ChangesAnswer {
  readonly accepted: number;
  readonly rejected: readonly { readonly index: number; readonly problem: string }[];
  /** Of the accepted changes, in their order. */
  readonly changeIds: readonly string[];
}

/** By status of a refusal, as every error of the host names itself. */
const CODES = {
  400: 'invalid-input',
  405: 'method-not-allowed',
  413: 'payload-too-large',
  415: 'unsupported-media-type',
  500: 'invariant-violated',
  503: 'unavailable',
} as const;

/** A request handler that never rejects; failures answer `{error: {code, message}}`. */
export function createChangesReceiver(options: ChangesReceiverOptions): (request: Request) => Promise<Response> {
  const { clock, maxBodyBytes, writeTimeoutMs = DEFAULT_WRITE_TIMEOUT_MS, logger = silentLogger } = options;
  const budget = createByteBudget(options.maxInFlightBytes ?? 4 * maxBodyBytes);
  const counts = (options.counts ?? createIngestCounts()).changes;

  async function receive(request: Request, coding: ContentCoding): Promise<Response> {
    const body = await readBody(request, coding, { maxBodyBytes, budget });
    try {
      return await store(body);
    } finally {
      budget.give(body.length);
    }
  }

  async function store(body: Buffer): Promise<Response> {
    const { changes, rejected } = readChanges(listOf(body), clock.nowMs());
    // The same change twice in one request is one change.
    const distinct = [...new Map(changes.map((change) => [change.changeId, change])).values()];
    if (distinct.length > 0) await writeInTime((signal) => options.writeChanges(distinct, signal), writeTimeoutMs);
    counts.received += changes.length;
    counts.rejected += rejected.length;
    const changeIds = changes.map(({ changeId }) => changeId);
    const answer: ChangesAnswer = { accepted: changes.length, rejected, changeIds };
    if (changes.length > 0) return Response.json(answer);
    const [first] = rejected;
    const message = `No change of the request is valid; the one at ${first?.index}: ${first?.problem}.`;
    return Response.json({ error: { code: CODES[400], message }, ...answer }, { status: 400 });
  }

  function refuse(status: keyof typeof CODES, message: string, headers: Record<string, string> = {}): Response {
    counts.refused += 1;
    return Response.json({ error: { code: CODES[status], message } }, { status, headers });
  }

  function refuseFor(error: unknown): Response {
    if (error instanceof LimitError) return refuse(413, error.message);
    if (error instanceof InputError) return refuse(400, error.message);
    if (error instanceof AppError && error.retryable) return refuse(503, error.message, { 'retry-after': '5' });
    logger.error({ err: error }, 'a request with changes failed');
    return refuse(500, 'Storing the changes failed.');
  }

  return async (request) => {
    if (request.method !== 'POST') return refuse(405, 'Send changes with POST.', { allow: 'POST' });
    const coding = contentCodingOf(request);
    if (coding === undefined) return refuse(415, 'Content-Encoding must be gzip or identity.');
    if (!/^application\/json\s*(;|$)/i.test(request.headers.get('content-type') ?? '')) {
      return refuse(415, 'Content-Type must be application/json.');
    }
    return receive(request, coding).catch(refuseFor);
  };
}

/** The changes in any of the three forms, unchecked; throws InputError. */
function listOf(body: Buffer): readonly unknown[] {
  const value = parseJson(new TextDecoder().decode(body), toWellFormed);
  const isEnvelope = value !== null && typeof value === 'object' && 'changes' in value;
  const given = isEnvelope ? (value as { changes: unknown }).changes : value;
  const list = Array.isArray(given) ? given : [given];
  if (list.length === 0) throw new InputError('The request holds no change.');
  if (list.length > MAX_CHANGES_PER_REQUEST) {
    throw new LimitError(`The request holds more than ${MAX_CHANGES_PER_REQUEST} changes: send them in parts.`);
  }
  return list;
}

/** A JSON reviver that leaves no lone surrogate, which a store would refuse together with its neighbours. */
function toWellFormed(_key: string, value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name.toWellFormed(), member]));
}

function readChanges(list: readonly unknown[], nowMs: number) {
  const changes: Change[] = [];
  const rejected: { index: number; problem: string }[] = [];
  // Changes are kept for ever: any past is taken.
  const times = timeLimitsAt(nowMs, 0);
  list.forEach((item, index) => {
    const parsed = changeInputSchema.safeParse(item);
    if (!parsed.success) rejected.push({ index, problem: describeProblem(parsed.error) });
    else {
      const problem = problemOf(parsed.data, times) ?? problemOfKeys(item);
      if (problem === undefined) changes.push(toChange(parsed.data, nowMs));
      else rejected.push({ index, problem });
    }
  });
  return { changes, rejected };
}

/** What the schema does not see. */
function problemOf({ at, attributes }: ChangeInput, times: TimeLimits): string | undefined {
  if (Object.keys(attributes).length > MAX_ATTRIBUTES) return `attributes: more than ${MAX_ATTRIBUTES}`;
  // Read to the millisecond; the very start of 1970 is as wrong as its neighbours.
  const timeProblem = at === undefined ? undefined : times.problemOf(BigInt(Date.parse(at)) * 1_000_000n || 1n);
  return timeProblem === undefined ? undefined : `at: ${timeProblem}`;
}

function describeProblem(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.') || 'change'}: ${issue.message}`).join('; ');
}

/** zod leaves this one key out of what it gives back: told, it is not lost in silence. */
function problemOfKeys(item: unknown): string | undefined {
  const { attributes } = item as { attributes?: object };
  return attributes && Object.hasOwn(attributes, '__proto__') ? 'attributes: __proto__ cannot be a key' : undefined;
}

/**
 * The change as it is stored. Without an id of its own it gets one from its content, so that a webhook that is sent again
 * does not count twice; where it has no time either, the hour of receipt is part of that, so that the same flag switched
 * again next week is another change.
 */
function toChange({ id, at, ...content }: ChangeInput, nowMs: number): Change {
  const when = at ?? Math.floor(nowMs / HOUR_MS);
  return {
    ...content,
    changeId: id ?? contentId('chg', { ...content, when }),
    atMs: at === undefined ? nowMs : Date.parse(at),
    source: 'webhook',
  };
}
