/** `inquest workers`: the processes that investigate, and what each has in hand. */
import type { Command } from 'commander';
import type { Worker } from '../../../domain/worker.ts';
import { joinHost, pageOf, type RunWork } from '../cli.ts';
import { EXIT } from '../exit-codes.ts';
import { table } from '../layout.ts';
import { labelled, type Page, paragraph } from '../page.ts';
import { plainCopy } from '../plain-text.ts';
import { countOf, formatDuration } from '../words.ts';

export function addWorkersCommand(program: Command, run: RunWork): void {
  program
    .command('workers')
    .description('the processes that investigate, and what each has in hand')
    .action(() =>
      run(async (cli) => {
        const { client } = await joinHost(cli);
        const answer = await client.listWorkers(cli.signal);
        cli.terminal.printJson(answer);
        cli.terminal.print(renderWorkers(answer.workers, pageOf(cli), cli.clock.nowMs()));
        return EXIT.ok;
      }),
    );
}

/** Pure. */
export function renderWorkers(raw: readonly Worker[], page: Page, nowMs: number): string {
  const workers = plainCopy(raw);
  const columns = [{ heading: 'worker' }, { heading: 'where' }, { heading: 'up' }, { heading: 'in hand' }];
  const rows = workers.map(({ workerId, host, pid, startedAtMs, concurrency, holding }) => {
    const tasks = holding.filter(({ taskId }) => taskId !== undefined).length;
    return [
      workerId,
      `${host} ${pid}`,
      formatDuration(nowMs - startedAtMs),
      `${tasks} of ${countOf(concurrency, 'task')}`,
    ];
  });
  const [heading = '', ...lines] = table(columns, rows, page.width);
  const alone =
    workers.length > 1
      ? []
      : ['', ...paragraph(page, 'Others can help where they share a Redis (REDIS_URL): "inquest worker --help".')];
  return [
    page.palette.faint(heading),
    ...workers.flatMap((worker, index) => [page.palette.strong(lines[index] ?? ''), ...describe(worker, page, nowMs)]),
    ...alone,
  ].join('\n');
}

const LABEL_WIDTH = 10;

function describe({ roles, holding }: Worker, page: Page, nowMs: number): string[] {
  const work = holding.map(({ investigationId, taskId, sinceMs }): [string, string] => {
    const since = `for ${formatDuration(nowMs - sinceMs)}`;
    return taskId === undefined ? ['supervises', `${investigationId} ${since}`] : ['answers', `${taskId} ${since}`];
  });
  return [['takes on', roles.join(', ')] as [string, string], ...work].flatMap(([label, text]) =>
    labelled(page, label, text, LABEL_WIDTH),
  );
}
