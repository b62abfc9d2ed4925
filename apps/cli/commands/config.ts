/** `inquest config`: what every setting is, where it comes from and what it is for. */
import type { Command } from 'commander';
import { describeProcessConfig, type Setting } from '../../../platform/config.ts';
import { pageOf, type RunWork } from '../cli.ts';
import { EXIT } from '../exit-codes.ts';
import { type Page, paragraph } from '../page.ts';
import { plainCopy } from '../plain-text.ts';

export function addConfigCommand(program: Command, run: RunWork): void {
  program
    .command('config')
    .description('show the effective settings, secrets hidden')
    .addHelpText(
      'after',
      `
Settings come from the environment; --data-dir stands for INQUEST_DATA_DIR. A running
host keeps the settings it was started with.`,
    )
    .action(() =>
      run(async (cli) => {
        const settings = describeProcessConfig({ INQUEST_DATA_DIR: cli.config.dataDir });
        cli.terminal.printJson({ settings });
        cli.terminal.print(renderSettings(settings, pageOf(cli)));
        return EXIT.ok;
      }),
    );
}

/** Two lines for each setting, its value and what it is for. Pure. */
export function renderSettings(raw: readonly Setting[], page: Page): string {
  const { palette } = page;
  return plainCopy(raw)
    .flatMap(({ name, value, source, about }) => [
      `${palette.strong(name)} = ${value ?? '(unset)'}${source === 'default' ? palette.faint('  (default)') : ''}`,
      ...paragraph(page, about).map((line) => palette.faint(line)),
    ])
    .join('\n');
}
