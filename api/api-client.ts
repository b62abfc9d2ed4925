/**
 * The typed client of the host's HTTP API: one method for each of ROUTES, input checked before it leaves, answers parsed,
 * refusals thrown as the errors of platform/errors.ts.
 */
import { z } from 'zod';
import { type Progress, progressSchema } from '../domain/investigation.ts';
import { AppError, errorMessage, InputError, InvariantError, UnavailableError } from '../platform/errors.ts';
import { describeIssues, errorOf } from './api-errors.ts';
import { ROUTES, type Route } from './api-shapes.ts';
import { readStreamEvents } from './event-stream.ts';
import { PROTOCOL_ROUTES } from './protocol-routes.ts';

type Routes = typeof ROUTES;
export type RouteName = keyof Routes;

type IdArgument<Route> = Route extends { path: `${string}/:id${string}` } ? [id: string] : [];
type InputArgument<Route> = Route extends { input: infer Input extends z.ZodType } ? [input: z.input<Input>] : [];
type QueryArgument<Route> = Route extends { query: infer Query extends z.ZodType } ? [query: z.input<Query>] | [] : [];

/**
 * `client.decide(id, input, signal)`: an id where the path has one, a query where the route takes one (it may be left out), an
 * input where the route takes one, then a signal.
 */
export type ApiCalls = {
  readonly [Name in RouteName]: (
    ...args: [
      ...IdArgument<Routes[Name]>,
      ...QueryArgument<Routes[Name]>,
      ...InputArgument<Routes[Name]>,
      signal?: AbortSignal | undefined,
    ]
  ) => Promise<z.output<Routes[Name]['output']>>;
};

export interface ApiClient extends ApiCalls {
  /**
   * What happened in an investigation so far, then what happens, until it is finished, failed or waits for approval.
   * Takes the id of an incident or an investigation; throws what the calls throw.
   */
  watchInvestigation(id: string, signal?: AbortSignal): AsyncGenerator<Progress>;
}

/** The stream of GET /api/investigations/:id/progress: `progress` (Progress) ..., then `end` or `error` (ApiError). */
export const PROGRESS_PATH = PROTOCOL_ROUTES.watchInvestigation.path;

export interface ApiClientOptions {
  /** Base of the host, as in its lock file. */
  readonly url: string;
  readonly token: string;
  /** Left out: over the network. The host itself asks its own routes, without one. */
  readonly fetch?: ((request: Request) => Response | Promise<Response>) | undefined;
}

/**
 * Every call rejects with InputError (also code not-found, conflict), LimitError, UnavailableError (host gone or busy: the
 * same call may succeed later), ConfigError or InvariantError, or with the signal's reason once that is aborted.
 */
export function createApiClient({ url, token, fetch: ask = fetch }: ApiClientOptions): ApiClient {
  const base = url.replace(/\/+$/, '');

  async function send(
    method: string,
    path: string,
    input: unknown,
    signal: AbortSignal | undefined,
  ): Promise<Response> {
    const headers: Record<string, string> = { authorization: `Bearer ${token}` };
    if (input !== undefined) headers['content-type'] = 'application/json';
    const request = new Request(`${base}${path}`, {
      method,
      headers,
      redirect: 'error',
      ...(input === undefined ? {} : { body: JSON.stringify(input) }),
      ...(signal ? { signal } : {}),
    });
    const response = await reach(base, signal, async () => ask(request));
    if (response.ok) return response;
    const text = await reach(base, signal, () => response.text());
    throw errorOf(response.status, text);
  }

  async function call(name: RouteName, args: readonly unknown[]): Promise<unknown> {
    const route: Route = ROUTES[name];
    const rest = [...args];
    const bare = route.path.includes(':id') ? withId(route.path, String(rest.shift())) : route.path;
    const hasQuery = route.query !== undefined && rest[0] !== undefined && !(rest[0] instanceof AbortSignal);
    const path = hasQuery ? `${bare}${formatQuery(name, route.query, rest.shift())}` : bare;
    const input = route.input === undefined ? undefined : checkInput(name, route.input, rest.shift());
    const signal = rest.shift() as AbortSignal | undefined;
    const response = await send(route.method, path, input, signal);
    const text = await reach(base, signal, () => response.text());
    return parseAnswer(name, route.output, text);
  }

  async function* watchInvestigation(id: string, signal?: AbortSignal): AsyncGenerator<Progress> {
    const { body } = await send('GET', withId(PROGRESS_PATH, id), undefined, signal);
    if (body === null) throw new InvariantError('the progress of an investigation came without a body');
    yield* readProgress(base, body, signal);
  }

  const names = Object.keys(ROUTES) as RouteName[];
  const calls = Object.fromEntries(names.map((name) => [name, (...args: unknown[]) => call(name, args)]));
  return { ...(calls as unknown as ApiCalls), watchInvestigation };
}

async function* readProgress(
  base: string,
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Progress> {
  const events = readStreamEvents(body);
  try {
    for (;;) {
      const next = await reach(base, signal, () => events.next());
      if (next.done === true) throw gone(base, 'the stream of progress was cut off');
      const { type, data } = next.value;
      if (type === 'end') return;
      if (type === 'error') throw errorOf(500, data);
      if (type === 'progress') yield parseAnswer('progress', progressSchema, data);
    }
  } finally {
    await events.return(undefined); // hangs up when the watcher stops looking
  }
}

function withId(path: string, id: string): string {
  // `.` and `..` would be resolved as path segments, and lead to another route.
  if (/^\.{0,2}$/.test(id)) throw new InputError(`"${id}" is not the id of anything.`, { code: 'not-found' });
  return path.replace(':id', encodeURIComponent(id));
}

function formatQuery(name: string, schema: z.ZodType, query: unknown): string {
  const given = Object.entries(checkInput(name, schema, query) as object).filter(([, value]) => value !== undefined);
  return `?${new URLSearchParams(given.map(([key, value]) => [key, String(value)]))}`;
}

function checkInput(name: string, schema: z.ZodType, input: unknown): unknown {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw new InputError(`${name}: ${describeIssues(parsed.error)}.`, { cause: parsed.error });
  return parsed.data;
}

function parseAnswer<Schema extends z.ZodType>(name: string, schema: Schema, text: string): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    const problem = error instanceof z.ZodError ? describeIssues(error) : errorMessage(error);
    throw new InvariantError(
      `The host's answer to ${name} is not what this version expects (${problem.slice(0, 300)}): is the host of another ` +
        'version? Stop it and start again.',
      { cause: error },
    );
  }
}

/** Runs one step over the network; whatever the network throws means that the host is not there. */
async function reach<T>(base: string, signal: AbortSignal | undefined, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof AppError) throw error;
    throw gone(base, errorMessage(error instanceof Error && error.cause ? error.cause : error), error);
  }
}

function gone(base: string, problem: string, cause?: unknown): UnavailableError {
  return new UnavailableError(
    `The Inquest host at ${base} does not answer (${problem}): it may have stopped; try again.`,
    {
      cause,
    },
  );
}
