/** The answers to ROUTES: one handler for each, and the one place where bodies are read and checked. */
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { z } from 'zod';
import type { RouteName } from '../../api/api-client.ts';
import { describeIssues } from '../../api/api-errors.ts';
import { ROUTES } from '../../api/api-shapes.ts';
import { errorMessage, InputError } from '../../platform/errors.ts';
import type { Host, HostApp, HostEnv } from './host.ts';
import { refuse } from './http-errors.ts';
import { createManualIncident } from './manual-incident.ts';

const MAX_BODY_BYTES = 1024 * 1024;
const MAX_LISTED_INCIDENTS = 200;

type Routes = typeof ROUTES;
type InputOf<Route> = Route extends { input: infer Input extends z.ZodType } ? z.output<Input> : undefined;

/** `signal` is aborted when the caller hangs up: for reads. What has an effect goes on without its caller. */
type Handlers = {
  readonly [Name in RouteName]: (call: {
    readonly id: string;
    readonly input: InputOf<Routes[Name]>;
    readonly signal: AbortSignal;
  }) => Promise<z.input<Routes[Name]['output']>>;
};

function createHandlers(host: Host): Handlers {
  return {
    status: () => describeHost(host),
    listIncidents: async ({ signal }) => ({
      incidents: await host.runtime().listIncidents(MAX_LISTED_INCIDENTS, signal),
    }),
    openIncident: async ({ input }) => {
      const opened = await host.runtime().openIncident(createManualIncident(input, host.clock.nowMs()));
      return { incident: opened.incident, investigationId: opened.investigationId };
    },
    getInvestigation: async ({ id, signal }) => {
      const investigation = await host.runtime().findInvestigation(id, signal);
      if (!investigation) throw unknownId(id);
      return investigation;
    },
    listApprovals: async ({ signal }) => ({ approvals: await host.runtime().listPendingApprovals(signal) }),
    decide: ({ id, input }) => host.runtime().decide(id, input),
    verify: async ({ id, signal }) => ({ verifications: await host.runtime().verify(id, signal) }),
    scan: async () => ({ incidents: await host.scan() }),
    shutdown: async () => {
      host.stop();
      return { stopping: true };
    },
  };
}

async function describeHost(host: Host): Promise<z.input<Routes['status']['output']>> {
  const { engineVersion, restarts, kind, rows, newest, ingest } = await host.runtime().status();
  const { dataDir, clickhouse } = host.config;
  return {
    version: host.version,
    nodeVersion: process.version,
    pid: process.pid,
    startedAtMs: host.startedAtMs,
    dataDir,
    clickhouse: { kind, database: clickhouse.database, engineVersion, restarts },
    rows,
    newest,
    ingest,
  };
}

export function unknownId(id: string): InputError {
  return new InputError(`There is no incident or investigation ${id}: "inquest incidents" lists them.`, {
    code: 'not-found',
  });
}

/** Adds every route, and 405 for other methods on their paths. */
export function addApiRoutes(app: HostApp, host: Host): void {
  const handlers = createHandlers(host);
  app.use('/api/*', bodyLimit({ maxSize: MAX_BODY_BYTES, onError: refuseBody }));
  for (const name of Object.keys(ROUTES) as RouteName[]) {
    const route: { method: string; path: string; input?: z.ZodType } = ROUTES[name];
    const handle = handlers[name] as (call: { id: string; input: unknown; signal: AbortSignal }) => Promise<object>;
    app.on(route.method, route.path, async (context) => {
      if (route.input && !isJson(context))
        return refuse(415, 'unsupported-media-type', 'Send the body as application/json.');
      const input = route.input ? await readInput(context, route.input) : undefined;
      const id = context.req.param('id') ?? '';
      return Response.json(await handle({ id, input, signal: context.req.raw.signal }));
    });
  }
  for (const path of new Set(Object.values(ROUTES).map((route) => route.path))) {
    const methods = Object.values(ROUTES).filter((route) => route.path === path);
    refuseOtherMethods(app, path, methods.map(({ method }) => method).join(', '));
  }
}

export function refuseOtherMethods(app: HostApp, path: string, allowed: string): void {
  app.all(path, () => refuse(405, 'method-not-allowed', `Use ${allowed} here.`, { allow: allowed }));
}

function isJson(context: Context<HostEnv>): boolean {
  return /^application\/json\s*(;|$)/i.test(context.req.header('content-type') ?? '');
}

async function readInput(context: Context<HostEnv>, schema: z.ZodType): Promise<unknown> {
  let value: unknown;
  try {
    value = await context.req.json();
  } catch (error) {
    throw new InputError(`The body is not JSON: ${errorMessage(error)}.`, { cause: error });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new InputError(`The body is not valid: ${describeIssues(parsed.error)}.`);
  return parsed.data;
}

function refuseBody(): Response {
  return refuse(413, 'payload-too-large', `The body is larger than ${MAX_BODY_BYTES} bytes.`);
}
