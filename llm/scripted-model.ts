/**
 * An OpenAI-compatible endpoint that says what it is told to, for tests and evals: a real HTTP server on loopback that speaks
 * POST /chat/completions, streamed or whole, with usage, and misbehaves in every way that real ones do.
 */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { z } from 'zod';

const requestShape = z.looseObject({
  model: z.string(),
  stream: z.boolean().default(false),
  messages: z.array(
    z.looseObject({
      role: z.string(),
      content: z.string().nullish(),
      tool_call_id: z.string().optional(),
      tool_calls: z
        .array(z.looseObject({ id: z.string(), function: z.object({ name: z.string(), arguments: z.string() }) }))
        .optional(),
    }),
  ),
  tools: z.array(z.looseObject({ function: z.looseObject({ name: z.string(), parameters: z.unknown() }) })).default([]),
});

/** The body of a request, as it arrived. */
export type ScriptedRequest = z.output<typeof requestShape>;

export interface ScriptedCall {
  readonly name: string;
  /** A text goes out as it is, broken JSON included. */
  readonly arguments: unknown;
}

export type ScriptedAnswer =
  | { readonly kind: 'text'; readonly text: string; readonly finishReason?: string; readonly isUsageHidden?: boolean }
  | { readonly kind: 'tools'; readonly calls: readonly ScriptedCall[]; readonly text?: string }
  | { readonly kind: 'refusal'; readonly text: string }
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly code?: string;
      readonly message?: string;
      readonly retryAfterSeconds?: number;
    }
  /** Says so much and closes the connection. */
  | { readonly kind: 'drop'; readonly text: string }
  /** Says so much and nothing more, for as long as the caller waits. */
  | { readonly kind: 'hang'; readonly text?: string }
  /** Any body: what is no answer at all. */
  | { readonly kind: 'raw'; readonly body: string };

export type Script =
  | readonly ScriptedAnswer[]
  | ((request: ScriptedRequest, index: number) => ScriptedAnswer | Promise<ScriptedAnswer>);

export interface ScriptedModel {
  /** To be configured as the address of the model. */
  readonly url: string;
  /** In the order of arrival. */
  readonly requests: readonly ScriptedRequest[];
  /** Of the same requests. */
  readonly headers: readonly IncomingHttpHeaders[];
  close(): Promise<void>;
}

const misbehaviours = {
  nonsense: () => ({ kind: 'text', text: 'flurb ev_ffffffffffff 🜁 { "verdict": ] blue sevenths of the of of' }),
  silence: () => ({ kind: 'text', text: '' }),
  refusal: () => ({ kind: 'refusal', text: 'I cannot help with that.' }),
  'invalid JSON': ({ tools }) => callFirst(tools, '{"service": "checkout", '),
  'an unknown tool': () => ({ kind: 'tools', calls: [{ name: 'drop_all_tables', arguments: {} }] }),
  'endless tool calls': ({ tools }) => callFirst(tools, {}),
  slow: () => ({ kind: 'hang', text: 'Well' }),
  silent: () => ({ kind: 'hang' }),
  '429': () => ({ kind: 'status', status: 429, retryAfterSeconds: 3_600 }),
  '500': () => ({ kind: 'status', status: 500 }),
  'a dropped stream': () => ({ kind: 'drop', text: 'The root cause is' }),
  'no API at all': () => ({ kind: 'raw', body: '<html>Welcome</html>' }),
} satisfies Readonly<Record<string, (request: ScriptedRequest) => ScriptedAnswer>>;

/** Ways in which models and endpoints fail; each is a whole script. */
export const MISBEHAVIOURS: Readonly<Record<keyof typeof misbehaviours, (request: ScriptedRequest) => ScriptedAnswer>> =
  misbehaviours;

function callFirst(tools: ScriptedRequest['tools'], sent: unknown): ScriptedAnswer {
  return { kind: 'tools', calls: [{ name: tools[0]?.function.name ?? 'none', arguments: sent }] };
}

/** A request beyond the end of a list is answered 404 with code `script-ended`: no test passes by repetition. */
export async function openScriptedModel(script: Script): Promise<ScriptedModel> {
  const requests: ScriptedRequest[] = [];
  const headers: IncomingHttpHeaders[] = [];

  async function respond(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const parsed = requestShape.safeParse(await json(incoming));
    if (!parsed.success || incoming.method !== 'POST' || !incoming.url?.endsWith('/chat/completions')) {
      send(response, 400, { error: { message: parsed.error?.message ?? 'no such path', code: 'bad-request' } });
      return;
    }
    const request = parsed.data;
    const index = requests.push(request) - 1;
    headers.push(incoming.headers);
    const ended: ScriptedAnswer = {
      kind: 'status',
      status: 404,
      code: 'script-ended',
      message: 'The script has ended.',
    };
    const answer = typeof script === 'function' ? await script(request, index) : (script[index] ?? ended);
    perform(answer, request, response, `chatcmpl-${index}`);
  }

  const server = createServer((incoming, response) => {
    respond(incoming, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests,
    headers,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

function perform(answer: ScriptedAnswer, request: ScriptedRequest, response: ServerResponse, id: string): void {
  if (answer.kind === 'raw') {
    response.writeHead(200, { 'content-type': 'text/html' }).end(answer.body);
  } else if (answer.kind === 'status') {
    const { status, code = null, message = `scripted ${status}`, retryAfterSeconds } = answer;
    const headers = retryAfterSeconds === undefined ? undefined : { 'retry-after': String(retryAfterSeconds) };
    send(response, status, { error: { message, type: 'scripted', param: null, code } }, headers);
  } else if (request.stream) {
    stream(answer, request, response, id);
  } else if (answer.kind === 'drop' || answer.kind === 'hang') {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{"id":', () => answer.kind === 'drop' && response.destroy());
  } else {
    const choice = { index: 0, message: messageOf(answer, id), finish_reason: finishReasonOf(answer) };
    const created = { id, object: 'chat.completion', created: 0, model: request.model };
    send(response, 200, { ...created, choices: [choice], ...usageOf(answer, request) });
  }
}

type Spoken = Exclude<ScriptedAnswer, { kind: 'raw' | 'status' }>;

function stream(answer: Spoken, request: ScriptedRequest, response: ServerResponse, id: string): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  const write = (data: object, then?: () => void) => {
    const created = { id, object: 'chat.completion.chunk', created: 0, model: request.model };
    response.write(`data: ${JSON.stringify({ ...created, ...data })}\n\n`, then);
  };
  const delta = (part: object, finish: string | null = null, then?: () => void) =>
    write({ choices: [{ index: 0, delta: part, finish_reason: finish }] }, then);
  const message = messageOf(answer, id);
  if (answer.kind === 'hang' && answer.text === undefined) return;
  delta({ role: 'assistant', content: '' });
  for (const word of message.content?.match(/\s*\S+\s*/g) ?? []) delta({ content: word });
  if (answer.kind === 'hang') return;
  if (answer.kind === 'drop') {
    delta({}, null, () => response.destroy());
    return;
  }
  if (message.refusal !== undefined) delta({ refusal: message.refusal });
  for (const [index, call] of (message.tool_calls ?? []).entries()) {
    const { name, arguments: text } = call.function;
    const half = Math.ceil(text.length / 2);
    delta({ tool_calls: [{ index, ...call, function: { name, arguments: text.slice(0, half) } }] });
    delta({ tool_calls: [{ index, function: { arguments: text.slice(half) } }] });
  }
  delta({}, finishReasonOf(answer));
  const usage = usageOf(answer, request);
  if (usage !== undefined) write({ choices: [], ...usage });
  response.end('data: [DONE]\n\n');
}

function messageOf(answer: Spoken, id: string) {
  if (answer.kind === 'refusal') return { role: 'assistant', content: null, refusal: answer.text };
  if (answer.kind !== 'tools') return { role: 'assistant', content: answer.text ?? '' };
  const calls = answer.calls.map(({ name, arguments: sent }, index) => ({
    id: `call_${id}_${index}`,
    type: 'function',
    function: { name, arguments: typeof sent === 'string' ? sent : JSON.stringify(sent) },
  }));
  return { role: 'assistant', content: answer.text ?? null, tool_calls: calls };
}

function finishReasonOf(answer: Spoken): string {
  if (answer.kind === 'tools') return 'tool_calls';
  return answer.kind === 'text' ? (answer.finishReason ?? 'stop') : 'stop';
}

/** Four characters a token. */
function usageOf(answer: Spoken, request: ScriptedRequest) {
  if (answer.kind === 'text' && answer.isUsageHidden) return undefined;
  const [prompt_tokens, completion_tokens] = [request.messages, messageOf(answer, '')].map((part) =>
    Math.ceil(JSON.stringify(part).length / 4),
  ) as [number, number];
  return { usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens } };
}
