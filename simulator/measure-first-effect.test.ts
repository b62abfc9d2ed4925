/** The truth beside the data: where and when a fault first shows, by the run without it, and a document that says so. */
import { describe, expect, it } from 'vitest';
import { InputError } from '../platform/errors.ts';
import type { FaultKind } from './faults/fault-kinds.ts';
import { departure, EFFECT_WINDOW_MS, measureFirstEffect } from './measure-first-effect.ts';
import { truthDocumentSchema, writeTruth } from './truth-document.ts';

const ONSET_MS = Date.UTC(2026, 0, 14, 10, 0, 5);
const COMMON = { startMs: ONSET_MS - 600_000, endMs: ONSET_MS + 40_000, requestsPerSecond: 8 };

function optionsFor(kind: FaultKind, seed: number) {
  return { ...COMMON, seed, decoys: true, fault: { kind, onsetMs: ONSET_MS } };
}

describe('departure', () => {
  const usual = { requests: 100, failures: 1, p95Ms: 40 };

  it('takes several more failures, and a larger share of them', () => {
    expect(departure({ ...usual, failures: 4 }, usual)).toBe('failures');
    expect(departure({ ...usual, failures: 2 }, usual)).toBeUndefined();
    expect(departure({ requests: 400, failures: 6, p95Ms: 40 }, usual)).toBeUndefined();
  });

  it('takes a p95 that is slower by half and by milliseconds, of enough requests', () => {
    expect(departure({ ...usual, p95Ms: 60 }, usual)).toBe('p95');
    expect(departure({ ...usual, p95Ms: 59 }, usual)).toBeUndefined();
    expect(departure({ ...usual, p95Ms: 6 }, { ...usual, p95Ms: 2 })).toBeUndefined();
    expect(departure({ ...usual, requests: 4, p95Ms: 400 }, usual)).toBeUndefined();
  });
});

describe('measureFirstEffect', () => {
  it('finds the window of the onset and the deepest service that shows it', () => {
    for (const kind of ['error-burst', 'bad-deploy'] as const) {
      const { first, affected } = measureFirstEffect(optionsFor(kind, 2));
      expect(first?.startMs).toBe(Math.floor(ONSET_MS / EFFECT_WINDOW_MS) * EFFECT_WINDOW_MS);
      expect(first?.service).toBe({ 'error-burst': 'order', 'bad-deploy': 'inventory' }[kind]);
      expect(affected).toContain('gateway');
    }
  });

  it('sees a dependency through the spans of its callers, and another service where the broken one shows nothing', () => {
    expect(measureFirstEffect(optionsFor('external-outage', 2)).first?.service).toBe('carrier-api');
    const delayed = measureFirstEffect(optionsFor('network-delay', 1));
    expect(delayed.first?.service).toBe('gateway');
    expect(delayed.affected).not.toContain('search');
  });

  it('begins shortly before the fault, however long the history', () => {
    const { startMs, endMs } = measureFirstEffect({ ...optionsFor('slow-dependency', 1), startMs: ONSET_MS - 3e9 });
    expect(startMs).toBeGreaterThan(ONSET_MS - 60_000);
    expect(endMs).toBe(ONSET_MS + 40_000);
  });

  it('needs a fault', () => {
    expect(() => measureFirstEffect({ ...COMMON, seed: 1 })).toThrow(InputError);
  });
});

describe('writeTruth', () => {
  it('is a document of its schema, the same each time, and survives JSON', () => {
    const options = optionsFor('bad-deploy', 3);
    const truth = writeTruth(options);
    expect(truthDocumentSchema.parse(JSON.parse(JSON.stringify(truth)))).toEqual(truth);
    expect(writeTruth(options)).toEqual(truth);
    expect(truth).toMatchObject({ fault: 'bad-deploy', causeType: 'bad-change', onset: '2026-01-14T10:00:05.000Z' });
    expect(truth.commit).toMatch(/^[0-9a-f]{40}$/);
    expect(truth.decoys.some(({ changeId }) => changeId === truth.commit)).toBe(false);
    expect(truth.blastRadius).not.toContain(truth.service);
    expect(truth.structuralBlastRadius).toContain('gateway');
  });
});
