/** Adapter for the Numenta Anomaly Benchmark: one CSV file a series (timestamp, value), labelled windows by timestamp. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import { InputError } from '../../platform/errors.ts';

export interface NabRow {
  readonly atMs: number;
  /** NaN where the file has no number: then it was not observed. */
  readonly value: number;
}

export interface NabFile {
  /** Relative to `data/`, with forward slashes. */
  readonly file: string;
  readonly rows: readonly NabRow[];
}

/** No zone is stated; UTC is as good as any. Fractions of a second are left out: rows have none. */
const timestamp = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/)
  .transform((text) => Date.parse(`${text.slice(0, 10)}T${text.slice(11, 19)}Z`));

const rowsSchema = z.array(
  z.object({ timestamp, value: z.string() }).transform(({ timestamp: atMs, value }): NabRow => {
    return { atMs, value: value.trim() === '' ? Number.NaN : Number(value) };
  }),
);

const labelsSchema = z.object({ windows: z.record(z.string(), z.array(z.tuple([timestamp, timestamp]))) });
/** By file: first and last timestamp of each window, both inside. */
export type NabWindows = z.infer<typeof labelsSchema>['windows'];

/** Series of a part in name order. @param only part of the names of the files to read */
export function readNabFiles(partDir: string, only: string): NabFile[] {
  const root = join(partDir, 'data');
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).map((file) => file.replaceAll('\\', '/'));
  return files
    .filter((file) => file.endsWith('.csv') && file.includes(only))
    .sort()
    .map((file) => ({ file, rows: readRows(join(root, file)) }));
}

function readRows(path: string): NabRow[] {
  const parsed = rowsSchema.safeParse(parse(readFileSync(path, 'utf8'), { columns: true, bom: true, trim: true }));
  if (!parsed.success)
    throw new InputError(`${path} is no series of timestamps and values: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

export function readNabWindows(labelsPath: string): NabWindows {
  return labelsSchema.parse(JSON.parse(readFileSync(labelsPath, 'utf8'))).windows;
}

/** Row indices [first, last] of the rows inside each window; windows without a row are left out. */
export function windowsOfRows(rows: readonly NabRow[], windows: NabWindows[string] = []): [number, number][] {
  return windows.flatMap(([startMs, endMs]) => {
    const isInside = ({ atMs }: NabRow) => atMs >= startMs && atMs <= endMs;
    const first = rows.findIndex(isInside);
    return first < 0 ? [] : [[first, rows.findLastIndex(isInside)] as [number, number]];
  });
}
