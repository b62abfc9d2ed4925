/** The OpenAPI document holds together, and says the same as the routes it is made of. */
import { describe, expect, it } from 'vitest';
import { ALL_ROUTES, createOpenApi } from './openapi.ts';
import { rolesWith } from './permissions.ts';

const document = createOpenApi('1.2.3');
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
);

/** Every value in a JSON document, with the member it stands under. */
function* walk(value: unknown, key = ''): Generator<{ key: string; value: unknown }> {
  yield { key, value };
  if (value === null || typeof value !== 'object') return;
  for (const [name, member] of Object.entries(value)) yield* walk(member, name);
}

function resolve(reference: string): unknown {
  const steps = reference.replace(/^#\//, '').split('/');
  return steps.reduce<unknown>((value, step) => (value as Record<string, unknown> | undefined)?.[step], document);
}

describe('the OpenAPI document', () => {
  it('is plain JSON of version 3.1 with what the specification requires', () => {
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
    expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'Inquest', version: '1.2.3' } });
    const keys = Object.values(document.components).flatMap((part) => Object.keys(part));
    for (const key of keys) expect(key).toMatch(/^[\w.-]+$/);
  });

  it('has no reference that leads nowhere, no component that nobody uses, no foreign schema', () => {
    const references = [...walk(document)].filter(({ key }) => key === '$ref').map(({ value }) => String(value));
    for (const reference of references) expect([reference, typeof resolve(reference)]).toEqual([reference, 'object']);
    const used = new Set(references.map((reference) => reference.split('/').at(-1)));
    expect(Object.keys(document.components['schemas']).filter((name) => !used.has(name))).toEqual([]);
    expect([...walk(document)].filter(({ key }) => key === '$schema' || key === '$id' || key === '$defs')).toEqual([]);
  });

  it('has one operation for each route, each with an id of its own', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(ids.toSorted()).toEqual(Object.keys(ALL_ROUTES).toSorted());
    for (const { path, method, operation } of operations) {
      const route = ALL_ROUTES[operation.operationId];
      expect([route?.path.replace(':id', '{id}'), route?.method.toLowerCase()]).toEqual([path, method]);
      expect(operation.summary).toMatch(/\w{3}/);
    }
  });

  it('declares every parameter of a path once, and those of a query with a schema', () => {
    for (const { path, operation } of operations) {
      const parameters = (operation.parameters ?? []) as { name: string; in: string; schema: { type?: string } }[];
      const inPath = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
      expect(inPath).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
      expect(new Set(parameters.map(({ name }) => name)).size).toBe(parameters.length);
      for (const { schema } of parameters) expect(['string', 'integer']).toContain(schema.type);
    }
  });

  it('answers 200 with content, names its refusals, and the roles that are let in', () => {
    const tags = (document['tags'] as { name: string }[]).map(({ name }) => name);
    for (const { operation } of operations) {
      const { operationId, responses } = operation;
      const needs = ALL_ROUTES[operationId]?.needs ?? 'nobody';
      const statuses = Object.keys(responses);
      expect(responses['200']).toHaveProperty('content');
      expect(tags).toContain(operation.tags[0]);
      if (needs === 'nobody') {
        expect(operation['security']).toEqual([]);
        continue;
      }
      expect(statuses).toEqual(expect.arrayContaining(['400', '401', '403', '500', '503']));
      expect(statuses.includes('404')).toBe(operation.parameters?.some(({ name }) => name === 'id') ?? false);
      expect(operation['x-roles']).toEqual(rolesWith(needs));
    }
  });

  it('has examples that its routes take', () => {
    const examples = Object.entries(ALL_ROUTES).filter(([, { example }]) => example !== undefined);
    expect(examples.length).toBeGreaterThan(5);
    for (const [name, { example, input, query }] of examples) {
      expect([name, (input ?? query)?.safeParse(example).error]).toEqual([name, undefined]);
    }
  });

  it('says what is refused and what may come', () => {
    expect(document.components['schemas']['OpenIncidentInput']).toMatchObject({
      additionalProperties: false,
      required: ['searchWindow'],
    });
    // Answers may gain members: a client that is generated from this must not refuse them.
    expect(document.components['schemas']['Incident']).not.toHaveProperty('additionalProperties');
  });
});
