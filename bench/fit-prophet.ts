/** Fits Prophet to series in a Python that has it (`pip install prophet`): what detection is measured beside. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { InputError } from '../platform/errors.ts';
import type { ProphetMeasurement } from './detection-report.ts';

export interface ProphetQuestion {
  readonly python: string;
  /** Values by the minute. */
  readonly series: { readonly startMs: number; readonly values: readonly (readonly number[])[] };
  readonly signal: AbortSignal;
}

const SCRIPT = fileURLToPath(new URL('./prophet-fit.py', import.meta.url));
const answerSchema = z.object({ fits: z.number(), cpuSeconds: z.number(), wallSeconds: z.number() });

/** Rejects with InputError when that Python cannot. */
export async function fitProphet({ python, series, signal }: ProphetQuestion): Promise<ProphetMeasurement> {
  const child = spawn(python, [SCRIPT], { stdio: ['pipe', 'pipe', 'pipe'], signal });
  const ended = once(child, 'close').catch((error: unknown) => {
    signal.throwIfAborted();
    throw new InputError(`${python} does not run.`, { cause: error });
  });
  child.stdin.on('error', () => undefined); // it may end before it has read everything: its own words say why
  child.stdin.end(JSON.stringify({ startMs: series.startMs, series: series.values }));
  const [out, complaint, [code]] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (code !== 0) throw new InputError(`Prophet did not fit: ${complaint.trim().split('\n').at(-1) ?? ''}`);
  return { ...answerSchema.parse(JSON.parse(out)), points: series.values[0]?.length ?? 0 };
}
