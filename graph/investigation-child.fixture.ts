/**
 * For tests: a process of its own that investigates with the scripted jury, to be killed at a chosen moment. Arguments: the
 * directory of its files, then what to do. It says where it stands as lines of JSON on stdout, and lives until it is killed.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentName } from '../domain/signal.ts';
import { InputError } from '../platform/errors.ts';
import { createInvestigator } from './run-investigation.ts';
import { createScriptedParts, INCIDENT, OVERTURNING, type Script } from './scripted-jury.fixture.ts';

/** Where a killed process was: waiting for approval, gathering, or in the middle of its action. */
export type Moment = 'approval' | 'gather' | 'action';
export type Task = 'start' | 'approve' | 'recover';

export type Line =
  | { readonly kind: 'stored-answer' | 'acted' }
  | { readonly kind: 'investigation'; readonly investigation: unknown }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };

const forever = () => new Promise<never>(() => undefined);

function say(line: Line): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** The jury as it is told: every look is a line in a file, and one agent may never come back. */
function createNotedScript(directory: string, stuck: AgentName | undefined): Script {
  const entries = Object.entries(OVERTURNING).map(([name, look]): [string, NonNullable<Script[AgentName]>] => [
    name,
    (task, signal) => {
      if (name === stuck) return forever();
      appendFileSync(join(directory, 'looks'), `${name}\n`);
      return look(task, signal);
    },
  ]);
  return Object.fromEntries(entries);
}

function openParts(directory: string, task: Task, moment: Moment) {
  const firstLife = task === 'start';
  const stuck = firstLife && moment === 'gather' ? 'log-agent' : undefined;
  const parts = createScriptedParts(createNotedScript(directory, stuck), {
    file: join(directory, 'stores.sqlite'),
    tier: moment === 'action' ? 'info' : 'medium',
  });
  const { checkpoints } = parts;
  return {
    ...parts,
    checkpoints: {
      ...checkpoints,
      put: async (...[rows, version, signal]: Parameters<typeof checkpoints.put>) => {
        await checkpoints.put(rows, version, signal);
        if (rows.some((row) => row.kind === 'write' && JSON.parse(row.text).channel === 'answers'))
          say({ kind: 'stored-answer' });
      },
    },
    executeAction: async () => {
      appendFileSync(join(directory, 'actions'), 'restarted payment\n');
      say({ kind: 'acted' });
      return firstLife && moment === 'action' ? forever() : { status: 'done' as const, detail: 'restarted' };
    },
    appendAudit: async (content: object) => appendFileSync(join(directory, 'audit'), `${JSON.stringify(content)}\n`),
  };
}

async function main(directory: string, task: Task, moment: Moment): Promise<void> {
  const investigator = createInvestigator(openParts(directory, task, moment));
  const signal = AbortSignal.timeout(30_000);
  const decision = { outcome: 'approved' as const, decidedBy: 'alice', reason: 'go', decidedAtMs: Date.now() };
  try {
    const investigation = await {
      start: () => investigator.start({ ...INCIDENT, investigationId: 'inv_1' }, signal),
      approve: () => investigator.resume('inv_1', decision, signal),
      recover: () => investigator.recover('inv_1', signal),
    }[task]();
    say({ kind: 'investigation', investigation });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    say({ kind: 'refused', code: error.code, message: error.message });
  }
  setInterval(() => undefined, 60_000);
}

if (import.meta.main) {
  const [directory = '.', task = 'start', moment = 'approval'] = process.argv.slice(2);
  await main(directory, task as Task, moment as Moment);
}
