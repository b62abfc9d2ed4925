/** Where and since when a commit ran, which of the incident's signs began after that, and how near they are to it. */
import type { Sign } from './incident-signs.ts';
import { parseDiff } from './parse-diff.ts';

export interface CommitRecord {
  readonly sha: string;
  readonly atMs: number;
  readonly summary: string;
  /** Files it touched, where somebody says so. */
  readonly paths: readonly string[];
  readonly diff: string;
  /** The service it is recorded for; empty when it is bound to none. */
  readonly service: string;
}

export interface DeployRecord {
  readonly changeId: string;
  readonly service: string;
  readonly atMs: number;
  /** The commit it put in place; empty when nobody says. */
  readonly sha: string;
}
export interface Carrier {
  readonly service: string;
  /** Empty when no deploy is known to have carried it. */
  readonly changeId: string;
  readonly atMs: number;
  /** 0..1: that it ran there from then on. */
  readonly certainty: number;
}
export interface Carriage {
  readonly carrier: Carrier;
  readonly explained: number;
  readonly nearness: number;
}

/**
 * 0..1: how much of a commit's fit counts, given where and when it ran. What it leaves unexplained counts twice against one that
 * merely fits: some innocent fits anything. Against one that is `isNamed` by what went wrong it counts once.
 */
export function carriageWeight({ carrier, explained, nearness: near }: Carriage, isNamed = false): number {
  return carrier.certainty * near * (isNamed ? explained : explained ** 2);
}

/** Onsets are known to about this much. */
export const SLACK_MS = 90_000;
const CERTAINTY = { named: 1, between: 0.85, unrecorded: 0.85, elsewhere: 0.35 };

/**
 * Where and since when a commit ran: on the service whose deploy names it; else on those whose first deploy after it names a
 * later commit (a deploy takes along everything before it). With deploys recorded and none after it, it ran nowhere.
 */
export function carriersOf(
  commit: CommitRecord,
  deploys: readonly DeployRecord[],
  names: readonly string[],
): Carrier[] {
  const { sha, atMs, service } = commit;
  const naming = deploys.filter((deploy) => deploy.sha !== '' && isSameCommit(deploy.sha, sha));
  if (naming.length > 0) return naming.map((deploy) => ({ ...pick(deploy), certainty: CERTAINTY.named }));
  if (deploys.length === 0) {
    const [owner = ''] = ownersOf(commit, names);
    return [{ service: service || owner, changeId: '', atMs, certainty: CERTAINTY.unrecorded }];
  }
  const after = deploys.filter((deploy) => deploy.atMs > atMs && (service === '' || deploy.service === service));
  const firstOf = new Map<string, DeployRecord>();
  for (const deploy of [...after].sort((left, right) => left.atMs - right.atMs)) {
    if (!firstOf.has(deploy.service)) firstOf.set(deploy.service, deploy);
  }
  const owners = ownersOf(commit, names);
  return [...firstOf.values()].map((deploy) => {
    const isElsewhere = owners.length > 0 && !owners.includes(deploy.service);
    return { ...pick(deploy), certainty: isElsewhere ? CERTAINTY.elsewhere : CERTAINTY.between };
  });
}

export function serviceNames(deploys: readonly DeployRecord[], signs: readonly Sign[]): string[] {
  return [...new Set([...deploys, ...signs].map(({ service }) => service))].filter((name) => name !== '').sort();
}

/** Services whose own folders a commit touches, in a repository of many; none where it touches what they share. */
function ownersOf({ paths, diff }: CommitRecord, names: readonly string[]): string[] {
  const touched = paths.length > 0 ? paths : parseDiff(diff).map(({ path }) => path);
  const folders = new Set(touched.flatMap((path) => path.split('/').slice(0, -1).map(bareName)));
  return names.filter((name) => folders.has(bareName(name)));
}

/** `payment-service`, `paymentservice` and `payment-svc` are payment. */
function bareName(name: string): string {
  const whole = name.toLowerCase();
  return whole.replace(/[-_.]?(service|svc|server|api|app|worker)?([-_]\d+)?$/, '').replace(/[-_.]/g, '') || whole;
}

function pick({ service, changeId, atMs }: DeployRecord) {
  return { service, changeId, atMs };
}

/** Short ids of seven digits and more are understood. */
export function isSameCommit(left: string, right: string): boolean {
  const [short, long] = left.length <= right.length ? [left, right] : [right, left];
  return short.length >= 7 && long.toLowerCase().startsWith(short.toLowerCase());
}

/** Of the signs' weight: what began after the change. What began before it, and before the trouble, is background. */
export function explainedShare({ atMs }: Carrier, trouble: readonly Sign[], troubleSinceMs = 0): number {
  const weigh = (signs: readonly Sign[]) => signs.reduce((sum, { weight }) => sum + weight, 0);
  const since = Math.min(atMs, troubleSinceMs) - SLACK_MS;
  const all = weigh(trouble.filter(({ onsetMs }) => onsetMs >= since));
  return all === 0 ? 0 : weigh(trouble.filter(({ onsetMs }) => onsetMs >= atMs - SLACK_MS)) / all;
}

const NEARNESS = { itself: 1, neighbour: 0.9, unheard: 0.7, healthy: 0.5 };

/** A change hurts the service that runs it, or those it calls and is called by; a healthy one far from the trouble is no suspect. */
export function nearness(
  { service, atMs }: Carrier,
  trouble: readonly Sign[],
  calls: readonly { readonly caller: string; readonly callee: string }[],
): number {
  const hurt = new Set(
    trouble.filter((sign) => sign.weight >= 0.3 && sign.onsetMs >= atMs - SLACK_MS).map((sign) => sign.service),
  );
  if (service === '' || hurt.has(service)) return NEARNESS.itself;
  const isNeighbour = calls.some(
    ({ caller, callee }) => (caller === service && hurt.has(callee)) || (callee === service && hurt.has(caller)),
  );
  if (isNeighbour) return NEARNESS.neighbour;
  return calls.some(({ caller, callee }) => caller === service || callee === service)
    ? NEARNESS.healthy
    : NEARNESS.unheard;
}
