/** The table that says what each part of detection is worth. */
import { describe, expect, it } from 'vitest';
import { InputError } from '../platform/errors.ts';
import { ablateSuite, headlineOf, tabulateAblation } from './ablate-suite.ts';

describe('the ablation table', () => {
  it('shows the numbers at the top of a score, nothing deeper', () => {
    expect(headlineOf({ found: 3, recall: 0.75, kinds: [{ found: 1 }], mark: 'none' })).toEqual({
      found: 3,
      recall: 0.75,
    });
    expect(headlineOf(undefined)).toEqual({});
  });

  it('marks what differs from the run with everything', () => {
    const text = tabulateAblation([
      { figures: { found: 30, falseIncidents: 1 } },
      { without: 'series', figures: { found: 30, falseIncidents: 1 } },
      { without: 'requests', figures: { found: 12.34567, falseIncidents: 1 } },
    ]);
    expect(text.split('\n').map((line) => line.split(/\s{2,}/))).toEqual([
      ['without', 'found', 'falseIncidents'],
      ['(nothing)', '30', '1'],
      ['series', '30', '1'],
      ['requests', '12.346*', '1'],
    ]);
  });

  it('refuses a suite without detection', async () => {
    const options = { suite: 'simulator', part: 'dev', signal: new AbortController().signal };
    await expect(ablateSuite(options)).rejects.toThrow(InputError);
  });
});
