/** Steps of a figure as a chart: one value for each step of the window, null where nothing was observed. */
import type { AnswerChart } from '../../domain/answer.ts';
import type { Quantity } from '../../domain/quantity.ts';
import { durationMs, type TimeWindow } from '../../domain/time-window.ts';

interface ChartOptions {
  readonly label: string;
  readonly quantity: Quantity;
  readonly unit?: string | undefined;
  readonly window: TimeWindow;
  readonly stepSeconds: number;
}

/** Undefined: a chart of fewer than three steps shows nothing. */
export function chartOf(
  steps: readonly { readonly atMs: number; readonly figures: readonly (number | null)[] }[],
  { label, quantity, unit, window, stepSeconds }: ChartOptions,
): AnswerChart | undefined {
  const stepMs = stepSeconds * 1_000;
  const values = new Map(steps.map(({ atMs, figures }) => [atMs, figures[0] ?? null]));
  const count = Math.ceil(durationMs(window) / stepMs);
  const starts = Array.from({ length: count }, (_, index) => window.startMs + index * stepMs);
  if (steps.length < 3) return undefined;
  return {
    label,
    quantity,
    ...(unit === undefined ? {} : { unit }),
    startMs: window.startMs,
    stepMs,
    values: starts.map((atMs) => values.get(atMs) ?? null),
  };
}
