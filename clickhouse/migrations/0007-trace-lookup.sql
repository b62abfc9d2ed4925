-- A trace's exemplars are found by its id: without an index every point of its hours would be read. Parts from before are
-- indexed in the background; until then they are read in full and answer the same.

ALTER TABLE otel_metrics_gauge ADD INDEX IF NOT EXISTS idx_exemplar_trace_id Exemplars.TraceId TYPE bloom_filter(0.001) GRANULARITY 1;
ALTER TABLE otel_metrics_sum ADD INDEX IF NOT EXISTS idx_exemplar_trace_id Exemplars.TraceId TYPE bloom_filter(0.001) GRANULARITY 1;
ALTER TABLE otel_metrics_histogram ADD INDEX IF NOT EXISTS idx_exemplar_trace_id Exemplars.TraceId TYPE bloom_filter(0.001) GRANULARITY 1;
ALTER TABLE otel_metrics_exponential_histogram ADD INDEX IF NOT EXISTS idx_exemplar_trace_id Exemplars.TraceId TYPE bloom_filter(0.001) GRANULARITY 1;

ALTER TABLE otel_metrics_gauge MATERIALIZE INDEX idx_exemplar_trace_id;
ALTER TABLE otel_metrics_sum MATERIALIZE INDEX idx_exemplar_trace_id;
ALTER TABLE otel_metrics_histogram MATERIALIZE INDEX idx_exemplar_trace_id;
ALTER TABLE otel_metrics_exponential_histogram MATERIALIZE INDEX idx_exemplar_trace_id;
