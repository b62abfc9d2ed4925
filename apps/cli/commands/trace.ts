/** `inquest trace ID`: everything that carries one trace id. */
import { type Command, InvalidArgumentError } from 'commander';
import { TRACE_ID } from '../../../domain/trace.ts';
import { joinHost, pageOf, type RunWork } from '../cli.ts';
import { EXIT } from '../exit-codes.ts';
import { renderTrace } from '../render-trace.ts';

export function addTraceCommand(program: Command, run: RunWork): void {
  program
    .command('trace')
    .description('show one trace: its spans as a waterfall, their log lines, and the exemplars that metrics kept of it')
    .argument('<id>', 'trace id, 32 hex digits', readTraceId)
    .action((traceId: string) =>
      run(async (cli) => {
        const { client } = await joinHost(cli);
        const trace = await client.getTrace(traceId, cli.signal);
        cli.terminal.printJson(trace);
        cli.terminal.print(renderTrace(traceId, trace, pageOf(cli)));
        return EXIT.ok;
      }),
    );
}

/** With or without the dashes that some tools put in. */
function readTraceId(text: string): string {
  const traceId = text.toLowerCase().replaceAll('-', '');
  if (TRACE_ID.test(traceId)) return traceId;
  throw new InvalidArgumentError('A trace id has 32 hex digits.');
}
