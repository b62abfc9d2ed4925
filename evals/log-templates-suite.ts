/**
 * How well log templates are told apart: the lines of each file go through the miner that ingest uses, and groups are compared with
 * those that people made. Headers are stripped by what the file shows (strip-headers.ts); the answers are read by the scorer only.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import { createTemplateGroups } from '../domain/log-templates/template-groups.ts';
import { tokenizeLine } from '../domain/log-templates/tokenize-line.ts';
import { stripHeaders } from './datasets/strip-headers.ts';
import { groupingAccuracy } from './scorers/grouping-accuracy.ts';
import type { FilePrediction, FileSuite, Scored } from './suite.ts';
import type { UnpackedDataset } from './unpack-dataset.ts';

const LOG_FILE = '_2k.log';
const TRUTH_FILE = '_2k.log_structured.csv';

const truthSchema = z.array(z.object({ EventId: z.string() }));

export const logTemplatesSuite: FileSuite<FilePrediction> = {
  source: 'files',
  predict: ({ partDir }, only) =>
    listLogs(partDir)
      .filter((path) => systemOf(path).includes(only))
      .map((path) => ({ system: systemOf(path), groups: groupLines(readLines(path)) })),
  score: scoreGroups,
};

function listLogs(partDir: string): string[] {
  const files = readdirSync(partDir, { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith(LOG_FILE))
    .map((file) => join(partDir, file))
    .sort();
}

const systemOf = (path: string): string => basename(path).slice(0, -LOG_FILE.length);

function readLines(path: string): string[] {
  const lines = readFileSync(path, 'utf8').split(/\r?\n/);
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

/** The id of each line's template, as all of the file's lines tell it. */
function groupLines(lines: readonly string[]): string[] {
  const groups = createTemplateGroups();
  const ids = stripHeaders(lines).map((message) => groups.add(tokenizeLine(message)) ?? '');
  return ids.map((id) => groups.resolve(id)?.templateId ?? id);
}

function scoreGroups({ partDir }: UnpackedDataset, predictions: readonly FilePrediction[]): Scored | undefined {
  const pathOf = new Map(listLogs(partDir).map((path) => [systemOf(path), path]));
  const systems = predictions.flatMap(({ system, groups }) => {
    const truthPath = join(dirname(pathOf.get(system) ?? ''), `${system}${TRUTH_FILE}`);
    if (!existsSync(truthPath)) return [];
    const options = { columns: true, bom: true, relax_quotes: true, skip_empty_lines: true };
    const events = truthSchema.parse(parse(readFileSync(truthPath, 'utf8'), options)).map(({ EventId }) => EventId);
    return [
      {
        system,
        accuracy: groupingAccuracy(groups, events),
        groups: new Set(groups).size,
        events: new Set(events).size,
      },
    ];
  });
  if (systems.length === 0) return undefined;
  const meanAccuracy = systems.reduce((sum, { accuracy }) => sum + accuracy, 0) / systems.length;
  const rows = systems.map(({ system, accuracy, groups, events }) => [system, accuracy.toFixed(4), groups, events]);
  const table = [
    ['system', 'grouping accuracy', 'groups', 'events'],
    ...rows,
    ['mean', meanAccuracy.toFixed(4), '', ''],
  ];
  const width = Math.max(...systems.map(({ system }) => system.length), 'system'.length);
  const text = table.map(([first, ...rest]) => [String(first).padEnd(width), ...rest].join('  ').trimEnd()).join('\n');
  return { score: { meanAccuracy, systems }, text };
}
