/** Starts a process of clients that send numbered telemetry, and follows how much of it is acknowledged. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { InvariantError } from '../platform/errors.ts';
import type { AttemptOutcome, SenderOrders } from './drill-sender.ts';

export interface Sender {
  /** Resolves when so many more requests are acknowledged; rejects when it ends before, or the signal's reason. */
  acknowledged(more: number, signal: AbortSignal): Promise<void>;
  /** Attempts so far by their outcome. */
  attempts(): ReadonlyMap<AttemptOutcome, number>;
  /** Lets every client finish the request it is at, however often it has to be sent, and ends. */
  stop(signal: AbortSignal): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
}

export function startSender(orders: SenderOrders): Sender {
  const script = fileURLToPath(
    new URL(`./drill-sender${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
  );
  const child = fork(script, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const attempts = new Map<AttemptOutcome, number>();
  const acknowledgedSoFar = () => attempts.get(200) ?? 0;
  let waiting: (() => void)[] = [];
  const wake = () => {
    for (const resume of waiting) resume();
    waiting = [];
  };
  child.on('message', (outcome: AttemptOutcome) => {
    attempts.set(outcome, (attempts.get(outcome) ?? 0) + 1);
    wake();
  });
  child.on('exit', wake);
  child.on('error', () => undefined); // the end of it is what counts
  child.send(orders);
  return {
    acknowledged: async (more, signal) => {
      signal.addEventListener('abort', wake, { once: true });
      for (const goal = acknowledgedSoFar() + more; acknowledgedSoFar() < goal; ) {
        signal.throwIfAborted();
        if (hasEnded(child)) throw new InvariantError('a sender of the drill ended by itself');
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
    attempts: () => attempts,
    stop: async (signal) => {
      const gone = ended(child, signal);
      if (child.connected) child.send('stop');
      await gone;
    },
    kill: async () => {
      const gone = ended(child);
      child.kill('SIGKILL');
      await gone;
    },
  };
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null;

async function ended(child: ChildProcess, signal?: AbortSignal): Promise<void> {
  if (!hasEnded(child)) await once(child, 'exit', signal ? { signal } : {});
}
