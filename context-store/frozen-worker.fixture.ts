/**
 * A worker that is frozen with a claim in its hands: claims, says so, waits to be told, then writes as if nothing had been, and
 * says what came of it. Arguments: socket, investigation, task, lease (ms).
 */
import { once } from 'node:events';
import { answerBy, openTestRedis } from './board.fixture.ts';
import { holdClaim } from './hold-claim.ts';

const [, , socket = '', investigationId = '', taskId = '', leaseMs = ''] = process.argv;
const { contextStore, close } = await openTestRedis(socket);
const claim = await contextStore.claimTask(investigationId, taskId, 'frozen', Number(leaseMs));
if (!claim) process.exit(1);
const told = once(process, 'message');
const { promise: written, resolve: endOfWork } = Promise.withResolvers<void>();
process.send?.('claimed');
const work = async (signal: AbortSignal) => {
  await told;
  const isWarned = signal.aborted; // a process that stood still knows of nothing
  const completed = await contextStore.completeTask(claim, answerBy('frozen', claim));
  const extended = await contextStore.extendClaim(claim, Number(leaseMs));
  await contextStore.releaseClaim(claim);
  const next = await contextStore.claimNext(['metrics-agent'], 'frozen', Number(leaseMs));
  process.send?.({ isWarned, completed, extended, next: next ?? 'nothing' });
  endOfWork();
};
await holdClaim(contextStore, claim, Number(leaseMs), new AbortController().signal, work).catch(() => undefined);
await written;
await close();
process.disconnect();
