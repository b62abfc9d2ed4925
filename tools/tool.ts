/**
 * What a tool is: zod in, zod out, one signal's question answered with evidence, inside row, token and time limits. Agents,
 * chat and MCP call tools through `runTool` only, which validates both ends and turns every failure into a value that a
 * model (or a person) can read and act on.
 */
import type { z } from 'zod';
import type { TelemetryReader } from '../clickhouse/telemetry-reader.ts';
import { createEvidence, type Evidence, type ExecutedQuery } from '../domain/evidence.ts';
import { formatInstant, type TimeWindow } from '../domain/time-window.ts';
import type { Clock } from '../platform/clock.ts';
import { AppError, InvariantError } from '../platform/errors.ts';

export interface ToolLimits {
  /** Rows that may leave the engine for one call. */
  readonly maxRows: number;
  readonly timeoutMs: number;
  /** Upper bound of the output's size for a model, in tokens (four characters each); `trim` makes it fit. */
  readonly maxTokens: number;
}

export interface ToolContext {
  readonly telemetry: TelemetryReader;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What `run` gives back: the output, and the queries that produced it. */
export interface ToolAnswer<Output> {
  readonly output: Output;
  readonly queries: readonly ExecutedQuery[];
  readonly window: TimeWindow;
  readonly baseline?: TimeWindow | undefined;
  /** One sentence about what was looked at. */
  readonly summary: string;
}

export interface Tool<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> {
  /** verb_noun, snake case. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: Input;
  readonly output: Output;
  /** Everything here reads; what acts lives in tools/act and takes a Grant. */
  readonly effect: 'read';
  readonly limits: ToolLimits;
  run(input: z.output<Input>, context: ToolContext, limits: ToolLimits): Promise<ToolAnswer<z.output<Output>>>;
}

/** Gives a tool its exact types. */
export function defineTool<Input extends z.ZodType, Output extends z.ZodType>(
  tool: Tool<Input, Output>,
): Tool<Input, Output> {
  return tool;
}

export type ToolOutcome<Output> =
  | { readonly ok: true; readonly output: Output; readonly evidence: Evidence }
  | { readonly ok: false; readonly error: { readonly code: string; readonly message: string; readonly hint: string } };

/** Runs a tool on unchecked input. Never rejects, except when the caller's own signal aborts or a tool breaks its contract. */
export async function runTool<Input extends z.ZodType, Output extends z.ZodType>(
  tool: Tool<Input, Output>,
  rawInput: z.input<Input>,
  context: ToolContext,
): Promise<ToolOutcome<z.output<Output>>> {
  const input = tool.input.safeParse(rawInput);
  if (!input.success) {
    const problems = input.error.issues.map((issue) => `${issue.path.join('.') || 'input'}: ${issue.message}`);
    return failure('invalid-input', `${tool.name}: ${problems.join('; ')}`, 'Correct the named fields and call again.');
  }
  try {
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(tool.limits.timeoutMs)]);
    const answer = await tool.run(input.data, { ...context, signal }, tool.limits);
    const output = tool.output.safeParse(answer.output);
    if (!output.success)
      throw new InvariantError(`${tool.name} returned what its own schema refuses`, { cause: output.error });
    const evidence = createEvidence({
      tool: tool.name,
      input: input.data,
      queries: [...answer.queries],
      window: answer.window,
      ...(answer.baseline ? { baseline: answer.baseline } : {}),
      takenAtMs: context.clock.nowMs(),
      summary: answer.summary,
    });
    return { ok: true, output: output.data, evidence };
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof InvariantError || !(error instanceof AppError)) throw error;
    return failure(error.code, error.message, hintFor(error));
  }
}

function failure(code: string, message: string, hint: string): ToolOutcome<never> {
  return { ok: false, error: { code, message, hint } };
}

function hintFor(error: AppError): string {
  if (error.code === 'limit-exceeded') return 'Ask for a shorter window or one service.';
  return error.retryable ? 'The store is restarting: call again in a moment.' : 'Change the input and call again.';
}

/** A window as people write it, for summaries. */
export function describeWindow(window: TimeWindow): string {
  return `${formatInstant(window.startMs)} to ${formatInstant(window.endMs)}`;
}
