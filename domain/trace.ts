/** One trace as people and models read it: its spans as a tree, each with its log lines, and the measurements made meanwhile. */
import { z } from 'zod';

export const TRACE_ID = /^[0-9a-f]{32}$/;

const logLineShape = {
  /** After the trace's start; negative before it. */
  offsetMs: z.number(),
  severity: z.string(),
  /** At most 500 characters. */
  body: z.string(),
};

export const traceSpanSchema = z.object({
  depth: z.int().nonnegative(),
  spanId: z.string(),
  service: z.string(),
  operation: z.string(),
  spanKind: z.string(),
  /** Start after the trace's start. */
  offsetMs: z.number(),
  durationMs: z.number(),
  /** Duration minus that of direct children, never below 0. */
  selfMs: z.number(),
  status: z.string(),
  statusMessage: z.string().optional(),
  exception: z.string().optional(),
  pod: z.string().optional(),
  version: z.string().optional(),
  /** The most telling ones, values cut; fewer in large traces. */
  attributes: z.record(z.string(), z.string()).optional(),
  /** Its log records, by time. */
  logs: z.array(z.object(logLineShape)).optional(),
});
export type TraceSpan = z.infer<typeof traceSpanSchema>;

/** A record that belongs to none of the spans shown. */
export const traceLogSchema = z.object({ ...logLineShape, service: z.string(), spanId: z.string() });
export type TraceLog = z.infer<typeof traceLogSchema>;

/** A measurement of the trace that its metric keeps as an example. */
export const traceExemplarSchema = z.object({
  offsetMs: z.number(),
  service: z.string(),
  metric: z.string(),
  unit: z.string(),
  value: z.number().nullable(),
  spanId: z.string(),
  attributes: z.record(z.string(), z.string()).optional(),
});
export type TraceExemplar = z.infer<typeof traceExemplarSchema>;

export const traceSchema = z.object({
  /** Of the first span, else of the first record; null when nothing has this id. */
  startMs: z.number().nullable(),
  /** Parents before children. */
  spans: z.array(traceSpanSchema),
  totalSpans: z.int().nonnegative(),
  /** Those that are not with their span. */
  logs: z.array(traceLogSchema),
  totalLogs: z.int().nonnegative(),
  exemplars: z.array(traceExemplarSchema),
  totalExemplars: z.int().nonnegative(),
  /** Spans that name a parent which is nowhere. */
  orphans: z.int().nonnegative(),
  /** Where logs and exemplars with this id were looked for; left out: everywhere. */
  searched: z.object({ startMs: z.number(), endMs: z.number() }).optional(),
  truncated: z.boolean(),
});
export type Trace = z.infer<typeof traceSchema>;
