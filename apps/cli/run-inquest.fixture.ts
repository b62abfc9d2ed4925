/** Runs the CLI as a process of its own, without a terminal, and collects what it says. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/inquest.js', import.meta.url));

export interface FinishedInquest {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningInquest {
  readonly child: ChildProcess;
  readonly finished: Promise<FinishedInquest>;
  /** Resolves once stderr contains the text. */
  said(text: string): Promise<void>;
}

/** @param env left out: this process's own */
export function startInquest(words: readonly string[], env?: NodeJS.ProcessEnv): RunningInquest {
  const child = spawn(process.execPath, [BIN, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(env ? { env } : {}),
  });
  let [stdout, stderr] = ['', ''];
  const waiting: { text: string; resolve: () => void }[] = [];
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
    for (const { text, resolve } of waiting) if (stderr.includes(text)) resolve();
  });
  const finished = new Promise<FinishedInquest>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  return {
    child,
    finished,
    said: (text) => new Promise((resolve) => (stderr.includes(text) ? resolve() : waiting.push({ text, resolve }))),
  };
}
