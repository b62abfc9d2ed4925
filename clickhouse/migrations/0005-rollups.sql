-- Rollups: what questions over long windows read instead of every row (docs/decisions/0009-rollups.md). Each view's SELECT is also
-- how a database without rollups is read (clickhouse/telemetry-source.ts): one definition. `{{retention COLUMN at most N}}` ends
-- after N days where there is a retention at all. `{{day TABLE COLUMN}}` stands for each day that the table holds rows of: a statement
-- with it is run once a day of stored telemetry, under a token of its own, so that a crash in between counts nothing twice.

-- Requests into a service. Entry spans that a row alone shows (span-sql.ts: SURE_ENTRY) are counted here; KindlessSpans says where
-- spans without a kind have to be looked at with their parents.

CREATE TABLE IF NOT EXISTS inquest_red_10s
(
    ServiceName LowCardinality(String),
    Time DateTime CODEC(Delta(4), ZSTD(1)),
    Spans SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    KindlessSpans SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    Calls SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    Errors SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    DurationMs AggregateFunction(quantilesDD(0.01, 0.5, 0.95, 0.99), Float64) CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY toDate(Time)
ORDER BY (ServiceName, Time)
{{retention Time at most 2}}
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, index_granularity = 256;

CREATE MATERIALIZED VIEW IF NOT EXISTS inquest_red_10s_mv TO inquest_red_10s AS
SELECT ServiceName, toStartOfInterval(toDateTime(Timestamp), toIntervalSecond(10)) AS Time, count() AS Spans,
  countIf(SpanKind = 'Unspecified' AND ParentSpanId != '') AS KindlessSpans,
  countIf(SpanKind IN ('Server', 'Consumer') OR (ParentSpanId = '' AND SpanKind NOT IN ('Client', 'Producer')) AS IsEntry) AS Calls,
  countIf(IsEntry AND StatusCode = 'Error') AS Errors,
  quantilesDDStateIf(0.01, 0.5, 0.95, 0.99)(Duration / 1e6, IsEntry) AS DurationMs
FROM otel_traces
GROUP BY ServiceName, Time;

INSERT INTO inquest_red_10s
SELECT ServiceName, toStartOfInterval(toDateTime(Timestamp), toIntervalSecond(10)) AS Time, count() AS Spans,
  countIf(SpanKind = 'Unspecified' AND ParentSpanId != '') AS KindlessSpans,
  countIf(SpanKind IN ('Server', 'Consumer') OR (ParentSpanId = '' AND SpanKind NOT IN ('Client', 'Producer')) AS IsEntry) AS Calls,
  countIf(IsEntry AND StatusCode = 'Error') AS Errors,
  quantilesDDStateIf(0.01, 0.5, 0.95, 0.99)(Duration / 1e6, IsEntry) AS DurationMs
FROM otel_traces
WHERE toDate(Timestamp) = {{day otel_traces Timestamp}}
GROUP BY ServiceName, Time;

CREATE TABLE IF NOT EXISTS inquest_red_1m
(
    ServiceName LowCardinality(String),
    Time DateTime CODEC(Delta(4), ZSTD(1)),
    Spans SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    KindlessSpans SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    Calls SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    Errors SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    DurationMs AggregateFunction(quantilesDD(0.01, 0.5, 0.95, 0.99), Float64) CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY toDate(Time)
ORDER BY (ServiceName, Time)
{{retention Time}}
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, index_granularity = 256;

CREATE MATERIALIZED VIEW IF NOT EXISTS inquest_red_1m_mv TO inquest_red_1m AS
SELECT ServiceName, toStartOfMinute(toDateTime(Timestamp)) AS Time, count() AS Spans,
  countIf(SpanKind = 'Unspecified' AND ParentSpanId != '') AS KindlessSpans,
  countIf(SpanKind IN ('Server', 'Consumer') OR (ParentSpanId = '' AND SpanKind NOT IN ('Client', 'Producer')) AS IsEntry) AS Calls,
  countIf(IsEntry AND StatusCode = 'Error') AS Errors,
  quantilesDDStateIf(0.01, 0.5, 0.95, 0.99)(Duration / 1e6, IsEntry) AS DurationMs
FROM otel_traces
GROUP BY ServiceName, Time;

INSERT INTO inquest_red_1m
SELECT ServiceName, toStartOfMinute(toDateTime(Timestamp)) AS Time, count() AS Spans,
  countIf(SpanKind = 'Unspecified' AND ParentSpanId != '') AS KindlessSpans,
  countIf(SpanKind IN ('Server', 'Consumer') OR (ParentSpanId = '' AND SpanKind NOT IN ('Client', 'Producer')) AS IsEntry) AS Calls,
  countIf(IsEntry AND StatusCode = 'Error') AS Errors,
  quantilesDDStateIf(0.01, 0.5, 0.95, 0.99)(Duration / 1e6, IsEntry) AS DurationMs
FROM otel_traces
WHERE toDate(Timestamp) = {{day otel_traces Timestamp}}
GROUP BY ServiceName, Time;

-- Every span by its operation.
CREATE TABLE IF NOT EXISTS inquest_operations_1m
(
    ServiceName LowCardinality(String),
    SpanName LowCardinality(String),
    SpanKind LowCardinality(String),
    Time DateTime CODEC(Delta(4), ZSTD(1)),
    Calls UInt64 CODEC(T64, ZSTD(1)),
    Errors UInt64 CODEC(T64, ZSTD(1)),
    DurationNanos UInt64 CODEC(T64, ZSTD(1))
)
ENGINE = SummingMergeTree
PARTITION BY toDate(Time)
ORDER BY (ServiceName, SpanName, SpanKind, Time)
{{retention Time}}
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS inquest_operations_1m_mv TO inquest_operations_1m AS
SELECT ServiceName, SpanName, SpanKind, toStartOfMinute(toDateTime(Timestamp)) AS Time, count() AS Calls,
  countIf(StatusCode = 'Error') AS Errors, sum(Duration) AS DurationNanos
FROM otel_traces
GROUP BY ServiceName, SpanName, SpanKind, Time;

INSERT INTO inquest_operations_1m
SELECT ServiceName, SpanName, SpanKind, toStartOfMinute(toDateTime(Timestamp)) AS Time, count() AS Calls,
  countIf(StatusCode = 'Error') AS Errors, sum(Duration) AS DurationNanos
FROM otel_traces
WHERE toDate(Timestamp) = {{day otel_traces Timestamp}}
GROUP BY ServiceName, SpanName, SpanKind, Time;

-- Who sent anything, as which version, from where.
CREATE TABLE IF NOT EXISTS inquest_presence_1m
(
    Signal LowCardinality(String),
    ServiceName LowCardinality(String),
    Version LowCardinality(String),
    Pod LowCardinality(String),
    Time DateTime CODEC(Delta(4), ZSTD(1)),
    TelemetryRows SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    FirstMs SimpleAggregateFunction(min, Int64) CODEC(Delta(8), ZSTD(1)),
    LastMs SimpleAggregateFunction(max, Int64) CODEC(Delta(8), ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY toDate(Time)
ORDER BY (Signal, ServiceName, Version, Pod, Time)
{{retention Time}}
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS inquest_presence_1m_traces_mv TO inquest_presence_1m AS
SELECT 'traces' AS Signal, ServiceName, ResourceAttributes['service.version'] AS Version,
  if(ResourceAttributes['k8s.pod.name'] != '', ResourceAttributes['k8s.pod.name'], ResourceAttributes['service.instance.id']) AS Pod,
  toStartOfMinute(toDateTime(Timestamp)) AS Time, count() AS TelemetryRows,
  min(toUnixTimestamp64Milli(Timestamp)) AS FirstMs, max(toUnixTimestamp64Milli(Timestamp)) AS LastMs
FROM otel_traces
GROUP BY ServiceName, Version, Pod, Time;

INSERT INTO inquest_presence_1m
SELECT 'traces' AS Signal, ServiceName, ResourceAttributes['service.version'] AS Version,
  if(ResourceAttributes['k8s.pod.name'] != '', ResourceAttributes['k8s.pod.name'], ResourceAttributes['service.instance.id']) AS Pod,
  toStartOfMinute(toDateTime(Timestamp)) AS Time, count() AS TelemetryRows,
  min(toUnixTimestamp64Milli(Timestamp)) AS FirstMs, max(toUnixTimestamp64Milli(Timestamp)) AS LastMs
FROM otel_traces
WHERE toDate(Timestamp) = {{day otel_traces Timestamp}}
GROUP BY ServiceName, Version, Pod, Time;

CREATE MATERIALIZED VIEW IF NOT EXISTS inquest_presence_1m_logs_mv TO inquest_presence_1m AS
SELECT 'logs' AS Signal, ServiceName, ResourceAttributes['service.version'] AS Version,
  if(ResourceAttributes['k8s.pod.name'] != '', ResourceAttributes['k8s.pod.name'], ResourceAttributes['service.instance.id']) AS Pod,
  toStartOfMinute(toDateTime(Timestamp)) AS Time, count() AS TelemetryRows,
  min(toUnixTimestamp64Milli(Timestamp)) AS FirstMs, max(toUnixTimestamp64Milli(Timestamp)) AS LastMs
FROM otel_logs
GROUP BY ServiceName, Version, Pod, Time;

INSERT INTO inquest_presence_1m
SELECT 'logs' AS Signal, ServiceName, ResourceAttributes['service.version'] AS Version,
  if(ResourceAttributes['k8s.pod.name'] != '', ResourceAttributes['k8s.pod.name'], ResourceAttributes['service.instance.id']) AS Pod,
  toStartOfMinute(toDateTime(Timestamp)) AS Time, count() AS TelemetryRows,
  min(toUnixTimestamp64Milli(Timestamp)) AS FirstMs, max(toUnixTimestamp64Milli(Timestamp)) AS LastMs
FROM otel_logs
WHERE toDate(Timestamp) = {{day otel_logs Timestamp}}
GROUP BY ServiceName, Version, Pod, Time;

CREATE MATERIALIZED VIEW IF NOT EXISTS inquest_presence_1m_metrics_gauge_mv TO inquest_presence_1m AS
SELECT 'metrics' AS Signal, ServiceName, ResourceAttributes['service.version'] AS Version,
  if(ResourceAttributes['k8s.pod.name'] != '', ResourceAttributes['k8s.pod.name'], ResourceAttributes['service.instance.id']) AS Pod,
  toStartOfMinute(toDateTime(TimeUnix)) AS Time, count() AS TelemetryRows,
  min(toUnixTimestamp64Milli(TimeUnix)) AS FirstMs, max(toUnixTimestamp64Milli(TimeUnix)) AS LastMs
FROM otel_metrics_gauge
GROUP BY ServiceName, Version, Pod, Time;

INSERT INTO inquest_presence_1m
SELECT 'metrics' AS Signal, ServiceName, ResourceAttributes['service.version'] AS Version,
  if(ResourceAttributes['k8s.pod.name'] != '', ResourceAttributes['k8s.pod.name'], ResourceAttributes['service.instance.id']) AS Pod,
  toStartOfMinute(toDateTime(TimeUnix)) AS Time, count() AS TelemetryRows,
  min(toUnixTimestamp64Milli(TimeUnix)) AS FirstMs, max(toUnixTimestamp64Milli(TimeUnix)) AS LastMs
FROM otel_metrics_gauge
WHERE toDate(TimeUnix) = {{day otel_metrics_gauge TimeUnix}}
GROUP BY ServiceName, Version, Pod, Time;

CREATE MATERIALIZED VIEW IF NOT EXISTS inquest_presence_1m_metrics_sum_mv TO inquest_presence_1m AS
SELECT 'metrics' AS Signal, ServiceName, ResourceAttributes['service.version'] AS Version,
  if(ResourceAttributes['k8s.pod.name'] != '', ResourceAttributes['k8s.pod.name'], ResourceAttributes['service.instance.id']) AS Pod,
  toStartOfMinute(toDateTime(TimeUnix)) AS Time, count() AS TelemetryRows,
  min(toUnixTimestamp64Milli(TimeUnix)) AS FirstMs, max(toUnixTimestamp64Milli(TimeUnix)) AS LastMs
FROM otel_metrics_sum
GROUP BY ServiceName, Version, Pod, Time;

INSERT INTO inquest_presence_1m
SELECT 'metrics' AS Signal, ServiceName, ResourceAttributes['service.version'] AS Version,
  if(ResourceAttributes['k8s.pod.name'] != '', ResourceAttributes['k8s.pod.name'], ResourceAttributes['service.instance.id']) AS Pod,
  toStartOfMinute(toDateTime(TimeUnix)) AS Time, count() AS TelemetryRows,
  min(toUnixTimestamp64Milli(TimeUnix)) AS FirstMs, max(toUnixTimestamp64Milli(TimeUnix)) AS LastMs
FROM otel_metrics_sum
WHERE toDate(TimeUnix) = {{day otel_metrics_sum TimeUnix}}
GROUP BY ServiceName, Version, Pod, Time;

CREATE MATERIALIZED VIEW IF NOT EXISTS inquest_presence_1m_metrics_histogram_mv TO inquest_presence_1m AS
SELECT 'metrics' AS Signal, ServiceName, ResourceAttributes['service.version'] AS Version,
  if(ResourceAttributes['k8s.pod.name'] != '', ResourceAttributes['k8s.pod.name'], ResourceAttributes['service.instance.id']) AS Pod,
  toStartOfMinute(toDateTime(TimeUnix)) AS Time, count() AS TelemetryRows,
  min(toUnixTimestamp64Milli(TimeUnix)) AS FirstMs, max(toUnixTimestamp64Milli(TimeUnix)) AS LastMs
FROM otel_metrics_histogram
GROUP BY ServiceName, Version, Pod, Time;

INSERT INTO inquest_presence_1m
SELECT 'metrics' AS Signal, ServiceName, ResourceAttributes['service.version'] AS Version,
  if(ResourceAttributes['k8s.pod.name'] != '', ResourceAttributes['k8s.pod.name'], ResourceAttributes['service.instance.id']) AS Pod,
  toStartOfMinute(toDateTime(TimeUnix)) AS Time, count() AS TelemetryRows,
  min(toUnixTimestamp64Milli(TimeUnix)) AS FirstMs, max(toUnixTimestamp64Milli(TimeUnix)) AS LastMs
FROM otel_metrics_histogram
WHERE toDate(TimeUnix) = {{day otel_metrics_histogram TimeUnix}}
GROUP BY ServiceName, Version, Pod, Time;

CREATE MATERIALIZED VIEW IF NOT EXISTS inquest_presence_1m_metrics_exponential_histogram_mv TO inquest_presence_1m AS
SELECT 'metrics' AS Signal, ServiceName, ResourceAttributes['service.version'] AS Version,
  if(ResourceAttributes['k8s.pod.name'] != '', ResourceAttributes['k8s.pod.name'], ResourceAttributes['service.instance.id']) AS Pod,
  toStartOfMinute(toDateTime(TimeUnix)) AS Time, count() AS TelemetryRows,
  min(toUnixTimestamp64Milli(TimeUnix)) AS FirstMs, max(toUnixTimestamp64Milli(TimeUnix)) AS LastMs
FROM otel_metrics_exponential_histogram
GROUP BY ServiceName, Version, Pod, Time;

INSERT INTO inquest_presence_1m
SELECT 'metrics' AS Signal, ServiceName, ResourceAttributes['service.version'] AS Version,
  if(ResourceAttributes['k8s.pod.name'] != '', ResourceAttributes['k8s.pod.name'], ResourceAttributes['service.instance.id']) AS Pod,
  toStartOfMinute(toDateTime(TimeUnix)) AS Time, count() AS TelemetryRows,
  min(toUnixTimestamp64Milli(TimeUnix)) AS FirstMs, max(toUnixTimestamp64Milli(TimeUnix)) AS LastMs
FROM otel_metrics_exponential_histogram
WHERE toDate(TimeUnix) = {{day otel_metrics_exponential_histogram TimeUnix}}
GROUP BY ServiceName, Version, Pod, Time;

CREATE MATERIALIZED VIEW IF NOT EXISTS inquest_presence_1m_metrics_summary_mv TO inquest_presence_1m AS
SELECT 'metrics' AS Signal, ServiceName, ResourceAttributes['service.version'] AS Version,
  if(ResourceAttributes['k8s.pod.name'] != '', ResourceAttributes['k8s.pod.name'], ResourceAttributes['service.instance.id']) AS Pod,
  toStartOfMinute(toDateTime(TimeUnix)) AS Time, count() AS TelemetryRows,
  min(toUnixTimestamp64Milli(TimeUnix)) AS FirstMs, max(toUnixTimestamp64Milli(TimeUnix)) AS LastMs
FROM otel_metrics_summary
GROUP BY ServiceName, Version, Pod, Time;

INSERT INTO inquest_presence_1m
SELECT 'metrics' AS Signal, ServiceName, ResourceAttributes['service.version'] AS Version,
  if(ResourceAttributes['k8s.pod.name'] != '', ResourceAttributes['k8s.pod.name'], ResourceAttributes['service.instance.id']) AS Pod,
  toStartOfMinute(toDateTime(TimeUnix)) AS Time, count() AS TelemetryRows,
  min(toUnixTimestamp64Milli(TimeUnix)) AS FirstMs, max(toUnixTimestamp64Milli(TimeUnix)) AS LastMs
FROM otel_metrics_summary
WHERE toDate(TimeUnix) = {{day otel_metrics_summary TimeUnix}}
GROUP BY ServiceName, Version, Pod, Time;

-- Series of metrics. Of distributions it is their sums that are aggregated. Points that say they have no value are left out.
CREATE TABLE IF NOT EXISTS inquest_metrics_1m
(
    ServiceName LowCardinality(String),
    MetricName LowCardinality(String),
    Kind LowCardinality(String),
    Pod LowCardinality(String),
    AttributesKey UInt64 CODEC(ZSTD(1)),
    Time DateTime CODEC(Delta(4), ZSTD(1)),
    SeriesAttributes SimpleAggregateFunction(anyLast, Map(String, String)) CODEC(ZSTD(1)),
    Unit SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    Points SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    Total SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
    Lowest SimpleAggregateFunction(min, Float64) CODEC(ZSTD(1)),
    Highest SimpleAggregateFunction(max, Float64) CODEC(ZSTD(1)),
    Last AggregateFunction(argMax, Float64, DateTime64(9)) CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY toDate(Time)
ORDER BY (ServiceName, MetricName, Kind, Pod, AttributesKey, Time)
{{retention Time}}
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS inquest_metrics_1m_gauge_mv TO inquest_metrics_1m AS
SELECT ServiceName, MetricName, 'gauge' AS Kind, if(ResourceAttributes['k8s.pod.name'] != '', ResourceAttributes['k8s.pod.name'], ResourceAttributes['service.instance.id']) AS Pod,
  cityHash64(mapSort(Attributes)) AS AttributesKey, toStartOfMinute(toDateTime(TimeUnix)) AS Time,
  anyLast(CAST(mapSort(Attributes), 'Map(String, String)')) AS SeriesAttributes, max(MetricUnit) AS Unit, count() AS Points,
  sum(Value) AS Total, min(Value) AS Lowest, max(Value) AS Highest, argMaxState(Value, TimeUnix) AS Last
FROM otel_metrics_gauge
WHERE bitAnd(Flags, 1) = 0
GROUP BY ServiceName, MetricName, Pod, AttributesKey, Time;

INSERT INTO inquest_metrics_1m
SELECT ServiceName, MetricName, 'gauge' AS Kind, if(ResourceAttributes['k8s.pod.name'] != '', ResourceAttributes['k8s.pod.name'], ResourceAttributes['service.instance.id']) AS Pod,
  cityHash64(mapSort(Attributes)) AS AttributesKey, toStartOfMinute(toDateTime(TimeUnix)) AS Time,
  anyLast(CAST(mapSort(Attributes), 'Map(String, String)')) AS SeriesAttributes, max(MetricUnit) AS Unit, count() AS Points,
  sum(Value) AS Total, min(Value) AS Lowest, max(Value) AS Highest, argMaxState(Value, TimeUnix) AS Last
FROM otel_metrics_gauge
WHERE bitAnd(Flags, 1) = 0 AND toDate(TimeUnix) = {{day otel_metrics_gauge TimeUnix}}
GROUP BY ServiceName, MetricName, Pod, AttributesKey, Time;

CREATE MATERIALIZED VIEW IF NOT EXISTS inquest_metrics_1m_sum_mv TO inquest_metrics_1m AS
SELECT ServiceName, MetricName, 'sum' AS Kind, if(ResourceAttributes['k8s.pod.name'] != '', ResourceAttributes['k8s.pod.name'], ResourceAttributes['service.instance.id']) AS Pod,
  cityHash64(mapSort(Attributes)) AS AttributesKey, toStartOfMinute(toDateTime(TimeUnix)) AS Time,
  anyLast(CAST(mapSort(Attributes), 'Map(String, String)')) AS SeriesAttributes, max(MetricUnit) AS Unit, count() AS Points,
  sum(Value) AS Total, min(Value) AS Lowest, max(Value) AS Highest, argMaxState(Value, TimeUnix) AS Last
FROM otel_metrics_sum
WHERE bitAnd(Flags, 1) = 0
GROUP BY ServiceName, MetricName, Pod, AttributesKey, Time;

INSERT INTO inquest_metrics_1m
SELECT ServiceName, MetricName, 'sum' AS Kind, if(ResourceAttributes['k8s.pod.name'] != '', ResourceAttributes['k8s.pod.name'], ResourceAttributes['service.instance.id']) AS Pod,
  cityHash64(mapSort(Attributes)) AS AttributesKey, toStartOfMinute(toDateTime(TimeUnix)) AS Time,
  anyLast(CAST(mapSort(Attributes), 'Map(String, String)')) AS SeriesAttributes, max(MetricUnit) AS Unit, count() AS Points,
  sum(Value) AS Total, min(Value) AS Lowest, max(Value) AS Highest, argMaxState(Value, TimeUnix) AS Last
FROM otel_metrics_sum
WHERE bitAnd(Flags, 1) = 0 AND toDate(TimeUnix) = {{day otel_metrics_sum TimeUnix}}
GROUP BY ServiceName, MetricName, Pod, AttributesKey, Time;

CREATE MATERIALIZED VIEW IF NOT EXISTS inquest_metrics_1m_histogram_mv TO inquest_metrics_1m AS
SELECT ServiceName, MetricName, 'histogram' AS Kind, if(ResourceAttributes['k8s.pod.name'] != '', ResourceAttributes['k8s.pod.name'], ResourceAttributes['service.instance.id']) AS Pod,
  cityHash64(mapSort(Attributes)) AS AttributesKey, toStartOfMinute(toDateTime(TimeUnix)) AS Time,
  anyLast(CAST(mapSort(Attributes), 'Map(String, String)')) AS SeriesAttributes, max(MetricUnit) AS Unit, count() AS Points,
  sum(Sum) AS Total, min(Sum) AS Lowest, max(Sum) AS Highest, argMaxState(Sum, TimeUnix) AS Last
FROM otel_metrics_histogram
WHERE bitAnd(Flags, 1) = 0
GROUP BY ServiceName, MetricName, Pod, AttributesKey, Time;

INSERT INTO inquest_metrics_1m
SELECT ServiceName, MetricName, 'histogram' AS Kind, if(ResourceAttributes['k8s.pod.name'] != '', ResourceAttributes['k8s.pod.name'], ResourceAttributes['service.instance.id']) AS Pod,
  cityHash64(mapSort(Attributes)) AS AttributesKey, toStartOfMinute(toDateTime(TimeUnix)) AS Time,
  anyLast(CAST(mapSort(Attributes), 'Map(String, String)')) AS SeriesAttributes, max(MetricUnit) AS Unit, count() AS Points,
  sum(Sum) AS Total, min(Sum) AS Lowest, max(Sum) AS Highest, argMaxState(Sum, TimeUnix) AS Last
FROM otel_metrics_histogram
WHERE bitAnd(Flags, 1) = 0 AND toDate(TimeUnix) = {{day otel_metrics_histogram TimeUnix}}
GROUP BY ServiceName, MetricName, Pod, AttributesKey, Time;

CREATE MATERIALIZED VIEW IF NOT EXISTS inquest_metrics_1m_exponential_histogram_mv TO inquest_metrics_1m AS
SELECT ServiceName, MetricName, 'exponential_histogram' AS Kind, if(ResourceAttributes['k8s.pod.name'] != '', ResourceAttributes['k8s.pod.name'], ResourceAttributes['service.instance.id']) AS Pod,
  cityHash64(mapSort(Attributes)) AS AttributesKey, toStartOfMinute(toDateTime(TimeUnix)) AS Time,
  anyLast(CAST(mapSort(Attributes), 'Map(String, String)')) AS SeriesAttributes, max(MetricUnit) AS Unit, count() AS Points,
  sum(Sum) AS Total, min(Sum) AS Lowest, max(Sum) AS Highest, argMaxState(Sum, TimeUnix) AS Last
FROM otel_metrics_exponential_histogram
WHERE bitAnd(Flags, 1) = 0
GROUP BY ServiceName, MetricName, Pod, AttributesKey, Time;

INSERT INTO inquest_metrics_1m
SELECT ServiceName, MetricName, 'exponential_histogram' AS Kind, if(ResourceAttributes['k8s.pod.name'] != '', ResourceAttributes['k8s.pod.name'], ResourceAttributes['service.instance.id']) AS Pod,
  cityHash64(mapSort(Attributes)) AS AttributesKey, toStartOfMinute(toDateTime(TimeUnix)) AS Time,
  anyLast(CAST(mapSort(Attributes), 'Map(String, String)')) AS SeriesAttributes, max(MetricUnit) AS Unit, count() AS Points,
  sum(Sum) AS Total, min(Sum) AS Lowest, max(Sum) AS Highest, argMaxState(Sum, TimeUnix) AS Last
FROM otel_metrics_exponential_histogram
WHERE bitAnd(Flags, 1) = 0 AND toDate(TimeUnix) = {{day otel_metrics_exponential_histogram TimeUnix}}
GROUP BY ServiceName, MetricName, Pod, AttributesKey, Time;

CREATE MATERIALIZED VIEW IF NOT EXISTS inquest_metrics_1m_summary_mv TO inquest_metrics_1m AS
SELECT ServiceName, MetricName, 'summary' AS Kind, if(ResourceAttributes['k8s.pod.name'] != '', ResourceAttributes['k8s.pod.name'], ResourceAttributes['service.instance.id']) AS Pod,
  cityHash64(mapSort(Attributes)) AS AttributesKey, toStartOfMinute(toDateTime(TimeUnix)) AS Time,
  anyLast(CAST(mapSort(Attributes), 'Map(String, String)')) AS SeriesAttributes, max(MetricUnit) AS Unit, count() AS Points,
  sum(Sum) AS Total, min(Sum) AS Lowest, max(Sum) AS Highest, argMaxState(Sum, TimeUnix) AS Last
FROM otel_metrics_summary
WHERE bitAnd(Flags, 1) = 0
GROUP BY ServiceName, MetricName, Pod, AttributesKey, Time;

INSERT INTO inquest_metrics_1m
SELECT ServiceName, MetricName, 'summary' AS Kind, if(ResourceAttributes['k8s.pod.name'] != '', ResourceAttributes['k8s.pod.name'], ResourceAttributes['service.instance.id']) AS Pod,
  cityHash64(mapSort(Attributes)) AS AttributesKey, toStartOfMinute(toDateTime(TimeUnix)) AS Time,
  anyLast(CAST(mapSort(Attributes), 'Map(String, String)')) AS SeriesAttributes, max(MetricUnit) AS Unit, count() AS Points,
  sum(Sum) AS Total, min(Sum) AS Lowest, max(Sum) AS Highest, argMaxState(Sum, TimeUnix) AS Last
FROM otel_metrics_summary
WHERE bitAnd(Flags, 1) = 0 AND toDate(TimeUnix) = {{day otel_metrics_summary TimeUnix}}
GROUP BY ServiceName, MetricName, Pod, AttributesKey, Time;

-- Which attributes there are and with which values. A value that looks like one of its kind (long, eight hex digits, four digits in a
-- row), one of a key most of whose values occur once, and those beyond a key's hundred most frequent in one insert are counted
-- under an empty value: what people put into attributes must not blow this up.
CREATE TABLE IF NOT EXISTS inquest_attributes_1h
(
    Source LowCardinality(String),
    ServiceName LowCardinality(String),
    Key LowCardinality(String),
    Value String CODEC(ZSTD(1)),
    Time DateTime CODEC(Delta(4), ZSTD(1)),
    Uses UInt64 CODEC(T64, ZSTD(1))
)
ENGINE = SummingMergeTree
PARTITION BY toDate(Time)
ORDER BY (Source, ServiceName, Key, Value, Time)
{{retention Time}}
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS inquest_attributes_1h_span_mv TO inquest_attributes_1h AS
SELECT 'span' AS Source, ServiceName, Key, if(IsCommon, Value, '') AS Value, Time, sum(KeyValueUses) AS Uses
FROM (
  SELECT ServiceName, toStartOfHour(toDateTime(Timestamp)) AS Time, attribute.1 AS Key, if(length(attribute.2) > 64 OR match(attribute.2, '[0-9a-fA-F]{8}|[0-9]{4}'), '', attribute.2) AS Value,
    count() AS KeyValueUses, count() OVER (PARTITION BY ServiceName, Time, Key) AS KeyValues,
    sum(KeyValueUses) OVER (PARTITION BY ServiceName, Time, Key) AS KeyUses,
    row_number() OVER (PARTITION BY ServiceName, Time, Key ORDER BY KeyValueUses DESC, Value) AS Place,
    Place <= 100 AND (KeyUses < 20 OR KeyValues * 2 < KeyUses) AS IsCommon
  FROM otel_traces
  ARRAY JOIN CAST(SpanAttributes, 'Array(Tuple(String, String))') AS attribute
  GROUP BY ServiceName, Time, Key, Value
)
GROUP BY ServiceName, Key, Value, Time;

INSERT INTO inquest_attributes_1h
SELECT 'span' AS Source, ServiceName, Key, if(IsCommon, Value, '') AS Value, Time, sum(KeyValueUses) AS Uses
FROM (
  SELECT ServiceName, toStartOfHour(toDateTime(Timestamp)) AS Time, attribute.1 AS Key, if(length(attribute.2) > 64 OR match(attribute.2, '[0-9a-fA-F]{8}|[0-9]{4}'), '', attribute.2) AS Value,
    count() AS KeyValueUses, count() OVER (PARTITION BY ServiceName, Time, Key) AS KeyValues,
    sum(KeyValueUses) OVER (PARTITION BY ServiceName, Time, Key) AS KeyUses,
    row_number() OVER (PARTITION BY ServiceName, Time, Key ORDER BY KeyValueUses DESC, Value) AS Place,
    Place <= 100 AND (KeyUses < 20 OR KeyValues * 2 < KeyUses) AS IsCommon
  FROM otel_traces
  ARRAY JOIN CAST(SpanAttributes, 'Array(Tuple(String, String))') AS attribute
  WHERE toDate(Timestamp) = {{day otel_traces Timestamp}}
  GROUP BY ServiceName, Time, Key, Value
)
GROUP BY ServiceName, Key, Value, Time;

CREATE MATERIALIZED VIEW IF NOT EXISTS inquest_attributes_1h_resource_mv TO inquest_attributes_1h AS
SELECT 'resource' AS Source, ServiceName, Key, if(IsCommon, Value, '') AS Value, Time, sum(KeyValueUses) AS Uses
FROM (
  SELECT ServiceName, Time, attribute.1 AS Key, if(length(attribute.2) > 64 OR match(attribute.2, '[0-9a-fA-F]{8}|[0-9]{4}'), '', attribute.2) AS Value,
    sum(Together) AS KeyValueUses, count() OVER (PARTITION BY ServiceName, Time, Key) AS KeyValues,
    sum(KeyValueUses) OVER (PARTITION BY ServiceName, Time, Key) AS KeyUses,
    row_number() OVER (PARTITION BY ServiceName, Time, Key ORDER BY KeyValueUses DESC, Value) AS Place,
    Place <= 100 AND (KeyUses < 20 OR KeyValues * 2 < KeyUses) AS IsCommon
  FROM (
    SELECT ServiceName, toStartOfHour(toDateTime(Timestamp)) AS Time, ResourceAttributes, count() AS Together
    FROM otel_traces
    GROUP BY ServiceName, Time, ResourceAttributes
  )
  ARRAY JOIN CAST(ResourceAttributes, 'Array(Tuple(String, String))') AS attribute
  GROUP BY ServiceName, Time, Key, Value
)
GROUP BY ServiceName, Key, Value, Time;

INSERT INTO inquest_attributes_1h
SELECT 'resource' AS Source, ServiceName, Key, if(IsCommon, Value, '') AS Value, Time, sum(KeyValueUses) AS Uses
FROM (
  SELECT ServiceName, Time, attribute.1 AS Key, if(length(attribute.2) > 64 OR match(attribute.2, '[0-9a-fA-F]{8}|[0-9]{4}'), '', attribute.2) AS Value,
    sum(Together) AS KeyValueUses, count() OVER (PARTITION BY ServiceName, Time, Key) AS KeyValues,
    sum(KeyValueUses) OVER (PARTITION BY ServiceName, Time, Key) AS KeyUses,
    row_number() OVER (PARTITION BY ServiceName, Time, Key ORDER BY KeyValueUses DESC, Value) AS Place,
    Place <= 100 AND (KeyUses < 20 OR KeyValues * 2 < KeyUses) AS IsCommon
  FROM (
    SELECT ServiceName, toStartOfHour(toDateTime(Timestamp)) AS Time, ResourceAttributes, count() AS Together
    FROM otel_traces
    WHERE toDate(Timestamp) = {{day otel_traces Timestamp}}
  GROUP BY ServiceName, Time, ResourceAttributes
  )
  ARRAY JOIN CAST(ResourceAttributes, 'Array(Tuple(String, String))') AS attribute
  GROUP BY ServiceName, Time, Key, Value
)
GROUP BY ServiceName, Key, Value, Time;

CREATE MATERIALIZED VIEW IF NOT EXISTS inquest_attributes_1h_log_mv TO inquest_attributes_1h AS
SELECT 'log' AS Source, ServiceName, Key, if(IsCommon, Value, '') AS Value, Time, sum(KeyValueUses) AS Uses
FROM (
  SELECT ServiceName, toStartOfHour(toDateTime(Timestamp)) AS Time, attribute.1 AS Key, if(length(attribute.2) > 64 OR match(attribute.2, '[0-9a-fA-F]{8}|[0-9]{4}'), '', attribute.2) AS Value,
    count() AS KeyValueUses, count() OVER (PARTITION BY ServiceName, Time, Key) AS KeyValues,
    sum(KeyValueUses) OVER (PARTITION BY ServiceName, Time, Key) AS KeyUses,
    row_number() OVER (PARTITION BY ServiceName, Time, Key ORDER BY KeyValueUses DESC, Value) AS Place,
    Place <= 100 AND (KeyUses < 20 OR KeyValues * 2 < KeyUses) AS IsCommon
  FROM otel_logs
  ARRAY JOIN CAST(LogAttributes, 'Array(Tuple(String, String))') AS attribute
  GROUP BY ServiceName, Time, Key, Value
)
GROUP BY ServiceName, Key, Value, Time;

INSERT INTO inquest_attributes_1h
SELECT 'log' AS Source, ServiceName, Key, if(IsCommon, Value, '') AS Value, Time, sum(KeyValueUses) AS Uses
FROM (
  SELECT ServiceName, toStartOfHour(toDateTime(Timestamp)) AS Time, attribute.1 AS Key, if(length(attribute.2) > 64 OR match(attribute.2, '[0-9a-fA-F]{8}|[0-9]{4}'), '', attribute.2) AS Value,
    count() AS KeyValueUses, count() OVER (PARTITION BY ServiceName, Time, Key) AS KeyValues,
    sum(KeyValueUses) OVER (PARTITION BY ServiceName, Time, Key) AS KeyUses,
    row_number() OVER (PARTITION BY ServiceName, Time, Key ORDER BY KeyValueUses DESC, Value) AS Place,
    Place <= 100 AND (KeyUses < 20 OR KeyValues * 2 < KeyUses) AS IsCommon
  FROM otel_logs
  ARRAY JOIN CAST(LogAttributes, 'Array(Tuple(String, String))') AS attribute
  WHERE toDate(Timestamp) = {{day otel_logs Timestamp}}
  GROUP BY ServiceName, Time, Key, Value
)
GROUP BY ServiceName, Key, Value, Time;

-- Calls between services, by minute of the callee's span. No view can be exact here: parents and children come in different inserts,
-- in either order. settle-edges.ts writes whole minutes once they are quiet; Generation is how many spans it saw then in the minute and
-- around it. Rows count while inquest_red_1m still has that many there; a span that comes later makes them void. A row without
-- caller and callee says that a minute was written.
CREATE TABLE IF NOT EXISTS inquest_edges_1m
(
    Time DateTime CODEC(Delta(4), ZSTD(1)),
    Generation UInt64,
    Caller LowCardinality(String),
    Callee LowCardinality(String),
    Kind LowCardinality(String),
    Calls UInt64 CODEC(T64, ZSTD(1)),
    Errors UInt64 CODEC(T64, ZSTD(1)),
    DurationNanos UInt64 CODEC(T64, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(Time)
ORDER BY (Time, Generation, Caller, Callee, Kind)
{{retention Time}}
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, index_granularity = 1024;
