/** The HTTP API as an OpenAPI 3.1 document, made from the same shapes that server and client use. */
import type { z } from 'zod';
import { apiErrorSchema, ROUTES } from './api-shapes.ts';
import { createShapes, type Json, type Shapes } from './openapi-shapes.ts';
import { rolesWith } from './permissions.ts';
import { PROTOCOL_ROUTES, type ProtocolRoute } from './protocol-routes.ts';

export interface OpenApiDocument {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: Readonly<Record<'schemas' | 'responses' | 'securitySchemes', Readonly<Record<string, Json>>>>;
  readonly [member: string]: unknown;
}

export interface OpenApiOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Json[];
  readonly requestBody?: Json;
  readonly responses: Readonly<Record<string, Json>>;
  readonly [member: string]: unknown;
}

/** Everything that has a path, the calls of the typed client first. */
export const ALL_ROUTES: Readonly<Record<string, ProtocolRoute>> = { ...ROUTES, ...PROTOCOL_ROUTES };

/** Why a request was refused, by status: the codes that its body may have, and what they mean. */
export const REFUSALS: Readonly<Record<number, readonly [codes: string, meaning: string]>> = {
  400: ['invalid-input', 'Not valid: the message names what'],
  401: ['unauthorized', 'No token, or one that this host does not know'],
  403: ['forbidden', 'The role does not reach: the message names those that do'],
  404: ['not-found', 'There is no such thing'],
  409: ['conflict', 'Decided before, expired, about another action, or harmful: the message names it'],
  413: ['payload-too-large', 'The body is too large'],
  415: ['unsupported-media-type', 'The body has another media type or encoding than this route takes'],
  422: ['limit-exceeded', 'More than one request may ask for: narrow it'],
  429: ['unavailable', 'Too much at once: send again after Retry-After'],
  500: ['invariant-violated, invalid-config', 'The host failed: its log says how'],
  503: ['unavailable, aborted', 'Not ready, or its engine is away: ask again after Retry-After'],
};

export function createOpenApi(version: string): OpenApiDocument {
  const shapes = createShapes();
  const paths: Record<string, Record<string, OpenApiOperation>> = {};
  for (const [name, route] of Object.entries(ALL_ROUTES)) {
    const path = route.path.replace(':id', '{id}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: describeOperation(name, route, shapes) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Inquest',
      version,
      summary: 'Finds out why production broke: OpenTelemetry in, a verdict with evidence out.',
      description:
        'Times are milliseconds since the Unix epoch, UTC, in names that end in Ms. Answers may gain members; requests with members or parameters that are not listed are refused.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: 'http://127.0.0.1:4318', description: 'A host on this machine, as it listens by default' }],
    security: [{ token: [] }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: shapes.components,
      responses: describeRefusals(shapes),
      securitySchemes: { token: TOKEN_SCHEME },
    },
  };
}

const TOKEN_SCHEME = {
  type: 'http',
  scheme: 'bearer',
  description:
    "The token of an identity (INQUEST_IDENTITIES), or the data directory's own in its host.json, which is new at every start of the host.",
};

const TAGS = {
  incidents: 'What went wrong, and finding out why',
  anomalies: 'What is abnormal, and teaching detection what is noise',
  approvals: 'What is proposed, and decisions on it',
  evidence: 'What verdicts rest on, and whether it still holds',
  changes: 'What people changed',
  audit: 'Who did what: append-only and hash-chained',
  host: 'The process itself',
  telemetry: 'OTLP/HTTP; needs no token from the same machine',
} as const;

const TAG_OF_PATH: readonly [RegExp, keyof typeof TAGS][] = [
  [/^\/(v1|api)\/changes/, 'changes'],
  [/^\/v1\//, 'telemetry'],
  [/^\/api\/(incidents|investigations)/, 'incidents'],
  [/^\/api\/(anomalies|feedback|rules|false-positives)/, 'anomalies'],
  [/^\/api\/approvals/, 'approvals'],
  [/^\/api\/(evidence|tools|verify)/, 'evidence'],
  [/^\/api\/audit/, 'audit'],
];

export function tagOf(path: string): keyof typeof TAGS {
  return TAG_OF_PATH.find(([pattern]) => pattern.test(path))?.[1] ?? 'host';
}

function describeOperation(name: string, route: ProtocolRoute, shapes: Shapes): OpenApiOperation {
  const { path, needs, summary, description } = route;
  const parameters = [...pathParameters(path), ...queryParameters(route, shapes)];
  const body = route.input && {
    required: true,
    content: contentOf(shapes.input(route.input), route.inputTypes, route.example),
  };
  return {
    operationId: name,
    tags: [tagOf(path)],
    summary,
    ...(description ? { description } : {}),
    ...(needs === 'nobody' ? { security: [] } : { 'x-roles': rolesWith(needs) }),
    // Of telemetry from the same machine no token is asked.
    ...(needs === 'send' ? { security: [{ token: [] }, {}] } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: body } : {}),
    responses: {
      200: { description: 'Done', content: contentOf(shapes.output(route.output), route.outputTypes) },
      ...Object.fromEntries(refusalsOf(route).map((status) => [status, describeRefusal(status, route, shapes)])),
    },
  };
}

/** Statuses that a route may refuse with. */
export function refusalsOf({ path, needs, input, inputTypes, canConflict }: ProtocolRoute): number[] {
  if (needs === 'nobody') return path === PROTOCOL_ROUTES.getReadiness.path ? [503] : [];
  return [
    ...[400, 401, 403],
    ...(path.includes(':id') ? [404] : []),
    ...(needs === 'decide' || canConflict ? [409] : []),
    ...(input ? [413, 415] : []),
    ...(needs === 'send' ? [] : [422]),
    ...(inputTypes ? [429] : []),
    ...[500, 503],
  ];
}

/** The refusals that most routes share, by nameOfRefusal. */
function describeRefusals(shapes: Shapes): Record<string, Json> {
  const statuses = Object.keys(REFUSALS).map(Number);
  const content = contentOf(shapes.output(apiErrorSchema));
  return Object.fromEntries(statuses.map((status) => [nameOfRefusal(status), describeStatus(status, content)]));
}

const nameOfRefusal = (status: number): string => `Refused${status}`;

function describeRefusal(status: number, { refusal, refusalTypes }: ProtocolRoute, shapes: Shapes): Json {
  if (!refusal) return { $ref: `#/components/responses/${nameOfRefusal(status)}` };
  return describeStatus(status, contentOf(shapes.output(refusal), refusalTypes));
}

function describeStatus(status: number, content: Json): Json {
  const challenge = { 'WWW-Authenticate': { description: 'Bearer', schema: { type: 'string' } } };
  const retryAfter = { 'Retry-After': { description: 'Seconds', schema: { type: 'integer' } } };
  return {
    description: REFUSALS[status]?.[1],
    ...(status === 401 ? { headers: challenge } : {}),
    ...(status === 429 || status === 503 ? { headers: retryAfter } : {}),
    content,
  };
}

function pathParameters(path: string): Json[] {
  if (!path.includes(':id')) return [];
  return [{ name: 'id', in: 'path', required: true, schema: { type: 'string', pattern: '^[\\w-]{1,128}$' } }];
}

function queryParameters({ query }: ProtocolRoute, shapes: Shapes): Json[] {
  return Object.entries(query?.shape ?? {}).map(([name, schema]) => {
    const { description, ...shape } = shapes.input(schema as z.ZodType);
    return { name, in: 'query', required: false, ...(description ? { description } : {}), schema: shape };
  });
}

function contentOf(schema: Json, types: readonly string[] = ['application/json'], example?: unknown): Json {
  return Object.fromEntries(types.map((type) => [type, { schema, ...(example === undefined ? {} : { example }) }]));
}
