/** Traffic that came in from outside as never before: it blames who takes it, and excuses everybody whom it overran. */
import type { Finding } from '../domain/finding.ts';
import type { Hypothesis, VoteReason } from '../domain/hypothesis.ts';
import type { Task } from '../domain/investigation.ts';
import { formatInstant } from '../domain/time-window.ts';
import { rankTrafficSurges } from '../tools/read/rank-traffic-surges.ts';
import { type Notebook, threeDigits } from './post-findings.ts';
import { rankingQuestion, WORTH_NOTING } from './ranking-question.ts';

const SURGE = 'traces:surge:';
/** Trouble that began this long before the surge was not brought by it. */
const SLACK_MS = 90_000;
/** A surge is rarely the whole story of what breaks under it. */
const EXCUSE_SHARE = 0.8;

export async function noteSurges(notebook: Notebook, task: Task): Promise<void> {
  const asked = await notebook.ask(rankTrafficSurges, rankingQuestion(task));
  for (const surge of asked?.output.surges.filter(({ strength }) => strength >= WORTH_NOTING) ?? []) {
    const { service, strength, onsetMs, normalMedian, normalHigh, windowMedian } = surge;
    notebook.note({
      observation: `${SURGE}${service}`,
      service,
      subject: 'requests from outside',
      window: task.scope.window,
      onsetMs,
      sentence: `${threeDigits(windowMedian)} requests a minute reach ${service} from outside since ${formatInstant(onsetMs)}; ${threeDigits(normalMedian)} are normal, and 99 % of normal minutes have ${threeDigits(normalHigh)} or fewer.`,
      evidenceIds: [asked?.evidenceId ?? ''],
      implications: [{ service, causeType: 'traffic-surge', stance: 'for', strength, canEcho: false }],
      figures: { normalMedian, normalHigh, windowMedian },
    });
  }
}

/** Why a hypothesis about somebody else than the door is weaker: the trouble came with the crowd. */
export function excuseOfSurge(hypothesis: Hypothesis, findings: readonly Finding[]): VoteReason | undefined {
  const surges = findings.filter(({ observation }) => observation.startsWith(SURGE));
  const strengthOf = ({ implications }: Finding) => implications[0]?.strength ?? 0;
  const [surge] = [...surges].sort((left, right) => strengthOf(right) - strengthOf(left));
  if (!surge || surges.some(({ service }) => service === hypothesis.service)) return undefined;
  const sinceMs = hypothesis.onsetMs ?? Number.POSITIVE_INFINITY;
  if (sinceMs < (surge.onsetMs ?? 0) - SLACK_MS) return undefined;
  return {
    observation: surge.observation,
    stance: 'against',
    strength: EXCUSE_SHARE * strengthOf(surge),
    evidenceIds: surge.evidenceIds,
    sentence: `${hypothesis.service} got into trouble with the surge of traffic at ${surge.service}.`,
  };
}
