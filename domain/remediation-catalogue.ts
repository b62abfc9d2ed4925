/**
 * Which action fits which cause: preconditions, risk, predicted effect and undo in one table. Choosing is deterministic;
 * when nothing safer fits, the proposal is a ticket with the evidence, which needs no permission and harms nobody.
 */
import type { Change } from './change.ts';
import type { CauseType } from './finding.ts';
import type { Suspect } from './investigation.ts';
import { type Remediation, TIER_OF } from './remediation.ts';

export interface RemediationContext {
  readonly suspect: Suspect;
  /** The change that the suspect is blamed on, if any. */
  readonly change: Change | undefined;
  readonly normal: Suspect['normal'];
  readonly evidenceIds: readonly string[];
}

type Draft = Omit<Remediation, 'service' | 'tier' | 'evidenceIds'>;
type Entry = (context: RemediationContext) => Draft | undefined;

const EFFECT_DEADLINE_SECONDS = 300;

const rollback: Entry = ({ suspect, change, normal }) =>
  change?.kind === 'deploy'
    ? {
        action: 'rollback-deploy',
        parameters: { changeId: change.changeId, version: change.version },
        rationale: `${suspect.service} went wrong after ${change.summary || `the deploy of ${change.version}`}.`,
        preconditions: [
          'the previous version is still available',
          'no migration since then that the old code cannot read',
        ],
        ...effect(suspect.service, normal),
        undo: `Deploy ${change.version || 'the same version'} again.`,
      }
    : undefined;

const disableFlag: Entry = ({ suspect, change, normal }) =>
  change?.kind === 'flag'
    ? {
        action: 'disable-flag',
        parameters: { changeId: change.changeId },
        rationale: `${suspect.service} went wrong after the flag change "${change.summary}".`,
        preconditions: ['the flag can be switched without a deploy'],
        ...effect(suspect.service, normal),
        undo: 'Switch the flag on again.',
      }
    : undefined;

const scaleOut: Entry = ({ suspect, normal }) => ({
  action: 'scale-out',
  parameters: { replicas: '+1' },
  rationale: `${suspect.service} has no CPU left; another replica shares its load.`,
  preconditions: ['the cluster has room for another replica', 'the load is spread over replicas'],
  ...(normal.cpuUtilization === undefined
    ? effect(suspect.service, normal)
    : {
        predictedEffect: {
          service: suspect.service,
          measure: 'cpu utilization' as const,
          direction: 'down' as const,
          target: normal.cpuUtilization,
          deadlineSeconds: EFFECT_DEADLINE_SECONDS,
        },
      }),
  undo: 'Scale in by one replica.',
});

const restart: Entry = ({ suspect, normal }) => ({
  action: 'restart-service',
  parameters: suspect.pod ? { pod: suspect.pod } : {},
  rationale: `${suspect.service} holds on to something that a restart frees.`,
  preconditions: ['more than one replica serves, or a short outage is acceptable'],
  ...effect(suspect.service, normal),
  undo: 'None: a restart cannot be taken back.',
});

const shedLoad: Entry = ({ suspect, normal }) => ({
  action: 'shed-load',
  parameters: {},
  rationale: `More requests reach ${suspect.service} than it can serve.`,
  preconditions: ['somebody has decided whose requests may be refused'],
  ...effect(suspect.service, normal),
  undo: 'Lift the limit.',
});

const ticket: Entry = ({ suspect }) => ({
  action: 'open-ticket',
  parameters: { title: suspect.statement.slice(0, 200) },
  rationale: 'Nothing in the catalogue would safely undo this cause; its owner gets the evidence.',
  preconditions: [],
  undo: 'Close the ticket.',
});

/** First entry that applies wins; the ticket always applies. */
const CATALOGUE: Readonly<Record<CauseType, readonly Entry[]>> = {
  'bad-change': [rollback, disableFlag, ticket],
  errors: [rollback, disableFlag, ticket],
  'code-path-change': [rollback, disableFlag, ticket],
  'slow-processing': [rollback, disableFlag, ticket],
  'cpu-saturation': [rollback, scaleOut],
  'memory-exhaustion': [rollback, restart],
  'pool-exhaustion': [rollback, restart],
  'disk-saturation': [rollback, ticket],
  'traffic-surge': [shedLoad],
  'cache-stampede': [rollback, disableFlag, shedLoad],
  'network-delay': [ticket],
  'lost-calls': [rollback, ticket],
  'external-dependency': [ticket],
  'name-resolution': [ticket],
  'expired-certificate': [ticket],
  unknown: [ticket],
};

/** The proposal for a suspect; always one, since a ticket is always possible. */
export function chooseRemediation(context: RemediationContext): Remediation {
  const draft = firstDraft([...CATALOGUE[context.suspect.causeType], ticket], context);
  return {
    ...draft,
    service: context.suspect.service,
    tier: TIER_OF[draft.action],
    evidenceIds: [...context.evidenceIds],
  };
}

function firstDraft(entries: readonly Entry[], context: RemediationContext): Draft {
  for (const entry of entries) {
    const draft = entry(context);
    if (draft) return draft;
  }
  return ticket(context) as Draft;
}

function effect(service: string, normal: Suspect['normal']): Pick<Remediation, 'predictedEffect'> {
  const common = { service, direction: 'down' as const, deadlineSeconds: EFFECT_DEADLINE_SECONDS };
  if (normal.errorRatio !== undefined)
    return { predictedEffect: { ...common, measure: 'error rate', target: normal.errorRatio } };
  if (normal.p95Ms !== undefined)
    return { predictedEffect: { ...common, measure: 'p95 duration', target: normal.p95Ms } };
  return {};
}
