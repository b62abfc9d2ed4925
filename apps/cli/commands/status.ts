/** `inquest status`: what the host is, what comes in, what is open, and how often it cried wolf. */

import type { Command } from 'commander';
import type { HostStatus } from '../../../api/api-shapes.ts';
import type { FalsePositiveRate } from '../../../domain/false-positive-rate.ts';
import type { ListedRule } from '../../../domain/noise-lesson.ts';
import { formatClock, formatDay } from '../../../domain/time-window.ts';
import { joinHost, pageOf, type RunWork } from '../cli.ts';
import { EXIT } from '../exit-codes.ts';
import { labelled, type Page } from '../page.ts';
import { plainCopy } from '../plain-text.ts';
import { countOf, formatDuration } from '../words.ts';

const LABEL_WIDTH = 10;

export function addStatusCommand(program: Command, run: RunWork): void {
  program
    .command('status')
    .description('what comes in, what is kept quiet, and how many incidents were noise')
    .action(() =>
      run(async (cli) => {
        const { client } = await joinHost(cli);
        const [host, falsePositives, { rules }] = await Promise.all([
          client.status(cli.signal),
          client.getFalsePositives(cli.signal),
          client.listRules(cli.signal),
        ]);
        cli.terminal.printJson({ ...host, falsePositives });
        cli.terminal.print(renderStatus({ host, falsePositives, rules }, pageOf(cli), cli.clock.nowMs()));
        return EXIT.ok;
      }),
    );
}

export interface StatusOfAll {
  readonly host: HostStatus;
  readonly falsePositives: FalsePositiveRate;
  readonly rules: readonly ListedRule[];
}

/** Pure. */
export function renderStatus(raw: StatusOfAll, page: Page, nowMs: number): string {
  const { host, falsePositives, rules } = plainCopy(raw);
  const newest = Object.entries(host.newest).map(([signal, atMs]) => `${signal} ${formatDuration(nowMs - atMs)} ago`);
  const stored = Object.values(host.rows).reduce((sum, rows) => sum + rows, 0);
  const count = (status: ListedRule['status']) => rules.filter((rule) => rule.status === status).length;
  const lines: [string, string][] = [
    ['host', `Inquest ${host.version}, up since ${formatDay(host.startedAtMs)} ${formatClock(host.startedAtMs)} UTC`],
    ['engine', `ClickHouse ${host.clickhouse.engineVersion}, ${host.clickhouse.kind}`],
    ['telemetry', newest.length === 0 ? 'none yet' : `${newest.join(', ')}; ${countOf(stored, 'row')} stored`],
    ['rules', `${count('accepted')} in force, ${count('proposed')} proposed`],
    ['noise', describeRate(falsePositives)],
  ];
  return lines.flatMap(([label, text]) => labelled(page, label, text, LABEL_WIDTH)).join('\n');
}

const OBJECTIVE_WORDS: Readonly<Record<FalsePositiveRate['objective'], string>> = {
  met: 'met',
  'likely-met': 'met as it looks, but too few incidents to be sure',
  'likely-missed': 'missed as it looks, but too few incidents to be sure',
  missed: 'MISSED',
  unknown: '',
};

/** `1 of 27 incidents in 30 days were noise: 3.7 % (95 %: 0.7 to 18.3 %), target under 5 %: ...` */
export function describeRate(rate: FalsePositiveRate): string {
  const { noise, real, undecided, days, percent, interval, targetPercent, objective } = rate;
  const others = undecided === 0 ? '' : `; ${countOf(undecided, 'other')} nobody knows about`;
  if (percent === undefined) {
    return `no incident of the last ${days} days is known to be noise or real${others}; target: under ${targetPercent} % noise`;
  }
  const figures = `${percent.toFixed(1)} % (95 %: ${interval.low.toFixed(1)} to ${interval.high.toFixed(1)} %)`;
  const of = `${noise} of ${countOf(noise + real, 'incident')} in ${days} days ${noise === 1 || noise + real === 1 ? 'was' : 'were'} noise`;
  return `${of}: ${figures}; target under ${targetPercent} %: ${OBJECTIVE_WORDS[objective]}${others}`;
}
