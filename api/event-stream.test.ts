/** Server-sent events: what is written is read, however the bytes are cut. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatStreamEvent, readStreamEvents, STREAM_COMMENT, type StreamEvent } from './event-stream.ts';

function bodyOf(chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

async function read(chunks: readonly Uint8Array[]): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  for await (const event of readStreamEvents(bodyOf(chunks))) events.push(event);
  return events;
}
const encode = (text: string) => new TextEncoder().encode(text);

describe('readStreamEvents', () => {
  it('reads what formatStreamEvent wrote, cut anywhere, with any line ends', async () => {
    const anyText = fc.array(fc.constantFrom('a', 'é', '😀', ' ', ':', '\n', '{"x":1}')).map((parts) => parts.join(''));
    const anyEvent = fc.record({ type: fc.constantFrom('progress', 'end'), data: anyText });
    const lineEnds = fc.constantFrom('\n', '\r\n', '\r');
    await fc.assert(
      fc.asyncProperty(fc.array(anyEvent), lineEnds, fc.integer({ min: 1, max: 7 }), async (events, lineEnd, size) => {
        const text = events.map((event) => formatStreamEvent(event) + STREAM_COMMENT).join('');
        // A trailing line keeps a last lone carriage return from waiting for its line feed.
        const bytes = encode(`${text.replaceAll('\n', lineEnd)}:`);
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
          bytes.subarray(index * size, (index + 1) * size),
        );
        expect(await read(chunks)).toEqual(events satisfies StreamEvent[]);
      }),
    );
  });

  it('names events `message` by default and drops the one that was cut off', async () => {
    expect(await read([encode('data: one\n\nevent: x\n\nid: 3\nretry: 5\ndata:two\ndata\n\ndata: cut')])).toEqual([
      { type: 'message', data: 'one' },
      { type: 'message', data: 'two\n' },
    ]);
  });
});
