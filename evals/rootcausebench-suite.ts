/** The suite RootCauseBench: its labels, its word for each remediation, and the score as a table beside what others published. */
import { z } from 'zod';
import type { Change } from '../domain/change.ts';
import type { Investigation } from '../domain/investigation.ts';
import type { ActionKind } from '../domain/remediation.ts';
import { wilsonInterval } from '../domain/statistics/wilson-interval.ts';
import { listRootCauseBenchCases } from './datasets/rootcausebench.ts';
import { type CommitCase, type CommitScore, type CommitTruth, nameCommits } from './scorers/name-commits.ts';
import type { Suite } from './suite.ts';

const labelsSchema = z
  .array(
    z.object({
      case_id: z.string(),
      difficulty: z.string(),
      root_cause_commit: z.string(),
      first_failing_service: z.string(),
      blast_radius: z.array(z.string()),
      remediation: z.string(),
      decoy_deploy_commits: z.array(z.string()),
    }),
  )
  .transform((labels) =>
    labels.map(
      (label): CommitTruth => ({
        caseId: label.case_id,
        difficulty: label.difficulty,
        commit: label.root_cause_commit,
        firstFailingService: label.first_failing_service,
        blastRadius: label.blast_radius,
        remediation: label.remediation,
        decoys: label.decoy_deploy_commits,
      }),
    ),
  );

export const rootCauseBenchSuite: Suite = {
  source: 'dataset',
  listCases: ({ partDir }) => listRootCauseBenchCases(partDir),
  nameRemediation,
  score: (predictions, labels) => {
    const score = nameCommits(predictions, labelsSchema.parse(labels));
    return { score, text: describeCommits(score) };
  },
};

/** Our action as the labels call it; an action that they have no word for keeps ours. */
const WORDS: Readonly<Record<ActionKind, string>> = {
  'rollback-deploy': 'rollback',
  'disable-flag': 'feature-flag-disable',
  'contact-provider': 'escalate-upstream',
  'scale-out': 'scale',
  'raise-limit': 'scale',
  'shed-load': 'scale',
  'restart-service': 'restart-service',
  'open-ticket': 'open-ticket',
};

/** Where no commit did it our proposal is a ticket; what the ticket asks its reader to do follows from what is wrong out there. */
const WORD_OF_OUTSIDE: Readonly<Record<string, string>> = {
  'bad-record': 'purge-bad-data',
  provider: 'escalate-upstream',
  'expired-account': 'escalate-upstream',
  'external-dependency': 'escalate-upstream',
  'name-resolution': 'escalate-upstream',
  certificate: 'rotate-cert',
  'expired-certificate': 'rotate-cert',
  node: 'failover',
  surge: 'scale',
  'traffic-surge': 'scale',
};

const CONFIG_FILE = /\.(ya?ml|json|toml|ini|conf|cfg|env|properties)$/i;

/** Undoing a commit that touches nothing but configuration has a word of its own there. */
export function nameRemediation(investigation: Investigation): string {
  const { remediation, verdict, changes } = investigation;
  const commit = verdict?.suspects[0]?.commit;
  if (!commit && (remediation?.action ?? 'open-ticket') === 'open-ticket') {
    return nameOutside(investigation) ?? (remediation ? WORDS['open-ticket'] : '');
  }
  if (!remediation) return '';
  const paths = filesOf(changes.find(({ changeId }) => changeId === commit));
  const isConfig = paths.length > 0 && paths.every((path) => CONFIG_FILE.test(path));
  return remediation.action === 'rollback-deploy' && isConfig ? 'config-revert' : WORDS[remediation.action];
}

/** By what the jury found outside the code, else by the kind of cause. */
function nameOutside({ findings, verdict }: Investigation): string | undefined {
  const found = findings.find(({ observation }) => observation.startsWith('changes:outside:'))?.subject;
  return WORD_OF_OUTSIDE[found ?? ''] ?? WORD_OF_OUTSIDE[verdict?.suspects[0]?.causeType ?? ''];
}

function filesOf(change: Change | undefined): string[] {
  return (change?.attributes['files_changed'] ?? '').split('\n').filter((path) => path !== '');
}

/** Passes of 24 cases x 3 attempts as published with the data set (July 2026), in percent: all, then the parts dev and heldout. */
const PUBLISHED: readonly (readonly [who: string, all: string, dev: string, heldout: string])[] = [
  ['best models (glm-5.2, grok-4.5, kimi-k3, gpt-5.6-sol)', '100', '100', '100'],
  ['gpt-5.5', '96', '92.3', '100'],
  ['kimi-k2.5', '88', '87.2', '87.9'],
  ['gpt-5.4-mini', '82', '76.9', '87.9'],
  ['qwen3-235b', '75', '71.8', '78.8'],
  ['gemini-3.1-flash-lite', '60', '51.3', '69.7'],
  ['gpt-oss-120b', '50', '41.0', '60.6'],
  ['claude-haiku-4.5', '47', '43.6', '51.5'],
  ['gpt-oss-20b', '29', '23.1', '36.4'],
  ['without LLM: always none', '29.2', '', ''],
  ['without LLM: scripted analysis (17 of 24 decoys)', '29.2', '', ''],
  ['without LLM: latest deploy of the paged service (18 of 24 decoys)', '20.8', '', ''],
  ['without LLM: latest deploy (22 of 24 decoys)', '4.2', '', ''],
  ['without LLM: latest commit', '0.0', '', ''],
];

function describeCommits(score: CommitScore): string {
  const { cases } = score;
  const groups = [...Map.groupBy(cases, ({ difficulty }) => difficulty)].sort(([a], [b]) => orderOf(a) - orderOf(b));
  const published = PUBLISHED.map(
    ([who, all, dev, heldout]) => `  ${who.padEnd(66)}${all.padStart(6)}${dev.padStart(7)}${heldout.padStart(9)}`,
  );
  return [
    'case         level   answer   truth    pass  service blast  remedy reward  conf',
    ...cases.map(describeCase),
    '',
    ...groups.map(([difficulty, members]) => describeGroup(difficulty, members)),
    describeGroup('all', cases),
    '',
    `published passes in percent${''.padEnd(41)}   all    dev  heldout`,
    ...published,
  ].join('\n');
}

function orderOf(difficulty: string): number {
  return ['easy', 'medium', 'hard'].indexOf(difficulty);
}

function describeCase(one: CommitCase): string {
  const outcome = one.isPass ? 'yes' : one.isDecoy ? 'DECOY' : 'no';
  const cells = [
    one.caseId.padEnd(12),
    one.difficulty.padEnd(7),
    one.answer.slice(0, 8).padEnd(8),
    one.truth.slice(0, 8).padEnd(8),
    outcome.padEnd(5),
    (one.isServiceRight ? 'right' : 'wrong').padEnd(7),
    one.blastRadius.toFixed(2).padStart(5),
    ` ${one.isRemediationRight ? 'right' : 'wrong'}`,
    one.reward.toFixed(3).padStart(6),
    ` ${one.confidence.toFixed(2)}`,
  ];
  return `${cells.join(' ')}${one.abstained ? ' abstained' : ''}`;
}

function describeGroup(name: string, cases: readonly CommitCase[]): string {
  const share = (hit: (one: CommitCase) => boolean) => {
    const hits = cases.filter(hit).length;
    const { low, high } = wilsonInterval(hits, cases.length);
    const percent = (100 * hits) / Math.max(1, cases.length);
    return `${hits}/${cases.length} ${percent.toFixed(1)} % [${low.toFixed(1)}, ${high.toFixed(1)}]`;
  };
  const reward = cases.reduce((sum, one) => sum + one.reward, 0) / Math.max(1, cases.length);
  return `${name.padEnd(7)} pass ${share(({ isPass }) => isPass)}  decoy blamed ${share(({ isDecoy }) => isDecoy)}  reward ${reward.toFixed(3)}`;
}
