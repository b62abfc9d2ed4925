/** Mounts ROUTES: who may call, what was sent, the handler's answer; and 405 for other methods on their paths. */
import type { Context } from 'hono';
import type { RouteName } from '../../api/api-client.ts';
import { ROUTES, type Route } from '../../api/api-shapes.ts';
import { InputError } from '../../platform/errors.ts';
import type { ApiCall } from './api-calls.ts';
import { createHandlers } from './api-handlers.ts';
import type { Host, HostApp, HostEnv } from './host.ts';
import { refuse } from './http-errors.ts';
import { createQueryReader, readInput } from './read-call.ts';
import { requirePermission } from './request-guards.ts';

/** Whatever else is written there is the id of nothing, and never reaches a store. */
const ID = /^[\w-]{1,128}$/;

export function addApiRoutes(app: HostApp, host: Host): void {
  const handlers = createHandlers(host);
  for (const name of Object.keys(ROUTES) as RouteName[]) {
    addRoute(app, ROUTES[name], handlers[name] as (call: ApiCall<object, unknown>) => Promise<object>);
  }
  for (const path of new Set(Object.values(ROUTES).map((route) => route.path))) {
    const methods = Object.values(ROUTES).filter((route) => route.path === path);
    refuseOtherMethods(app, path, methods.map(({ method }) => method).join(', '));
  }
}

function addRoute(app: HostApp, route: Route, handle: (call: ApiCall<object, unknown>) => Promise<object>): void {
  const readQuery = createQueryReader(route.query);
  app.on(route.method, route.path, requirePermission(route.needs), async (context) => {
    const caller = context.get('caller');
    const query = readQuery(context.req.queries());
    const id = route.path.includes(':id') ? idOf(context) : '';
    const read = route.input ? await readInput(context.req.raw, route.input) : { input: undefined };
    if (read instanceof Response) return read;
    return Response.json(await handle({ caller, id, query, ...read, signal: context.req.raw.signal }));
  });
}

/** Throws InputError (not-found). */
export function idOf(context: Context<HostEnv>): string {
  const id = context.req.param('id') ?? '';
  if (ID.test(id)) return id;
  throw new InputError(`Nothing has the id ${JSON.stringify(id.slice(0, 64))}: ids are letters, digits, _ and -.`, {
    code: 'not-found',
  });
}

export function refuseOtherMethods(app: HostApp, path: string, allowed: string): void {
  app.all(path, () => refuse(405, 'method-not-allowed', `Use ${allowed} here.`, { allow: allowed }));
}
