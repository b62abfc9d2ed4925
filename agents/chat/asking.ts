/** What every answerer is given, and gives: a question, the tools to answer it with, and the evidence gathered on the way. */
import type { z } from 'zod';
import type { AnswerChart, AnswerTable } from '../../domain/answer.ts';
import type { Evidence } from '../../domain/evidence.ts';
import { formatQuantity, formatSpan } from '../../domain/quantity.ts';
import type { TimeWindow } from '../../domain/time-window.ts';
import { InputError, LimitError, UnavailableError } from '../../platform/errors.ts';
import { runTool, type Tool, type ToolContext } from '../../tools/tool.ts';
import type { Names } from './names.ts';
import type { Question } from './question.ts';

/** What an investigation came to, in words. */
export interface CauseFound {
  readonly investigationId: string;
  /** Suspects, the first one first; empty: it abstains. */
  readonly suspects: readonly { readonly service: string; readonly statement: string; readonly score: number }[];
  readonly isAbstention: boolean;
  readonly confidence: number;
  readonly onsetMs: number | undefined;
  /** What is missing, where it abstains. */
  readonly missing: readonly string[];
  readonly evidenceIds: readonly string[];
}

/** Convenes the jury; runtime/ supplies it. Rejects with UnavailableError when it failed or took too long. */
export type Investigate = (
  scope: { readonly service: string; readonly window: TimeWindow; readonly title: string },
  signal: AbortSignal,
) => Promise<CauseFound>;

export interface Asking {
  readonly question: Question;
  readonly names: Names;
  readonly context: ToolContext;
  readonly nowMs: number;
  readonly investigate: Investigate;
  /** Calls a tool and keeps its evidence. Throws what the tool's failure means: InputError, LimitError or UnavailableError. */
  run<Input extends z.ZodType, Output extends z.ZodType>(
    tool: Tool<Input, Output>,
    input: z.input<Input>,
  ): Promise<z.output<Output>>;
}

/** What an answerer says: the part of an Answer that is its own. */
export interface Said {
  readonly kind: 'answered' | 'empty';
  readonly text: string;
  readonly tables?: readonly AnswerTable[];
  readonly chart?: AnswerChart | undefined;
  readonly window?: TimeWindow;
  readonly baseline?: TimeWindow;
  readonly notes?: readonly string[];
  readonly investigationId?: string;
  /** Beside that of the tools it ran. */
  readonly evidenceIds?: readonly string[];
}

export function createRun(context: ToolContext, evidence: Map<string, Evidence>): Asking['run'] {
  return async (tool, input) => {
    const outcome = await runTool(tool, input, context);
    if (outcome.ok) {
      evidence.set(outcome.evidence.evidenceId, outcome.evidence);
      return outcome.output;
    }
    const { code, message, hint } = outcome.error;
    const text = `${message} ${hint}`;
    if (code === 'limit-exceeded') throw new LimitError(text);
    throw code === 'unavailable' ? new UnavailableError(text) : new InputError(text);
  };
}

const MIN_BASELINE_MS = 15 * 60_000;
const MAX_BASELINE_MS = 3_600_000;
const LAST_MS = 5 * 60_000;

/** Two windows to compare: those that were named, or the named one and the time before it, or the last minutes and before. */
export function windowsToCompare({ time }: Question): { readonly window: TimeWindow; readonly baseline: TimeWindow } {
  if (time.baseline) return { window: time.window, baseline: time.baseline };
  const { endMs } = time.window;
  const startMs = time.said === '' ? Math.max(0, endMs - LAST_MS) : time.window.startMs;
  const lengthMs = Math.min(MAX_BASELINE_MS, Math.max(MIN_BASELINE_MS, endMs - startMs));
  return {
    window: { startMs, endMs },
    baseline: { startMs: Math.max(0, startMs - lengthMs), endMs: Math.max(1, startMs) },
  };
}

/** `cart and payment`, `all services` */
export function placeOf({ services, operation, pod, filters, minDurationMs }: Question): string {
  const place = services.length > 0 ? listOf(services) : 'all services';
  const whole = operation === undefined ? place : services.length > 0 ? `${operation} of ${place}` : operation;
  const of = filters.length > 0 ? ` with ${filters.map(({ key, value }) => `${key} ${value}`).join(', ')}` : '';
  const slow = minDurationMs === undefined ? '' : ` that took ${formatQuantity('duration', minDurationMs)} or longer`;
  return `${whole}${pod === undefined ? '' : ` on ${pod}`}${of}${slow}`;
}

export function listOf(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** That there is nothing, and what there is instead. */
/** @param window what was looked at, where it is not the question's own */
export function nothingThere(
  { question, names, nowMs }: Pick<Asking, 'question' | 'names' | 'nowMs'>,
  what: string,
  window: TimeWindow = question.time.window,
): Said {
  const span = formatSpan(window, nowMs);
  const known = names.extent ? ` Telemetry reaches from ${formatSpan(names.extent, nowMs)} UTC.` : '';
  return { kind: 'empty', text: `Nothing found: ${what}, ${span} UTC.${known}`, window };
}

/** As a list of rows: cut to so many, saying how many there are. */
export function tableOf(
  columns: AnswerTable['columns'],
  rows: AnswerTable['rows'],
  { limit = 10, totalRows = rows.length }: { limit?: number | undefined; totalRows?: number } = {},
): AnswerTable {
  return { columns, rows: rows.slice(0, limit), totalRows: Math.max(totalRows, rows.length) };
}
