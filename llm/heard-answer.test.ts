/** Chunks as compatible endpoints send them, where they differ from OpenAI's. */
import { describe, expect, it } from 'vitest';
import { answerOf, createHeardAnswer, hear, tokensOf } from './heard-answer.ts';

type Delta = NonNullable<NonNullable<Parameters<typeof hear>[1]['choices']>[number]['delta']>;

function hearAll(...deltas: Delta[]) {
  const heard = createHeardAnswer();
  for (const delta of deltas) hear(heard, { choices: [{ delta, finish_reason: null }] });
  return heard;
}
const call = (id: string | undefined, text: string, index?: number) => ({
  ...(index === undefined ? {} : { index }),
  ...(id === undefined ? {} : { id }),
  function: { ...(id === undefined ? {} : { name: `tool_${id}` }), arguments: text },
});

describe('tool calls', () => {
  it.each([
    ['by index', [call('a', '{"n":', 0), call('b', '{}', 1), call(undefined, '1}', 0)]],
    ['by id, where every index is 0', [call('a', '{"n":', 0), call(undefined, '1}', 0), call('b', '{}', 0)]],
    ['by id, where there is no index', [call('a', '{"n":1}'), call('b', '{}')]],
  ])('are told apart %s', (_, parts) => {
    const { calls } = hearAll(...parts.map((part) => ({ tool_calls: [part] })));
    expect(calls).toMatchObject([
      { callId: 'a', name: 'tool_a', text: '{"n":1}' },
      { callId: 'b', name: 'tool_b', text: '{}' },
    ]);
  });
});

describe('text', () => {
  it.each([
    ['thoughts that come first', ['<think>It may', ' be {} </think>\n\n', 'The cache.'], 'The cache.'],
    ['thoughts that do not end', ['<think>It may be'], ''],
    ['thoughts as parts', [[{ type: 'thinking' }], 'The cache.'], 'The cache.'],
    ['markup later on', ['Use <think>.'], 'Use <think>.'],
  ])('is heard without %s', (_, contents, expected) => {
    expect(answerOf(hearAll(...contents.map((content) => ({ content }))))).toBe(expected);
  });

  it('costs tokens with its thoughts', () => {
    expect(tokensOf(hearAll({ content: '<think>It may be' }), 7)).toEqual({
      inputTokens: 7,
      outputTokens: 4,
      isEstimated: true,
    });
  });
});

it('survives chunks without anything in them', () => {
  const heard = createHeardAnswer();
  for (const chunk of [{}, { choices: [] }, { choices: [{ delta: null }] }, { usage: null }]) hear(heard, chunk);
  expect(heard).toMatchObject({ text: '', calls: [], finishReason: undefined, chunks: 4 });
});
