/** What came of a question: an answer, or one of the ways in which models fail to give one. None of them is an exception. */
import type { z } from 'zod';
import { errorMessage } from '../platform/errors.ts';
import type { BudgetLimit, TokensTaken } from './budget.ts';
import type { ChatTool, ToolCall } from './chat-request.ts';
import { answerOf, type HeardAnswer } from './heard-answer.ts';
import type { Redactor } from './redaction.ts';

/** Who answered, and what it took. */
interface Source {
  readonly model: string;
  readonly usage: TokensTaken;
}

export type ChatAnswer<Value = undefined> =
  | (Source & {
      readonly kind: 'answer';
      /** May be empty where tools are called. */
      readonly text: string;
      readonly toolCalls: readonly ToolCall[];
      /** Of the schema that was asked for; undefined where tools are called instead. */
      readonly value: Value | undefined;
      /** The model was not done when it reached the longest answer. */
      readonly isCut: boolean;
    })
  | (Source & {
      readonly kind: 'malformed';
      readonly problem: 'empty' | 'invalid-json' | 'wrong-shape';
      readonly text: string;
      /** For the model, should it be asked again. */
      readonly message: string;
    })
  | (Source & { readonly kind: 'refused'; readonly text: string })
  /** Nothing was sent: it would have exceeded the budget. */
  | { readonly kind: 'stopped'; readonly stopped: BudgetLimit };

type Asked<Value> = {
  readonly tools?: readonly ChatTool[] | undefined;
  readonly schema?: z.ZodType<Value> | undefined;
};

/** Labels are restored after JSON was parsed, so that what they stand for cannot break it. */
export function readAnswer<Value>(
  heard: HeardAnswer,
  asked: Asked<Value>,
  redactor: Redactor,
  source: Source,
): ChatAnswer<Value> {
  const said = answerOf(heard);
  const text = redactor.restore(said);
  if (heard.refusal !== '' || heard.finishReason === 'content_filter') {
    return { kind: 'refused', text: redactor.restore(heard.refusal) || text, ...source };
  }
  const isCut = heard.finishReason === 'length';
  const toolCalls = heard.calls.map((call, index) =>
    readCall({ ...call, callId: call.callId || `call_${index}` }, asked.tools ?? [], redactor),
  );
  const answer = { kind: 'answer', text, toolCalls, value: undefined, isCut, ...source } as const;
  if (toolCalls.length > 0) return answer;
  if (text.trim() === '')
    return { kind: 'malformed', problem: 'empty', text, message: 'The answer is empty.', ...source };
  if (asked.schema === undefined) return answer;
  const parsed = parseJson(findJson(said), redactor);
  if (!parsed.ok) return { kind: 'malformed', problem: 'invalid-json', text, message: parsed.message, ...source };
  const value = asked.schema.safeParse(parsed.value);
  if (value.success) return { ...answer, value: value.data };
  return { kind: 'malformed', problem: 'wrong-shape', text, message: describeIssues(value.error), ...source };
}

function readCall(
  call: { readonly callId: string; readonly name: string; readonly text: string },
  tools: readonly ChatTool[],
  redactor: Redactor,
): ToolCall {
  const { callId, name } = call;
  const tool = tools.find((each) => each.name === name);
  if (tool === undefined) {
    const names = tools.map((each) => each.name).join(', ') || 'none';
    return { kind: 'unknown-tool', callId, name, message: `There is no tool of that name. There are: ${names}.` };
  }
  const parsed = parseJson(call.text.trim() || '{}', redactor);
  if (!parsed.ok) return { kind: 'invalid-json', callId, name, message: parsed.message };
  const input = tool.input.safeParse(parsed.value);
  if (input.success) return { kind: 'valid', callId, name, input: parsed.value };
  return { kind: 'invalid-input', callId, name, message: describeIssues(input.error) };
}

type Parsed = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly message: string };

function parseJson(text: string, redactor: Redactor): Parsed {
  try {
    return { ok: true, value: redactor.restoreValue(JSON.parse(text)) };
  } catch (error) {
    return { ok: false, message: `This is no JSON: ${errorMessage(error).slice(0, 200)}` };
  }
}

/** Models like to wrap JSON into a fence and a remark. */
function findJson(text: string): string {
  const trimmed = text.trim();
  const starts = [trimmed.indexOf('{'), trimmed.indexOf('[')].filter((index) => index >= 0);
  if (starts.length === 0 || starts.includes(0)) return trimmed;
  const end = Math.max(trimmed.lastIndexOf('}'), trimmed.lastIndexOf(']'));
  return trimmed.slice(Math.min(...starts), end + 1);
}

function describeIssues(error: z.ZodError): string {
  return error.issues
    .slice(0, 8)
    .map((issue) => `${issue.path.join('.') || 'the whole'}: ${issue.message}`)
    .join('; ');
}
