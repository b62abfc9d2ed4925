/** `inquest bench clients`: sends with telemetrygen and a real OpenTelemetry Collector; compares what was sent with what is stored. */
import { type Command, InvalidArgumentError } from 'commander';
import { UnavailableError } from '../../../platform/errors.ts';
import { withTemporaryDirectory } from '../../../platform/with-temporary-directory.ts';
import type { RunWork } from '../cli.ts';
import { EXIT } from '../exit-codes.ts';
import { plainBlock } from '../plain-text.ts';

interface ClientsFlags {
  readonly records: number;
  readonly kafka?: string[];
}

export function addBenchClientsCommand(bench: Command, run: RunWork): void {
  bench
    .command('clients')
    .description(
      'send with telemetrygen and a real OpenTelemetry Collector over every protocol; compare what was sent with what is stored',
    )
    .option('--records <number>', 'spans, log records and data points of each way, an even number', readRecords, 10_000)
    .option(
      '--kafka <brokers...>',
      'also through Kafka: host:port, of a broker with the topics otlp_spans, _logs, _metrics',
    )
    .action(({ records, kafka = [] }: ClientsFlags) =>
      run(async ({ terminal, signal }) => {
        const { missingClients } = await import('../../../bench/collector/real-clients.ts');
        const { runClientDrill } = await import('../../../bench/client-drill.ts');
        const { renderClientReport, reportClients } = await import('../../../bench/client-report.ts');
        const missing = missingClients();
        if (missing !== undefined) throw new UnavailableError(`There is nothing to send with: ${missing}.`);
        return withTemporaryDirectory('clients', async (directory) => {
          const onLeg = ({ client, protocol }: { client: string; protocol: string }) =>
            terminal.note(`${client} over ${protocol}: done`);
          const report = reportClients(
            await runClientDrill({ directory, records, kafkaBrokers: kafka, signal, onLeg }),
          );
          terminal.printJson(report);
          terminal.print(plainBlock(renderClientReport(report)));
          return report.sound ? EXIT.ok : EXIT.failure;
        });
      }),
    );
}

function readRecords(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 2 && count <= 1_000_000 && count % 2 === 0) return count;
  throw new InvalidArgumentError('An even number from 2 to 1000000.');
}
