/** A service fails a share of its requests from one moment to the next; its callers retry, and fail with it. */
import type { Visit } from '../disturbance.ts';
import type { Failure, Runtime } from '../shop-model.ts';
import { type FaultContext, type FaultDefinition, intensity, isNeededService } from './fault.ts';

const FAILURES: Readonly<Record<Runtime, readonly Failure[]>> = {
  jvm: [
    { exception: 'java.lang.IllegalStateException', message: 'entity manager is closed, unit {n}' },
    { exception: 'java.io.IOException', message: 'Stream closed while writing spool {id}' },
  ],
  nodejs: [
    { exception: 'TypeError', message: "Cannot read properties of null (reading 'version') in slot {n}" },
    { exception: 'Error', message: 'EMFILE: too many open files, open /tmp/{id}' },
  ],
  go: [
    { exception: 'panic', message: 'assignment to entry in nil map, key {id}' },
    { exception: 'fs.PathError', message: 'open /var/run/keys/{id}: too many open files' },
  ],
  python: [
    { exception: 'RuntimeError', message: 'dictionary changed size during iteration, {n} entries' },
    { exception: 'OSError', message: '[Errno 5] Input/output error: /tmp/{id}' },
  ],
};

export const errorBurst: FaultDefinition = {
  suits: isNeededService,
  plan(context: FaultContext) {
    const { victim, stream, onsetMs } = context;
    const failures = FAILURES[victim.runtime ?? 'go'];
    const failure = failures[stream.below(failures.length)] ?? { exception: 'Error', message: 'unknown' };
    const impact = { selfFactor: 1, addedMs: 0, failShare: stream.between(0.5, 0.8), failure };
    return {
      causeType: 'errors',
      hurt: victim.operations,
      preludeMs: onsetMs,
      rollouts: [],
      changes: [],
      onVisit: ({ operation, atMs }: Visit) =>
        operation.service === victim && intensity(context, atMs, 0) > 0 ? impact : undefined,
    };
  },
};
