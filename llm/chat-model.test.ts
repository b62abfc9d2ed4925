/** The chat model against an endpoint that is real but for what it says: every way in which models and endpoints fail. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { createManualClock, systemClock } from '../platform/clock.ts';
import { type Config, loadConfig, Secret } from '../platform/config.ts';
import { type AppError, ConfigError, LimitError, UnavailableError } from '../platform/errors.ts';
import { createBudget } from './budget.ts';
import { type ChatModelParts, openChatModel } from './chat-model.ts';
import type { ChatRequest } from './chat-request.ts';
import { createRedactor } from './redaction.ts';
import { MISBEHAVIOURS, openScriptedModel, type Script } from './scripted-model.ts';

const KEY = 'key-of-the-test-0123456789';
const PATIENCE = { silenceMs: 2_000, totalMs: 10_000, attempts: 3, pauseMs: 1, maxPauseMs: 50 };
const SHORT = { ...PATIENCE, silenceMs: 60, attempts: 2 };
const UNLIMITED = { tokens: undefined, usd: undefined, seconds: undefined };
const getRate = {
  name: 'get_rate',
  description: 'The rate of requests of a service.',
  input: z.object({ service: z.string(), email: z.string().optional() }),
};

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

type Llm = NonNullable<Config['llm']>;

async function open(script: Script, llm: Partial<Llm> = {}, parts: Partial<ChatModelParts> = {}) {
  const endpoint = await openScriptedModel(script);
  const { llm: configured } = loadConfig({
    INQUEST_LLM_URL: endpoint.url,
    INQUEST_LLM_MODEL: 'small',
    INQUEST_LLM_KEY: KEY,
    INQUEST_LLM_PRICES: 'small=1/10',
  });
  if (configured === undefined) throw new TypeError('no model is configured');
  const model = openChatModel({ ...configured, ...llm }, { clock: systemClock, patience: PATIENCE, ...parts });
  closing.push(endpoint.close, model.close);
  const budget = model.startBudget();
  const ask = <Value = undefined>(request: Partial<ChatRequest<Value>> = {}) =>
    model.ask<Value>({
      messages: [{ role: 'user', text: 'Why?' }],
      budget,
      signal: new AbortController().signal,
      ...request,
    });
  return { model, endpoint, budget, ask };
}

const text = (said: string) => ({ kind: 'text', text: said }) as const;
const failureOf = (asked: Promise<unknown>): Promise<AppError> =>
  asked.then(
    () => expect.unreachable('it did not fail'),
    (error: unknown) => error as AppError,
  );

describe('an answer', () => {
  it('has its text, as it comes and in the end, who gave it, and what it took', async () => {
    const { ask, endpoint, budget } = await open([text('It is the cache.')]);
    const heard: string[] = [];
    expect(await ask({ onText: (soFar) => heard.push(soFar) })).toEqual({
      kind: 'answer',
      text: 'It is the cache.',
      toolCalls: [],
      value: undefined,
      isCut: false,
      model: 'small',
      usage: { inputTokens: 9, outputTokens: 13, isEstimated: false },
    });
    expect(heard.length).toBeGreaterThan(1);
    expect(heard.at(-1)).toBe('It is the cache.');
    expect(endpoint.headers).toMatchObject([{ authorization: `Bearer ${KEY}` }]);
    expect(budget.usage()).toMatchObject({ calls: 1, inputTokens: 9, outputTokens: 13, costUsd: 0.000139 });
  });

  it('calls tools, and the conversation goes on with what they said', async () => {
    const calls = [{ name: 'get_rate', arguments: { service: 'cart' } }];
    const { ask, endpoint } = await open([{ kind: 'tools', calls, text: 'Let me see.' }, text('12 a second')]);
    const first = await ask({ tools: [getRate] });
    if (first.kind !== 'answer') expect.unreachable();
    expect(first.toolCalls).toEqual([
      { kind: 'valid', callId: 'call_chatcmpl-0_0', name: 'get_rate', input: { service: 'cart' } },
    ]);
    const { text: said, toolCalls } = first;
    await ask({
      tools: [getRate],
      messages: [
        { role: 'system', text: 'You are asked by people on call.' },
        { role: 'user', text: 'Why?' },
        { role: 'assistant', text: said, toolCalls },
        { role: 'tool', callId: 'call_chatcmpl-0_0', text: '{"rate":12}' },
      ],
    });
    expect(endpoint.requests[1]?.messages).toMatchObject([
      { role: 'system' },
      { role: 'user' },
      { role: 'assistant', tool_calls: [{ function: { name: 'get_rate', arguments: '{"service":"cart"}' } }] },
      { role: 'tool', tool_call_id: 'call_chatcmpl-0_0', content: '{"rate":12}' },
    ]);
  });

  const schema = z.object({ suspect: z.string(), confidence: z.number() });
  it.each([
    ['alone', '{"suspect":"cart","confidence":0.5}'],
    ['in a fence', 'Here it is:\n```json\n{"suspect":"cart","confidence":0.5}\n```'],
  ])('has the shape that was asked for, %s', async (_, said) => {
    const { ask, endpoint } = await open([text(said)]);
    const answer = await ask({ schema });
    expect(answer).toMatchObject({ kind: 'answer', value: { suspect: 'cart', confidence: 0.5 } });
    expect(endpoint.requests[0]).toMatchObject({ response_format: { type: 'json_schema' } });
    expect(endpoint.requests[0]?.messages[0]?.content).toContain('"confidence"');
  });

  it('comes from an endpoint, too, that takes no response_format, and is asked only once what it takes', async () => {
    const { ask, endpoint } = await open(({ response_format: format }) =>
      format ? { kind: 'status', status: 400, message: 'response_format' } : text('{"suspect":"cart","confidence":1}'),
    );
    for (const _ of [1, 2]) expect(await ask({ schema })).toMatchObject({ kind: 'answer', value: { suspect: 'cart' } });
    expect(endpoint.requests.map((request) => 'response_format' in request)).toEqual([true, false, false]);
  });

  it.each([
    ['small', 'max_tokens'],
    ['o3-mini', 'max_completion_tokens'],
  ])('of %s is as long as was asked for, or 4,096 tokens', async (model, parameter) => {
    const { ask, endpoint } = await open([text('yes'), text('yes')], { model });
    await ask();
    await ask({ maxOutputTokens: 100 });
    expect(endpoint.requests.map((request) => request[parameter])).toEqual([4_096, 100]);
  });

  it('may end where it is too long, and may come without a word on what it took', async () => {
    const { ask, budget } = await open([{ ...text('It is the'), finishReason: 'length', isUsageHidden: true }]);
    expect(await ask()).toMatchObject({ isCut: true, usage: { outputTokens: 3, isEstimated: true } });
    expect(budget.usage()).toMatchObject({ outputTokens: 3, estimatedCalls: 1 });
  });
});

describe('a model that misbehaves', () => {
  it.each([
    ['nonsense', { kind: 'answer', toolCalls: [] }],
    ['silence', { kind: 'malformed', problem: 'empty' }],
    ['refusal', { kind: 'refused', text: 'I cannot help with that.' }],
    [
      'invalid JSON',
      { kind: 'answer', toolCalls: [{ kind: 'invalid-json', message: expect.stringMatching(/no JSON/) }] },
    ],
    [
      'an unknown tool',
      { toolCalls: [{ kind: 'unknown-tool', message: expect.stringMatching(/There are: get_rate/) }] },
    ],
    ['endless tool calls', { toolCalls: [{ kind: 'invalid-input', message: expect.stringMatching(/service: /) }] }],
  ] as const)('%s is a value', async (behaviour, expected) => {
    const { ask } = await open(MISBEHAVIOURS[behaviour]);
    expect(await ask({ tools: [getRate] })).toMatchObject(expected);
  });

  it.each([
    ['nonsense', 'no JSON at all', 'invalid-json'],
    ['the wrong shape', '{"suspect":7}', 'wrong-shape'],
  ])('%s where a shape was asked for is malformed', async (_, said, problem) => {
    const { ask } = await open([text(said)]);
    expect(await ask({ schema: z.object({ suspect: z.string() }) })).toMatchObject({ kind: 'malformed', problem });
  });

  it('calls at most sixteen tools at once', async () => {
    const calls = Array.from({ length: 40 }, () => ({ name: 'get_rate', arguments: { service: 'cart' } }));
    const { ask } = await open([{ kind: 'tools', calls }]);
    const answer = await ask({ tools: [getRate] });
    expect(answer.kind === 'answer' && answer.toolCalls.length).toBe(16);
  });

  it('talks without end, and is not heard for ever', async () => {
    const { ask } = await open([text('a'.repeat(150_000).concat(' ').repeat(9))]);
    const answer = await ask();
    expect(answer).toMatchObject({ kind: 'answer', isCut: true });
    expect(answer.kind === 'answer' && answer.text.length).toBe(300_002);
  });

  it.each([
    ['slow', /said nothing for 0.06 s/, 2],
    ['silent', /said nothing for 0.06 s/, 2],
    ['429', /asks to be left alone for 3600 s/, 1],
    ['500', /answered 500/, 2],
    ['a dropped stream', /broke off/, 2],
    ['no API at all', /sent no stream/, 2],
  ] as const)('%s is unavailable, after retries', async (behaviour, message, requests) => {
    const { ask, endpoint } = await open(MISBEHAVIOURS[behaviour], {}, { patience: SHORT });
    const failure = await failureOf(ask());
    expect(failure).toBeInstanceOf(UnavailableError);
    expect(failure.message).toMatch(message);
    expect(endpoint.requests).toHaveLength(requests);
  });

  it.each(['slow', 'silent', '429', '500', 'a dropped stream'] as const)('%s is asked again', async (behaviour) => {
    const failing = { ...MISBEHAVIOURS, '429': () => ({ kind: 'status', status: 429, retryAfterSeconds: 0 }) as const };
    const { ask } = await open(
      (request, index) => (index === 0 ? failing[behaviour](request) : text('It is well.')),
      {},
      { patience: { ...SHORT, silenceMs: 400 } },
    );
    const heard: string[] = [];
    expect(await ask({ onText: (soFar) => heard.push(soFar) })).toMatchObject({ kind: 'answer', text: 'It is well.' });
    expect(heard.at(-1)).toBe('It is well.');
  });

  it('leaves its place to the fallback model when it is away', async () => {
    const { ask, endpoint } = await open(
      ({ model }) => (model === 'small' ? { kind: 'status', status: 503 } : text('It is the cache.')),
      { fallbackModel: 'other' },
    );
    expect(await ask()).toMatchObject({ kind: 'answer', model: 'other' });
    expect(endpoint.requests.map(({ model }) => model)).toEqual(['small', 'small', 'small', 'other']);
  });
});

describe('an endpoint', () => {
  it('that asks for a pause gets it, from all', async () => {
    const clock = createManualClock(1_000_000);
    const script: Script = [{ kind: 'status', status: 429, retryAfterSeconds: 9 }, text('1'), text('2')];
    const { ask, endpoint } = await open(script, {}, { clock });
    await failureOf(ask());
    expect(await failureOf(ask())).toMatchObject({ message: expect.stringContaining('left alone for 9 s') });
    expect(endpoint.requests).toHaveLength(1);
    clock.advance(9_000);
    expect(await ask()).toMatchObject({ text: '1' });
  });

  it('that is not there is unavailable', async () => {
    const { ask, endpoint } = await open([]);
    await endpoint.close();
    expect(await failureOf(ask())).toMatchObject({ name: 'UnavailableError', message: /cannot be reached/ });
  });

  it.each([
    [401, 'invalid_api_key', ConfigError],
    [403, undefined, ConfigError],
    [404, 'model_not_found', ConfigError],
    [400, undefined, ConfigError],
    [429, 'insufficient_quota', ConfigError],
    [400, 'context_length_exceeded', LimitError],
    [413, undefined, LimitError],
  ] as const)('that answers %i (%s) is asked once, and says who must act', async (status, code, kind) => {
    const message = `Incorrect API key provided: ${KEY}, sent by ann@example.com`;
    const { ask, endpoint } = await open([{ kind: 'status', status, message, ...(code ? { code } : {}) }, text('no')]);
    const failure = await failureOf(ask());
    expect(failure).toBeInstanceOf(kind);
    expect(failure.details).toMatchObject({ model: 'small' });
    expect(endpoint.requests).toHaveLength(1);
    expect(`${failure.stack} ${JSON.stringify(failure)} ${failure.cause}`).not.toMatch(/key-of-the-test|ann@/);
  });

  it('may need no key, and then gets none from elsewhere', async () => {
    const { ask, endpoint } = await open([text('yes')], { key: undefined });
    await ask();
    expect(endpoint.headers).toMatchObject([{ authorization: 'Bearer none' }]);
  });
});

it('asks whom it was configured to ask, and nobody else, whatever the environment says to the client', async () => {
  let connections = 0;
  const other = createServer().on('connection', () => connections++);
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  closing.push(
    () => void other.close(),
    () => void vi.unstubAllEnvs(),
  );
  for (const [name, value] of Object.entries({
    OPENAI_BASE_URL: url,
    OPENAI_API_BASE: url,
    OPENAI_API_KEY: 'of-somebody-else',
    OPENAI_ADMIN_KEY: 'of-somebody-else',
    OPENAI_ORG_ID: 'of-somebody-else',
    OPENAI_PROJECT_ID: 'of-somebody-else',
    LANGSMITH_GATEWAY: url,
    LANGSMITH_TRACING: 'true',
    LANGSMITH_ENDPOINT: url,
    LANGSMITH_API_KEY: 'of-somebody-else',
  })) {
    vi.stubEnv(name, value);
  }
  for (const key of [new Secret(KEY), undefined]) {
    const { ask, endpoint } = await open([text('yes')], { key });
    expect(await ask()).toMatchObject({ text: 'yes' });
    expect(JSON.stringify(endpoint.headers)).not.toContain('of-somebody-else');
  }
  expect(connections).toBe(0);
});

describe('limits', () => {
  it('of time end a question with all of its attempts', async () => {
    const patience = { ...PATIENCE, silenceMs: 5_000, totalMs: 50, attempts: 99 };
    const { ask } = await open(MISBEHAVIOURS.slow, {}, { patience });
    expect(await failureOf(ask())).toMatchObject({ name: 'UnavailableError', message: /no answer within 0.05 s/ });
  });

  it("follow the caller's signal, with its reason", async () => {
    const { ask, model } = await open(MISBEHAVIOURS.silent);
    const stopping = new AbortController();
    const asked = failureOf(ask({ signal: stopping.signal }));
    const reason = new Error('enough');
    stopping.abort(reason);
    expect(await asked).toBe(reason);
    const cut = failureOf(ask());
    model.close();
    expect(await cut).toMatchObject({ name: 'AbortError' });
  });

  it('of calls at one time keep the others waiting, in their order', async () => {
    const arrived: (() => void)[] = [];
    const { ask, endpoint } = await open(
      (_, index) => new Promise((resolve) => arrived.push(() => resolve(text(`${index}`)))),
      { concurrency: 2 },
    );
    const asked = ['a', 'b', 'c', 'd'].map((each) => ask({ messages: [{ role: 'user', text: each }] }));
    const gone = new AbortController();
    const impatient = failureOf(ask({ signal: gone.signal }));
    await expect.poll(() => arrived.length, { timeout: 10_000 }).toBe(2);
    gone.abort(new Error('gone'));
    expect(await impatient).toMatchObject({ message: 'gone' });
    for (const answered of [1, 2, 3, 4]) {
      arrived[answered - 1]?.();
      await expect.poll(() => arrived.length, { timeout: 10_000 }).toBe(Math.min(4, 2 + answered));
    }
    await Promise.all(asked);
    expect(endpoint.requests.map(({ messages }) => messages[0]?.content).sort()).toEqual(['a', 'b', 'c', 'd']);
    expect(endpoint.requests.slice(2).map(({ messages }) => messages[0]?.content)).toEqual(['c', 'd']);
  });

  it.each([
    ['tokens', { ...UNLIMITED, tokens: 5_000 }],
    ['money', { ...UNLIMITED, usd: 0.042 }],
  ] as const)('of %s refuse the next question, and send nothing', async (stopped, limits) => {
    const long = text('word '.repeat(1_000));
    const { ask, endpoint } = await open([long, long]);
    const budget = createBudget(limits, systemClock);
    expect(await ask({ budget })).toMatchObject({ kind: 'answer' });
    expect(await ask({ budget })).toEqual({ kind: 'stopped', stopped });
    expect(endpoint.requests).toHaveLength(1);
  });

  it('of tokens count what a broken connection had said', async () => {
    const { ask, budget } = await open([{ kind: 'drop', text: 'The root cause is' }, text('ok')]);
    await ask();
    expect(budget.usage()).toMatchObject({ calls: 2, estimatedCalls: 1, outputTokens: 5 + 9 });
  });
});

describe('redaction', () => {
  const messages = [{ role: 'user', text: 'user=alice of ann@example.com has password=hunter2' }] as const;

  it('lets no secret and nobody out, and gives back who was meant', async () => {
    const calls = [{ name: 'get_rate', arguments: { service: 'cart', email: '<email-1>' } }];
    const { ask, endpoint } = await open([
      { kind: 'tools', calls, text: 'I ask for <email-1>' },
      text('<secret-1>, <person-1>'),
    ]);
    const redactor = createRedactor();
    const heard: string[] = [];
    const first = await ask({ messages, tools: [getRate], redactor, onText: (soFar) => heard.push(soFar) });
    if (first.kind !== 'answer') expect.unreachable();
    expect(first.toolCalls).toMatchObject([{ kind: 'valid', input: { service: 'cart', email: 'ann@example.com' } }]);
    expect(heard.at(-1)).toBe('I ask for ann@example.com');
    const second = await ask({
      messages: [
        ...messages,
        { role: 'assistant', text: first.text, toolCalls: first.toolCalls },
        { role: 'tool', callId: 'call_chatcmpl-0_0', text: '{"db_password":"hunter2","n":1}' },
      ],
      redactor,
    });
    expect(second).toMatchObject({ text: '<secret-1>, alice' });
    const left = JSON.stringify(endpoint.requests);
    expect(left).not.toMatch(/alice|ann@|hunter2/);
    expect(left).toContain('user=<person-1> of <email-1> has password=<secret-1>');
    expect(left).toContain('I ask for <email-1>');
  });

  it('is off where that is configured', async () => {
    const { ask, endpoint } = await open([text('yes')], { isRedacting: false });
    await ask({ messages });
    expect(endpoint.requests[0]?.messages[0]?.content).toBe(messages[0].text);
  });
});
