/** kill -9 at the worst moments, in real processes: what was decided stays decided, what was done is not done again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { auditContentSchema } from '../domain/audit.ts';
import { type Investigation, investigationSchema } from '../domain/investigation.ts';
import type { Line, Moment, Task } from './investigation-child.fixture.ts';
import { createInvestigator } from './run-investigation.ts';
import { createScriptedParts, INCIDENT, OVERTURNING } from './scripted-jury.fixture.ts';

const CHILD = fileURLToPath(new URL('investigation-child.fixture.ts', import.meta.url));
const TIMEOUT_MS = 60_000;

let directory: string;
let children: ChildProcess[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'inquest-graph-'));
  children = [];
});
afterEach(async () => {
  await Promise.all(children.map(kill));
  rmSync(directory, { recursive: true });
});

/** Kills a process the hard way, and waits until it is gone. */
async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** Starts a process and waits until it has said `count` lines of this kind; the last of them, and the process still alive. */
async function launch(
  task: Task,
  moment: Moment,
  kind: Line['kind'],
  count = 1,
): Promise<{ line: Line; child: ChildProcess }> {
  const child = spawn(process.execPath, [CHILD, directory, task, moment], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  let seen = 0;
  for await (const text of createInterface({ input: child.stdout })) {
    const line: Line = JSON.parse(text);
    if (line.kind === kind) seen += 1;
    if (seen === count) return { line, child };
  }
  return expect.fail(`the process ended before it said ${kind}`);
}

async function liveAndDie(task: Task, moment: Moment, kind: Line['kind'], count = 1): Promise<Line> {
  const { line, child } = await launch(task, moment, kind, count);
  await kill(child);
  return line;
}

function investigationOf(line: Line): Investigation {
  return line.kind === 'investigation'
    ? investigationSchema.parse(line.investigation)
    : expect.fail(JSON.stringify(line));
}

function linesOf(file: string): string[] {
  const path = join(directory, file);
  return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
}

const auditKinds = () => linesOf('audit').map((line) => auditContentSchema.parse(JSON.parse(line)).kind);

describe('after kill -9', () => {
  it('while it waits for approval: another process approves, and the action runs exactly once', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const waiting = investigationOf(await liveAndDie('start', 'approval', 'investigation'));
    expect(waiting.status).toBe('awaiting-approval');
    expect(linesOf('actions')).toEqual([]);

    const finished = investigationOf(await liveAndDie('approve', 'approval', 'investigation'));
    expect(finished).toMatchObject({ status: 'finished', actionOutcome: { status: 'done' } });
    expect(finished.verdict).toEqual(waiting.verdict);
    expect(finished.votes).toEqual(waiting.votes);
    expect(linesOf('actions')).toEqual(['restarted payment']);

    const again = await liveAndDie('approve', 'approval', 'refused');
    expect(again).toMatchObject({
      kind: 'refused',
      code: 'conflict',
      message: expect.stringContaining('approved by alice'),
    });
    expect(linesOf('actions')).toEqual(['restarted payment']);
    expect(auditKinds().filter((kind) => kind.startsWith('action.'))).toEqual(['action.intended', 'action.finished']);
    expect(linesOf('looks')).toHaveLength(4);
  });

  it('between the decision and its effect: the decision stands, and recovery carries it out', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const { approval } = investigationOf(await liveAndDie('start', 'approval', 'investigation'));
    const decision = { outcome: 'approved', decidedBy: 'bob', reason: 'go', decidedAtMs: approval?.requestedAtMs };
    const { stores } = createScriptedParts(OVERTURNING, { file: join(directory, 'stores.sqlite') });
    await stores.once.putOnce(`decision/${approval?.approvalId}`, JSON.stringify(decision));

    await liveAndDie('approve', 'approval', 'refused');
    const finished = investigationOf(await liveAndDie('recover', 'approval', 'investigation'));
    expect(finished).toMatchObject({ status: 'finished', approval: { decision: { decidedBy: 'bob' } } });
    expect(linesOf('actions')).toEqual(['restarted payment']);
  });

  it('while it gathers: finished tasks stay finished, and the verdict is the same', {
    timeout: TIMEOUT_MS,
  }, async () => {
    await liveAndDie('start', 'gather', 'stored-answer', 3);
    expect(linesOf('looks').toSorted()).toEqual(['deploy-agent', 'metrics-agent', 'trace-agent']);

    const recovered = investigationOf(await liveAndDie('recover', 'gather', 'investigation'));
    expect(linesOf('looks').toSorted()).toEqual(['deploy-agent', 'log-agent', 'metrics-agent', 'trace-agent']);
    const parts = createScriptedParts(OVERTURNING, { tier: 'medium' });
    const undisturbed = await createInvestigator(parts).start(
      { ...INCIDENT, investigationId: 'inv_1' },
      AbortSignal.timeout(TIMEOUT_MS),
    );
    expect(recovered.verdict).toEqual(undisturbed.verdict);
    expect(recovered.tally).toEqual(undisturbed.tally);
    expect(new Set(recovered.findings)).toEqual(new Set(undisturbed.findings));
  });

  it('in the middle of its action: the outcome is reported as unknown, and it is not run again', {
    timeout: TIMEOUT_MS,
  }, async () => {
    await liveAndDie('start', 'action', 'acted');
    expect(linesOf('actions')).toEqual(['restarted payment']);

    const recovered = investigationOf(await liveAndDie('recover', 'action', 'investigation'));
    expect(recovered).toMatchObject({ status: 'finished', actionOutcome: { status: 'unknown' } });
    expect(linesOf('actions')).toEqual(['restarted payment']);
    expect(auditKinds().filter((kind) => kind.startsWith('action.'))).toEqual(['action.intended', 'action.unknown']);
  });
});
