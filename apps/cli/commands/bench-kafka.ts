/** `inquest bench kafka`: a real broker and consumers that are killed, frozen and restarted; every span is counted after. */
import type { Command } from 'commander';
import { ConfigError } from '../../../platform/errors.ts';
import { withTemporaryDirectory } from '../../../platform/with-temporary-directory.ts';
import type { RunWork } from '../cli.ts';
import { EXIT } from '../exit-codes.ts';
import { plainBlock } from '../plain-text.ts';
import { readCount } from '../read-numbers.ts';

export function addBenchKafkaCommand(bench: Command, run: RunWork): void {
  bench
    .command('kafka')
    .description(
      'start a real broker, kill, freeze and restart consumers, broker and engine; count what is lost or doubled',
    )
    .option('--rounds <number>', 'of each scenario', readCount, 5)
    .action(({ rounds }: { rounds: number }) =>
      run(async ({ terminal, signal }) => {
        const { whyNoKafka } = await import('../../../bench/kafka-broker.ts');
        const { isSound, renderKafkaFindings, runKafkaDrill } = await import('../../../bench/kafka-drill.ts');
        const missing = whyNoKafka(false);
        if (missing !== undefined) throw new ConfigError(missing);
        return withTemporaryDirectory('kafka', async (directory) => {
          const findings = await runKafkaDrill({
            directory,
            rounds,
            signal,
            onFinding: ({ scenario, produced, lost, doubled }) =>
              terminal.note(`${scenario}: ${produced} spans sent, ${lost} lost, ${doubled} doubled`),
          });
          terminal.printJson({ sound: isSound(findings), findings });
          terminal.print(plainBlock(renderKafkaFindings(findings)));
          return isSound(findings) ? EXIT.ok : EXIT.failure;
        });
      }),
    );
}
