/** The memory implementation against the contract of every context store. */
import { describeContextStore } from './context-store.contract.ts';
import { createMemoryContextStore } from './memory-context-store.ts';

describeContextStore('memory context store', async (options) => createMemoryContextStore(options));
