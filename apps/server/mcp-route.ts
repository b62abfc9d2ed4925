/**
 * The MCP server inside of the host: clients come with the same tokens and through the same guards as everybody, and their tools
 * ask the host's own routes with that token, so that nobody can do more this way than over HTTP.
 */
import { createApiClient } from '../../api/api-client.ts';
import { PROTOCOL_ROUTES } from '../../api/protocol-routes.ts';
import { createHttpSessions } from '../../mcp/http-sessions.ts';
import { createInquestCatalogue } from '../../mcp/inquest-catalogue.ts';
import type { Host, HostApp } from './host.ts';
import { requirePermission } from './request-guards.ts';

const { speakMcp } = PROTOCOL_ROUTES;

/** After the guards that recognise the caller. */
export function addMcpRoute(app: HostApp, host: Host): void {
  const sessions = createHttpSessions({
    catalogue: createInquestCatalogue(),
    version: host.version,
    nowMs: () => host.clock.nowMs(),
    connectAs: (token) => createApiClient({ url: 'http://127.0.0.1', token, fetch: (request) => app.fetch(request) }),
    onError: (error) => host.logger.error({ err: error }, 'an MCP call failed'),
  });
  host.stopping.addEventListener('abort', () => void sessions.close(), { once: true });
  app.all(speakMcp.path, requirePermission(speakMcp.needs), (context) => {
    const token = context.req.header('authorization')?.replace(/^Bearer +/i, '') ?? '';
    return sessions.handle(context.req.raw, { name: context.get('caller').name, token });
  });
}
