/** What language models said about an incident, where one is configured: what cites evidence, and what became of whom they would put first. */
import type { Counsel, CounselOutcome } from '../../domain/counsel.ts';
import type { Investigation } from '../../domain/investigation.ts';
import { bullet, citation, type Page, paragraph, section } from './page.ts';
import { asSentence, countOf, formatCount } from './words.ts';

const MAX_NOTES = 6;
const MAX_CITED = 2;

const FOLLOWED: Readonly<Record<CounselOutcome['outcome'], string>> = {
  agrees: 'as the jury does',
  moved: 'the jury had it behind; the evidence cited is no weaker, so it goes first',
  'unknown-suspect': 'not followed: no finding accuses it',
  'irrelevant-evidence': 'not followed: the evidence cited shows something else',
  'weaker-evidence': 'not followed: the evidence cited weighs less',
};

export function renderCounsel({ verdict }: Investigation, page: Page): string[] {
  const counsel = verdict?.counsel;
  if (!counsel) return [];
  const { heard, outcomes } = counsel;
  const notes = heard.flatMap((one) => one.notes).slice(0, MAX_NOTES);
  return section(
    page,
    'WHAT A MODEL SAYS',
    [
      ...notes.flatMap(({ text, evidenceIds }) => bullet(page, asSentence(text) + citation(evidenceIds, MAX_CITED))),
      ...outcomes.flatMap(({ service, why, evidenceIds, outcome }) =>
        bullet(
          page,
          `It would put ${service} first (${FOLLOWED[outcome]}): ${asSentence(why)}${citation(evidenceIds, MAX_CITED)}`,
        ),
      ),
      ...describeTrouble(heard).flatMap((text) => paragraph(page, text)),
    ],
    describeUsage(heard),
  );
}

function describeTrouble(heard: readonly Counsel[]): string[] {
  const failures = new Set(heard.flatMap(({ failure }) => failure ?? []));
  const stopped = new Set(heard.flatMap((one) => one.stopped ?? []));
  const failed = heard.filter(({ failure }) => failure !== undefined).length;
  const dropped = heard.reduce((sum, one) => sum + one.dropped, 0);
  return [
    ...(failed > 0
      ? [
          `${failed} of ${countOf(heard.length, 'talk')} gave nothing: ${[...failures].join('; ')}. The verdict is the jury's own.`,
        ]
      : []),
    ...(stopped.size > 0
      ? [`Stopped by budget (${[...stopped].join(', ')}): what was established so far is here.`]
      : []),
    ...(dropped > 0
      ? [`${countOf(dropped, 'statement')} without evidence for it ${dropped === 1 ? 'was' : 'were'} thrown away.`]
      : []),
  ];
}

/** `gpt-x: 9 calls, 31,204 tokens, $0.02` */
function describeUsage(heard: readonly Counsel[]): string {
  const names = [...new Set(heard.map(({ modelName }) => modelName))].join(', ');
  const sum = (of: (usage: Counsel['usage']) => number) => heard.reduce((total, { usage }) => total + of(usage), 0);
  const tokens = sum(({ inputTokens, outputTokens }) => inputTokens + outputTokens);
  const unpriced = sum(({ unpricedCalls }) => unpricedCalls);
  const cost = unpriced > 0 ? 'cost not known' : `$${sum(({ costUsd }) => costUsd).toFixed(3)}`;
  return `${names}: ${countOf(
    sum(({ calls }) => calls),
    'call',
  )}, ${formatCount(Math.round(tokens))} tokens, ${cost}`;
}
