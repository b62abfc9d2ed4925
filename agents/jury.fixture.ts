/** For tests: incidents, scopes and findings from a few words. Times are small numbers of milliseconds. */
import type { Finding, Implication } from '../domain/finding.ts';
import type { Incident } from '../domain/incident.ts';
import type { Scope } from '../domain/investigation.ts';

export const INCIDENT: Incident = {
  incidentId: 'inc_1',
  investigationId: 'inv_1',
  title: 'checkout fails',
  status: 'investigating',
  source: 'manual',
  service: '',
  openedAtMs: 3_600_000,
  searchWindow: { startMs: 0, endMs: 3_600_000 },
  severity: 'medium',
  anomalies: [],
};

/** Trouble begins after fifty of sixty minutes; `calls` as `caller>callee`. */
export function scopeOf(...calls: readonly string[]): Scope {
  return {
    window: { startMs: 3_000_000, endMs: 3_600_000 },
    baseline: { startMs: 0, endMs: 3_000_000 },
    onsetMs: 3_000_000,
    onsetGrid: { firstMs: 3_000_000, stepSeconds: 20, count: 10 },
    onsetReason: 'written down',
    calls: calls.map((call) => {
      const [caller = '', callee = ''] = call.split('>');
      return { caller, callee };
    }),
    evidenceIds: [],
  };
}

const AGENT_OF = {
  metrics: 'metrics-agent',
  logs: 'log-agent',
  traces: 'trace-agent',
  changes: 'deploy-agent',
} as const satisfies Record<Finding['signal'], Finding['agent']>;

export interface FindingWords extends Partial<Omit<Implication, 'service'>> {
  readonly service: string;
  readonly signal: Finding['signal'];
  readonly strength: number;
  readonly observation?: string;
  readonly onsetMs?: number;
  readonly figures?: Finding['figures'];
}

/** One observation about one service; its evidence is named after it. */
export function findingOf({ service, signal, strength, onsetMs, figures, ...words }: FindingWords): Finding {
  const { causeType = 'unknown', stance = 'for', canEcho = false, pod, operation, changeId } = words;
  const observation = words.observation ?? `${signal}:${causeType}:${service}`;
  return {
    findingId: `find:${observation}`,
    agent: AGENT_OF[signal],
    taskId: `task:${signal}`,
    signal,
    observation,
    service,
    subject: observation,
    window: { startMs: 3_000_000, endMs: 3_600_000 },
    ...(onsetMs === undefined ? {} : { onsetMs }),
    sentence: `Saw ${observation}.`,
    evidenceIds: [`ev:${observation}`],
    implications: [
      {
        service,
        causeType,
        stance,
        strength,
        canEcho,
        ...(pod === undefined ? {} : { pod }),
        ...(operation === undefined ? {} : { operation }),
        ...(changeId === undefined ? {} : { changeId }),
      },
    ],
    figures: figures ?? {},
  };
}

/** A change on a service, as the deploy agent writes it down. */
export function changeOf(service: string, atMs: number, strength = 0.6): Finding {
  return findingOf({
    service,
    signal: 'changes',
    strength,
    onsetMs: atMs,
    causeType: 'bad-change',
    changeId: `chg_${service}`,
    observation: `changes:chg_${service}:${service}`,
  });
}
