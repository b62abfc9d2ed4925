/** What is asked of a model: messages, tools and the shape of the answer, and how they look on the wire. */
import { AIMessage, type BaseMessage, HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages';
import { z } from 'zod';
import type { Budget } from './budget.ts';
import type { Redactor } from './redaction.ts';

/** What a model wants to have called. `input` fits the tool's schema; what does not fit is told to the model by `message`. */
export type ToolCall =
  | { readonly kind: 'valid'; readonly callId: string; readonly name: string; readonly input: unknown }
  | {
      readonly kind: 'unknown-tool' | 'invalid-json' | 'invalid-input';
      readonly callId: string;
      readonly name: string;
      readonly message: string;
    };

/** A conversation goes on by repeating it: an answer's text and calls, then one message of role `tool` for each call. */
export type ChatMessage =
  | { readonly role: 'system' | 'user'; readonly text: string }
  | { readonly role: 'assistant'; readonly text: string; readonly toolCalls?: readonly ToolCall[] }
  | { readonly role: 'tool'; readonly callId: string; readonly text: string };

/** Tools of tools/ are such. */
export interface ChatTool {
  readonly name: string;
  readonly description: string;
  readonly input: z.ZodType;
}

export interface ChatRequest<Value = undefined> {
  readonly messages: readonly ChatMessage[];
  readonly tools?: readonly ChatTool[] | undefined;
  /** The answer is JSON of this shape, unless tools are called. */
  readonly schema?: z.ZodType<Value> | undefined;
  /** Of the investigation, or of the question. */
  readonly budget: Budget;
  /** Of the conversation; without one, labels are of this request, which repeats the conversation anyway. */
  readonly redactor?: Redactor | undefined;
  /** Longest answer, thoughts included; 4,096. The budget must have room for it. */
  readonly maxOutputTokens?: number | undefined;
  readonly signal: AbortSignal;
  /** Called with all of the text so far, which begins anew where a connection broke and the question is asked again. */
  readonly onText?: ((textSoFar: string) => void) | undefined;
}

/** The messages as they leave: redacted, with the schema in words, because not every endpoint enforces it. */
export function encodeMessages(
  messages: readonly ChatMessage[],
  schema: z.ZodType | undefined,
  redactor: Redactor,
): BaseMessage[] {
  const encoded = messages.map((message) => encodeMessage(message, redactor));
  if (schema === undefined) return encoded;
  const rule = `Answer with JSON only, of this JSON schema: ${JSON.stringify(toJsonSchema(schema))}`;
  // Some chat templates take one system message only, and only as the first.
  const [first] = messages;
  if (first?.role !== 'system') return [new SystemMessage(rule), ...encoded];
  return [new SystemMessage(`${redactor.redact(first.text)}\n\n${rule}`), ...encoded.slice(1)];
}

function encodeMessage(message: ChatMessage, redactor: Redactor): BaseMessage {
  const content = redactor.redact(message.text);
  switch (message.role) {
    case 'system':
      return new SystemMessage(content);
    case 'user':
      return new HumanMessage(content);
    case 'tool':
      return new ToolMessage({ content, tool_call_id: message.callId });
    case 'assistant':
      return new AIMessage({
        content,
        tool_calls: (message.toolCalls ?? []).map((call) => encodeCall(call, redactor)),
      });
  }
}

/** What was no JSON is not repeated: some endpoints refuse the whole conversation for it. */
function encodeCall(call: ToolCall, redactor: Redactor) {
  const input = call.kind === 'valid' ? redactor.redactValue(call.input) : {};
  return { id: call.callId, name: call.name, args: isRecord(input) ? input : {}, type: 'tool_call' as const };
}

export function encodeTool({ name, description, input }: ChatTool) {
  return { type: 'function' as const, function: { name, description, parameters: toJsonSchema(input) } };
}

export function toJsonSchema(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return rest;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
