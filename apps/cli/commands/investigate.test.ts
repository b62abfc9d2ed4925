/** What words about time become before an incident is opened by hand. */
import { describe, expect, it } from 'vitest';
import { readOpenIncident } from './investigate.ts';

const NOW_MS = Date.UTC(2026, 0, 31, 12, 0, 0);
const MINUTE_MS = 60_000;

describe('readOpenIncident', () => {
  it('searches from an hour before the trouble when nobody names normal time', () => {
    expect(readOpenIncident({ service: 'checkout', since: '15m' }, NOW_MS)).toEqual({
      service: 'checkout',
      title: '',
      searchWindow: { startMs: NOW_MS - 75 * MINUTE_MS, endMs: NOW_MS },
      earliestOnsetMs: NOW_MS - 15 * MINUTE_MS,
    });
  });

  it('looks further back for longer trouble', () => {
    const { searchWindow } = readOpenIncident({ since: '5h', until: '2h' }, NOW_MS);
    expect(searchWindow).toEqual({ startMs: NOW_MS - 11 * 60 * MINUTE_MS, endMs: NOW_MS - 120 * MINUTE_MS });
  });

  it('takes normal time as given, and searches from its start', () => {
    const input = readOpenIncident({ since: '11:30', until: '11:50', baseline: '2h..1h' }, NOW_MS);
    expect(input.baselineWindow).toEqual({ startMs: NOW_MS - 120 * MINUTE_MS, endMs: NOW_MS - 60 * MINUTE_MS });
    expect(input.searchWindow).toEqual({ startMs: NOW_MS - 120 * MINUTE_MS, endMs: NOW_MS - 10 * MINUTE_MS });
  });

  it('refuses the future', () => {
    expect(() => readOpenIncident({ since: '2026-02-01' }, NOW_MS)).toThrow('--since 2026-02-01 lies in the future');
  });
});
