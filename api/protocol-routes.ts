/** Routes that are no calls of the typed client: probes, telemetry in its own protocol, a stream, and this API's description. */
import { z } from 'zod';
import { changeInputSchema } from '../domain/change.ts';
import { progressSchema } from '../domain/investigation.ts';
import { apiErrorSchema, type Route } from './api-shapes.ts';
import { healthSchema } from './host-lock.ts';

export interface ProtocolRoute extends Route {
  /** Of the body; JSON when left out. */
  readonly inputTypes?: readonly string[];
  /** Of the answer; JSON when left out. */
  readonly outputTypes?: readonly string[];
  /** Of an error; apiErrorSchema when left out. */
  readonly refusal?: z.ZodType;
  readonly refusalTypes?: readonly string[];
}

/** google.rpc.Status, as the OTLP specification asks for. */
export const otlpStatusSchema = z.object({ code: z.int(), message: z.string() });

const OTLP_TYPES = ['application/x-protobuf', 'application/json'];

const otlpRoute = (path: string, what: string, message: string, rejected: string): ProtocolRoute => ({
  method: 'POST',
  path,
  needs: 'send',
  summary: `Take in ${what}: OTLP/HTTP, protobuf or JSON, plain or gzip`,
  description: `An answer of 200 means stored; partialSuccess counts what was refused and says why. 429 and 503 come with Retry-After.`,
  input: z.looseObject({}).describe(`${message} of opentelemetry-proto`),
  inputTypes: OTLP_TYPES,
  output: z.object({
    partialSuccess: z
      .object({ [rejected]: z.string().describe('A count.'), errorMessage: z.string() })
      .partial()
      .optional(),
  }),
  outputTypes: OTLP_TYPES,
  refusal: otlpStatusSchema,
  refusalTypes: OTLP_TYPES,
});

const changesAnswerSchema = z.object({
  accepted: z.int().nonnegative(),
  rejected: z.array(z.object({ index: z.int().nonnegative(), problem: z.string() })),
  changeIds: z.array(z.string()),
});

export const readinessSchema = z.object({ state: healthSchema.shape.state, engineVersion: z.string() });

export const PROTOCOL_ROUTES = {
  getHealth: {
    method: 'GET',
    path: '/healthz',
    needs: 'nobody',
    summary: 'Whether the process lives',
    query: z.object({
      challenge: z
        .string()
        .max(128)
        .optional()
        .describe('Any text; `proof` is then its HMAC-SHA-256 under the token of the data directory.'),
    }),
    output: healthSchema,
  },
  getReadiness: {
    method: 'GET',
    path: '/readyz',
    needs: 'nobody',
    summary: 'Whether it can serve: its engine answers a query; 503 says why not',
    output: readinessSchema,
  },
  getOpenApi: {
    method: 'GET',
    path: '/openapi.json',
    needs: 'nobody',
    summary: 'This description',
    output: z.looseObject({ openapi: z.string() }),
  },
  watchInvestigation: {
    method: 'GET',
    path: '/api/investigations/:id/progress',
    needs: 'read',
    summary: 'What happened in an investigation so far, then what happens, as server-sent events',
    description:
      'Events `progress` (the shape here), then `end` with `{"status"}` when it is finished, failed or waits for approval, or `error` with an error. The id is that of the investigation or of its incident.',
    output: progressSchema,
    outputTypes: ['text/event-stream'],
  },
  speakMcp: {
    method: 'POST',
    path: '/mcp',
    needs: 'read',
    summary: 'The Model Context Protocol over streamable HTTP, for IDEs and agents',
    description:
      'JSON-RPC messages; GET opens the stream of a session (Mcp-Session-Id), DELETE ends it. Tools may do what the token may: see docs/mcp-conformance.md.',
    input: z.looseObject({ jsonrpc: z.literal('2.0') }),
    example: { jsonrpc: '2.0', id: 1, method: 'ping' },
    output: z.looseObject({ jsonrpc: z.literal('2.0') }),
    outputTypes: ['application/json', 'text/event-stream'],
  },
  sendTraces: otlpRoute('/v1/traces', 'traces', 'ExportTraceServiceRequest', 'rejectedSpans'),
  sendLogs: otlpRoute('/v1/logs', 'logs', 'ExportLogsServiceRequest', 'rejectedLogRecords'),
  sendMetrics: otlpRoute('/v1/metrics', 'metrics', 'ExportMetricsServiceRequest', 'rejectedDataPoints'),
  sendChanges: {
    method: 'POST',
    path: '/v1/changes',
    needs: 'send',
    summary: 'Tell what you change: one change, an array, or {"changes": [...]}',
    description: 'A bad change costs no other: it is named by its index. 400 when every one is bad.',
    input: z.union([changeInputSchema, z.array(changeInputSchema), z.object({ changes: z.array(changeInputSchema) })]),
    example: { kind: 'deploy', service: 'checkout', version: '3.1.0', summary: 'Deploy checkout 3.1.0' },
    output: changesAnswerSchema,
    refusal: apiErrorSchema.extend(changesAnswerSchema.partial().shape),
  },
} as const satisfies Readonly<Record<string, ProtocolRoute>>;
