/** A new version that works at first: one to three minutes after its rollout one operation fails, slows and logs what none logged before. */
import { InvariantError } from '../../platform/errors.ts';
import { BAD_DEPLOYS, type DeployMistake } from '../commit-bad-deploys.ts';
import { guiltyCommit } from '../commit-change.ts';
import type { Visit } from '../disturbance.ts';
import { deployOf, nextVersion } from '../rollout-change.ts';
import type { Failure } from '../shop-model.ts';
import { type FaultContext, type FaultDefinition, intensity, isNeededService, mainOperation } from './fault.ts';

const MINUTE_MS = 60_000;
const CAUSES: readonly { readonly mistake: DeployMistake; readonly failure: Failure; readonly warning: string }[] = [
  {
    mistake: 'cache-schema',
    failure: { exception: 'CacheEntryError', message: 'entry {id} has schema 3, reader expects 4' },
    warning: 'dropping local cache entry {id}: schema mismatch, refetching',
  },
  {
    mistake: 'short-lease',
    failure: { exception: 'LeaseExpiredError', message: 'lease {id} expired {n} ms before commit' },
    warning: 'lease {id} renewed late by {n} ms',
  },
  {
    mistake: 'unmapped-field',
    failure: { exception: 'UnsupportedFieldError', message: "field 'channel' of request {id} is not mapped" },
    warning: "unmapped field 'channel', falling back to slow path",
  },
];

export const badDeploy: FaultDefinition = {
  suits: isNeededService,
  plan(context: FaultContext) {
    const { victim, stream, onsetMs } = context;
    const rolloutMs = onsetMs - Math.round(stream.between(MINUTE_MS, 3 * MINUTE_MS));
    const version = nextVersion(victim.version, 'minor');
    const operation = mainOperation(victim);
    const cause = CAUSES[stream.below(CAUSES.length)];
    if (!cause) throw new InvariantError('No mistake is written.');
    const { mistake, failure, warning } = cause;
    const commit = guiltyCommit(BAD_DEPLOYS[mistake], operation, rolloutMs, stream.fork('commit'));
    const deploy = deployOf(victim, version, rolloutMs, commit);
    const impact = {
      selfFactor: stream.between(2.5, 5),
      addedMs: stream.between(40, 120),
      failShare: stream.between(0.45, 0.75),
      failure,
      warning,
      warningShare: 0.3,
    };
    return {
      causeType: 'bad-change',
      hurt: [operation],
      preludeMs: rolloutMs,
      changeId: deploy.changeId,
      rollouts: [{ service: victim, version, atMs: rolloutMs }],
      changes: deploy.changes,
      onVisit: (visit: Visit) =>
        visit.operation === operation && visit.pod.version === version && intensity(context, visit.atMs, 0) > 0
          ? impact
          : undefined,
    };
  },
};
