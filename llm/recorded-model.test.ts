import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../platform/clock.ts';
import { loadConfig } from '../platform/config.ts';
import { ConfigError, UnavailableError } from '../platform/errors.ts';
import { openChatModel } from './chat-model.ts';
import { openRecordedModel } from './recorded-model.ts';
import { openScriptedModel, type Script, type ScriptedModel } from './scripted-model.ts';

let folder = '';
let path = '';
let endpoint: ScriptedModel | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recorded-'));
  path = join(folder, 'answers.jsonl');
});
afterEach(async () => {
  await endpoint?.close();
  endpoint = undefined;
  await rm(folder, { recursive: true });
});

async function openAsker(onMiss: 'fail' | 'ask', script: Script) {
  await endpoint?.close();
  endpoint = await openScriptedModel(script);
  const { llm } = loadConfig({ INQUEST_LLM_URL: endpoint.url, INQUEST_LLM_MODEL: 'small', INQUEST_LLM_KEY: 'hunter2' });
  if (llm === undefined) throw new TypeError('no model is configured');
  const patience = { attempts: 1 };
  const model = openChatModel(llm, { clock: systemClock, patience, fetch: await openRecordedModel(path, onMiss) });
  return (text: string) =>
    model.ask({
      messages: [{ role: 'user', text }],
      budget: model.startBudget(),
      signal: new AbortController().signal,
    });
}

it('plays an answer back as it was, without the endpoint, at whatever address', async () => {
  const record = await openAsker('ask', [
    { kind: 'text', text: 'Ask <email-1>.' },
    { kind: 'text', text: 'No.' },
  ]);
  const recorded = await record('Who is ann@example.com?');
  expect(await record('Who is ann@example.com?')).toEqual(recorded);
  await record('And now?');
  expect(endpoint?.requests).toHaveLength(2);

  const replay = await openAsker('fail', []);
  expect(await replay('Who is ann@example.com?')).toEqual(recorded);
  expect(recorded).toMatchObject({ text: 'Ask ann@example.com.', usage: { isEstimated: false } });
  expect(await replay('And now?')).toMatchObject({ text: 'No.' });
  expect(endpoint?.requests).toHaveLength(0);

  const written = await readFile(path, 'utf8');
  expect(written.trimEnd().split('\n')).toHaveLength(2);
  expect(written).not.toMatch(/hunter2|ann@/);
});

it('says so when there is no answer, and asks nobody', async () => {
  await (await openAsker('ask', [{ kind: 'text', text: 'yes' }]))('Why?');
  const replay = await openAsker('fail', [{ kind: 'text', text: 'yes' }]);
  const failure = await replay('Why not?').catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ConfigError);
  expect(String(failure)).toMatch(/No answer to request [0-9a-f]{64} is recorded in .*answers.jsonl/);
  expect(endpoint?.requests).toHaveLength(0);
});

it('records no failure', async () => {
  const record = await openAsker('ask', [
    { kind: 'status', status: 500 },
    { kind: 'drop', text: 'It' },
    { kind: 'text', text: 'yes' },
  ]);
  for (const _ of [1, 2]) await expect(record('Why?')).rejects.toBeInstanceOf(UnavailableError);
  expect(await record('Why?')).toMatchObject({ text: 'yes' });
  expect((await readFile(path, 'utf8')).trimEnd().split('\n')).toHaveLength(1);
});

it.each([
  ['is missing', undefined],
  ['holds something else', '{"digest":"short"}\n'],
])('refuses a file that %s', async (_, content) => {
  if (content !== undefined) await writeFile(path, content);
  await expect(openRecordedModel(path, 'fail')).rejects.toBeInstanceOf(ConfigError);
});
