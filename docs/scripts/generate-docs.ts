/** `npm run docs`: writes the generated parts of docs/architecture.md from the import graph; `--check` fails when they differ. */
import { readFileSync, writeFileSync } from 'node:fs';
import { cruiseModules, listSources, readImportTable } from './cruise-modules.ts';

const PAGE = new URL('../architecture.md', import.meta.url);
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
  const pattern = new RegExp(`(<!-- generated:${name} -->\\n)[\\s\\S]*?(\\n<!-- end:${name} -->)`);
  return page.replace(pattern, (_, start: string, end: string) => `${start}${text}${end}`);
}

const before = readFileSync(PAGE, 'utf8');
const after = replaceSection(replaceSection(before, 'table', writeTable()), 'diagram', await drawFolders());
if (!process.argv.includes('--check')) {
  writeFileSync(PAGE, after);
} else if (before !== after) {
  console.error('docs/architecture.md is out of date: run "npm run docs" and commit it.');
  process.exitCode = 1;
}
