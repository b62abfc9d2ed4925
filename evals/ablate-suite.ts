/**
 * What each part of detection is worth: a suite run with everything, and again with one part after the other left out. What changes
 * nothing does not pay and is to be removed.
 */
import { DETECTION_PARTS, type DetectionPart } from '../domain/anomaly.ts';
import { InputError } from '../platform/errors.ts';
import { type RunSuiteOptions, runSuite } from './run-suite.ts';
import { SUITES } from './suites.ts';

/** One run: the headline figures of its score. */
export interface AblationRow {
  /** Absent: with everything. */
  readonly without?: DetectionPart;
  readonly figures: Readonly<Record<string, number>>;
}

export interface AblationReport {
  readonly suite: string;
  readonly part: string;
  readonly rows: readonly AblationRow[];
  /** The table as people read it: what differs from the run with everything is marked. */
  readonly text: string;
}

export type AblateOptions = Omit<RunSuiteOptions, 'without' | 'predictionsPath' | 'onCase'> & {
  /** Left out one after the other; none: each of them. */
  readonly parts?: readonly DetectionPart[];
};

/** As long as that many runs of the suite: narrow it with `only`. Throws InputError for a suite that is not about detection. */
export async function ablateSuite({ parts = [], ...options }: AblateOptions): Promise<AblationReport> {
  if (SUITES[options.suite]?.source !== 'detection')
    throw new InputError(`"${options.suite}" is no suite of detection: there is nothing to leave out.`);
  const runs: readonly (DetectionPart | undefined)[] = [undefined, ...(parts.length > 0 ? parts : DETECTION_PARTS)];
  const rows: AblationRow[] = [];
  for (const without of runs) {
    options.note?.(without === undefined ? 'with everything' : `without ${without}`);
    const left = without === undefined ? {} : { without: new Set([without]) };
    const { score } = await runSuite({ ...options, ...left, onCase: () => undefined });
    const row = { ...(without === undefined ? {} : { without }), figures: headlineOf(score) };
    options.note?.(tabulateAblation([row]).split('\n').at(-1) ?? '');
    rows.push(row);
  }
  return { suite: options.suite, part: options.part, rows, text: tabulateAblation(rows) };
}

/** The numbers at the top of a score; what lies deeper is detail. */
export function headlineOf(score: object | undefined): Record<string, number> {
  const numbers = Object.entries(score ?? {}).flatMap(([name, value]): [string, number][] =>
    typeof value === 'number' ? [[name, value]] : [],
  );
  return Object.fromEntries(numbers);
}

const MARKED = '*';

/** A row a run, a column a figure; * where it differs from the first row. */
export function tabulateAblation(rows: readonly AblationRow[]): string {
  const names = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures)))];
  const everything = rows[0]?.figures ?? {};
  const widthOf = (name: string) => Math.max(12, name.length + 2);
  const cell = (figures: AblationRow['figures'], name: string) => {
    const value = figures[name];
    const text = value === undefined ? '-' : String(Math.round(value * 1_000) / 1_000);
    return `${text}${value === everything[name] ? ' ' : MARKED}`.padStart(widthOf(name));
  };
  return [
    `${'without'.padEnd(14)}${names.map((name) => `${name} `.padStart(widthOf(name))).join('')}`,
    ...rows.map(
      ({ without = '(nothing)', figures }) =>
        `${without.padEnd(14)}${names.map((name) => cell(figures, name)).join('')}`,
    ),
  ]
    .map((line) => line.trimEnd())
    .join('\n');
}
