/**
 * A server for the official conformance suite, which calls tools, resources and prompts by fixed names: they stand beside
 * Inquest's own in the catalogue, behind the host's guards against foreign pages. The suite sends no token, so none is asked.
 */
import { Hono } from 'hono';
import { z } from 'zod';
import { type Catalogue, type ContentBlock, defineMcpTool, type McpTool, READS } from '../../mcp/catalogue.ts';
import { createStubBackend } from '../../mcp/connected-client.fixture.ts';
import { createHttpSessions } from '../../mcp/http-sessions.ts';
import { createInquestCatalogue } from '../../mcp/inquest-catalogue.ts';
import { InputError } from '../../platform/errors.ts';
import { createMemoryHost } from './fixture.contract.ts';
import type { HostEnv } from './host.ts';
import { listen } from './http-listener.ts';
import { refuseForeignHosts, refuseForeignOrigins } from './request-guards.ts';

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const WAV = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=';
const image: ContentBlock = { type: 'image', data: PNG, mimeType: 'image/png' };
const audio: ContentBlock = { type: 'audio', data: WAV, mimeType: 'audio/wav' };
const embedded = (uri: string): ContentBlock => ({
  type: 'resource',
  resource: { uri, mimeType: 'text/plain', text: 'This is an embedded resource content.' },
});

function testTool(name: string, run: McpTool['run'], input: z.ZodObject = z.strictObject({})): McpTool {
  const title = name.replaceAll('_', ' ');
  return defineMcpTool({
    name,
    title,
    description: `For the conformance suite: ${title}.`,
    input,
    example: {},
    hints: READS,
    run,
  });
}

const formTool = (name: string, properties: object): McpTool =>
  testTool(name, async (_, { askPerson }) => {
    const answer = await askPerson({ message: 'Please fill this in', schema: { type: 'object', properties } });
    return { text: `Elicitation completed: ${JSON.stringify(answer)}` };
  });

const titled = (...pairs: [string, string][]) => pairs.map(([value, title]) => ({ const: value, title }));
const OPTIONS = ['option1', 'option2', 'option3'];
const VALUES = titled(['value1', 'First Option'], ['value2', 'Second Option'], ['value3', 'Third Option']);
const address = z.object({ street: z.string().optional(), city: z.string().optional() }).meta({ id: 'address' });

const threeSteps: McpTool['run'] = async (_, { report }) => {
  for (const step of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) await report(step);
  return { text: 'Done.' };
};

const TOOLS: readonly McpTool[] = [
  testTool('test_simple_text', async () => ({ text: 'This is a simple text response for testing.' })),
  testTool('test_image_content', async () => ({ blocks: [image] })),
  testTool('test_audio_content', async () => ({ blocks: [audio] })),
  testTool('test_embedded_resource', async () => ({ blocks: [embedded('test://embedded-resource')] })),
  testTool('test_multiple_content_types', async () => ({
    text: 'Multiple content types test:',
    blocks: [image, embedded('test://mixed-content-resource')],
  })),
  testTool('test_tool_with_logging', threeSteps),
  testTool('test_tool_with_progress', threeSteps),
  testTool('test_error_handling', async () => {
    throw new InputError('This tool intentionally returns an error for testing');
  }),
  testTool(
    'test_elicitation',
    async ({ message }, { askPerson }) => {
      const text = { type: 'string' };
      const schema = {
        type: 'object',
        properties: { username: text, email: text },
        required: ['username', 'email'],
      } as const;
      return { text: `User response: ${JSON.stringify(await askPerson({ message: String(message), schema }))}` };
    },
    z.strictObject({ message: z.string() }),
  ),
  formTool('test_elicitation_sep1034_defaults', {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  }),
  formTool('test_elicitation_sep1330_enums', {
    untitledSingle: { type: 'string', enum: OPTIONS },
    titledSingle: { type: 'string', oneOf: VALUES },
    legacyEnum: {
      type: 'string',
      enum: ['opt1', 'opt2', 'opt3'],
      enumNames: ['Option One', 'Option Two', 'Option Three'],
    },
    untitledMulti: { type: 'array', items: { type: 'string', enum: OPTIONS } },
    titledMulti: { type: 'array', items: { anyOf: VALUES } },
  }),
  testTool(
    'json_schema_2020_12_tool',
    async () => ({ text: 'Done.' }),
    z.strictObject({ name: z.string().optional(), address: address.optional() }),
  ),
];

const text = (words: string): ContentBlock => ({ type: 'text', text: words });
const needed = (name: string) => ({
  ...{ name, description: `the ${name}`, required: true },
  complete: async (typed: string) => ['paris', 'park', 'party'].filter((word) => word.startsWith(typed)),
});

function createConformanceCatalogue(): Catalogue {
  const inquest = createInquestCatalogue();
  const promptOf = (name: string, names: string[], write: Catalogue['prompts'][number]['write']) => ({
    ...{ name, title: name, description: `For the conformance suite: ${name}.`, arguments: names.map(needed), write },
  });
  return {
    instructions: inquest.instructions,
    tools: [...inquest.tools, ...TOOLS],
    prompts: [
      ...inquest.prompts,
      promptOf('test_simple_prompt', [], async () => [text('This is a simple prompt for testing.')]),
      promptOf('test_prompt_with_arguments', ['arg1', 'arg2'], async ({ arg1, arg2 }) => [
        text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`),
      ]),
      promptOf('test_prompt_with_embedded_resource', ['resourceUri'], async ({ resourceUri = '' }) => [
        embedded(resourceUri),
        text('Please process the embedded resource above.'),
      ]),
      promptOf('test_prompt_with_image', [], async () => [image, text('Please analyze the image above.')]),
    ],
    resources: {
      templates: [
        ...inquest.resources.templates,
        {
          ...{ uriTemplate: 'test://template/{id}/data', name: 'test', title: 'Test' },
          description: 'Test data.',
          mimeType: 'application/json',
        },
      ],
      list: async () => ({
        resources: ['test://static-text', 'test://static-binary'].map((uri) => ({
          uri,
          name: uri,
          title: uri,
          mimeType: 'text/plain',
        })),
      }),
      read: async (uri, context) => {
        if (uri === 'test://static-text')
          return { uri, mimeType: 'text/plain', text: 'This is the content of the static text resource.' };
        if (uri === 'test://static-binary') return { uri, mimeType: 'image/png', blob: PNG };
        const id = /^test:\/\/template\/(\w+)\/data$/.exec(uri)?.[1];
        if (id === undefined) return inquest.resources.read(uri, context);
        return {
          uri,
          mimeType: 'application/json',
          text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
        };
      },
    },
  };
}

/** Resolves with the URL of its endpoint. */
export async function serveConformance(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const sessions = createHttpSessions({
    catalogue: createConformanceCatalogue(),
    version: '0.0.0-test',
    nowMs: () => Date.now(),
    connectAs: () => createStubBackend({}),
  });
  const app = new Hono<HostEnv>();
  app.use(refuseForeignOrigins, refuseForeignHosts(createMemoryHost().host));
  app.all('/mcp', ({ req }) => sessions.handle(req.raw, { name: 'suite', token: '' }));
  const { url, close } = await listen({ fetch: app.fetch, host: '127.0.0.1', port: 0 });
  return {
    url: `${url}/mcp`,
    close: async () => {
      await sessions.close();
      await close();
    },
  };
}
