/** The version of this Inquest, from the package.json next to its sources or above its `dist/`. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** Where the package lies: its sources are run in place, its compiled files from `dist/` inside it. */
export const PACKAGE_ROOT = new URL(import.meta.url.endsWith('.ts') ? '../' : '../../', import.meta.url);

export function readInquestVersion(): string {
  const text = readFileSync(new URL('package.json', PACKAGE_ROOT), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}
