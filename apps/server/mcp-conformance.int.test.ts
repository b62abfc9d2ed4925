/** The official conformance suite against this server; docs/mcp-conformance.md holds what it printed, and why what fails does not apply. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { serveConformance } from './mcp-conformance.fixture.ts';

const SUITE = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url),
);
const PAGE = readFileSync(new URL('../../docs/mcp-conformance.md', import.meta.url), 'utf8');

it('passes every scenario that applies, as the documentation says', { timeout: 60_000 }, async () => {
  const server = await serveConformance();
  const cwd = mkdtempSync(join(tmpdir(), 'inquest-conformance-'));
  try {
    const args = [SUITE, 'server', '--url', server.url, '--suite', 'all'];
    const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
    const printed = await text(child.stdout);
    const summary = printed.slice(printed.indexOf('=== SUMMARY ==='));
    const documented = /```text\n([\s\S]*?)```/.exec(PAGE)?.[1];
    expect(summary.trim()).toBe(documented?.trim());
    const failed = [...summary.matchAll(/^✗ ([\w-]+):/gm)].map(([, scenario]) => scenario);
    const excused = [...PAGE.matchAll(/^\| `([\w-]+)`/gm)].map(([, scenario]) => scenario);
    expect(failed.filter((scenario) => !excused.includes(scenario))).toEqual([]);
  } finally {
    await server.close();
    rmSync(cwd, { recursive: true });
  }
});
