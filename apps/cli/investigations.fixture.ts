/** Hand-made investigations for the CLI's tests: one that waits for approval, one decided, one abstained, one running. */
import type { Change } from '../../domain/change.ts';
import type { Evidence } from '../../domain/evidence.ts';
import type { Finding } from '../../domain/finding.ts';
import type { Hypothesis, Vote } from '../../domain/hypothesis.ts';
import { type Investigation, investigationSchema } from '../../domain/investigation.ts';
import { actionDigest, type Remediation } from '../../domain/remediation.ts';

const ONSET_MS = Date.UTC(2026, 0, 31, 10, 12, 30);
const MINUTE_MS = 60_000;
const EV_ERRORS = 'ev_0a1b2c3d4e5f';
const EV_LOGS = 'ev_1a1b2c3d4e5f';
export const EV_CPU = 'ev_2a1b2c3d4e5f';
export const EV_DEPLOY = 'ev_3a1b2c3d4e5f';
export const troubleWindow = { startMs: ONSET_MS, endMs: ONSET_MS + 3 * MINUTE_MS };
const baseline = { startMs: ONSET_MS - 60 * MINUTE_MS, endMs: ONSET_MS };
const SQL = `SELECT ServiceName, count() AS calls, countIf(StatusCode = 'Error') AS errors
FROM otel_traces
WHERE Timestamp >= fromUnixTimestamp64Milli({startMs:Int64}) AND Timestamp < fromUnixTimestamp64Milli({endMs:Int64})
GROUP BY ServiceName
ORDER BY errors DESC`;

function evidence(evidenceId: string, tool: string): Evidence {
  const query = {
    sql: SQL,
    parameters: { startMs: troubleWindow.startMs, endMs: troubleWindow.endMs },
    rowCount: 14,
    digest: 'a'.repeat(64),
  };
  return {
    evidenceId,
    tool,
    input: {},
    queries: [query],
    window: troubleWindow,
    baseline,
    takenAtMs: troubleWindow.endMs,
    summary: `${tool}: every service in the window against normal time`,
  };
}

function finding(
  index: number,
  given: Pick<Finding, 'agent' | 'signal' | 'service' | 'sentence' | 'evidenceIds'> & Partial<Finding>,
): Finding {
  return {
    findingId: `find_${index}`,
    taskId: `task_${given.agent}`,
    observation: `${given.signal}:${given.service}:${index}`,
    subject: 'POST /charge',
    window: troubleWindow,
    onsetMs: ONSET_MS,
    implications: [
      { service: given.service, causeType: 'bad-change', stance: 'for', strength: 0.9 - index / 10, canEcho: false },
    ],
    figures: { observedRatio: 0.317, expectedRatio: 0.002 },
    ...given,
  };
}

export const findings: Finding[] = [
  finding(1, {
    agent: 'trace-agent',
    signal: 'traces',
    service: 'payment',
    sentence:
      'Errors begin in payment: 31.7 % of its POST /charge spans fail (normally 0.2 %) while none of their children do.',
    evidenceIds: [EV_ERRORS],
  }),
  finding(2, {
    agent: 'log-agent',
    signal: 'logs',
    service: 'payment',
    sentence:
      'A log template that payment never wrote before appeared 412 times: "card token <*> rejected: unknown key version <*>".',
    evidenceIds: [EV_LOGS, EV_ERRORS, EV_CPU],
  }),
  finding(3, {
    agent: 'deploy-agent',
    signal: 'changes',
    service: 'payment',
    sentence: 'payment 2.4.1 was deployed 1 min 28 s before the onset; its peers on 2.4.0 stay normal.',
    evidenceIds: [EV_DEPLOY],
  }),
  finding(4, {
    agent: 'metrics-agent',
    signal: 'metrics',
    service: 'inventory',
    sentence: 'CPU of inventory is 1.4 times its normal level.',
    evidenceIds: [EV_CPU],
    implications: [
      { service: 'inventory', causeType: 'cpu-saturation', stance: 'for', strength: 0.4, canEcho: false },
      { service: 'payment', causeType: 'bad-change', stance: 'against', strength: 0.2, canEcho: false },
    ],
  }),
];

const hypotheses: Hypothesis[] = [
  {
    hypothesisId: 'hyp_payment',
    service: 'payment',
    causeType: 'bad-change',
    operation: 'POST /charge',
    changeId: 'chg_payment',
    statement: 'The deploy of payment 2.4.1 makes POST /charge reject card tokens.',
    findingIds: ['find_1', 'find_2', 'find_3'],
    proposedRank: 2,
    round: 1,
  },
  {
    hypothesisId: 'hyp_inventory',
    service: 'inventory',
    causeType: 'cpu-saturation',
    statement: 'inventory runs out of CPU.',
    findingIds: ['find_4'],
    proposedRank: 1,
    round: 1,
  },
];

const votes: Vote[] = [
  ...findings.slice(0, 3).map(
    (each): Vote => ({
      agent: each.agent,
      hypothesisId: 'hyp_payment',
      round: 1,
      reasons: [
        {
          observation: each.observation,
          stance: 'for',
          strength: 0.8,
          evidenceIds: each.evidenceIds,
          sentence: each.sentence,
        },
      ],
    }),
  ),
  {
    agent: 'metrics-agent',
    hypothesisId: 'hyp_payment',
    round: 1,
    reasons: [
      {
        observation: 'metrics:payment:cpu',
        stance: 'against',
        strength: 0.2,
        evidenceIds: [EV_CPU],
        sentence: 'CPU and memory of payment are normal.',
      },
    ],
  },
  { agent: 'log-agent', hypothesisId: 'hyp_inventory', round: 1, reasons: [] },
  {
    agent: 'metrics-agent',
    hypothesisId: 'hyp_inventory',
    round: 1,
    reasons: [
      {
        observation: 'metrics:inventory:cpu',
        stance: 'for',
        strength: 0.4,
        evidenceIds: [EV_CPU],
        sentence: findings[3]?.sentence ?? '',
      },
    ],
  },
];

const changes: Change[] = ['payment', 'frontend'].map((service, index) => ({
  changeId: `chg_${service}`,
  kind: 'deploy',
  service,
  atMs: ONSET_MS - 88_000 - index * 9 * MINUTE_MS,
  version: index === 0 ? '2.4.1' : '8.0.3',
  summary: index === 0 ? 'rotate key versions' : 'new banner',
  author: index === 0 ? 'mira' : '',
  url: '',
  attributes: {},
  diff: '',
  source: index === 0 ? 'webhook' : 'inferred',
}));

const remediation: Remediation = {
  action: 'rollback-deploy',
  service: 'payment',
  parameters: { from: '2.4.1', to: '2.4.0' },
  tier: 'medium',
  rationale: 'payment was healthy on 2.4.0 until 88 s before the onset.',
  preconditions: ['2.4.0 is still in the registry', 'no schema migration came with 2.4.1'],
  predictedEffect: { service: 'payment', measure: 'error rate', direction: 'down', target: 0.01, deadlineSeconds: 300 },
  undo: 'Deploy payment 2.4.1 again.',
  evidenceIds: [EV_DEPLOY],
};

export const pending: Investigation = investigationSchema.parse({
  investigationId: 'inv_06bq3s9x0e2k7m',
  incident: {
    incidentId: 'inc_06bq3s9x0e2k7m',
    title: 'checkout and payment fail: 31 % of calls to checkout end in an error',
    status: 'awaiting-approval',
    source: 'detection',
    service: 'checkout',
    openedAtMs: ONSET_MS + 50_000,
    searchWindow: { startMs: baseline.startMs, endMs: troubleWindow.endMs },
    severity: 'high',
    anomalies: [
      {
        anomalyId: 'anom_1',
        signal: 'traces',
        service: 'checkout',
        subject: 'error rate',
        detector: 'robust-window',
        window: troubleWindow,
        sinceMs: ONSET_MS + 10_000,
        observed: 0.31,
        expected: 0.004,
        range: [0, 0.02],
        deviation: 41,
        unit: 'ratio',
        sentence: 'The error rate of checkout is 31 %, expected at most 2 %.',
      },
    ],
    investigationId: 'inv_06bq3s9x0e2k7m',
  },
  status: 'awaiting-approval',
  startedAtMs: ONSET_MS + 51_000,
  firstSuspectsMs: 1_240,
  rounds: 1,
  scope: {
    window: troubleWindow,
    baseline,
    onsetMs: ONSET_MS,
    onsetGrid: { firstMs: ONSET_MS - 300_000, stepSeconds: 60, count: 10 },
    calls: [{ caller: 'checkout', callee: 'payment' }],
    onsetReason: 'the error rate of payment leaves its range here',
    evidenceIds: [EV_ERRORS],
  },
  tasks: [],
  findings,
  evidence: [
    evidence(EV_ERRORS, 'compare_windows'),
    evidence(EV_LOGS, 'log_templates'),
    evidence(EV_CPU, 'series'),
    evidence(EV_DEPLOY, 'changes'),
  ],
  hypotheses,
  votes,
  tally: {
    outcome: 'decided',
    confidence: 0.86,
    ranked: [
      {
        hypothesisId: 'hyp_payment',
        rank: 1,
        score: 0.84,
        support: 0.9,
        opposition: 0.06,
        agentsFor: ['log-agent', 'trace-agent', 'deploy-agent'],
        agentsAgainst: ['metrics-agent'],
      },
      {
        hypothesisId: 'hyp_inventory',
        rank: 2,
        score: 0.21,
        support: 0.3,
        opposition: 0.3,
        agentsFor: ['metrics-agent'],
        agentsAgainst: [],
      },
    ],
  },
  verdict: {
    outcome: 'root-cause',
    confidence: 0.86,
    onsetMs: ONSET_MS,
    suspects: [
      { ...hypotheses[0], rank: 1, score: 0.84, normal: { errorRatio: 0.002 }, evidenceIds: [EV_ERRORS, EV_DEPLOY] },
      { ...hypotheses[1], rank: 2, score: 0.21, normal: {}, evidenceIds: [EV_CPU] },
    ],
    blastRadius: ['checkout', 'frontend'],
    propagation: [
      { from: 'checkout', to: 'payment' },
      { from: 'frontend', to: 'checkout' },
      { from: 'admin', to: 'payment' },
    ],
    ruledOut: [
      { service: 'postgres', reason: 'its latency and connections stay in their range', evidenceIds: [EV_CPU] },
    ],
    gaps: [{ signal: 'metrics', service: 'redis', what: 'no resource metrics', remedy: 'Send its memory and CPU.' }],
    overturning: {
      question: 'If payment 2.4.0 fails as often as 2.4.1 since the onset, the deploy is innocent.',
      evidenceId: EV_DEPLOY,
    },
  },
  changes,
  remediation,
  approval: {
    approvalId: 'apr_06bq3s9x0e2k7m',
    incidentId: 'inc_06bq3s9x0e2k7m',
    investigationId: 'inv_06bq3s9x0e2k7m',
    remediation,
    actionDigest: actionDigest(remediation),
    requestedAtMs: ONSET_MS + 54_400,
    expiresAtMs: ONSET_MS + 24 * 60 * MINUTE_MS,
  },
});

export const abstained: Investigation = (() => {
  const { remediation: _proposal, approval: _approval, ...rest } = structuredClone(pending);
  const verdict = {
    ...pending.verdict,
    outcome: 'abstained',
    confidence: 0.34,
    gaps: [
      {
        signal: 'traces',
        service: 'payment',
        what: 'none arrived in the window',
        remedy: 'Export spans of payment to this host.',
      },
    ],
  };
  const status = { status: 'finished', finishedAtMs: ONSET_MS + 58_000 };
  return investigationSchema.parse({
    ...rest,
    ...status,
    verdict,
    incident: { ...rest.incident, status: 'abstained' },
  });
})();

export const decided: Investigation = investigationSchema.parse({
  ...pending,
  status: 'finished',
  finishedAtMs: ONSET_MS + 300_000,
  approval: {
    ...pending.approval,
    decision: { outcome: 'approved', decidedBy: 'mira', reason: 'known bad', decidedAtMs: ONSET_MS + 290_000 },
  },
  actionOutcome: { status: 'done', detail: 'recorded as a dry run', atMs: ONSET_MS + 291_000 },
});

export const running: Investigation = (() => {
  const { verdict: _verdict, tally: _tally, ...rest } = structuredClone(abstained);
  return investigationSchema.parse({
    ...rest,
    status: 'running',
    findings: [],
    evidence: [],
    hypotheses: [],
    votes: [],
    changes: [],
  });
})();

const spent = { calls: 3, inputTokens: 1_000, outputTokens: 500, costUsd: 0.006, seconds: 4, unpricedCalls: 0 };

/** Two of its agents talked with a model: one to some purpose. */
export const advised: Investigation = {
  ...pending,
  verdict: pending.verdict && {
    ...pending.verdict,
    counsel: {
      heard: [
        {
          agent: 'deploy-agent',
          modelName: 'small',
          notes: [{ text: 'Payment fails since the deploy', evidenceIds: [EV_DEPLOY] }],
          suspect: { service: 'inventory', why: 'Its CPU is full', evidenceIds: [EV_CPU] },
          dropped: 3,
          usage: spent,
        },
        {
          agent: 'log-agent',
          modelName: 'small',
          notes: [],
          dropped: 0,
          usage: { ...spent, calls: 2 },
          failure: 'the model refused to answer',
        },
      ],
      outcomes: [
        {
          service: 'inventory',
          agents: ['deploy-agent'],
          outcome: 'weaker-evidence',
          why: 'Its CPU is full',
          evidenceIds: [EV_CPU],
        },
      ],
    },
  },
};
