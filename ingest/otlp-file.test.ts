import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../platform/errors.ts';
import { type OtlpFileLine, readOtlpFile } from './otlp-file.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'otlp-file-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function read(content: Uint8Array | string, signal = new AbortController().signal): Promise<OtlpFileLine[]> {
  const path = join(directory, 'telemetry.json');
  await writeFile(path, content);
  return collect(readOtlpFile(path, signal));
}

async function collect(lines: AsyncIterable<OtlpFileLine>): Promise<OtlpFileLine[]> {
  const all: OtlpFileLine[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

const traces = '{"resourceSpans":[{"scopeSpans":[]}]}';
const logs = `{"resourceLogs":[{"schemaUrl":"${'grün '.repeat(40_000)}"}]}`;
const metrics = '{"resourceMetrics":[]}';
const requests = [
  { line: 1, path: '/v1/traces', body: traces },
  { line: 2, path: '/v1/logs', body: logs },
  { line: 3, path: '/v1/metrics', body: metrics },
];

function framed(...contents: Uint8Array[]): Buffer {
  return Buffer.concat(
    contents.flatMap((content) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(content.length);
      return [length, content];
    }),
  );
}

describe('a file of the Collector', () => {
  const plain = `${traces}\n${logs}\n${metrics}`;
  it.each([
    ['plain', plain],
    ['with a newline at its end, and CRLF', `${plain.replaceAll('\n', '\r\n')}\r\n`],
    ['gzipped', gzipSync(plain)],
    ['compressed by zstd', zstdCompressSync(plain)],
    ['of zstd frames behind their lengths', framed(...[traces, logs, metrics].map((text) => zstdCompressSync(text)))],
  ])('%s gives its requests', async (_form, content) => {
    expect(await read(content)).toEqual(requests);
  });

  it('with bad lines tells them by number and gives the others', async () => {
    const lines = [traces, '', '{"resourceSpans":', '[]', '{"resourceProfiles":[]}', metrics];
    expect(await read(lines.join('\n'))).toEqual([
      { line: 1, path: '/v1/traces', body: traces },
      { line: 3, problem: expect.stringContaining('not JSON') },
      { line: 4, problem: expect.stringContaining('no OTLP request') },
      { line: 5, problem: expect.stringContaining('no OTLP request') },
      { line: 6, path: '/v1/metrics', body: metrics },
    ]);
  });

  it('with a broken frame tells it and gives the others', async () => {
    const good = zstdCompressSync(traces);
    const file = Buffer.concat([framed(good, good.subarray(0, 15), good), framed(good).subarray(0, 9)]);
    expect(await read(file)).toEqual([
      { line: 1, path: '/v1/traces', body: traces },
      { line: 2, problem: expect.stringContaining('not a zstd frame') },
      { line: 3, path: '/v1/traces', body: traces },
      { line: 4, problem: 'cut off' },
    ]);
  });

  it('that is empty gives nothing', async () => {
    expect(await read('')).toEqual([]);
  });
});

describe('reading stops', () => {
  it('with InputError where there is no file, or its compression is broken', async () => {
    const missing = readOtlpFile(join(directory, 'none'), new AbortController().signal);
    await expect(missing.next()).rejects.toBeInstanceOf(InputError);
    const whole = gzipSync(`${traces}\n${logs}`);
    await expect(read(whole.subarray(0, whole.length - 8))).rejects.toThrow(/cannot be read after line 1/);
  });

  it('when its signal aborts', async () => {
    const controller = new AbortController();
    const path = join(directory, 'long.json');
    await writeFile(path, `${traces}\n`.repeat(50_000));
    const lines = readOtlpFile(path, controller.signal);
    expect((await lines.next()).value).toMatchObject({ line: 1 });
    controller.abort();
    await expect(collect(lines)).rejects.toMatchObject({ name: 'AbortError' });
  });
});
