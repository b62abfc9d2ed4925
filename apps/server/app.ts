/** Every path the host answers: telemetry under /v1, people's commands under /api, IDEs at /mcp, probes, and a description of it all. */
import { Hono } from 'hono';
import { healthSchema, proveHost } from '../../api/host-lock.ts';
import { createOpenApi } from '../../api/openapi.ts';
import { PROTOCOL_ROUTES } from '../../api/protocol-routes.ts';
import { UnavailableError } from '../../platform/errors.ts';
import { addApiRoutes, idOf, refuseOtherMethods } from './api-routes.ts';
import type { Host, HostApp, HostEnv } from './host.ts';
import { refuse, refuseError, toAppError } from './http-errors.ts';
import { addMcpRoute } from './mcp-route.ts';
import { answerProgress } from './progress-stream.ts';
import { createQueryReader } from './read-call.ts';
import {
  type Guard,
  refuseForeignHosts,
  refuseForeignOrigins,
  requireCaller,
  requirePermission,
  requireSenderFromAfar,
} from './request-guards.ts';
import { speakOtlp } from './speak-otlp.ts';

const MAX_CHALLENGE_LENGTH = 128;
const READY_TIMEOUT_MS = 5_000;

const { getHealth, getReadiness, getOpenApi, watchInvestigation, sendChanges, speakMcp } = PROTOCOL_ROUTES;

export function createApp(host: Host): HostApp {
  const app: HostApp = new Hono<HostEnv>();
  app.onError((error) => refuseError(error, host.logger));
  app.notFound(({ req }) =>
    refuse(404, 'not-found', `There is nothing at ${req.path}: /openapi.json says what there is.`),
  );
  app.use('/v1/*', speakOtlp);
  app.use(refuseForeignOrigins);
  addProbes(app, host);
  addReceivers(app, host);
  for (const path of ['/api/*', speakMcp.path]) {
    app.use(path, refuseForeignHosts(host), requireCaller(host), countActivity(host));
  }
  addMcpRoute(app, host);
  const readNothing = createQueryReader();
  app.get(watchInvestigation.path, requirePermission(watchInvestigation.needs), (context) => {
    readNothing(context.req.queries());
    return answerProgress(host, idOf(context), context.req.raw.signal);
  });
  refuseOtherMethods(app, watchInvestigation.path, 'GET');
  addApiRoutes(app, host);
  return app;
}

/** What anybody may ask: does it live and own the data directory, can it serve, and what can it be asked. */
function addProbes(app: HostApp, host: Host): void {
  app.get(getHealth.path, (context) => {
    const challenge = context.req.query('challenge')?.slice(0, MAX_CHALLENGE_LENGTH);
    // Who challenges is about to send a request: the host should not go away in between. A plain probe keeps nobody up.
    if (challenge !== undefined) host.activity.begin()();
    const proof = challenge === undefined ? {} : { proof: proveHost(host.token, challenge) };
    return Response.json(healthSchema.parse({ state: host.state(), version: host.version, ...proof }));
  });
  app.get(getReadiness.path, async () => Response.json({ engineVersion: await askEngine(host), state: host.state() }));
  let description: string | undefined;
  app.get(getOpenApi.path, () => {
    description ??= JSON.stringify(createOpenApi(host.version));
    return new Response(description, { headers: { 'content-type': 'application/json' } });
  });
  for (const { path } of [getHealth, getReadiness, getOpenApi]) refuseOtherMethods(app, path, 'GET');
}

/** Its version; rejects with UnavailableError, whatever is wrong with it. */
async function askEngine(host: Host): Promise<string> {
  const { database } = host.runtime();
  try {
    return await database.version(AbortSignal.timeout(READY_TIMEOUT_MS));
  } catch (error) {
    throw new UnavailableError(`The engine does not answer. ${toAppError(error).message}`, { cause: error });
  }
}

/** The receivers answer in their own protocol, refusals too; ours is only what they cannot know. */
function addReceivers(app: HostApp, host: Host): void {
  app.use('/v1/*', requireSenderFromAfar(host), countActivity(host));
  app.all(sendChanges.path, (context) => host.runtime().receiveChanges(context.req.raw));
  app.all('/v1/*', (context) => host.runtime().receiveOtlp(context.req.raw));
}

/** A request is in work until its answer has left, or its caller. */
function countActivity(host: Host): Guard {
  return async (context, next) => {
    const end = host.activity.begin();
    const outgoing = context.env?.outgoing;
    outgoing?.once('close', end);
    try {
      await next();
    } finally {
      if (!outgoing || outgoing.closed) end();
    }
  };
}
