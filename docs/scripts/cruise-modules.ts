/** Runs dependency-cruiser over every TypeScript file of the project with the import table in .dependency-cruiser.cjs. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';

const require = createRequire(import.meta.url);

export interface ImportTable {
  readonly MAY_IMPORT: Readonly<Record<string, readonly string[]>>;
}

/** The table itself, folder to the folders it may import. */
export function readImportTable(): ImportTable['MAY_IMPORT'] {
  return (require('../../.dependency-cruiser.cjs') as ImportTable).MAY_IMPORT;
}

/** Files that git knows or would add. */
export function listSources(): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts'], {
    encoding: 'utf8',
  });
  return [...new Set(listed.split('\n'))].filter((file) => file !== '' && existsSync(file)).sort();
}

export async function cruiseModules(files: readonly string[]): Promise<ICruiseResult> {
  const { MAY_IMPORT: _table, forbidden, options } = require('../../.dependency-cruiser.cjs');
  const tsConfig = extractTSConfig('tsconfig.json');
  const reporterOutput = await cruise([...files], { ...options, ruleSet: { forbidden }, validate: true }, undefined, {
    tsConfig,
  });
  return reporterOutput.output as ICruiseResult;
}
