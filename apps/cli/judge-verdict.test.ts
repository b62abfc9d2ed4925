/** The comparison with the simulator's truth is honest: right only for the right service, with what is off said. */
import { describe, expect, it } from 'vitest';
import type { Investigation, Suspect, Verdict } from '../../domain/investigation.ts';
import type { GroundTruth } from '../../simulator/ground-truth.ts';
import { judgeVerdict } from './judge-verdict.ts';

const ONSET_MS = Date.UTC(2026, 0, 31, 10, 12, 30);
const truth: GroundTruth = {
  faultKind: 'bad-deploy',
  onsetMs: ONSET_MS,
  preludeMs: ONSET_MS - 60_000,
  developsMs: 0,
  service: 'payment',
  causeType: 'bad-change',
  changeId: 'chg_payment',
  blastRadius: ['checkout'],
  decoys: [{ changeId: 'chg_decoy', kind: 'deploy', service: 'cart', atMs: ONSET_MS }],
};

function suspect(service: string, rank: number, more: Partial<Suspect> = {}): Suspect {
  return {
    rank,
    hypothesisId: `hyp_${service}`,
    service,
    causeType: 'bad-change',
    statement: '',
    score: 0.5,
    normal: {},
    evidenceIds: [],
    ...more,
  };
}

function judge(verdict: Pick<Verdict, 'outcome' | 'suspects'>, onsetMs = ONSET_MS) {
  const whole = { confidence: 0.8, onsetMs, blastRadius: [], propagation: [], ruledOut: [], gaps: [], ...verdict };
  return judgeVerdict({ verdict: whole } as unknown as Investigation, truth);
}

describe('judgeVerdict', () => {
  it('is right when the broken service is accused, and names the distance of the onset', () => {
    const { outcome, sentence } = judge(
      { outcome: 'root-cause', suspects: [suspect('payment', 1, { changeId: 'chg_payment' })] },
      ONSET_MS + 20_000,
    );
    expect(outcome).toBe('right');
    expect(sentence).toMatch(
      /truth: payment, bad change \(bad-deploy\), since 10:12:30 UTC -> .*RIGHT: payment, with the very change, onset 20 s late\./,
    );
  });

  it('is still right, and says so, when cause or change are off', () => {
    const suspects = [suspect('payment', 1, { causeType: 'errors', changeId: 'chg_decoy' })];
    const { outcome, sentence } = judge({ outcome: 'root-cause', suspects });
    expect(outcome).toBe('right');
    expect(sentence).toContain('but it says failing by itself, but it fell for a decoy');
  });

  it('is wrong when another service is accused', () => {
    const { outcome, sentence } = judge({
      outcome: 'root-cause',
      suspects: [suspect('cart', 1), suspect('payment', 2)],
    });
    expect(outcome).toBe('wrong');
    expect(sentence).toContain('it accuses cart; the culprit was suspect number 2');
  });

  it('an abstention is neither, whatever its first lead', () => {
    const { outcome, sentence } = judge({ outcome: 'abstained', suspects: [suspect('payment', 1)] });
    expect(outcome).toBe('abstained');
    expect(sentence).toContain('it was lead number 1');
    const failed = { status: 'failed' } as unknown as Investigation;
    expect(judgeVerdict(failed, truth).sentence).toContain('NO VERDICT');
    expect(judgeVerdict({} as unknown as Investigation, truth).outcome).toBe('abstained');
  });
});
