/** A flag is switched on for half of the users and opens a path through the code that fails, slows and logs what none logged before. */
import { formatInstant } from '../../domain/time-window.ts';
import { InvariantError } from '../../platform/errors.ts';
import { guiltyCommit } from '../commit-change.ts';
import { HARMFUL_FLAGS, type HarmfulFlag } from '../commit-flags.ts';
import type { Visit } from '../disturbance.ts';
import { changeIdOf } from '../rollout-change.ts';
import type { Failure } from '../shop-model.ts';
import { type FaultContext, type FaultDefinition, intensity, isNeededService, mainOperation } from './fault.ts';

interface Path {
  readonly flag: HarmfulFlag;
  readonly failure: Failure;
  readonly warning: string;
}

const PATHS: readonly Path[] = [
  {
    flag: 'batched-lookups',
    failure: { exception: 'BatchSizeError', message: 'batch {id} has {n} keys, at most 64 are served' },
    warning: 'batched lookup {id} split into {n} parts',
  },
  {
    flag: 'strict-currency',
    failure: { exception: 'CurrencyMismatchError', message: 'amount {id} has no currency, strict mode refuses it' },
    warning: 'amount {id} without currency, asking the ledger {n} times',
  },
  {
    flag: 'eager-prefetch',
    failure: { exception: 'PrefetchOverflowError', message: 'prefetch window {id} overflowed after {n} entries' },
    warning: 'prefetch of {id} fell behind by {n} entries',
  },
];

/** Users to whom the flag applies. */
const ROLLED_OUT = 0.5;

export const flagFlip: FaultDefinition = {
  suits: isNeededService,
  plan(context: FaultContext) {
    const { victim, stream, onsetMs } = context;
    const switchedMs = onsetMs - Math.round(stream.between(2_000, 8_000));
    const operation = mainOperation(victim);
    const path = PATHS[stream.below(PATHS.length)];
    if (!path) throw new InvariantError('No code path hides behind a flag.');
    const { flag, failure, warning } = path;
    const draws = stream.fork('users');
    const commit = guiltyCommit(HARMFUL_FLAGS[flag], operation, switchedMs, stream.fork('commit'));
    const changeId = changeIdOf('flag', victim, switchedMs);
    const impact = {
      selfFactor: stream.between(1.5, 2.5),
      addedMs: stream.between(40, 110),
      failShare: stream.between(0.6, 0.95),
      failure,
      warning,
      warningShare: 0.7,
    };
    return {
      causeType: 'bad-change',
      hurt: [operation],
      preludeMs: switchedMs,
      changeId,
      rollouts: [],
      changes: [
        commit.change,
        {
          atMs: switchedMs,
          input: {
            id: changeId,
            kind: 'flag',
            service: victim.name,
            at: formatInstant(switchedMs),
            version: '',
            summary: `Flag ${flag} of ${victim.name} switched on for 50% of users`,
            author: commit.author,
            url: '',
            attributes: { flag, value: 'on', commit: commit.sha },
            diff: '',
          },
        },
      ],
      onVisit(visit: Visit) {
        if (visit.operation !== operation || intensity(context, visit.atMs, 0) === 0) return undefined;
        // The same users each time.
        return draws.fork(visit.request.user).next() < ROLLED_OUT ? impact : undefined;
      },
    };
  },
};
