/** What a client reads before it asks anything: small enough, complete, and honest about effects. */
import { describe, expect, it } from 'vitest';
import { connectClient } from './connected-client.fixture.ts';
import { CHARACTERS_PER_TOKEN } from './fit-answer.ts';
import { createInquestCatalogue } from './inquest-catalogue.ts';

const MAX_DEFINITION_TOKENS = 8_000;

const { tools } = createInquestCatalogue();
const { client } = await connectClient({});

describe('all definitions together', () => {
  it('take fewer than 8,000 tokens', async () => {
    const parts = [
      client.getInstructions(),
      await client.listTools(),
      await client.listPrompts(),
      await client.listResourceTemplates(),
    ];
    const tokens = parts.map((part) => Math.ceil(JSON.stringify(part).length / CHARACTERS_PER_TOKEN));
    const sum = tokens.reduce((total, each) => total + each, 0);
    expect(sum, `instructions, tools, prompts, templates: ${tokens.join(', ')}`).toBeLessThan(MAX_DEFINITION_TOKENS);
  });

  it('are served without a host: an IDE that starts waits for nothing', async () => {
    const { client: early } = await connectClient({}, { connect: () => new Promise(() => undefined) });
    expect((await early.listTools()).tools.length).toBe(tools.length);
    expect((await early.listPrompts()).prompts.length).toBe(3);
  });
});

describe('a tool', () => {
  it.each(tools.map((tool) => [tool.name, tool] as const))('%s has all that a client shows', async (name, tool) => {
    const listed = (await client.listTools()).tools.find((each) => each.name === name);
    expect(listed).toMatchObject({
      title: expect.any(String),
      description: expect.stringMatching(/.{40}/),
      inputSchema: { type: 'object', additionalProperties: false },
      outputSchema: { type: 'object' },
      annotations: {
        readOnlyHint: expect.any(Boolean),
        destructiveHint: expect.any(Boolean),
        openWorldHint: expect.any(Boolean),
      },
    });
    expect(tool.input.safeParse(tool.example).success).toBe(true);
  });

  it('says that it only reads, but for the three that do more', () => {
    const writing = tools.filter(({ hints }) => !hints.readOnlyHint).map(({ name }) => name);
    expect(writing).toEqual(['investigate', 'ask', 'request_decision']);
    expect(tools.filter(({ hints }) => hints.destructiveHint).map(({ name }) => name)).toEqual(['request_decision']);
  });
});
