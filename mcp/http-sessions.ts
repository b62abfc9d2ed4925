/**
 * The protocol over streamable HTTP: one session for each client, with the caller that began it. Who may call at all is decided
 * before a request comes here.
 */
import { randomUUID } from 'node:crypto';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import type { McpBackend } from './backend.ts';
import { createMcpServer, type McpServerOptions } from './create-mcp-server.ts';

export interface HttpSessionsOptions extends Omit<McpServerOptions, 'connect'> {
  /** The host as the caller with this token may use it. */
  readonly connectAs: (token: string) => McpBackend;
  /** Clients that went away without a word are forgotten, the quietest first, when there are more than so many. */
  readonly maxSessions?: number;
}

export interface SessionCaller {
  /** A session is its caller's own. */
  readonly name: string;
  readonly token: string;
}

export interface HttpSessions {
  handle(request: Request, caller: SessionCaller): Promise<Response>;
  /** Ends every stream. */
  close(): Promise<void>;
}

interface Session {
  readonly transport: WebStandardStreamableHTTPServerTransport;
  readonly owner: string;
  close(): Promise<void>;
}

const MAX_SESSIONS = 200;
const MAX_BODY_BYTES = 1024 * 1024;
const SESSION_HEADER = 'mcp-session-id';

export function createHttpSessions({
  connectAs,
  maxSessions = MAX_SESSIONS,
  ...options
}: HttpSessionsOptions): HttpSessions {
  /** The one that was used last stands last. */
  const sessions = new Map<string, Session>();

  async function begin(request: Request, { name, token }: SessionCaller): Promise<Response> {
    const backend = connectAs(token);
    const server = createMcpServer({ ...options, connect: async () => backend });
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      maxRequestBodySize: MAX_BODY_BYTES,
      onsessioninitialized: (id) => {
        sessions.set(id, { transport, owner: name, close: () => server.close() });
      },
      onsessionclosed: (id) => {
        sessions.delete(id);
      },
    });
    await server.connect(transport);
    const response = await transport.handleRequest(request);
    if (transport.sessionId === undefined) await server.close();
    await forgetQuietest();
    return response;
  }

  async function forgetQuietest(): Promise<void> {
    for (const [id, session] of sessions) {
      if (sessions.size <= maxSessions) return;
      sessions.delete(id);
      await session.close();
    }
  }

  return {
    handle: async (request, caller) => {
      const id = request.headers.get(SESSION_HEADER);
      if (id === null) return begin(request, caller);
      const session = sessions.get(id);
      // Somebody else's session is told apart from none by nobody.
      if (session?.owner !== caller.name) return refuseUnknown();
      sessions.delete(id);
      sessions.set(id, session);
      return session.transport.handleRequest(request);
    },
    close: async () => {
      const all = [...sessions.values()];
      sessions.clear();
      await Promise.all(all.map((session) => session.close()));
    },
  };
}

/** What tells a client to begin a new session. */
function refuseUnknown(): Response {
  const error = { code: -32_001, message: 'There is no such session (any more): initialize a new one.' };
  return Response.json({ jsonrpc: '2.0', error, id: null }, { status: 404 });
}
