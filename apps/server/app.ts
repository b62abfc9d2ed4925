/** Every path the host answers: telemetry under /v1, people's commands under /api, and whether it is alive and ready. */
import { Hono } from 'hono';
import { PROGRESS_PATH } from '../../api/api-client.ts';
import { healthSchema, proveHost } from '../../api/host-lock.ts';
import { UnavailableError } from '../../platform/errors.ts';
import { addApiRoutes, refuseOtherMethods } from './api-routes.ts';
import type { Host, HostApp, HostEnv } from './host.ts';
import { refuse, refuseError } from './http-errors.ts';
import { answerProgress } from './progress-stream.ts';
import {
  type Guard,
  refuseForeignHosts,
  refuseForeignOrigins,
  requireToken,
  requireTokenFromAfar,
} from './request-guards.ts';

const MAX_CHALLENGE_LENGTH = 128;

export function createApp(host: Host): HostApp {
  const app: HostApp = new Hono<HostEnv>();
  app.onError((error) => refuseError(error, host.logger));
  app.notFound((context) => refuse(404, 'not-found', `There is nothing at ${context.req.path}.`));
  app.use(refuseForeignOrigins);
  addHealth(app, host);
  addReceivers(app, host);
  app.use('/api/*', refuseForeignHosts(host), requireToken(host), countActivity(host));
  app.get(PROGRESS_PATH, (context) => answerProgress(host, context.req.param('id'), context.req.raw.signal));
  refuseOtherMethods(app, PROGRESS_PATH, 'GET');
  addApiRoutes(app, host);
  return app;
}

/** /healthz: this process lives and owns the data directory. /readyz: it can also serve, its engine answers. */
function addHealth(app: HostApp, host: Host): void {
  app.get('/healthz', (context) => {
    const challenge = context.req.query('challenge')?.slice(0, MAX_CHALLENGE_LENGTH);
    // Who challenges is about to send a request: the host should not go away in between. A plain probe keeps nobody up.
    if (challenge !== undefined) host.activity.begin()();
    const proof = challenge === undefined ? {} : { proof: proveHost(host.token, challenge) };
    return Response.json(healthSchema.parse({ state: host.state(), version: host.version, ...proof }));
  });
  app.get('/readyz', async () => {
    const { engineVersion } = await host.runtime().status();
    if (engineVersion === '') throw new UnavailableError('The engine does not answer.');
    return Response.json({ state: host.state() });
  });
  for (const path of ['/healthz', '/readyz']) refuseOtherMethods(app, path, 'GET');
}

/** The receivers answer in their own protocol, refusals too; ours is only what they cannot know. */
function addReceivers(app: HostApp, host: Host): void {
  app.use('/v1/*', requireTokenFromAfar(host), countActivity(host));
  app.all('/v1/changes', (context) => host.runtime().receiveChanges(context.req.raw));
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
