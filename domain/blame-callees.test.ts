import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { accusations, explainByCallees } from './blame-callees.ts';
import type { Finding } from './finding.ts';

interface Words {
  readonly service: string;
  readonly strength: number;
  readonly canEcho?: boolean;
  readonly observation?: string;
  readonly signal?: Finding['signal'];
  readonly stance?: 'for' | 'against';
  readonly evidenceId?: string;
}

function finding({ service, strength, canEcho = true, signal = 'traces', stance = 'for', ...rest }: Words): Finding {
  const observation = rest.observation ?? `${signal}:${canEcho ? 'self' : 'edge'}:${service}`;
  return {
    findingId: `find_${observation}`,
    agent: 'trace-agent',
    taskId: 'task_1',
    signal,
    observation,
    service,
    subject: 'whatever',
    window: { startMs: 0, endMs: 1 },
    sentence: observation,
    evidenceIds: [rest.evidenceId ?? `ev_${observation}`],
    implications: [{ service, causeType: 'unknown', stance, strength, canEcho }],
    figures: {},
  };
}

const call = (caller: string, callee: string) => ({ caller, callee });

describe('accusations', () => {
  test('combine independent observations and count the same one once, at its strongest', () => {
    const accused = accusations([
      finding({ service: 'web', strength: 0.5, observation: 'a' }),
      finding({ service: 'web', strength: 0.3, observation: 'a' }),
      finding({ service: 'web', strength: 0.4, observation: 'b' }),
      finding({ service: 'stock', strength: 0.2 }),
    ]);
    expect(accused.get('web')).toBeCloseTo(1 - 0.5 * 0.6, 12);
    expect(accused.get('stock')).toBeCloseTo(0.2, 12);
  });

  test('leave changes out, and what speaks for somebody', () => {
    const accused = accusations([
      finding({ service: 'web', strength: 0.6, signal: 'changes' }),
      finding({ service: 'stock', strength: 0.9, stance: 'against' }),
    ]);
    expect([...accused]).toEqual([]);
  });
});

describe('explainByCallees', () => {
  test('a callee in trouble explains what may echo in its caller, as far as the callee is suspected', () => {
    const findings = [finding({ service: 'web', strength: 0.9 }), finding({ service: 'stock', strength: 0.8 })];
    const explained = explainByCallees(findings, [call('web', 'stock')]);
    // Of 0.9 a fifth remains.
    expect(explained.get('web')).toEqual({
      callee: 'stock',
      strength: expect.closeTo(0.8, 12),
      evidenceIds: ['ev_traces:self:stock'],
    });
    expect(explained.has('stock')).toBe(false);
  });

  test('what a service owns or is reached by never echoes', () => {
    const owned = [
      finding({ service: 'web', strength: 0.7, canEcho: false, observation: 'metrics:cpu:web' }),
      finding({ service: 'web', strength: 0.6, canEcho: false, observation: 'traces:edge-time:web' }),
      finding({ service: 'stock', strength: 1 }),
    ];
    expect(explainByCallees(owned, [call('web', 'stock')]).size).toBe(0);
    const both = [...owned, finding({ service: 'web', strength: 0.5, canEcho: true })];
    // 1 - 0.3 * 0.4 * 0.5 = 0.94 before, 1 - 0.3 * 0.4 = 0.88 after.
    expect(explainByCallees(both, [call('web', 'stock')]).get('web')?.strength).toBeCloseTo(1 - 0.88 / 0.94, 12);
  });

  test('services that call each other, or themselves, explain nothing', () => {
    const findings = [finding({ service: 'web', strength: 0.9 }), finding({ service: 'stock', strength: 0.8 })];
    expect(explainByCallees(findings, [call('web', 'stock'), call('stock', 'web')]).size).toBe(0);
    expect(explainByCallees(findings, [call('web', 'web')]).size).toBe(0);
  });

  test('a change on a callee explains nothing, and a change on the caller is nothing to explain', () => {
    const changed = finding({ service: 'stock', strength: 0.6, signal: 'changes' });
    expect(explainByCallees([finding({ service: 'web', strength: 0.9 }), changed], [call('web', 'stock')]).size).toBe(
      0,
    );
    const onlyChanged = [
      finding({ service: 'web', strength: 0.6, signal: 'changes' }),
      finding({ service: 'stock', strength: 1 }),
    ];
    expect(explainByCallees(onlyChanged, [call('web', 'stock')]).size).toBe(0);
  });

  test('the callee that explains most is named, with its strongest evidence', () => {
    const findings = [
      finding({ service: 'web', strength: 0.9 }),
      finding({ service: 'stock', strength: 0.3 }),
      finding({ service: 'pay', strength: 0.5, observation: 'weak' }),
      finding({ service: 'pay', strength: 0.6, observation: 'strong' }),
    ];
    const explained = explainByCallees(findings, [call('web', 'stock'), call('web', 'pay')]);
    expect(explained.get('web')).toMatchObject({ callee: 'pay', evidenceIds: ['ev_strong'] });
  });

  test('a callee without suspicion, and a caller without accusation, have no part in it', () => {
    const findings = [finding({ service: 'web', strength: 0.9 })];
    expect(explainByCallees(findings, [call('web', 'stock'), call('edge', 'web')]).size).toBe(0);
  });
});

describe('for any findings and calls', () => {
  const services = fc.constantFrom('a', 'b', 'c', 'd');
  // Few values on purpose, so that ties are common.
  const anyFinding = fc
    .record({
      service: services,
      strength: fc.constantFrom(0, 0.3, 0.5, 0.5, 0.9, 1),
      canEcho: fc.boolean(),
      observation: fc.constantFrom('p', 'q', 'r', 's'),
      signal: fc.constantFrom('traces' as const, 'logs' as const, 'changes' as const),
      evidenceId: fc.constantFrom('ev_1', 'ev_2', 'ev_3'),
    })
    .map(finding);
  const findings = fc.array(anyFinding, { maxLength: 12 });
  const calls = fc.array(fc.record({ caller: services, callee: services }), { maxLength: 8 });
  const sorted = <Value>(map: ReadonlyMap<string, Value>) =>
    [...map].sort(([left], [right]) => (left < right ? -1 : 1));

  test('neither the order of findings nor that of calls matters', () => {
    const shuffled = <Value>(values: readonly Value[]) =>
      fc.shuffledSubarray([...values], { minLength: values.length, maxLength: values.length });
    const both = fc
      .tuple(findings, calls)
      .chain(([some, edges]) => fc.tuple(fc.constant(some), fc.constant(edges), shuffled(some), shuffled(edges)));
    fc.assert(
      fc.property(both, ([some, edges, otherSome, otherEdges]) => {
        expect(sorted(accusations(otherSome))).toEqual(sorted(accusations(some)));
        expect(sorted(explainByCallees(otherSome, otherEdges))).toEqual(sorted(explainByCallees(some, edges)));
      }),
      { numRuns: 500 },
    );
  });

  test('strengths lie in 0..1, and the same findings and calls twice say nothing more', () => {
    fc.assert(
      fc.property(findings, calls, (some, edges) => {
        for (const strength of accusations(some).values()) {
          expect(strength).toBeGreaterThanOrEqual(0);
          expect(strength).toBeLessThanOrEqual(1);
        }
        const explained = explainByCallees(some, edges);
        for (const { strength } of explained.values()) {
          expect(strength).toBeGreaterThan(0);
          expect(strength).toBeLessThanOrEqual(1);
        }
        expect(explainByCallees([...some, ...some], [...edges, ...edges])).toEqual(explained);
      }),
    );
  });
});
