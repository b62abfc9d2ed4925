/** A process that stops for good at any of its checkpoint writes: the next one ends the investigation, and acts at most once. */
import { expect, it } from 'vitest';
import type { Investigation } from '../domain/investigation.ts';
import type { InvestigationParts } from './investigation-parts.ts';
import { createInvestigator, type Investigator } from './run-investigation.ts';
import { createScriptedParts, INCIDENT, OVERTURNING } from './scripted-jury.fixture.ts';

const INVESTIGATION = { ...INCIDENT, investigationId: 'inv_1' };
/** What the host archives before it begins. */
const STARTED: Investigation = {
  investigationId: 'inv_1',
  incident: INVESTIGATION,
  status: 'running',
  startedAtMs: INCIDENT.openedAtMs,
  rounds: 0,
  tasks: [],
  findings: [],
  evidence: [],
  hypotheses: [],
  votes: [],
  changes: [],
};
const TIMEOUT_MS = 60_000;
const soon = () => AbortSignal.timeout(TIMEOUT_MS);

/** The stores that outlive processes, and how often the action reached the world. */
function openWorld() {
  const { stores } = createScriptedParts(OVERTURNING);
  const world = { acted: 0, writes: 0 };

  /** The parts of one process. It stops after so many checkpoint writes: nothing that it begins from then on ever ends. */
  function startProcess(writesUntilStop: number) {
    const stopped = Promise.withResolvers<void>();
    let writes = 0;
    let isStopped = false;
    const living = <Args extends unknown[], T>(call: (...args: Args) => Promise<T>) => {
      return (...args: Args): Promise<T> => (isStopped ? new Promise<T>(() => undefined) : call(...args));
    };
    const { checkpoints, once, archive } = stores;
    const overrides: Partial<InvestigationParts> = {
      newestVersion: living(stores.newestVersion),
      checkpoints: {
        put: living(async (rows, version, signal) => {
          if (writes === writesUntilStop) {
            isStopped = true;
            stopped.resolve();
            return new Promise<void>(() => undefined);
          }
          writes++;
          world.writes++;
          await checkpoints.put(rows, version, signal);
        }),
        read: living((query, signal) => checkpoints.read(query, signal)),
        deleteThread: living((threadId, signal) => checkpoints.deleteThread(threadId, signal)),
      },
      once: { putOnce: living(once.putOnce), get: living(once.get) },
      archive: {
        saveInvestigation: living(archive.saveInvestigation),
        saveIncident: living(archive.saveIncident),
        listUnfinished: living(archive.listUnfinished),
      },
      executeAction: living(async () => {
        world.acted++;
        return { status: 'done', detail: 'restarted' };
      }),
    };
    const parts = createScriptedParts(OVERTURNING, { tier: 'medium', overrides });
    return { investigator: createInvestigator(parts), stopped: stopped.promise };
  }
  return { world, stores, startProcess };
}

async function approve(investigator: Investigator) {
  const decision = { outcome: 'approved' as const, decidedBy: 'alice', reason: 'go', decidedAtMs: Date.now() };
  return investigator.resume('inv_1', decision, soon());
}

/** As a host does at its start with what its archive calls unfinished, then a person who agrees. */
async function takeOver(investigator: Investigator, isArchivedAsEnded: boolean) {
  const [interrupted] = await investigator.pending(soon());
  if (!interrupted && !isArchivedAsEnded) await investigator.start(INVESTIGATION, soon());
  const standing = await investigator.recover('inv_1', soon());
  return standing.status === 'awaiting-approval' ? approve(investigator) : standing;
}

it('ends finished, with its action done once, wherever it was cut off', { timeout: TIMEOUT_MS }, async () => {
  const undisturbed = openWorld();
  const whole = undisturbed.startProcess(Number.POSITIVE_INFINITY);
  await whole.investigator.start(INVESTIGATION, soon());
  const expected = await approve(whole.investigator);
  expect(expected.status).toBe('finished');
  expect(undisturbed.world.writes).toBeGreaterThan(10);

  for (let writes = 0; writes < undisturbed.world.writes; writes++) {
    const { world, stores, startProcess } = openWorld();
    await stores.archive.saveInvestigation(STARTED, 1);
    const first = startProcess(writes);
    const work = first.investigator.start(INVESTIGATION, soon()).then(() => approve(first.investigator));
    await Promise.race([first.stopped, work]);

    const isEnded = stores.findInvestigation('inv_1')?.status === 'finished';
    const finished = await takeOver(startProcess(Number.POSITIVE_INFINITY).investigator, isEnded);
    expect([writes, finished.status, finished.failure]).toEqual([writes, 'finished', undefined]);
    expect([writes, finished.verdict?.suspects[0]?.service]).toEqual([writes, expected.verdict?.suspects[0]?.service]);
    expect(stores.findInvestigation('inv_1')?.status).toBe('finished');
    expect([writes, finished.actionOutcome?.status, world.acted]).toEqual([writes, 'done', 1]);
  }
});
