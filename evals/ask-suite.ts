/**
 * Questions in plain language over the simulator: sixty that were written before the grammar, and twice twenty by people who had not seen
 * it; by the first twenty answers were improved, the others are blind. Each answer is checked against sums over what was sent, and the
 * evidence it cites is run again.
 */
import type { Answer } from '../domain/answer.ts';
import { loadProcessConfig } from '../platform/config.ts';
import { withTemporaryDirectory } from '../platform/with-temporary-directory.ts';
import { openRuntime, type Runtime } from '../runtime/open-runtime.ts';
import type { AskQuestion } from './ask/ask-question.ts';
import { NOW_MS, STORIES, type StoryFacts, type StoryName, tellStory } from './ask/ask-stories.ts';
import { BLIND_QUESTIONS } from './ask/blind-questions.ts';
import { NIGHT_QUESTIONS } from './ask/questions-at-night.ts';
import { REQUEST_QUESTIONS } from './ask/questions-of-requests.ts';
import { SIGNAL_QUESTIONS } from './ask/questions-of-signals.ts';
import { replayChanges, replayRequests } from './replay-case.ts';
import { checkAnswer } from './scorers/check-answer.ts';
import type { DetectionSuite, Scored } from './suite.ts';

interface Graded {
  readonly id: string;
  readonly set: 'known' | 'night' | 'blind';
  readonly ask: string;
  /** Who answered: rules, the configured model as it is used, or nobody. */
  readonly way: 'grammar' | 'auto';
  readonly by: Answer['by'];
  readonly answer: string;
  /** Empty: right. */
  readonly problems: readonly string[];
  readonly milliseconds: number;
  readonly tokens: number;
}

const SETS = {
  known: [...REQUEST_QUESTIONS, ...SIGNAL_QUESTIONS],
  night: NIGHT_QUESTIONS,
  blind: BLIND_QUESTIONS,
} as const;

const CALLER = { name: 'eval', mayInvestigate: true };

export const askSuite: DetectionSuite<Graded> = {
  source: 'detection',
  needsData: false,
  predict: async ({ only, signal, note }) => {
    const graded: Graded[] = [];
    for (const story of Object.keys(STORIES) as StoryName[]) {
      const asked = Object.entries(SETS).flatMap(([set, questions]) =>
        questions
          .filter((one) => one.story === story && `${one.id} ${story}`.includes(only))
          .map((question) => ({ set: set as Graded['set'], question })),
      );
      if (asked.length > 0) graded.push(...(await askStory(story, asked, signal)));
      note(
        `${story}: ${graded.filter(({ problems }) => problems.length === 0).length} of ${graded.length} right so far`,
      );
    }
    return graded;
  },
  score: scoreAnswers,
};

interface Asked {
  readonly set: Graded['set'];
  readonly question: AskQuestion;
}

function askStory(name: StoryName, asked: readonly Asked[], signal: AbortSignal): Promise<Graded[]> {
  return withTemporaryDirectory('ask', async (dataDir) => {
    const settings = {
      INQUEST_DATA_DIR: dataDir,
      INQUEST_RETENTION_DAYS: '0',
      CLICKHOUSE_URL: '',
      REDIS_URL: '',
      REDIS_LOCK_URLS: '',
      KAFKA_BROKERS: '',
    };
    const config = loadProcessConfig(settings);
    const runtime = await openRuntime(config);
    try {
      const { requests, facts } = tellStory(name);
      await replayRequests(requests, runtime.receiveOtlp, signal);
      await replayChanges(facts.changes, runtime.receiveChanges, signal);
      const ways: Graded['way'][] = config.llm ? ['grammar', 'auto'] : ['grammar'];
      const graded: Graded[] = [];
      for (const way of ways) {
        for (const one of asked) graded.push(await grade(runtime, one, facts, way, signal));
      }
      return graded;
    } finally {
      await runtime.close();
    }
  });
}

async function grade(
  runtime: Runtime,
  { set, question }: Asked,
  facts: StoryFacts,
  way: Graded['way'],
  signal: AbortSignal,
): Promise<Graded> {
  const asked = { by: way, nowMs: NOW_MS, conversationId: `${way}-${question.id}` };
  if (question.after !== undefined) await runtime.ask({ ...asked, question: question.after }, CALLER, signal);
  const startedMs = performance.now();
  const { answer } = await runtime.ask({ ...asked, question: question.ask }, CALLER, signal);
  const milliseconds = performance.now() - startedMs;
  const vocabulary = [
    ...new Set([...facts.spans.map(({ service }) => service), ...facts.points.map(({ service }) => service)]),
  ];
  const problems = [
    ...checkAnswer(answer, question.expect(facts), { vocabulary, question: question.ask, nowMs: NOW_MS }),
    ...(await checkEvidence(runtime, answer, signal)),
  ];
  const { inputTokens = 0, outputTokens = 0 } = answer.usage ?? {};
  return {
    ...{ id: question.id, set, ask: question.ask, way, by: answer.by, answer: answer.text },
    ...{ problems, milliseconds, tokens: inputTokens + outputTokens },
  };
}

/** An answer cites evidence, and all of it says the same when it is run again. */
async function checkEvidence(runtime: Runtime, { kind, evidenceIds }: Answer, signal: AbortSignal): Promise<string[]> {
  if (kind === 'answered' && evidenceIds.length === 0) return ['cites no evidence'];
  const problems: string[] = [];
  for (const id of evidenceIds) {
    const verified = await runtime.verify(id, signal);
    if (!verified.every(({ status }) => status === 'holds')) problems.push(`evidence ${id} does not hold`);
  }
  return problems;
}

function scoreAnswers(graded: readonly Graded[]): Scored {
  const groups = Object.entries(Object.groupBy(graded, ({ set, way }) => `${set} questions, ${way}`));
  const summary = groups.map(([name, all = []]) => {
    const right = all.filter(({ problems }) => problems.length === 0).length;
    const times = all.map(({ milliseconds }) => milliseconds).sort((left, right) => left - right);
    const tokens = all.reduce((sum, one) => sum + one.tokens, 0);
    const byModel = all.filter(({ by }) => by === 'model').length;
    return {
      ...{ name, asked: all.length, right, byModel, tokens },
      medianMs: times[Math.floor(times.length / 2)] ?? 0,
      worstMs: times.at(-1) ?? 0,
    };
  });
  const wrong = graded.filter(({ problems }) => problems.length > 0);
  const heading = `${'questions, answered by'.padEnd(28)}  asked  right  by model   tokens  median ms  worst ms`;
  const rows = summary.map(({ name, asked, right, byModel, tokens, medianMs, worstMs }) =>
    [
      name.padEnd(28),
      String(asked).padStart(5),
      String(right).padStart(5),
      String(byModel).padStart(8),
      String(tokens).padStart(7),
      medianMs.toFixed(0).padStart(9),
      worstMs.toFixed(0).padStart(8),
    ].join('  '),
  );
  const failures = wrong.map(({ id, way, ask, problems }) => `${id} (${way}) ${ask}\n    ${problems.join('; ')}`);
  return {
    score: { summary, wrong },
    text: [...(failures.length > 0 ? ['not right:', ...failures, ''] : []), heading, ...rows].join('\n'),
  };
}
