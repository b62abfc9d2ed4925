/** For tests: real agents and a real supervisor whose findings are written down, so that a whole investigation runs in milliseconds. */
import type { Agent } from '../agents/agent.ts';
import { createMemoryContextStore } from '../context-store/memory-context-store.ts';
import { createMemoryShardLock } from '../context-store/shard-lock.ts';
import type { AuditContent } from '../domain/audit.ts';
import { createEvidence, type Evidence } from '../domain/evidence.ts';
import type { Finding } from '../domain/finding.ts';
import type { Hypothesis, Vote } from '../domain/hypothesis.ts';
import type { Incident } from '../domain/incident.ts';
import type { Task, Verdict } from '../domain/investigation.ts';
import type { Remediation, RiskTier } from '../domain/remediation.ts';
import { AGENT_NAMES, type AgentName, type Signal } from '../domain/signal.ts';
import { systemClock } from '../platform/clock.ts';
import { InvariantError } from '../platform/errors.ts';
import { digestOf, newId } from '../platform/ids.ts';
import { silentLogger } from '../platform/logger.ts';
import type { ToolContext } from '../tools/tool.ts';
import { INVESTIGATION_LIMITS, type InvestigationParts, type Supervisor } from './investigation-parts.ts';
import { openSqliteStores, type SqliteStores } from './sqlite-stores.fixture.ts';

const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2026, 0, 5, 10);

export const INCIDENT: Incident = {
  incidentId: 'inc_1',
  title: 'checkout fails',
  status: 'open',
  source: 'manual',
  service: 'frontend',
  openedAtMs: START_MS + 60 * MINUTE_MS,
  searchWindow: { startMs: START_MS, endMs: START_MS + 60 * MINUTE_MS },
  severity: 'high',
  anomalies: [],
};

/** One observation: what the agent holds for or against a service, and how strongly. */
interface Observation {
  readonly service: string;
  readonly stance: 'for' | 'against';
  readonly strength: number;
}

/** What each agent sees in a round; it may throw or wait like a real one. */
export type Script = Partial<
  Record<AgentName, (task: Task, signal: AbortSignal) => readonly Observation[] | Promise<readonly Observation[]>>
>;

/** The metrics point at frontend first; the traces know better. */
export const OVERTURNING: Script = {
  'metrics-agent': () => [{ service: 'frontend', stance: 'for', strength: 0.8 }],
  'log-agent': () => [{ service: 'payment', stance: 'for', strength: 0.6 }],
  'trace-agent': () => [
    { service: 'frontend', stance: 'against', strength: 0.9 },
    { service: 'payment', stance: 'for', strength: 0.9 },
  ],
  'deploy-agent': () => [],
};

const SIGNAL_OF: Readonly<Record<AgentName, Signal>> = {
  'metrics-agent': 'metrics',
  'log-agent': 'logs',
  'trace-agent': 'traces',
  'deploy-agent': 'changes',
};

function createScriptedAgent(name: AgentName, look: NonNullable<Script[AgentName]>): Agent {
  const signal = SIGNAL_OF[name];
  return {
    name,
    signal,
    mission: 'says what is written',
    async investigate(task, context) {
      const observations = await look(task, context.signal);
      const evidence = observations.map((one) => probe(`${signal}:${one.service}:${one.stance}`, task));
      const findings = observations.map((one, index) => describeFinding(name, task, one, evidence[index]));
      return { findings, evidence, gaps: [] };
    },
    vote: ({ hypotheses, findings, round }) =>
      hypotheses.map((hypothesis) => voteOn(name, hypothesis, findings, round)),
  };
}

function probe(subject: string, task: Pick<Task, 'scope'>): Evidence {
  return createEvidence({
    tool: 'probe',
    input: { subject },
    queries: [{ sql: 'SELECT {subject:String}', parameters: { subject }, rowCount: 1, digest: digestOf(subject) }],
    window: task.scope.window,
    takenAtMs: 1,
    summary: subject,
  });
}

function describeFinding(agent: AgentName, task: Task, one: Observation, shown: Evidence | undefined): Finding {
  const signal = SIGNAL_OF[agent];
  return {
    findingId: `${task.taskId}:${one.service}:${one.stance}`,
    agent,
    taskId: task.taskId,
    signal,
    observation: `${signal}:${one.service}:${one.stance}`,
    service: one.service,
    subject: 'errors',
    window: task.scope.window,
    sentence: `${agent} holds ${one.strength} ${one.stance} ${one.service}.`,
    evidenceIds: shown ? [shown.evidenceId] : [],
    implications: [
      { service: one.service, causeType: 'errors', stance: one.stance, strength: one.strength, canEcho: false },
    ],
    figures: {},
  };
}

function voteOn(agent: AgentName, hypothesis: Hypothesis, findings: readonly Finding[], round: number): Vote {
  const own = findings.filter((finding) => finding.agent === agent && finding.service === hypothesis.service);
  const reasons = own.flatMap((finding) =>
    finding.implications.map(({ stance, strength }) => ({
      observation: finding.observation,
      stance,
      strength,
      evidenceIds: finding.evidenceIds,
      sentence: finding.sentence,
    })),
  );
  return { agent, hypothesisId: hypothesis.hypothesisId, round, reasons };
}

/** @param tier of the proposed action; undefined proposes none */
function createScriptedSupervisor(agents: readonly AgentName[], tier: RiskTier | undefined): Supervisor {
  return {
    async locate(incident) {
      const onsetMs = incident.searchWindow.startMs + 40 * MINUTE_MS;
      const scope = {
        window: { startMs: onsetMs, endMs: incident.searchWindow.endMs },
        baseline: { startMs: incident.searchWindow.startMs, endMs: onsetMs },
        onsetMs,
        onsetReason: 'errors began at 10:40',
        onsetGrid: { firstMs: 1, stepSeconds: 20, count: 1 },
        calls: [],
        evidenceIds: [],
      };
      const shown = probe('onset', { scope });
      return { scope: { ...scope, evidenceIds: [shown.evidenceId] }, evidence: [shown] };
    },
    plan: (incident, scope, round) =>
      agents.map((agent) => ({
        taskId: `${incident.investigationId}:${round}:${agent}`,
        investigationId: '',
        agent,
        round,
        question: `What do the ${SIGNAL_OF[agent]} say?`,
        scope,
        focus: [],
      })),
    propose: (findings, round) =>
      [...new Set(findings.filter(isAccusation).map((finding) => finding.service))].sort().map((service, index) => ({
        hypothesisId: `hyp_${service}`,
        service,
        causeType: 'errors',
        statement: `${service} fails.`,
        findingIds: findings.filter((finding) => finding.service === service).map((finding) => finding.findingId),
        proposedRank: index + 1,
        round,
      })),
    findGaps: async () => ({ gaps: [], evidence: [] }),
    conclude: ({ board, tally, scope, gaps }): Verdict => ({
      outcome: tally.outcome === 'decided' ? 'root-cause' : 'abstained',
      confidence: tally.confidence,
      onsetMs: scope.onsetMs,
      suspects: tally.ranked.flatMap(({ hypothesisId, rank, score }) => {
        const hypothesis = board.hypotheses.find((one) => one.hypothesisId === hypothesisId);
        if (!hypothesis) return [];
        const { service, causeType, statement } = hypothesis;
        return [{ rank, hypothesisId, service, causeType, statement, score, normal: {}, evidenceIds: [] }];
      }),
      blastRadius: [],
      propagation: [],
      ruledOut: [],
      gaps: [...gaps],
    }),
    remediate: (verdict, _changes, evidence) => {
      const service = verdict.suspects[0]?.service;
      return tier && service && verdict.outcome === 'root-cause' ? proposeRestart(service, tier, evidence) : undefined;
    },
  };
}

const isAccusation = (finding: Finding) => finding.implications.some((implication) => implication.stance === 'for');

function proposeRestart(service: string, tier: RiskTier, evidence: readonly Evidence[]): Remediation {
  return {
    action: tier === 'info' ? 'open-ticket' : 'restart-service',
    service,
    parameters: {},
    tier,
    rationale: `${service} fails.`,
    preconditions: [],
    undo: 'none',
    evidenceIds: evidence.map((one) => one.evidenceId).slice(0, 1),
  };
}

const noTelemetry = new Proxy({} as ToolContext['telemetry'], {
  get: () => {
    throw new InvariantError('A scripted agent reads no telemetry.');
  },
});

export interface ScriptedParts extends InvestigationParts {
  readonly stores: SqliteStores;
  readonly audits: AuditContent[];
  /** The idempotency key of every action that ran, in order. */
  readonly actions: string[];
}

/**
 * Parts that work: stores in `file` (or memory), a jury that follows the script, an action that is noted and done. What a
 * test wants otherwise it gives as an override.
 */
export function createScriptedParts(
  script: Script,
  options: {
    readonly tier?: RiskTier | undefined;
    readonly file?: string;
    readonly overrides?: Partial<InvestigationParts>;
  } = {},
): ScriptedParts {
  const stores = openSqliteStores(options.file ?? ':memory:');
  const present = AGENT_NAMES.filter((name) => script[name]);
  const audits: AuditContent[] = [];
  const actions: string[] = [];
  return {
    stores,
    audits,
    actions,
    holder: newId('worker'),
    consult: undefined,
    agents: present.map((name) => createScriptedAgent(name, script[name] ?? (() => []))),
    supervisor: createScriptedSupervisor(present, options.tier),
    contextStore: createMemoryContextStore({ clock: systemClock }),
    toolContext: (signal) => ({ telemetry: noTelemetry, clock: systemClock, signal }),
    checkpoints: stores.checkpoints,
    once: stores.once,
    shardLock: createMemoryShardLock(),
    newestVersion: stores.newestVersion,
    hasHelpers: () => false,
    noteWork: () => () => undefined,
    archive: stores.archive,
    appendAudit: async (content) => {
      audits.push(content);
    },
    readChanges: async () => [],
    executeAction: async (_remediation, _grant, idempotencyKey) => {
      actions.push(idempotencyKey);
      return { status: 'done', detail: 'restarted' };
    },
    clock: systemClock,
    newId,
    logger: silentLogger,
    limits: { ...INVESTIGATION_LIMITS, pollMs: 5 },
    ...options.overrides,
  };
}
