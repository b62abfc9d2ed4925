/** Heartbeats while something takes long, so that the group does not take its member for dead. */

const HEARTBEAT_MS = 1_000;

/**
 * A heartbeat that is refused, because the group wants to share the partitions anew, is told to the work, so that it does not wait.
 * If the work gives up then, it is the refusal that the group's client hears of: by that it knows that it has to join again.
 */
export async function withHeartbeats<T>(
  heartbeat: () => Promise<void>,
  work: (isWanted: () => boolean) => Promise<T>,
  everyMs = HEARTBEAT_MS,
): Promise<T> {
  let refusal: unknown;
  const timer = setInterval(() => {
    heartbeat().catch((error: unknown) => {
      refusal = error;
    });
  }, everyMs);
  try {
    return await work(() => refusal === undefined);
  } catch (error) {
    throw refusal ?? error;
  } finally {
    clearInterval(timer);
  }
}
