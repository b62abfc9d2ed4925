/** `inquest incidents`: what went wrong lately, the newest first. */

import type { Command } from 'commander';
import type { FollowedIncident } from '../../../api/api-shapes.ts';
import type { Incident } from '../../../domain/incident.ts';
import { formatClock } from '../../../domain/time-window.ts';
import { joinHost, pageOf, type RunWork } from '../cli.ts';
import { EXIT } from '../exit-codes.ts';
import { table } from '../layout.ts';
import { commandLines, type Page, paragraph } from '../page.ts';
import { plainCopy } from '../plain-text.ts';
import { countOf, formatDayAndMinute } from '../words.ts';

export function addIncidentsCommand(program: Command, run: RunWork): void {
  program
    .command('incidents')
    .description('list incidents, the newest first')
    .action(() =>
      run(async (cli) => {
        const { client } = await joinHost(cli);
        const answer = await client.listIncidents(cli.signal);
        cli.terminal.printJson(answer);
        cli.terminal.print(renderIncidents(answer.incidents, pageOf(cli)));
        return EXIT.ok;
      }),
    );
}

/** A line for each, what happened below it. Pure. */
export function renderIncidents(raw: readonly FollowedIncident[], page: Page): string {
  if (raw.length === 0) {
    return [
      ...paragraph(
        page,
        'No incidents. Detection opens one when signals agree that something is wrong; you can open one yourself:',
      ),
      ...commandLines(page, 'investigate', '--service', 'NAME', '--since', '15m'),
    ].join('\n');
  }
  const incidents = [...plainCopy(raw)].sort((left, right) => right.openedAtMs - left.openedAtMs);
  const columns = ['incident', 'opened (UTC)', 'status', 'severity'].map((heading) => ({ heading }));
  const rows = incidents.map(({ incidentId, openedAtMs, status, severity }) => [
    incidentId,
    formatDayAndMinute(openedAtMs),
    STATUS_WORDS[status],
    severity,
  ]);
  const [heading = '', ...lines] = table(columns, rows, page.width);
  return [
    page.palette.faint(heading),
    ...incidents.flatMap(({ title, service, course }, index) => [
      page.palette.strong(lines[index] ?? ''),
      ...paragraph(page, title === '' ? service : title),
      ...(course ? paragraph(page, describeCourse(course)) : []),
    ]),
  ].join('\n');
}

/** Where the signals are; what an investigation came to is the status. */
function describeCourse(course: NonNullable<FollowedIncident['course']>): string {
  const { onsetMs, firstAffected, services, closedAtMs, lastAbnormalMs, mergedInto } = course;
  const others = services.length - 1;
  const where = `${firstAffected}${others > 0 ? ` and ${countOf(others, 'more service', 'more services')}` : ''}`;
  if (mergedInto !== undefined) return `Part of ${mergedInto}.`;
  const since = `since ${formatClock(onsetMs)}`;
  if (closedAtMs === undefined) return `Abnormal ${since}, first in ${where}.`;
  return `Abnormal ${since}, first in ${where}; back to normal since ${formatClock(lastAbnormalMs)}.`;
}

const STATUS_WORDS: Readonly<Record<Incident['status'], string>> = {
  open: 'open',
  investigating: 'investigating',
  'awaiting-approval': 'waits for approval',
  resolved: 'resolved',
  abstained: 'undecided',
  failed: 'failed',
};
