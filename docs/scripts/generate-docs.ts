/**
 * `npm run docs`: writes what is generated in docs/ (architecture.md in part, from the import graph; api.md and openapi.json, from
 * the API's shapes); `--check` fails when something differs.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { readInquestVersion } from '../../api/inquest-version.ts';
import { createOpenApi } from '../../api/openapi.ts';
import { cruiseModules, listSources, readImportTable } from './cruise-modules.ts';
import { writeApiPage } from './write-api-page.ts';

const TEST = /\.(test|contract|fixture)\.ts$/;

async function drawFolders(): Promise<string> {
  const { modules } = await cruiseModules(listSources());
  const folders = new Set(Object.keys(readImportTable()));
  const edges = new Set<string>();
  for (const { source, dependencies } of modules) {
    const from = source.split('/')[0] ?? '';
    if (!folders.has(from) || TEST.test(source)) continue;
    for (const { resolved } of dependencies) {
      const to = resolved.split('/')[0] ?? '';
      if (to !== from && folders.has(to)) edges.add(`  ${from} --> ${to}`);
    }
  }
  return ['```mermaid', 'flowchart TD', ...[...edges].sort(), '```'].join('\n');
}

function writeTable(): string {
  const rows = Object.entries(readImportTable()).map(
    ([folder, allowed]) => `| ${folder}/ | ${allowed.join(', ') || 'nothing of ours'} |`,
  );
  return ['| folder | may import |', '| --- | --- |', ...rows].join('\n');
}

function replaceSection(page: string, name: string, text: string): string {
  const pattern = new RegExp(`(<!-- generated:${name} -->)[\\s\\S]*?(<!-- end:${name} -->)`);
  return page.replace(pattern, (_, start: string, end: string) => `${start}\n${text}\n${end}`);
}

/** As the linter wants it. */
function format(name: string, text: string): string {
  return execFileSync('biome', ['format', `--stdin-file-path=docs/${name}`], { input: text, encoding: 'utf8' });
}

const read = (name: string): string => {
  const url = new URL(`../${name}`, import.meta.url);
  return existsSync(url) ? readFileSync(url, 'utf8') : '';
};
const openApi = createOpenApi(readInquestVersion());
const architecture = replaceSection(read('architecture.md'), 'table', writeTable());
const pages = {
  'architecture.md': replaceSection(architecture, 'diagram', await drawFolders()),
  'api.md': writeApiPage(openApi),
  'openapi.json': JSON.stringify(openApi),
};
for (const [name, unformatted] of Object.entries(pages)) {
  const text = format(name, unformatted);
  if (read(name) === text) continue;
  if (process.argv.includes('--check')) {
    console.error(`docs/${name} is out of date: run "npm run docs" and commit it.`);
    process.exitCode = 1;
  } else {
    writeFileSync(new URL(`../${name}`, import.meta.url), text);
  }
}
