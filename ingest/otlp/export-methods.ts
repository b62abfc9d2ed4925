/** How gRPC calls the method that takes a signal in (opentelemetry-proto, collector services). */
import type { OtlpSignal } from './otlp-schema.ts';

export const EXPORT_METHODS: Readonly<Record<OtlpSignal, string>> = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
};
