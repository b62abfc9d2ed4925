/** The protocol around the tools: errors that teach, progress, resources, prompts, completions. */
import { McpError } from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, it } from 'vitest';
import { pending, running } from '../apps/cli/investigations.fixture.ts';
import type { Progress } from '../domain/investigation.ts';
import { InputError, UnavailableError } from '../platform/errors.ts';
import type { McpBackend } from './backend.ts';
import { connectClient } from './connected-client.fixture.ts';

const { incidentId } = pending.incident;
const { investigationId } = pending;

describe('bad arguments', () => {
  const wrong: [string, object, string][] = [
    ['query_telemetry', { about: 'weather' }, 'about'],
    ['query_telemetry', { about: 'series' }, 'metric: a question about series needs it'],
    ['query_telemetry', { about: 'errors', service: 'cart' }, 'service: a question about errors takes only'],
    ['query_telemetry', { about: 'services', start: '1h' }, 'there is no argument start'],
    ['search_logs', { since: 'yesterday' }, '"yesterday" is not a time'],
    ['search_logs', { since: '5m', until: '10m' }, 'since: 5m is not before until'],
    ['get_trace', { traceId: 'abc' }, 'traceId: 32 hex digits'],
    ['get_investigation', {}, 'id'],
    ['investigate', {}, 'since: say when the trouble began'],
    ['investigate', { incidentId, since: '1h' }, 'since: the incident says'],
    [
      'investigate',
      { since: '30m', baselineSince: '20m', baselineUntil: '10m' },
      'baselineUntil: normal time must end',
    ],
  ];
  it.each(wrong)('%s %j is told what is wrong, with an example', async (name, given, part) => {
    const { call } = await connectClient({});
    const { isError, text } = await call(name, given);
    expect([isError, text]).toEqual([true, expect.stringContaining(part)]);
    expect(text).toContain('Example: {');
  });

  it('name the tools that there are', async () => {
    const { call } = await connectClient({});
    const refused = call('delete_everything');
    await expect(refused).rejects.toBeInstanceOf(McpError);
    await expect(refused).rejects.toThrow(/There is no tool delete_everything: there are overview, /);
  });
});

describe('a failing host', () => {
  it('is told apart from a mistake of the caller', async () => {
    const { call } = await connectClient({
      listIncidents: async () => {
        throw new UnavailableError('The host is starting: try again in a moment.');
      },
    });
    expect((await call('list_incidents')).text).toContain('may succeed in a moment');
  });

  it('tells nobody what was not meant for them', async () => {
    const heard: unknown[] = [];
    const { call } = await connectClient(
      {
        listIncidents: async () => {
          throw new TypeError('secret path /var/secret');
        },
      },
      { onError: (error) => heard.push(error) },
    );
    const { isError, text } = await call('list_incidents');
    expect([isError, text.includes('secret')]).toEqual([true, false]);
    expect(heard).toHaveLength(1);
  });
});

const stepOf = (index: number): Progress => ({
  ...{ investigationId, atMs: index, actor: 'supervisor', kind: 'finding' },
  message: `step ${index} \u202e`,
});

describe('investigate', () => {
  const backend: Partial<McpBackend> = {
    openIncident: async (input) => ({ incident: { ...pending.incident, title: input.title ?? '' }, investigationId }),
    getInvestigation: async () => pending,
    watchInvestigation: async function* () {
      for (let index = 1; index <= 3; index++) yield stepOf(index);
    },
  };

  it('reports progress where it is asked for, and answers with the report', async () => {
    const { call } = await connectClient(backend);
    const heard: unknown[] = [];
    const { text, data } = await call(
      'investigate',
      { since: '30m' },
      { onprogress: (step: unknown) => heard.push(step) },
    );
    expect(heard).toEqual([1, 2, 3].map((progress) => ({ progress, message: `supervisor: step ${progress} ` })));
    expect(text).toContain(`# Investigation ${investigationId} of ${incidentId}`);
    expect(data).toMatchObject({ investigationId, incidentId, status: 'awaiting-approval', outcome: 'root-cause' });
  });

  it('waits no longer than it was told, and says how to go on', async () => {
    const { call } = await connectClient({
      ...backend,
      getInvestigation: async () => running,
      watchInvestigation: async function* (_id, signal) {
        yield stepOf(1);
        await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
      },
    });
    const { text, data } = await call('investigate', { since: '30m', waitSeconds: 0 });
    expect(data['status']).toBe('running');
    expect(text).toContain(`get_investigation {"id": "${running.investigationId}"}`);
  });

  it('is what the host lets its caller do', async () => {
    const { call } = await connectClient({
      openIncident: async () => {
        throw new InputError('vera is a viewer: this takes the role member.', { code: 'forbidden' });
      },
    });
    expect(await call('investigate', { since: '5m' })).toMatchObject({
      isError: true,
      text: expect.stringContaining('vera'),
    });
  });
});

describe('ask', () => {
  it('answers with the evidence behind the answer', async () => {
    const asked: unknown[] = [];
    const ask: McpBackend['ask'] = async (input) => {
      asked.push(input);
      return {
        ...{ kind: 'answered', by: 'grammar', text: `cart has most errors ${'because '.repeat(9_000)}` },
        ...{ understood: 'errors of all services', tables: [], evidenceIds: ['ev_0a1b2c3d4e5f'] },
        ...{ notes: [], suggestions: [], conversationId: 'talk_1' },
      };
    };
    const { call } = await connectClient({ ask });
    const { text, data, size } = await call('ask', { question: 'which service fails?' });
    expect(asked).toEqual([{ question: 'which service fails?' }]);
    expect(text).toContain('cart has most errors');
    expect(data).toEqual({
      ...{ kind: 'answered', conversationId: 'talk_1' },
      ...{ evidenceIds: ['ev_0a1b2c3d4e5f'], truncated: true },
    });
    expect(size).toBeLessThanOrEqual(16_000);
  });
});

describe('resources, prompts and completions', () => {
  const services = [{ service: 'cart' }, { service: 'checkout' }].map((named) => ({
    ...named,
    ...{
      requests: 1,
      requestsPerSecond: 1,
      errors: 0,
      errorRatio: 0,
      p50Ms: 1,
      p95Ms: 1,
      p99Ms: 1,
      spans: 1,
      pods: 1,
      versions: [],
    },
  }));
  const backend = {
    listIncidents: async () => ({ incidents: [{ ...pending.incident, investigationId }] }),
    listInvestigations: async () => ({ investigations: [{ ...pending, incidentId, title: '' }] }),
    getIncident: async () => pending.incident,
    getInvestigation: async (id: string) => {
      if (![incidentId, investigationId].includes(id))
        throw new InputError(`There is no ${id}.`, { code: 'not-found' });
      return pending;
    },
    runTool: async () => ({ output: { services, totalRows: 2, truncated: false }, evidence: pending.evidence[0] }),
  } as unknown as Partial<McpBackend>;

  it('lists incidents and reports, and reads each of them', async () => {
    const { client } = await connectClient(backend);
    const { resources } = await client.listResources();
    expect(resources.map(({ uri }) => uri)).toEqual([
      `inquest://incidents/${incidentId}`,
      `inquest://investigations/${investigationId}/report`,
    ]);
    for (const { uri, mimeType } of [
      ...resources,
      { uri: `inquest://investigations/${investigationId}`, mimeType: 'application/json' },
    ]) {
      const { contents } = await client.readResource({ uri });
      expect(contents).toMatchObject([{ uri, mimeType, text: expect.stringContaining(incidentId) }]);
    }
    for (const uri of [
      'inquest://incidents/',
      'file:///etc/passwd',
      'inquest://incidents/a/report',
      'inquest://investigations/nope',
    ]) {
      await expect(client.readResource({ uri })).rejects.toMatchObject({ code: -32_002 });
    }
  });

  it('writes prompts, and says which argument is missing', async () => {
    const { client } = await connectClient(backend);
    const { messages } = await client.getPrompt({ name: 'write_post_mortem', arguments: { incident: incidentId } });
    expect(messages.map(({ content }) => content.type)).toEqual(['resource', 'text']);
    await expect(client.getPrompt({ name: 'write_post_mortem' })).rejects.toThrow(/needs incident/);
    await expect(client.getPrompt({ name: 'nothing' })).rejects.toThrow(/there are investigate_this/);
    const { messages: changed } = await client.getPrompt({
      name: 'what_changed',
      arguments: { service: 'cart', since: '2h' },
    });
    expect(JSON.stringify(changed)).toContain('in cart since 2h?');
  });

  it('completes ids and services', async () => {
    const { client } = await connectClient(backend);
    const complete = async (name: string, argument: string, value: string) =>
      (await client.complete({ ref: { type: 'ref/prompt', name }, argument: { name: argument, value } })).completion
        .values;
    expect(await complete('write_post_mortem', 'incident', 'inc')).toEqual([incidentId]);
    expect(await complete('investigate_this', 'service', 'che')).toEqual(['checkout']);
    expect(await complete('investigate_this', 'since', '')).toEqual([]);
    const template = { type: 'ref/resource' as const, uri: 'inquest://investigations/{id}/report' };
    const { completion } = await client.complete({ ref: template, argument: { name: 'id', value: 'inv' } });
    expect(completion.values).toEqual([investigationId]);
  });
});
