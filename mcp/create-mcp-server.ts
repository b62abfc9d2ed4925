/**
 * Speaks the Model Context Protocol for a catalogue, over whatever transport it is connected to: lists, calls, reads, completes,
 * and turns every failure into an answer that says what to do. The only file that knows how the SDK's server is used.
 */
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  CallToolRequestSchema,
  type CallToolResult,
  CompleteRequestSchema,
  ErrorCode,
  GetPromptRequestSchema,
  type GetPromptResult,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  McpError,
  ReadResourceRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { cleanTelemetry } from '../domain/quote-telemetry.ts';
import { AppError, InvariantError } from '../platform/errors.ts';
import { askOverElicitation } from './ask-over-elicitation.ts';
import type { McpBackend } from './backend.ts';
import type { Catalogue, Completer, McpAnswer, McpContext, McpTool } from './catalogue.ts';
import { explainInput } from './explain-input.ts';
import { MAX_ANSWER_CHARACTERS, sizeOf, writeResult } from './fit-answer.ts';
import { createReporter, type Extra } from './report-progress.ts';

export interface McpServerOptions {
  readonly catalogue: Catalogue;
  readonly version: string;
  /** The host, joined or started when it is needed and not before: an IDE that only lists tools waits for nothing. */
  readonly connect: (signal: AbortSignal) => Promise<McpBackend>;
  readonly nowMs: () => number;
  readonly personName?: string | undefined;
  /** How the CLI is started here, word by word. */
  readonly command?: readonly string[] | undefined;
  /** How long a person has to answer a form. */
  readonly patienceMs?: number | undefined;
  /** Told what nobody expected. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/**
 * Shorter than the minute after which most clients give a call up: the answer that tells how to decide elsewhere has to reach
 * them.
 */
const PATIENCE_MS = 55_000;
const MAX_ERROR_CHARACTERS = 2_000;
const MAX_COMPLETIONS = 100;
const RESOURCE_NOT_FOUND = -32_002;

/** One for each client that is connected. */
export function createMcpServer(options: McpServerOptions): Server {
  const { catalogue, version } = options;
  const server = new Server(
    { name: 'inquest', title: 'Inquest', version },
    {
      capabilities: { tools: {}, resources: {}, prompts: {}, completions: {}, logging: {} },
      instructions: catalogue.instructions,
    },
  );
  const openContext = createContexts(server, options);
  serveTools(server, options, openContext);
  serveResources(server, catalogue, openContext);
  servePrompts(server, catalogue, openContext);
  server.setRequestHandler(CompleteRequestSchema, async ({ params: { ref, argument } }, extra) => {
    const complete =
      ref.type === 'ref/prompt'
        ? completerOfPrompt(catalogue, ref.name, argument.name)
        : catalogue.resources.templates.find(({ uriTemplate }) => uriTemplate === ref.uri)?.complete;
    const all = complete ? await failProperly(async () => complete(argument.value, await openContext(extra))) : [];
    const values = all.slice(0, MAX_COMPLETIONS);
    return { completion: { values, total: all.length, hasMore: all.length > values.length } };
  });
  return server;
}

type OpenContext = (extra: Extra) => Promise<McpContext>;

function createContexts(server: Server, options: McpServerOptions): OpenContext {
  const { connect, nowMs, personName = '', command = ['inquest'], patienceMs = PATIENCE_MS } = options;
  const reporterOf = createReporter(server);
  return async (extra) => {
    const { signal, requestId } = extra;
    return {
      backend: await connect(signal),
      nowMs,
      signal,
      personName,
      report: reporterOf(extra),
      askPerson: (form) => askOverElicitation(server, form, { signal, requestId, patienceMs }),
      command: (...words) => [...command, ...words].join(' '),
    };
  };
}

function serveTools(server: Server, { catalogue, onError }: McpServerOptions, openContext: OpenContext): void {
  const listed = catalogue.tools.map(describeTool);
  server.setRequestHandler(ListToolsRequestSchema, async () => ({ tools: listed }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    const tool = catalogue.tools.find(({ name }) => name === params.name);
    if (!tool) {
      const names = catalogue.tools.map(({ name }) => name).join(', ');
      throw new McpError(ErrorCode.InvalidParams, `There is no tool ${params.name}: there are ${names}.`);
    }
    try {
      const input = tool.input.safeParse(params.arguments ?? {});
      if (!input.success) return refusal(explainInput(tool, input.error));
      return writeAnswer(tool, await tool.run(input.data, await openContext(extra)));
    } catch (error) {
      extra.signal.throwIfAborted();
      if (!(error instanceof AppError) || error instanceof InvariantError) onError?.(error);
      return refusal(describeFailure(error, tool));
    }
  });
}

function describeTool({ name, title, description, input, output, hints }: McpTool) {
  return {
    ...{ name, title, description },
    inputSchema: z.toJSONSchema(input, { io: 'input' }) as { type: 'object' },
    ...(output ? { outputSchema: withoutDialect(z.toJSONSchema(output)) as { type: 'object' } } : {}),
    annotations: hints,
  };
}

/** 2020-12 is what a schema is in when it does not say so: said once for each tool. */
function withoutDialect({ $schema: _, ...schema }: Record<string, unknown>): Record<string, unknown> {
  return schema;
}

function writeAnswer(tool: McpTool, answer: McpAnswer): CallToolResult {
  const parsed = tool.output?.safeParse(answer.data);
  if (parsed && !parsed.success) {
    throw new InvariantError(`${tool.name} answered what its own schema refuses`, { cause: parsed.error });
  }
  if (sizeOf(answer) > MAX_ANSWER_CHARACTERS) throw new InvariantError(`${tool.name} answered more than it may`);
  return writeResult(answer) as CallToolResult;
}

function refusal(text: string): CallToolResult {
  return { isError: true, content: [{ type: 'text', text }] };
}

function describeFailure(error: unknown, { example }: Pick<McpTool, 'example'>): string {
  if (!(error instanceof AppError) || error instanceof InvariantError) {
    return 'Inquest failed on this call, which is a mistake of its own: its log says how.';
  }
  const advice = error.retryable ? ' The same call may succeed in a moment.' : '';
  const taught = error.code === 'invalid-input' ? ` Example: ${JSON.stringify(example)}` : '';
  return `${cleanText(error.message)}${advice}${taught}`;
}

function cleanText(text: string): string {
  return String(cleanTelemetry(text, { maxCharacters: MAX_ERROR_CHARACTERS }).value);
}

function serveResources(server: Server, { resources }: Catalogue, openContext: OpenContext): void {
  server.setRequestHandler(ListResourcesRequestSchema, async ({ params }, extra) => {
    const page = await failProperly(async () => resources.list(params?.cursor, await openContext(extra)));
    return { resources: [...page.resources], ...(page.nextCursor ? { nextCursor: page.nextCursor } : {}) };
  });
  server.setRequestHandler(ListResourceTemplatesRequestSchema, async () => ({
    resourceTemplates: resources.templates.map(({ complete: _, ...template }) => template),
  }));
  server.setRequestHandler(ReadResourceRequestSchema, async ({ params: { uri } }, extra) => {
    const content = await failProperly(async () => resources.read(uri, await openContext(extra)));
    if (content) return { contents: [content] };
    const known = resources.templates.map(({ uriTemplate }) => uriTemplate).join(', ');
    throw new McpError(RESOURCE_NOT_FOUND, `There is no resource ${uri}: there are ${known}.`);
  });
}

function servePrompts(server: Server, { prompts }: Catalogue, openContext: OpenContext): void {
  server.setRequestHandler(ListPromptsRequestSchema, async () => ({
    prompts: prompts.map(({ name, title, description, arguments: given }) => ({
      ...{ name, title, description },
      arguments: given.map(({ complete: _, ...argument }) => argument),
    })),
  }));
  server.setRequestHandler(GetPromptRequestSchema, async ({ params }, extra) => {
    const prompt = prompts.find(({ name }) => name === params.name);
    if (!prompt) {
      const names = prompts.map(({ name }) => name).join(', ');
      throw new McpError(ErrorCode.InvalidParams, `There is no prompt ${params.name}: there are ${names}.`);
    }
    const given = params.arguments ?? {};
    const missing = prompt.arguments.filter(({ name, required }) => required && !given[name]?.trim());
    if (missing.length > 0) {
      const told = missing.map(({ name, description }) => `${name} (${description})`).join('; ');
      throw new McpError(ErrorCode.InvalidParams, `${prompt.name} needs ${told}`);
    }
    const blocks = await failProperly(async () => prompt.write(given, await openContext(extra)));
    const messages = blocks.map((content) => ({ role: 'user', content }));
    return { description: prompt.description, messages } as GetPromptResult;
  });
}

function completerOfPrompt({ prompts }: Catalogue, promptName: string, argumentName: string): Completer | undefined {
  const prompt = prompts.find(({ name }) => name === promptName);
  return prompt?.arguments.find(({ name }) => name === argumentName)?.complete;
}

/** Errors of ours as the protocol's, for requests whose answers have no place for a failure. */
async function failProperly<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const code = error.code === 'not-found' ? RESOURCE_NOT_FOUND : ErrorCode.InvalidParams;
    throw new McpError(error.retryable ? ErrorCode.InternalError : code, cleanText(error.message));
  }
}
