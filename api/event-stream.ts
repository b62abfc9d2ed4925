/** Server-sent events as the WHATWG HTML standard (section 9.2.6) defines them: written by the host, read by its clients. */

export interface StreamEvent {
  /** `message` where the stream names none. */
  readonly type: string;
  readonly data: string;
}

/** One event as text; `type` has no line breaks. */
export function formatStreamEvent({ type, data }: StreamEvent): string {
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
  return `event: ${type}\n${lines.join('')}\n`;
}

/** A line that readers skip: keeps proxies from closing a quiet stream. */
export const STREAM_COMMENT = ':\n\n';

/** The events of a body in their order. What follows the last blank line is no event and is dropped. */
export async function* readStreamEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
  let type = 'message';
  let data: string[] = [];
  for await (const line of readLines(body)) {
    if (line === '') {
      if (data.length > 0) yield { type, data: data.join('\n') };
      type = 'message';
      data = [];
      continue;
    }
    const { field, value } = splitField(line);
    if (field === 'event') type = value;
    else if (field === 'data') data.push(value);
  }
}

function splitField(line: string): { field: string; value: string } {
  const colon = line.indexOf(':');
  if (colon === -1) return { field: line, value: '' };
  return { field: line.slice(0, colon), value: line.slice(colon + 1).replace(/^ /, '') };
}

async function* readLines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    // A carriage return at the very end may be the first half of a line end: it waits for the next chunk.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    yield* lines;
  }
}
