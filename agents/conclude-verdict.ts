/** What the tally means: the verdict or the abstention, who is hurt and by which way, what was ruled out, what would change it. */
import type { Board } from '../context-store/context-store.ts';
import { accusations, explainByCallees } from '../domain/blame-callees.ts';
import type { Finding } from '../domain/finding.ts';
import type { Hypothesis, Tally } from '../domain/hypothesis.ts';
import type { Incident } from '../domain/incident.ts';
import type { Scope, SignalGap, Suspect, Verdict } from '../domain/investigation.ts';
import { formatInstant } from '../domain/time-window.ts';

export interface Matter {
  readonly incident: Incident;
  readonly scope: Scope;
  readonly board: Board;
  readonly tally: Tally;
  readonly gaps: readonly SignalGap[];
  readonly round: number;
}

const MAX_SUSPECTS = 10;
const MAX_RULED_OUT = 8;
/** Accused less than this is not worth a line about why it was ruled out. */
const WORTH_RULING_OUT = 0.3;

export function concludeVerdict({ scope, board, tally, gaps, round }: Matter): Verdict {
  const hypotheses = new Map(
    board.hypotheses.filter((one) => one.round === round).map((hypothesis) => [hypothesis.hypothesisId, hypothesis]),
  );
  const suspects = tally.ranked.flatMap(({ hypothesisId, score }): Suspect[] => {
    const hypothesis = hypotheses.get(hypothesisId);
    return hypothesis && score > 0 ? [toSuspect(hypothesis, score, board.findings)] : [];
  });
  const ranked = suspects.slice(0, MAX_SUSPECTS).map((suspect, index) => ({ ...suspect, rank: index + 1 }));
  const first = ranked[0];
  const path = first ? tracePropagation(first.service, scope.calls, accusations(board.findings)) : [];
  return {
    outcome: tally.outcome === 'decided' && first ? 'root-cause' : 'abstained',
    confidence: tally.confidence,
    onsetMs: hypotheses.get(first?.hypothesisId ?? '')?.onsetMs ?? scope.onsetMs,
    suspects: ranked,
    blastRadius: [...new Set(path.map(({ from }) => from))],
    propagation: path,
    ruledOut: ruleOut(board.findings, scope.calls, first?.service),
    // What nobody accused lacks would not have changed anything.
    gaps: gaps.filter(({ service }) => service === '' || ranked.some((suspect) => suspect.service === service)),
    ...overturning(ranked, board.findings),
  };
}

function toSuspect(hypothesis: Hypothesis, score: number, findings: readonly Finding[]): Suspect {
  const { hypothesisId, service, causeType, pod, operation, changeId, commit, statement } = hypothesis;
  const about = findings
    .filter(({ implications }) => implications.some((one) => one.service === service && one.stance === 'for'))
    .sort((left, right) => strengthFor(right, service) - strengthFor(left, service));
  return {
    rank: 1,
    hypothesisId,
    service,
    causeType,
    ...(pod ? { pod } : {}),
    ...(operation ? { operation } : {}),
    ...(changeId ? { changeId } : {}),
    ...(commit ? { commit } : {}),
    statement,
    score,
    normal: normalMeasures(about),
    evidenceIds: [...new Set(about.flatMap(({ evidenceIds }) => evidenceIds))],
  };
}

function strengthFor({ implications }: Finding, service: string): number {
  return Math.max(
    0,
    ...implications.filter((one) => one.service === service && one.stance === 'for').map(({ strength }) => strength),
  );
}

/** What the service's measures are in normal time, from the figures of its findings. */
function normalMeasures(findings: readonly Finding[]): Suspect['normal'] {
  const figure = (kind: string, name: string) => {
    const value = findings.find(({ observation }) => observation.includes(kind))?.figures[name];
    return typeof value === 'number' ? value : undefined;
  };
  const failures = figure(':error-origin:', 'normalFailures');
  const units = figure(':error-origin:', 'normalUnits');
  const cpu = findings.find(
    ({ observation, figures }) => observation.startsWith('metrics:cpu:') && figures['unit'] === '1',
  );
  const cpuUtilization = cpu?.figures['normalMedian'];
  return {
    ...(failures !== undefined && units ? { errorRatio: failures / units } : {}),
    ...(typeof cpuUtilization === 'number' ? { cpuUtilization } : {}),
  };
}

/** Callers of the cause that are accused too, breadth first, as caller -> callee edges. */
function tracePropagation(
  cause: string,
  calls: Scope['calls'],
  accused: ReadonlyMap<string, number>,
): Verdict['propagation'] {
  const edges: { from: string; to: string }[] = [];
  const reached = new Set([cause]);
  for (const callee of reached) {
    for (const call of calls) {
      if (call.callee !== callee || reached.has(call.caller) || (accused.get(call.caller) ?? 0) < 0.05) continue;
      reached.add(call.caller);
      edges.push({ from: call.caller, to: callee });
    }
  }
  return edges;
}

/** Who looked guilty and why they are not: their callee explains it, or a change that nothing followed. */
function ruleOut(findings: readonly Finding[], calls: Scope['calls'], first: string | undefined): Verdict['ruledOut'] {
  const accused = accusations(findings);
  const echoes = [...explainByCallees(findings, calls)]
    .filter(
      ([service, { strength }]) =>
        service !== first && strength >= 0.5 && (accused.get(service) ?? 0) >= WORTH_RULING_OUT,
    )
    .map(([service, { callee, evidenceIds }]) => ({
      service,
      reason: `what it shows is explained by ${callee}, which it calls`,
      evidenceIds: [...evidenceIds],
    }));
  const idleChanges = findings
    .filter(
      ({ signal, service }) =>
        signal === 'changes' && service !== first && (accused.get(service) ?? 0) < WORTH_RULING_OUT,
    )
    .map(({ service, sentence, evidenceIds }) => ({
      service,
      reason: `changed around that time but shows little of its own (${sentence.slice(0, 120)})`,
      evidenceIds: [...evidenceIds],
    }));
  return [...echoes, ...idleChanges].slice(0, MAX_RULED_OUT);
}

function overturning([first, rival]: readonly Suspect[], findings: readonly Finding[]): Pick<Verdict, 'overturning'> {
  if (!first || !rival) return {};
  const [strongest] = findings
    .filter(
      ({ signal, implications }) =>
        signal !== 'changes' && implications.some(({ service }) => service === rival.service),
    )
    .sort((left, right) => strengthFor(right, rival.service) - strengthFor(left, rival.service));
  if (!strongest) return {};
  const since = strongest.onsetMs === undefined ? '' : ` before ${formatInstant(strongest.onsetMs)}`;
  const question = `Did ${rival.service} show this${since} without ${first.service} being in trouble? Then it is the cause: ${strongest.sentence}`;
  const [evidenceId] = strongest.evidenceIds;
  return { overturning: { question, ...(evidenceId ? { evidenceId } : {}) } };
}
