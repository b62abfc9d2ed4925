/** What a diff does against what is seen: the class of change that explains the signs best, by one symptom and over all of them. */
import type { ChangeClass, ChangeClassName } from './change-class.ts';
import type { ClassifiedDiff } from './classify-diff.ts';
import { explains } from './explains.ts';
import type { Sign } from './incident-signs.ts';
import type { Symptom } from './symptoms.ts';

/** More work for another service than the one that changed may be what the change makes of each request. */
export function asEffect(sign: Sign, carrier: string): Sign | undefined {
  if (!sign.isLoad) return sign;
  return sign.service === carrier ? undefined : { ...sign, weight: LOAD_WEIGHT, symptoms: ['more-calls'] };
}

const LOAD_WEIGHT = 0.8;

export interface Match {
  readonly mechanism: number;
  readonly does: string;
  readonly path: string;
  readonly symptom: Symptom | '';
  readonly sign: Sign | undefined;
  readonly isNamed: boolean;
}

const NO_MATCH: Match = { mechanism: 0, does: '', path: '', symptom: '', sign: undefined, isNamed: false };
/** How much of a mechanism is its best symptom, and how much the share of all signs that it explains. */
const BEST_SHARE = 0.75;

export function matchMechanism({ classes }: ClassifiedDiff, signs: readonly Sign[]): Match {
  const total = signs.reduce((sum, sign) => sum + sign.weight, 0);
  let best = NO_MATCH;
  for (const change of classes) {
    let covered = 0;
    let top = NO_MATCH;
    for (const sign of signs) {
      const named = anchorFactor(change, sign);
      for (const symptom of sign.symptoms) {
        const fit = Math.min(1, change.strength * explains(change.name, symptom) * named);
        if (fit * sign.weight > top.mechanism) {
          top = {
            mechanism: fit * sign.weight,
            does: change.does,
            path: change.path,
            symptom,
            sign,
            isNamed: named === NAMED,
          };
        }
      }
      covered +=
        sign.weight *
        Math.max(0, ...sign.symptoms.map((symptom) => explains(change.name, symptom))) *
        Math.min(1, named);
    }
    const mechanism =
      top.mechanism * (BEST_SHARE + (1 - BEST_SHARE) * Math.min(1, (1.5 * covered) / Math.max(0.1, total)));
    if (mechanism > best.mechanism) best = { ...top, mechanism };
  }
  return best;
}

/** What depends on a name, and the sign does not speak it: a table cannot be it, a renamed field or another address may. */
const UNNAMED: Partial<Readonly<Record<ChangeClassName, number>>> = {
  'error-raised': 0,
  'relation-used': 0,
  'relation-removed': 0.3,
  'name-changed': 0.45,
  'type-changed': 0.45,
  'setting-changed': 0.6,
  'endpoint-changed': 0.7,
};
const NAMED = 1.25;

function anchorFactor({ anchors, name }: ChangeClass, { text }: Sign): number {
  if (anchors.length === 0) return 1;
  const lower = text.toLowerCase();
  const words = new Set(lower.match(/[a-z_]\w*/g) ?? []);
  const isNamed = anchors.some((anchor) => {
    const name = anchor.toLowerCase();
    return words.has(name.split('.').at(-1) ?? '') || (name.length > 6 && lower.includes(name));
  });
  return isNamed ? NAMED : (UNNAMED[name] ?? 1);
}
