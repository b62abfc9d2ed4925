/**
 * What the tools' tests stand on: a real engine in a temporary directory, filled with hand-made rows, and a tool context over
 * it. Rows are built from a few words and sensible defaults; times are milliseconds after T0_MS.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { z } from 'zod';
import { type Database, openDatabase } from '../clickhouse/database.ts';
import { openEmbeddedEngine } from '../clickhouse/embedded-engine.ts';
import { migrate } from '../clickhouse/migrate.ts';
import { createQueryRerunner } from '../clickhouse/rerun-query.ts';
import { createTelemetryReader } from '../clickhouse/telemetry-reader.ts';
import type { Attributes, LogRow, SpanRow, TelemetryRows } from '../clickhouse/telemetry-rows.ts';
import type { Evidence } from '../domain/evidence.ts';
import { createManualClock } from '../platform/clock.ts';
import { InvariantError } from '../platform/errors.ts';
import { silentLogger } from '../platform/logger.ts';
import { runTool, type Tool, type ToolContext } from './tool.ts';

/** A round instant, well inside one day: 2026-03-04T10:00:00Z. */
export const T0_MS = Date.UTC(2026, 2, 4, 10);
export const MINUTE_MS = 60_000;

export interface FixtureRows extends TelemetryRows {
  readonly inquest_changes?: readonly object[];
}

export interface TelemetryFixture {
  readonly context: ToolContext;
  readonly database: Database;
  /** Runs the evidence's statements again: the digests they give now. */
  rerun(evidence: Evidence): Promise<string[]>;
  close(): Promise<void>;
}

export async function openTelemetryFixture(rows: FixtureRows): Promise<TelemetryFixture> {
  const dataDir = mkdtempSync(join(tmpdir(), 'inquest-tools-'));
  const engine = await openEmbeddedEngine({ dataDir, logger: silentLogger });
  const database = await openDatabase({ ...engine, database: 'inquest_test' });
  await migrate(database, { retentionDays: 0 });
  for (const [table, tableRows] of Object.entries(rows)) await database.insert(table, tableRows);
  const rerun = createQueryRerunner(database);
  return {
    context: {
      telemetry: createTelemetryReader(database),
      clock: createManualClock(T0_MS + 24 * 60 * MINUTE_MS),
      signal: new AbortController().signal,
    },
    database,
    rerun: async (evidence) => {
      const digests: string[] = [];
      for (const query of evidence.queries) digests.push((await rerun(query)).digest);
      return digests;
    },
    close: async () => {
      await database.close();
      await engine.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** A tool's output, checked against its schema, and its evidence, whose statements gave the same digests when run again. */
export async function callTool<Input extends z.ZodType, Output extends z.ZodType>(
  fixture: TelemetryFixture,
  tool: Tool<Input, Output>,
  input: z.input<Input>,
): Promise<{ output: z.output<Output>; evidence: Evidence }> {
  const outcome = await runTool(tool, input, fixture.context);
  if (!outcome.ok) throw new InvariantError(`${tool.name}: ${outcome.error.message}`);
  const { output, evidence } = outcome;
  expect(await fixture.rerun(evidence)).toEqual(evidence.queries.map(({ digest }) => digest));
  return { output: tool.output.parse(output), evidence };
}

/** T0_MS and so many milliseconds, as the rows write it (nanoseconds). */
export function nanosAt(offsetMs: number): string {
  return `${T0_MS + offsetMs}000000`;
}

export interface SpanWords {
  readonly trace: string;
  readonly span: string;
  /** The parent's `span`; left out for a root. */
  readonly parent?: string;
  readonly service: string;
  readonly name: string;
  readonly kind?: SpanRow['SpanKind'];
  readonly atMs: number;
  readonly durationMs: number;
  readonly status?: SpanRow['StatusCode'];
  readonly message?: string;
  readonly attributes?: Attributes;
  readonly resource?: Attributes;
  /** Adds an `exception` span event of this type. */
  readonly exception?: string;
}

/** Any word as a trace or span id: its letters in hex, padded with zeros. */
export function hexId(word: string, length: 16 | 32): string {
  return Buffer.from(word).toString('hex').padStart(length, '0').slice(-length);
}

export function spanRow(words: SpanWords): SpanRow {
  const exception = words.exception === undefined ? [] : [words.exception];
  return {
    Timestamp: nanosAt(words.atMs),
    TraceId: hexId(words.trace, 32),
    SpanId: hexId(`${words.trace}${words.span}`, 16),
    ParentSpanId: words.parent === undefined ? '' : hexId(`${words.trace}${words.parent}`, 16),
    TraceState: '',
    SpanName: words.name,
    SpanKind: words.kind ?? 'Server',
    ServiceName: words.service,
    ResourceAttributes: { 'service.name': words.service, ...words.resource },
    ScopeName: '',
    ScopeVersion: '',
    SpanAttributes: words.attributes ?? {},
    Duration: `${Math.round(words.durationMs * 1_000_000)}`,
    StatusCode: words.status ?? 'Unset',
    StatusMessage: words.message ?? '',
    'Events.Timestamp': exception.map(() => nanosAt(words.atMs)),
    'Events.Name': exception.map(() => 'exception'),
    'Events.Attributes': exception.map((type) => ({ 'exception.type': type })),
    'Links.TraceId': [],
    'Links.SpanId': [],
    'Links.TraceState': [],
    'Links.Attributes': [],
  };
}

export interface LogWords {
  readonly service: string;
  readonly atMs: number;
  readonly body: string;
  readonly severity?: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
  readonly trace?: string;
  readonly span?: string;
  readonly attributes?: Attributes;
  readonly resource?: Attributes;
}

const SEVERITY_NUMBERS = { DEBUG: 5, INFO: 9, WARN: 13, ERROR: 17 } as const;

export function logRow(words: LogWords): LogRow {
  const severity = words.severity ?? 'INFO';
  return {
    Timestamp: nanosAt(words.atMs),
    TraceId: words.trace === undefined ? '' : hexId(words.trace, 32),
    SpanId: words.span === undefined ? '' : hexId(`${words.trace}${words.span}`, 16),
    TraceFlags: 0,
    SeverityText: severity,
    SeverityNumber: SEVERITY_NUMBERS[severity],
    ServiceName: words.service,
    Body: words.body,
    ResourceSchemaUrl: '',
    ResourceAttributes: { 'service.name': words.service, ...words.resource },
    ScopeSchemaUrl: '',
    ScopeName: '',
    ScopeVersion: '',
    ScopeAttributes: {},
    LogAttributes: words.attributes ?? {},
    EventName: '',
  };
}
