/**
 * Which commit explains the trouble, as findings: what its diff does against what is seen, named only where it explains that
 * better than anything outside the code. Beside it, what the commit's own services show, so that the jury can argue about them.
 */
import { isSameCommit } from '../domain/diff/carriers.ts';
import type { CauseType, Implication } from '../domain/finding.ts';
import type { Task } from '../domain/investigation.ts';
import { formatInstant } from '../domain/time-window.ts';
import { rankChangeSuspicion } from '../tools/read/rank-change-suspicion.ts';
import type { Notebook } from './post-findings.ts';

/** How suspicious each commit is whose diff was read, 0..1, and which one was named, if any. */
export interface CommitSuspicion {
  scoreOf(commit: string): number | undefined;
  isNamed(commit: string): boolean;
}

type Ranking = NonNullable<Awaited<ReturnType<typeof askRanking>>>['output'];
type Commit = Ranking['commits'][number];
type Sign = Ranking['signs'][number];

const MAX_CALLS = 5_000;
const MAX_COMMITS = 50;
/** Less clear signs are not worth a finding. */
const CLEAR = 0.4;
const SLACK_MS = 90_000;
/** What a service shows is worth this much of how clear it is: other agents look at the same telemetry with more care. */
const SYMPTOM_SHARE = 0.6;
const BYSTANDER_SHARE = 0.4;
/** A second commit takes this share of the certainty of the first with it. */
const RIVAL_SHARE = 0.4;
const MAX_SENTENCE = 600;

const CAUSES: Readonly<Record<string, CauseType>> = {
  memory: 'memory-exhaustion',
  cpu: 'cpu-saturation',
  disk: 'disk-saturation',
  'pool-waits': 'pool-exhaustion',
  latency: 'slow-processing',
  'more-calls': 'slow-processing',
  'database-load': 'slow-processing',
};

function askRanking(notebook: Notebook, { scope }: Task) {
  const window = { startMs: scope.baseline.startMs, endMs: scope.window.endMs };
  const troubleSinceMs = scope.onsetGrid.firstMs;
  const calls = scope.calls.slice(0, MAX_CALLS);
  return notebook.ask(rankChangeSuspicion, { window, troubleSinceMs, calls, limit: MAX_COMMITS });
}

/** @param symptoms takes findings about what services show, which are about telemetry and not about changes */
export async function noteCommitSuspicion(
  notebook: Notebook,
  symptoms: Notebook,
  task: Task,
): Promise<CommitSuspicion> {
  const asked = await askRanking(notebook, task);
  const { commits = [], isConvincing = false, signs = [], outside } = asked?.output ?? {};
  const [first, second] = commits;
  const evidenceIds = [asked?.evidenceId ?? ''];
  if (first && isConvincing) {
    const hurt = hurtServices(first, signs);
    notebook.note(accuse(first, second, hurt, task, evidenceIds));
    const culprit = culpritOf(first.carrier.service, hurt);
    for (const one of hurt) symptoms.note(showSymptom(one, one.service !== culprit, task, evidenceIds));
  } else if (first && outside) {
    notebook.note(absolve(outside, commits, task, evidenceIds));
    if (outside.service !== '' && outside.strength >= CLEAR) symptoms.note(showOutside(outside, task, evidenceIds));
  }
  return {
    scoreOf: (id) => commits.find(({ commit }) => isSameCommit(commit, id))?.score,
    isNamed: (id) => isConvincing && first !== undefined && isSameCommit(first.commit, id),
  };
}

interface Hurt {
  readonly service: string;
  readonly strength: number;
  /** The clearest of its signs. */
  readonly sign: Sign;
}

/** The service that runs the commit, if anything is seen of it; else the one that is hurt most. */
function culpritOf(carrier: string, hurt: readonly Hurt[]): string | undefined {
  const [worst] = [...hurt].sort((left, right) => right.strength - left.strength);
  return hurt.some(({ service }) => service === carrier) ? carrier : (worst?.service ?? carrier);
}

/** Services with clear signs since the commit ran, and the one that runs it if it has any; each weighs by its clearest sign. */
function hurtServices({ carrier }: Commit, signs: readonly Sign[]): Hurt[] {
  const later = signs.filter(({ onsetMs, weight }) => weight >= CLEAR && onsetMs >= carrier.atMs - SLACK_MS);
  const byService = [...Map.groupBy(later, ({ service }) => service)];
  return byService.flatMap(([service, own]) => {
    const [sign] = [...own].sort((left, right) => right.weight - left.weight);
    if (!sign || sign.symptoms.length === 0) return [];
    return [{ service, sign, strength: sign.weight * (service === carrier.service ? SYMPTOM_SHARE : BYSTANDER_SHARE) }];
  });
}

type Note = Parameters<Notebook['note']>[0];

function accuse(
  first: Commit,
  second: Commit | undefined,
  hurt: readonly Hurt[],
  { scope }: Task,
  evidenceIds: string[],
): Note {
  const { commit, carrier, score, mechanism, vocabulary, explained } = first;
  const strength = score * (1 - (RIVAL_SHARE * (second?.score ?? 0)) / score);
  const culprit = culpritOf(carrier.service, hurt);
  const services = [...new Set([carrier.service, ...hurt.map(({ service }) => service)])].filter((name) => name !== '');
  return {
    observation: `changes:commit:${commit}`,
    service: carrier.service || (services[0] ?? ''),
    subject: commit,
    window: scope.window,
    onsetMs: carrier.atMs,
    sentence: describe(first).slice(0, MAX_SENTENCE),
    evidenceIds,
    implications: services.map(
      (service): Implication => ({
        service,
        causeType: 'bad-change',
        stance: 'for',
        strength: strength * (service === culprit ? 1 : BYSTANDER_SHARE),
        canEcho: false,
        commit,
        ...(carrier.changeId ? { changeId: carrier.changeId } : {}),
      }),
    ),
    figures: { mechanism, vocabulary, explained, score },
  };
}

function describe({ commit, summary, does, path, sign, sharedWords, carrier, explained }: Commit): string {
  const where = path ? ` in ${path}` : '';
  const what = does ? `${does}${where}` : 'speaks of what is seen';
  const seen = sign ? `; ${sign.service} shows "${sign.text.slice(0, 120)}" since ${formatInstant(sign.onsetMs)}` : '';
  const words = sharedWords.length > 0 ? `; both name ${sharedWords.slice(0, 4).join(', ')}` : '';
  const ran = `running${carrier.service ? ` on ${carrier.service}` : ''} since ${formatInstant(carrier.atMs)}`;
  return `Commit ${commit.slice(0, 12)} (${summary.slice(0, 80)}), ${ran}, ${what}${seen}${words}; ${(100 * explained).toFixed(0)} % of what is wrong began after it.`;
}

/** @param canEcho what a bystander shows may come from the one that was changed */
function showSymptom(
  { service, sign, strength }: Hurt,
  canEcho: boolean,
  { scope }: Task,
  evidenceIds: string[],
): Note {
  const [symptom = ''] = sign.symptoms;
  return {
    observation: `changes:symptom:${service}`,
    service,
    subject: sign.text.slice(0, 120),
    window: scope.window,
    onsetMs: sign.onsetMs,
    sentence: `${service} shows since ${formatInstant(sign.onsetMs)} what was not there before: ${sign.text.slice(0, 200)}`,
    evidenceIds,
    implications: [{ service, causeType: CAUSES[symptom] ?? 'errors', stance: 'for', strength, canEcho }],
    figures: { clarity: sign.weight },
  };
}

/** Where a cause outside the code shows: a service may be named where no commit is. */
function showOutside(
  { causeType, service, strength, shownBy }: NonNullable<Ranking['outside']>,
  { scope }: Task,
  evidenceIds: string[],
): Note {
  return {
    observation: `changes:symptom:${service}`,
    service,
    subject: shownBy.slice(0, 120),
    window: scope.window,
    sentence: `${service} shows what no change of ours brings about: ${shownBy}`,
    evidenceIds,
    implications: [{ service, causeType, stance: 'for', strength: strength * SYMPTOM_SHARE, canEcho: false }],
    figures: { clarity: strength },
  };
}

/** Why no commit is named, where the reason is known. */
function absolve(
  outside: NonNullable<Ranking['outside']>,
  commits: readonly Commit[],
  { scope }: Task,
  evidenceIds: string[],
): Note {
  const { name, service, shownBy, strength } = outside;
  const best = commits[0];
  return {
    observation: `changes:outside:${name}:${service}`,
    service,
    subject: name,
    window: scope.window,
    sentence:
      `No commit is blamed: the best of ${commits.length}${best ? `, ${best.commit.slice(0, 12)},` : ''} explains less than what ${service} says itself (${name}): ${shownBy}`.slice(
        0,
        MAX_SENTENCE,
      ),
    evidenceIds,
    implications: [],
    figures: { outside: strength, bestCommit: best?.score ?? 0 },
  };
}
