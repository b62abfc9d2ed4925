/** Rules about noise for people: what each hides, what it would have hidden, and what became of feedback. Pure. */

import type { Lesson, ListedRule } from '../../domain/noise-lesson.ts';
import { describeBackTest, describeScope, type NoiseRule } from '../../domain/noise-rule.ts';
import { formatDay } from '../../domain/time-window.ts';
import { table } from './layout.ts';
import { bullet, commandLines, labelled, type Page, paragraph, section } from './page.ts';
import { plainCopy } from './plain-text.ts';
import { asSentence, countOf, formatDayAndMinute, formatFigure } from './words.ts';

const LABEL_WIDTH = 9;

export function renderRules(raw: readonly ListedRule[], page: Page): string {
  if (raw.length === 0) {
    return [
      ...paragraph(page, 'No rules. One is proposed when somebody says that an anomaly or incident is noise:'),
      ...commandLines(page, 'feedback', 'ID', '--noise'),
    ].join('\n');
  }
  const rules = plainCopy(raw);
  const columns = [{ heading: 'rule' }, { heading: 'status' }, { heading: 'has hidden' }, { heading: 'ends (UTC)' }];
  const rows = rules.map((rule) => [
    rule.ruleId,
    rule.status,
    rule.hidden === 0 ? 'nothing yet' : countOf(rule.hidden, 'anomaly', 'anomalies'),
    rule.status === 'revoked' ? '' : formatDay(rule.expiresAtMs),
  ]);
  const [heading = '', ...lines] = table(columns, rows, page.width);
  return [
    page.palette.faint(heading),
    ...rules.flatMap((rule, index) => [page.palette.strong(lines[index] ?? ''), ...describeRule(rule, page)]),
  ].join('\n');
}

export function renderRule(raw: ListedRule, page: Page): string {
  const rule = plainCopy(raw);
  const said = {
    accepted: `Rule ${rule.ruleId} is in force until ${formatDay(rule.expiresAtMs)}. What it hides stays in "inquest anomalies --all".`,
    revoked: `Rule ${rule.ruleId} is revoked: what it hid shows again from now on.`,
    proposed: `Rule ${rule.ruleId} is proposed.`,
    expired: `Rule ${rule.ruleId} has expired.`,
  };
  return [...paragraph(page, said[rule.status]), ...describeRule(rule, page)].join('\n');
}

function describeRule(rule: NoiseRule, page: Page): string[] {
  const { accepted, revoked, reason } = rule;
  const signed = (word: string, { by, atMs, reason: why }: NonNullable<NoiseRule['accepted']>) =>
    `${word} by ${by} on ${formatDayAndMinute(atMs)} UTC${why === '' ? '' : `: ${why}`}`;
  return [
    ...labelled(page, 'hides', describeScope(rule.scope), LABEL_WIDTH),
    ...labelled(page, 'tried', describeBackTest(rule.backTest), LABEL_WIDTH),
    ...(reason === '' ? [] : labelled(page, 'because', reason, LABEL_WIDTH)),
    ...(accepted ? labelled(page, 'accepted', signed('', accepted).trim(), LABEL_WIDTH) : []),
    ...(revoked ? labelled(page, 'revoked', signed('', revoked).trim(), LABEL_WIDTH) : []),
  ];
}

/** What follows from feedback. */
export function renderLesson(raw: Lesson, page: Page): string {
  const { feedback, bars, proposed, notProposed, revoked } = plainCopy(raw);
  const { about, judgement, by } = feedback;
  return [
    ...paragraph(page, `Recorded: ${about} is ${judgement}, says ${by}.`),
    ...section(
      page,
      'RECALIBRATED',
      bars.flatMap((bar) => bullet(page, describeBar(bar))),
    ),
    ...proposed.flatMap((rule) =>
      section(page, `PROPOSED  ${rule.ruleId}`, [
        ...describeRule(rule, page),
        ...commandLines(page, 'rules', 'accept', rule.ruleId),
      ]),
    ),
    ...section(
      page,
      'NOT PROPOSED',
      notProposed.flatMap(({ subject, reason }) => bullet(page, `${subject}: ${asSentence(reason)}`)),
    ),
    ...section(
      page,
      'REVOKED',
      revoked.flatMap(({ ruleId, scope }) =>
        bullet(page, `${ruleId}, which would hide what is real: ${describeScope(scope)}`),
      ),
    ),
  ].join('\n');
}

function describeBar({ subject, factor, endsMs }: Lesson['bars'][number]): string {
  if (factor === 1) return `${subject}: its bar is where its own past puts it`;
  return `${subject}: its bar is raised ${formatFigure(factor)}x, and comes down again until ${formatDay(endsMs)}`;
}
