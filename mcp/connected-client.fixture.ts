/** A client of the SDK on the other end of an MCP server in this process, and a host that answers what a test says. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { type ClientCapabilities, ElicitRequestSchema, type ElicitResult } from '@modelcontextprotocol/sdk/types.js';
import { InputError } from '../platform/errors.ts';
import type { McpBackend } from './backend.ts';
import { createMcpServer, type McpServerOptions } from './create-mcp-server.ts';
import { createInquestCatalogue } from './inquest-catalogue.ts';

export const NOW_MS = Date.UTC(2026, 0, 31, 10, 20);

/** Answers with what is given; everything else there is not. */
export function createStubBackend(given: Partial<McpBackend>): McpBackend {
  return new Proxy(given, {
    get: (target, name: keyof McpBackend) =>
      target[name] ??
      (name === 'ask' || String(name) === 'then'
        ? undefined
        : async () => {
            throw new InputError(`There is no ${String(name)} here.`, { code: 'not-found' });
          }),
  }) as McpBackend;
}

export interface ClientOptions extends Partial<McpServerOptions> {
  readonly capabilities?: ClientCapabilities;
  /** What the person does with a form; shown what the form says. */
  readonly person?: (message: string) => Promise<ElicitResult>;
}

export interface CalledTool {
  readonly isError: boolean;
  /** Of the first block. */
  readonly text: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** As it came. */
  readonly size: number;
}

export async function connectClient(backend: Partial<McpBackend>, options: ClientOptions = {}) {
  const { capabilities, person, ...server } = options;
  const client = new Client(
    { name: 'test', version: '1' },
    { capabilities: capabilities ?? (person ? { elicitation: { form: {} } } : {}) },
  );
  if (person) client.setRequestHandler(ElicitRequestSchema, ({ params }) => person(params.message));
  const [near, far] = InMemoryTransport.createLinkedPair();
  const stub = createStubBackend(backend);
  await createMcpServer({
    catalogue: createInquestCatalogue(),
    version: '1.2.3',
    connect: async () => stub,
    nowMs: () => NOW_MS,
    ...server,
  }).connect(far);
  await client.connect(near);
  return { client, call: createCaller(client) };
}

export function createCaller(client: Client) {
  return async (name: string, given: object = {}, options: object = {}): Promise<CalledTool> => {
    const result = await client.callTool({ name, arguments: given as Record<string, unknown> }, undefined, {
      timeout: 60_000,
      ...options,
    });
    const [first] = result['content'] as { text?: string }[];
    return {
      isError: result['isError'] === true,
      text: first?.text ?? '',
      data: (result['structuredContent'] ?? {}) as Record<string, unknown>,
      size: JSON.stringify(result).length,
    };
  };
}
