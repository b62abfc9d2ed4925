import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { TOOLS, toolsFor } from './registry.ts';
import type { Tool } from './tool.ts';

const READ = new URL('./read/', import.meta.url);
const files = readdirSync(READ).filter((file) => file.endsWith('.ts') && !/\.(test|contract)\.ts$/.test(file));
const names = TOOLS.map(({ tool }) => tool.name);
const fileOf = (name: string) => `${name.replaceAll('_', '-')}.ts`;

function isTool(value: unknown): value is Tool {
  return typeof value === 'object' && value !== null && 'run' in value && 'limits' in value && 'effect' in value;
}

test('every tool in tools/read is registered, once, and its file is named after it', async () => {
  const found: string[] = [];
  for (const file of files) {
    const exported = Object.values((await import(new URL(file, READ).href)) as object).filter(isTool);
    for (const tool of exported) expect(file).toBe(fileOf(tool.name));
    found.push(...exported.map(({ name }) => name));
  }
  expect(found.toSorted()).toEqual(names.toSorted());
  expect(new Set(names).size).toBe(names.length);
});

describe.each(TOOLS.map(({ tool }) => tool))('$name', (tool) => {
  test('has a test beside it', () => {
    const base = fileOf(tool.name).replace(/\.ts$/, '');
    expect([`${base}.int.test.ts`, `${base}.test.ts`].some((file) => existsSync(new URL(file, READ)))).toBe(true);
  });

  test('is named verb_noun and described in a sentence or two, without orders and without other tools', () => {
    expect(tool.name).toMatch(/^(get|list|find|search|count|compare|rank)(_[a-z]+)+$/);
    expect(tool.title.length).toBeLessThanOrEqual(40);
    expect(tool.description.length).toBeGreaterThan(40);
    expect(tool.description.length).toBeLessThanOrEqual(420);
    expect(tool.description).not.toMatch(
      /\b(you|your|must|should|always|please|make sure|use this|call this|do not|don't)\b/i,
    );
    for (const name of names) expect(tool.description).not.toContain(name);
  });

  test('has limits, and an input that can be told as JSON Schema', () => {
    expect(Math.min(tool.limits.maxRows, tool.limits.maxTokens, tool.limits.timeoutMs)).toBeGreaterThan(0);
    expect(z.toJSONSchema(tool.input, { io: 'input' })).toMatchObject({ type: 'object' });
  });
});

test('what an MCP client has to read of all tools stays under 8000 tokens', () => {
  const definitions = toolsFor('mcp').map(({ name, title, description, input }) => ({
    name,
    title,
    description,
    inputSchema: z.toJSONSchema(input, { io: 'input' }),
  }));
  expect(JSON.stringify(definitions).length / 4).toBeLessThan(8_000);
});
