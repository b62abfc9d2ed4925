/** Every question that Inquest asks of telemetry, one file for each signal: all time-bounded, row-limited and tagged. */
import type { Database } from './database.ts';
import { type AttributeReader, createAttributeReader } from './read-attributes.ts';
import { type BaselineReader, createBaselineReader } from './read-baselines.ts';
import { type ChangeReader, createChangeReader } from './read-changes.ts';
import { type CoverageReader, createCoverageReader } from './read-coverage.ts';
import { createInstrumentationReader, type InstrumentationReader } from './read-instrumentation.ts';
import { createLogReader, type LogReader } from './read-logs.ts';
import { createMetricMinuteReader, type MetricMinuteReader } from './read-metric-minutes.ts';
import { createMetricReader, type MetricReader } from './read-metrics.ts';
import { createOperationStepReader, type OperationStepReader } from './read-operation-steps.ts';
import { createPresenceMinuteReader, type PresenceMinuteReader } from './read-presence-minutes.ts';
import { createPressureReader, type PressureReader } from './read-pressure.ts';
import { createRedReader, type RedReader } from './read-red.ts';
import { createRuleFactReader, type RuleFactReader } from './read-rule-facts.ts';
import { createServiceReader, type ServiceReader } from './read-services.ts';
import { createShiftReader, type ShiftReader } from './read-shifts.ts';
import { createTypedReader, type TypedReader } from './read-telemetry.ts';
import { createTemplateMinuteReader, type TemplateMinuteReader } from './read-template-minutes.ts';
import { createTraceReader, type TraceReader } from './read-traces.ts';
import { createTrafficReader, type TrafficReader } from './read-traffic.ts';

export interface TelemetryReader {
  readonly services: ServiceReader;
  readonly traces: TraceReader;
  readonly logs: LogReader;
  readonly metrics: MetricReader;
  readonly metricMinutes: MetricMinuteReader;
  readonly changes: ChangeReader;
  readonly coverage: CoverageReader;
  readonly shifts: ShiftReader;
  readonly pressure: PressureReader;
  readonly operationSteps: OperationStepReader;
  readonly templateMinutes: TemplateMinuteReader;
  readonly presenceMinutes: PresenceMinuteReader;
  readonly ruleFacts: RuleFactReader;
  readonly traffic: TrafficReader;
  readonly instrumentation: InstrumentationReader;
  readonly red: RedReader;
  readonly attributes: AttributeReader;
  readonly baselines: BaselineReader;
  readonly typed: TypedReader;
}

/**
 * @param database where the telemetry is: Inquest's own, or a source that somebody else fills
 * @param own where changes were recorded, and baselines are kept
 */
export function createTelemetryReader(database: Database, own: Database = database): TelemetryReader {
  return {
    services: createServiceReader(database),
    traces: createTraceReader(database),
    logs: createLogReader(database),
    metrics: createMetricReader(database),
    metricMinutes: createMetricMinuteReader(database),
    changes: createChangeReader(database, own),
    coverage: createCoverageReader(database),
    shifts: createShiftReader(database),
    pressure: createPressureReader(database),
    operationSteps: createOperationStepReader(database),
    templateMinutes: createTemplateMinuteReader(database),
    presenceMinutes: createPresenceMinuteReader(database),
    ruleFacts: createRuleFactReader(database),
    traffic: createTrafficReader(database),
    instrumentation: createInstrumentationReader(database),
    red: createRedReader(database),
    attributes: createAttributeReader(database),
    baselines: createBaselineReader(database, own),
    typed: createTypedReader(database),
  };
}
