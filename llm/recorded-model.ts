/**
 * Answers of a real model, kept for evals: a file of JSON lines, one for each request, found again by the digest of the
 * request's body, which is redacted before it gets here. It stands between the chat model and the network (`fetch` of
 * ChatModelParts), so that what was recorded is read by the same code as what comes live.
 */
import { appendFile, readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ConfigError, errorMessage } from '../platform/errors.ts';
import { digestOf } from '../platform/ids.ts';

const recordShape = z.object({
  digest: z.string().length(64),
  request: z.unknown(),
  contentType: z.string(),
  /** As it was sent, a whole stream included. */
  body: z.string(),
});
type Recording = z.output<typeof recordShape>;

/**
 * @param onMiss fail: with a ConfigError that names the request. ask: asks the endpoint and appends its answer; failures are
 * passed on and not recorded. A question that was recorded is never asked again.
 */
export async function openRecordedModel(path: string, onMiss: 'fail' | 'ask'): Promise<typeof fetch> {
  const records = await readRecords(path, onMiss);
  let writing: Promise<void> = Promise.resolve();

  async function ask(input: Parameters<typeof fetch>[0], init: RequestInit, request: unknown): Promise<Response> {
    const response = await fetch(input, init);
    if (!response.ok) return response;
    const body = await response.text();
    const contentType = response.headers.get('content-type') ?? 'application/json';
    const record = { digest: digestOf(request), request, contentType, body };
    records.set(record.digest, record);
    writing = writing.then(() => appendFile(path, `${JSON.stringify(record)}\n`));
    await writing;
    return play(record);
  }

  return async (input, init = {}) => {
    const request: unknown = JSON.parse(String(init.body));
    const digest = digestOf(request);
    const record = records.get(digest);
    if (record !== undefined) return play(record);
    if (onMiss === 'ask') return await ask(input, init, request);
    throw new ConfigError(`No answer to request ${digest} is recorded in ${path}: record it with the real model.`, {
      details: { digest },
    });
  };
}

function play({ body, contentType }: Recording): Response {
  return new Response(body, { headers: { 'content-type': contentType } });
}

async function readRecords(path: string, onMiss: 'fail' | 'ask'): Promise<Map<string, Recording>> {
  try {
    const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
    return new Map(lines.map((line) => recordShape.parse(JSON.parse(line))).map((record) => [record.digest, record]));
  } catch (error) {
    const isNew = error instanceof Error && 'code' in error && error.code === 'ENOENT' && onMiss === 'ask';
    if (isNew) return new Map();
    throw new ConfigError(`The recorded answers in ${path} cannot be read: ${errorMessage(error)}`, { cause: error });
  }
}
