/** How well detected incidents meet faults whose time is known: which were found, how late, and what was called without one. Pure. */

export interface KnownFault {
  readonly faultId: string;
  readonly faultType: string;
  readonly service: string;
  readonly injectMs: number;
}

export interface FoundIncident {
  readonly onsetMs: number;
  readonly openedMs: number;
  /** The most affected first. */
  readonly services: readonly string[];
}

export interface FaultMatch<F extends KnownFault = KnownFault, I extends FoundIncident = FoundIncident> {
  readonly fault: F;
  readonly incident: I | undefined;
  /** From injection to the moment that the incident was opened. */
  readonly delayMs: number | undefined;
}

export interface MatchedIncidents<F extends KnownFault = KnownFault, I extends FoundIncident = FoundIncident> {
  readonly matches: readonly FaultMatch<F, I>[];
  /** Incidents that match no fault. */
  readonly unmatched: readonly I[];
}

/** An incident's onset lies so long after the injection of its fault, at the most. */
export const MATCH_WITHIN_MS = 360_000;

/**
 * A fault is found by an incident whose onset lies in [inject, inject + 6 min); one incident finds one fault, and one fault is
 * found once: the earliest of both, so that as many as possible are found.
 */
export function matchIncidents<F extends KnownFault, I extends FoundIncident>(
  faults: readonly F[],
  incidents: readonly I[],
): MatchedIncidents<F, I> {
  const left = [...incidents].sort((one, other) => one.onsetMs - other.onsetMs);
  const matches = [...faults]
    .sort((one, other) => one.injectMs - other.injectMs)
    .map((fault): FaultMatch<F, I> => {
      const index = left.findIndex(({ onsetMs }) => isWithin(onsetMs, fault));
      const [incident] = index < 0 ? [] : left.splice(index, 1);
      return { fault, incident, delayMs: incident && incident.openedMs - fault.injectMs };
    });
  return { matches, unmatched: left };
}

/** The onset lies in the time of the fault. */
export function isWithin(onsetMs: number, { injectMs }: Pick<KnownFault, 'injectMs'>): boolean {
  return onsetMs >= injectMs && onsetMs < injectMs + MATCH_WITHIN_MS;
}
