/** The endpoint that tests trust speaks as real ones do, streamed and whole, also to clients that are not ours. */
import { afterEach, describe, expect, it } from 'vitest';
import { openScriptedModel, type Script, type ScriptedModel } from './scripted-model.ts';

let opened: ScriptedModel | undefined;
afterEach(async () => await opened?.close());

async function post(script: Script, body: object = {}): Promise<Response> {
  opened = await openScriptedModel(script);
  return await fetch(`${opened.url}/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'small', messages: [{ role: 'user', content: 'Why?' }], ...body }),
  });
}

const tools: Script = [{ kind: 'tools', calls: [{ name: 'get_rate', arguments: { service: 'cart' } }] }];

describe('a scripted model', () => {
  it('answers whole', async () => {
    const answer = await (await post([{ kind: 'text', text: 'The cache.' }])).json();
    expect(answer).toMatchObject({
      object: 'chat.completion',
      model: 'small',
      choices: [{ message: { role: 'assistant', content: 'The cache.' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 9, completion_tokens: 11, total_tokens: 20 },
    });
    expect(opened?.requests).toMatchObject([{ model: 'small', stream: false, messages: [{ content: 'Why?' }] }]);
  });

  it('calls tools whole', async () => {
    expect(await (await post(tools)).json()).toMatchObject({
      choices: [
        {
          message: { content: null, tool_calls: [{ type: 'function', function: { arguments: '{"service":"cart"}' } }] },
          finish_reason: 'tool_calls',
        },
      ],
    });
  });

  it('streams, arguments in parts, usage last', async () => {
    const lines = (await (await post(tools, { stream: true })).text()).split('\n\n').filter((line) => line !== '');
    expect(lines.at(-1)).toBe('data: [DONE]');
    const chunks = lines.slice(0, -1).map((line) => JSON.parse(line.slice('data: '.length)));
    const parts = chunks.flatMap((chunk) => chunk.choices[0]?.delta.tool_calls?.[0].function.arguments ?? []);
    expect(parts).toHaveLength(2);
    expect(parts.join('')).toBe('{"service":"cart"}');
    expect(chunks.at(-2).choices[0].finish_reason).toBe('tool_calls');
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 9 } });
  });

  it('answers from a function of the request', async () => {
    const answer = await post(({ messages }, index) => ({ kind: 'text', text: `${index}: ${messages[0]?.content}` }));
    expect(await answer.json()).toMatchObject({ choices: [{ message: { content: '0: Why?' } }] });
  });

  it.each([false, true])('drops the connection, stream: %j', async (stream) => {
    const answer = await post([{ kind: 'drop', text: 'The' }], { stream });
    await expect(answer.text()).rejects.toThrow('terminated');
  });

  it('fails with a status, a code and a time to come back', async () => {
    const answer = await post([{ kind: 'status', status: 429, code: 'rate_limit', retryAfterSeconds: 7 }]);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '7']);
    expect(await answer.json()).toMatchObject({ error: { code: 'rate_limit' } });
  });

  it('has an end, and takes nothing that is no request', async () => {
    expect(await (await post([])).json()).toMatchObject({ error: { code: 'script-ended' } });
    expect((await post([{ kind: 'text', text: 'no' }], { messages: 'Why?' })).status).toBe(400);
  });
});
