/**
 * Which commit explains an incident: what its diff does against what telemetry shows, the rare words both share, whether a deploy
 * carried it before the signs began and to whom. The best commit is held against causes outside the code, and named only if it wins.
 */

import {
  type Carrier,
  type CommitRecord,
  carriageWeight,
  carriersOf,
  type DeployRecord,
  explainedShare,
  nearness,
  SLACK_MS,
  serviceNames,
} from './carriers.ts';
import { type ClassifiedDiff, classifyDiff } from './classify-diff.ts';
import type { IncidentSigns, Sign } from './incident-signs.ts';
import { asEffect, matchMechanism } from './match-mechanism.ts';
import { findOutsideCause, type OutsideCause, type StatusNote } from './outside-causes.ts';
import { parseDiff } from './parse-diff.ts';
import { compareWords, type Overlap } from './shared-words.ts';
import type { Symptom } from './symptoms.ts';

export interface Judgement {
  readonly sha: string;
  /** 0..1: how well it explains the incident. */
  readonly score: number;
  /** How well what it does explains what is seen, 0..1. */
  readonly mechanism: number;
  /** How much of the incident's own rare words it shares, 0..1. */
  readonly vocabulary: number;
  /** Share of the signs that began after it was running, 0..1. */
  readonly explained: number;
  readonly sharedWords: readonly string[];
  /** What it does; empty where no class of change fits. */
  readonly does: string;
  readonly path: string;
  readonly symptom: Symptom | '';
  /** The sign it explains best. */
  readonly sign: Sign | undefined;
  /** That sign speaks a name which the diff brought in or took away: nothing outside does that. */
  readonly isNamed: boolean;
  readonly carrier: Carrier;
}
export interface CommitVerdict {
  /** Every commit with a diff, the best first. */
  readonly ranked: readonly Judgement[];
  readonly outside: OutsideCause | undefined;
  /** True when the first explains the incident better than anything outside, and clearly enough to be named. */
  readonly isConvincing: boolean;
}

/** Below this nobody is named. */
const CONVINCING = 0.48;
/** A second commit this near leaves open which of the two it was. */
const TIE = 0.93;
const MECHANISM_WEIGHT = 0.85;
const VOCABULARY_WEIGHT = 0.4;

export interface CommitMatter {
  readonly commits: readonly CommitRecord[];
  readonly deploys: readonly DeployRecord[];
  readonly incident: IncidentSigns;
  readonly calls: readonly { readonly caller: string; readonly callee: string }[];
  /** The incident began no earlier: what began before speaks against no commit. 0: unknown. */
  readonly troubleSinceMs?: number;
  /** What status pages and providers said meanwhile. */
  readonly notes?: readonly StatusNote[];
}

export function judgeCommits(matter: CommitMatter): CommitVerdict {
  const { commits, incident, calls } = matter;
  const diffs = commits
    .filter(({ diff }) => diff !== '')
    .map((commit) => ({ commit, classified: classifyDiff(parseDiff(commit.diff, commit.paths)) }));
  const overlapOf = compareWords(
    diffs.map(({ classified }) => classified),
    incident,
  );
  const ranked = diffs
    .map(({ commit, classified }) => judge(commit, classified, overlapOf(classified), matter))
    .sort((left, right) => right.score - left.score || (left.sha < right.sha ? -1 : 1));
  const outside = findOutsideCause(incident.signs, calls, matter.notes ?? []);
  const [first, second] = ranked;
  const isConvincing =
    first !== undefined &&
    first.score >= CONVINCING &&
    (isUnmistakable(first) || first.score > (outside?.strength ?? 0)) &&
    (second?.score ?? 0) < TIE * first.score;
  return { ranked, outside, isConvincing };
}

/** The sign speaks a name that the diff brought in or took away: whatever else is wrong, this is. */
function isUnmistakable({ isNamed, mechanism }: Pick<Judgement, 'isNamed' | 'mechanism'>): boolean {
  return isNamed && mechanism >= UNMISTAKABLE;
}

const UNMISTAKABLE = 0.6;

function judge(
  commit: CommitRecord,
  classified: ClassifiedDiff,
  { vocabulary, sharedWords }: Overlap,
  { deploys, incident, calls, troubleSinceMs = 0 }: CommitMatter,
): Judgement {
  const trouble = incident.signs.filter(({ isLoad }) => !isLoad);
  const carriers = carriersOf(commit, deploys, serviceNames(deploys, incident.signs)).map((carrier) => ({
    carrier,
    explained: explainedShare(carrier, trouble, troubleSinceMs),
    nearness: nearness(carrier, trouble, calls),
  }));
  const [best] = carriers.sort((left, right) => carriageWeight(right) - carriageWeight(left));
  const later = best ? incident.signs.filter(({ onsetMs }) => onsetMs >= best.carrier.atMs - SLACK_MS) : [];
  const match = matchMechanism(
    classified,
    later.flatMap((sign) => asEffect(sign, best?.carrier.service ?? '') ?? []),
  );
  const fit = 1 - (1 - MECHANISM_WEIGHT * match.mechanism) * (1 - VOCABULARY_WEIGHT * vocabulary);
  return {
    sha: commit.sha,
    score: classified.potency * fit * (best ? carriageWeight(best, isUnmistakable(match)) : 0),
    mechanism: match.mechanism,
    vocabulary,
    explained: best?.explained ?? 0,
    sharedWords,
    does: match.does,
    path: match.path,
    symptom: match.symptom,
    sign: match.sign,
    isNamed: match.isNamed,
    carrier: best?.carrier ?? { service: commit.service, changeId: '', atMs: commit.atMs, certainty: 0 },
  };
}
