/** What the claims benchmark measured: tasks a second and how long a claim takes, through Redlock and without. Pure. */
import type { Locking } from './claims-worker.ts';

export interface ClaimsRun {
  readonly locking: Locking;
  readonly processes: number;
  readonly tasks: number;
  readonly tookMs: number;
  /** Of every claim that was given, as the claimant waited for it. */
  readonly claimMs: readonly number[];
  /** Tasks that were given out more than once, or never. */
  readonly wrong: number;
}

export interface ClaimsFigures {
  readonly locking: Locking;
  readonly processes: number;
  readonly tasks: number;
  readonly tasksPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly wrong: number;
}

export interface ClaimsReport {
  readonly machine: { readonly cores: number; readonly node: string };
  readonly runs: readonly ClaimsFigures[];
  /** Every task was given out exactly once. */
  readonly sound: boolean;
}

export function reportClaims(machine: ClaimsReport['machine'], runs: readonly ClaimsRun[]): ClaimsReport {
  const figures = runs.map(({ locking, processes, tasks, tookMs, claimMs, wrong }) => {
    const sorted = claimMs.toSorted((left, right) => left - right);
    const at = (level: number) => Math.round((sorted[Math.ceil(level * sorted.length) - 1] ?? 0) * 10) / 10;
    const tasksPerSecond = Math.round(tasks / (tookMs / 1_000));
    return { locking, processes, tasks, tasksPerSecond, p50Ms: at(0.5), p99Ms: at(0.99), wrong };
  });
  return { machine, runs: figures, sound: runs.every(({ wrong }) => wrong === 0) };
}

/** At most 80 columns wide. */
export function renderClaimsReport({ machine, runs, sound }: ClaimsReport): string {
  const row = (label: string, ...cells: string[]) => label.padEnd(28) + cells.map((cell) => cell.padStart(12)).join('');
  const names: Readonly<Record<Locking, string>> = { redlock: 'Redlock and token', script: 'one Lua script, token' };
  const wrong = runs.reduce((sum, run) => sum + run.wrong, 0);
  return [
    `${machine.cores} cores, Node ${machine.node}; every process claims and answers one task at a time`,
    '',
    row('claims through', 'processes', 'tasks/s', 'p50 ms', 'p99 ms'),
    ...runs.map(({ locking, processes, tasksPerSecond, p50Ms, p99Ms }) =>
      row(
        names[locking],
        String(processes),
        tasksPerSecond.toLocaleString('en-US'),
        p50Ms.toFixed(1),
        p99Ms.toFixed(1),
      ),
    ),
    '',
    sound ? 'Every task was given out exactly once.' : `${wrong} TASKS WERE NOT GIVEN OUT EXACTLY ONCE.`,
  ].join('\n');
}
