import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FoundIncident, type KnownFault, MATCH_WITHIN_MS, matchIncidents } from './match-incidents.ts';

const MINUTE_MS = 60_000;
const faultAt = (minutes: number): KnownFault => ({
  faultId: `fault-${minutes}`,
  faultType: 'cpu',
  service: 'cart',
  injectMs: minutes * MINUTE_MS,
});
const incidentAt = (onset: number, opened = onset + 1): FoundIncident => ({
  onsetMs: onset * MINUTE_MS,
  openedMs: opened * MINUTE_MS,
  services: ['cart'],
});

describe('matchIncidents', () => {
  test('an incident finds the fault it begins in, and is as late as it was opened', () => {
    const { matches, unmatched } = matchIncidents([faultAt(10)], [incidentAt(11, 13)]);
    expect(matches[0]?.delayMs).toBe(3 * MINUTE_MS);
    expect(unmatched).toEqual([]);
  });

  test('two incidents of one fault: one finds it, one is false', () => {
    const { matches, unmatched } = matchIncidents([faultAt(10)], [incidentAt(13), incidentAt(11)]);
    expect(matches[0]?.incident).toEqual(incidentAt(11));
    expect(unmatched).toEqual([incidentAt(13)]);
  });

  test('one incident over two faults finds the one it begins in', () => {
    const { matches } = matchIncidents([faultAt(10), faultAt(14)], [incidentAt(11)]);
    expect(matches.map(({ incident }) => incident !== undefined)).toEqual([true, false]);
  });

  test('faults that overlap share out their incidents', () => {
    const { matches, unmatched } = matchIncidents([faultAt(14), faultAt(10)], [incidentAt(14.5), incidentAt(15)]);
    expect(matches.map(({ fault, incident }) => [fault.faultId, incident?.onsetMs])).toEqual([
      ['fault-10', 14.5 * MINUTE_MS],
      ['fault-14', 15 * MINUTE_MS],
    ]);
    expect(unmatched).toEqual([]);
  });

  test('the time of a fault holds its first moment and not its last', () => {
    const found = (onset: number) => matchIncidents([faultAt(10)], [incidentAt(onset)]).unmatched.length === 0;
    expect([9.99, 10, 15.99, 16].map(found)).toEqual([false, true, true, false]);
  });

  test('without faults or incidents', () => {
    expect(matchIncidents([], [])).toEqual({ matches: [], unmatched: [] });
    expect(matchIncidents([faultAt(1)], []).matches[0]?.incident).toBeUndefined();
    expect(matchIncidents([], [incidentAt(1)]).unmatched).toHaveLength(1);
  });
});

test('for any times: every incident counts once, every match lies in its fault', () => {
  const minutes = fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 12 });
  fc.assert(
    fc.property(minutes, minutes, (faults, onsets) => {
      const { matches, unmatched } = matchIncidents(
        faults.map(faultAt),
        onsets.map((onset) => incidentAt(onset)),
      );
      const found = matches.filter(({ incident }) => incident !== undefined);
      expect(matches).toHaveLength(faults.length);
      expect(found.length + unmatched.length).toBe(onsets.length);
      for (const { fault, incident } of found) {
        const afterMs = (incident?.onsetMs ?? 0) - fault.injectMs;
        expect(afterMs >= 0 && afterMs < MATCH_WITHIN_MS).toBe(true);
      }
      // No fault is left that an incident without one begins in.
      for (const { fault } of matches.filter(({ incident }) => incident === undefined)) {
        const fits = unmatched.some(
          ({ onsetMs }) => onsetMs >= fault.injectMs && onsetMs < fault.injectMs + MATCH_WITHIN_MS,
        );
        expect(fits).toBe(false);
      }
    }),
  );
});
