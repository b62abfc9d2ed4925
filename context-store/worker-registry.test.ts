/** The registry in memory against the contract of both. */
import { describeWorkerRegistry } from './worker-registry.contract.ts';
import { createMemoryWorkerRegistry } from './worker-registry.ts';

describeWorkerRegistry('memory worker registry', async (clock) => createMemoryWorkerRegistry(clock));
