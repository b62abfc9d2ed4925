-- Log templates, mined when lines arrive (docs/decisions/0007-log-templates.md). A line keeps the id of its template as it was known
-- then; inquest_log_templates says what each id ever given out stands for now. Of its rows for one id the greatest Version counts,
-- whoever wrote it.

ALTER TABLE otel_logs ADD COLUMN IF NOT EXISTS TemplateId LowCardinality(String) CODEC(ZSTD(1));

CREATE TABLE IF NOT EXISTS inquest_log_templates
(
    ServiceName LowCardinality(String),
    Id String,
    TemplateId String,
    Text String CODEC(ZSTD(1)),
    Shape Array(String) CODEC(ZSTD(1)),
    Version UInt64,
    StoredAt DateTime64(3) DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(Version)
ORDER BY (ServiceName, Id);

-- How often each template was written: by the id of the line, so that it is resolved as lines are. An empty id: lines that no miner
-- saw. The severity is the one that readers see (log-sql.ts: SEVERITY).

CREATE TABLE IF NOT EXISTS inquest_log_templates_1m
(
    ServiceName LowCardinality(String),
    TemplateId LowCardinality(String),
    Severity UInt8,
    Time DateTime CODEC(Delta(4), ZSTD(1)),
    Lines SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY toDate(Time)
ORDER BY (ServiceName, TemplateId, Severity, Time)
{{retention Time}}
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS inquest_log_templates_1m_mv TO inquest_log_templates_1m AS
SELECT ServiceName, TemplateId,
  toUInt8(multiIf(SeverityNumber > 0, SeverityNumber,
    upper(SeverityText) IN ('TRACE', 'FINEST', 'FINER'), 1,
    upper(SeverityText) IN ('DEBUG', 'FINE'), 5,
    upper(SeverityText) IN ('INFO', 'INFORMATION', 'NOTICE', 'CONFIG'), 9,
    upper(SeverityText) IN ('WARN', 'WARNING'), 13,
    upper(SeverityText) IN ('ERROR', 'ERR', 'SEVERE'), 17,
    upper(SeverityText) IN ('FATAL', 'CRITICAL', 'CRIT', 'ALERT', 'EMERGENCY', 'EMERG', 'PANIC'), 21, 0)) AS Severity,
  toStartOfMinute(toDateTime(Timestamp)) AS Time, count() AS Lines
FROM otel_logs
GROUP BY ServiceName, TemplateId, Severity, Time;

INSERT INTO inquest_log_templates_1m
SELECT ServiceName, TemplateId,
  toUInt8(multiIf(SeverityNumber > 0, SeverityNumber,
    upper(SeverityText) IN ('TRACE', 'FINEST', 'FINER'), 1,
    upper(SeverityText) IN ('DEBUG', 'FINE'), 5,
    upper(SeverityText) IN ('INFO', 'INFORMATION', 'NOTICE', 'CONFIG'), 9,
    upper(SeverityText) IN ('WARN', 'WARNING'), 13,
    upper(SeverityText) IN ('ERROR', 'ERR', 'SEVERE'), 17,
    upper(SeverityText) IN ('FATAL', 'CRITICAL', 'CRIT', 'ALERT', 'EMERGENCY', 'EMERG', 'PANIC'), 21, 0)) AS Severity,
  toStartOfMinute(toDateTime(Timestamp)) AS Time, count() AS Lines
FROM otel_logs
WHERE toDate(Timestamp) = {{day otel_logs Timestamp}}
GROUP BY ServiceName, TemplateId, Severity, Time;
