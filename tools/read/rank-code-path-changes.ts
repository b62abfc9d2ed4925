/**
 * Which service stopped doing something it always does, or does something it never did: operations and log templates by their
 * presence in each service's part of a trace. Code that returns early, throws, or takes another branch shows here even when
 * nothing gets slower and nothing is marked as failed.
 */
import { z } from 'zod';
import type { CodePathCount } from '../../clickhouse/read-shifts.ts';
import { lowerDifference } from '../../domain/statistics/shift.ts';
import {
  addCount,
  judgeOnsets,
  type RankingInput,
  rankedShape,
  rankingInput,
  splitAt,
  toShiftQuestion,
} from '../onset-grid.ts';
import { defineTool, describeWindow } from '../tool.ts';
import { cutRows, cutShape } from '../tool-shapes.ts';

const codePathChange = z.object({
  ...rankedShape,
  operation: z.string(),
  /** `operation NAME` or `log SEVERITY TEMPLATE`. */
  element: z.string(),
  change: z.enum(['vanished', 'appeared']),
  /** Units (one service's part of one trace) with the element, of all, in the window and in normal time. */
  windowWith: z.number(),
  windowUnits: z.number(),
  normalWith: z.number(),
  normalUnits: z.number(),
});
type CodePathChange = z.infer<typeof codePathChange>;

export const rankCodePathChanges = defineTool({
  name: 'rank_code_path_changes',
  title: 'Rank code path changes',
  description:
    'Services whose requests began to skip operations or log lines that normally belong to them, or to do new ones; with the ' +
    'strongest such change and since when.',
  input: rankingInput.extend({ elements: z.enum(['operations', 'log lines']) }),
  output: z.object({
    services: z.array(codePathChange),
    /** Units looked at, in normal time and window together. */
    units: z.number(),
    /** Those of the asked elements that were seen at all. */
    elements: z.number(),
    ...cutShape,
  }),
  effect: 'read',
  limits: { maxRows: 300_000, timeoutMs: 30_000, maxTokens: 3_500 },
  run: async (input, context, limits) => {
    const { rows, query } = await context.telemetry.shifts.readCodePaths(
      { ...toShiftQuestion(input), elements: input.elements },
      { ...limits, signal: context.signal },
    );
    const services = rankServices(rows, input).sort((left, right) => right.strength - left.strength);
    const { rows: kept, ...cut } = cutRows(services, limits);
    return {
      output: { services: kept, ...countSeen(rows), ...cut },
      queries: [query],
      window: input.window,
      summary: `${input.elements} in each service's part of a trace, ${describeWindow(input.window)}`,
    };
  },
});

function countSeen(rows: readonly CodePathCount[]): { units: number; elements: number } {
  const isUnit = ({ element }: CodePathCount) => element === '';
  const units = rows.filter(isUnit).reduce((sum, row) => sum + row.units, 0);
  return { units, elements: new Set(rows.filter((row) => !isUnit(row)).map(({ element }) => element)).size };
}

function rankServices(rows: readonly CodePathCount[], input: RankingInput): CodePathChange[] {
  return [...Map.groupBy(rows, ({ service }) => service)].flatMap(([service, serviceRows]) => {
    const changes = [...Map.groupBy(serviceRows, ({ operation }) => operation)].flatMap(([operation, operationRows]) =>
      judgeOperation(operationRows, input).map((change) => ({ ...change, service, operation })),
    );
    const [strongest] = changes.sort((left, right) => right.strength - left.strength);
    return strongest ? [strongest] : [];
  });
}

/** Fewer units than this on either side say nothing. */
const LEAST_UNITS = 3;
/** Where more of normal time than this has errors, there is no clean baseline: see `judgeElement`. */
const ERRORS_ARE_NORMAL = 0.6;

interface ElementCounts {
  readonly all: Map<number, number>;
  readonly clean: Map<number, number>;
}

function judgeOperation(rows: readonly CodePathCount[], { onsets }: RankingInput) {
  const elements = new Map<string, ElementCounts>();
  for (const { element, hasError, bin, units } of rows) {
    const counts = elements.get(element) ?? { all: new Map(), clean: new Map() };
    elements.set(element, counts);
    addCount(counts.all, bin, units);
    if (!hasError) addCount(counts.clean, bin, units);
  }
  const units = elements.get('');
  elements.delete('');
  if (!units) return [];
  return [...elements].flatMap(([element, counts]) => {
    const judged = judgeOnsets(onsets, (bin) => judgeElement(element, counts, units, bin));
    return judged ? [{ element, ...judged }] : [];
  });
}

/**
 * Units with errors are left out of what "always" means: a retrying service may fail in normal time too. Where errors are the
 * normal state, all units count, but then only the loss of something that is no error, or a new error, is a change: recovery
 * is not a fault.
 */
function judgeElement(element: string, counts: ElementCounts, units: ElementCounts, bin: number) {
  const [windowUnits, normalUnits] = splitAt(units.all, bin);
  const [, cleanUnits] = splitAt(units.clean, bin);
  const errorsAreNormal = normalUnits > 0 && 1 - cleanUnits / normalUnits > ERRORS_ARE_NORMAL;
  const baseUnits = errorsAreNormal ? normalUnits : cleanUnits;
  if (windowUnits < LEAST_UNITS || baseUnits < LEAST_UNITS) return undefined;
  const [windowWith, normalWith] = splitAt(counts.all, bin);
  const baseWith = errorsAreNormal ? normalWith : splitAt(counts.clean, bin)[1];
  const isError = /^log (ERROR|FATAL)/.test(element);
  const vanished = errorsAreNormal && isError ? 0 : lowerDifference(baseWith, baseUnits, windowWith, windowUnits);
  const appeared = errorsAreNormal && !isError ? 0 : lowerDifference(windowWith, windowUnits, normalWith, normalUnits);
  return vanished >= appeared
    ? {
        strength: vanished,
        change: 'vanished' as const,
        windowWith,
        windowUnits,
        normalWith: baseWith,
        normalUnits: baseUnits,
      }
    : { strength: appeared, change: 'appeared' as const, windowWith, windowUnits, normalWith, normalUnits };
}
