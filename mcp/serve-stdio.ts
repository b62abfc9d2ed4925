/** One client over standard input and output, as an IDE starts it: nothing but the protocol is written. */
import type { Readable, Writable } from 'node:stream';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { createMcpServer, type McpServerOptions } from './create-mcp-server.ts';

export interface StdioOptions extends McpServerOptions {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly signal: AbortSignal;
}

/** Resolves when the client has closed its end, or the signal is aborted. */
export async function serveStdio({ stdin, stdout, signal, ...options }: StdioOptions): Promise<void> {
  const server = createMcpServer(options);
  const gone = new Promise<void>((resolve) => {
    server.onclose = () => resolve();
    stdin.once('end', resolve);
    stdin.once('close', resolve);
    stdout.once('close', resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  if (signal.aborted) return;
  await server.connect(new StdioServerTransport(stdin, stdout));
  await gone;
  await server.close();
  stdin.destroy();
}
