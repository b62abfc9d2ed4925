/**
 * Blame flows to callees: what a service shows may be the echo of trouble in something it calls. Pure arithmetic over the
 * findings and the call graph; resources and the way to a service never echo, so they blame the service itself.
 */
import type { Finding, Implication } from './finding.ts';
import { combineStrengths } from './statistics/shift.ts';

export interface Explanation {
  /** The callee whose own trouble explains the caller's. */
  readonly callee: string;
  /** 0..1: how much of what speaks against the caller falls away. */
  readonly strength: number;
  /** What shows the callee's trouble. */
  readonly evidenceIds: readonly string[];
}

interface Ground {
  readonly observation: string;
  readonly implication: Implication;
  readonly evidenceIds: readonly string[];
}

/**
 * The strongest ground for each observation that accuses a service, the strongest first; changes are occasions, not symptoms,
 * and do not count.
 */
function groundsByService(findings: readonly Finding[]): Map<string, Ground[]> {
  const strongest = new Map<string, Map<string, Ground>>();
  for (const { signal, observation, implications, evidenceIds } of findings) {
    if (signal === 'changes') continue;
    for (const implication of implications) {
      if (implication.stance !== 'for') continue;
      const grounds = strongest.get(implication.service) ?? new Map<string, Ground>();
      strongest.set(implication.service, grounds);
      const ground = { observation, implication, evidenceIds };
      const known = grounds.get(observation);
      if (!known || compareGrounds(ground, known) < 0) grounds.set(observation, ground);
    }
  }
  return new Map([...strongest].map(([service, grounds]) => [service, [...grounds.values()].sort(compareGrounds)]));
}

/** Stronger first, then what cannot echo, then by name: agents finish in any order, and the verdict must not depend on it. */
function compareGrounds(left: Ground, right: Ground): number {
  return (
    strengthOf(right) - strengthOf(left) ||
    Number(left.implication.canEcho) - Number(right.implication.canEcho) ||
    compareNames(nameOf(left), nameOf(right))
  );
}

function nameOf({ observation, evidenceIds }: Ground): string {
  return [observation, ...evidenceIds].join('\n');
}

function compareNames(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}

/** How strongly each service is accused before anybody asks whether it only echoes others. */
export function accusations(findings: readonly Finding[]): Map<string, number> {
  const grounds = groundsByService(findings);
  return new Map([...grounds].map(([service, list]) => [service, combineStrengths(list.map(strengthOf))]));
}

/** For each accused service the callee that explains it best, where one does. Services that call each other explain nothing. */
export function explainByCallees(
  findings: readonly Finding[],
  calls: readonly { readonly caller: string; readonly callee: string }[],
): Map<string, Explanation> {
  const grounds = groundsByService(findings);
  const accused = accusations(findings);
  const pairs = new Set(calls.map(({ caller, callee }) => `${caller}\n${callee}`));
  const explanations = new Map<string, Explanation>();
  for (const { caller, callee } of calls) {
    const own = grounds.get(caller);
    const suspicion = accused.get(callee) ?? 0;
    if (!own || caller === callee || suspicion === 0 || pairs.has(`${callee}\n${caller}`)) continue;
    const before = combineStrengths(own.map(strengthOf));
    const after = combineStrengths(
      own.map(({ implication }) => implication.strength * (implication.canEcho ? 1 - suspicion : 1)),
    );
    const strength = before > 0 ? 1 - after / before : 0;
    const explanation = { callee, strength, evidenceIds: grounds.get(callee)?.[0]?.evidenceIds ?? [] };
    if (strength > 0 && isBetter(explanation, explanations.get(caller))) explanations.set(caller, explanation);
  }
  return explanations;
}

function isBetter(explanation: Explanation, known: Explanation | undefined): boolean {
  if (!known || explanation.strength !== known.strength) return explanation.strength > (known?.strength ?? 0);
  return compareNames(explanation.callee, known.callee) < 0;
}

function strengthOf({ implication }: Ground): number {
  return implication.strength;
}
