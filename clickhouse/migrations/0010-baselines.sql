-- What each series was in each hour, summed up from the rollups once the hour is over (refresh-baselines.ts; docs/decisions/0012-baselines.md).
-- Hours come first in the order: what is asked for is always some hours, of one series or of all.

CREATE TABLE IF NOT EXISTS inquest_baselines_1h
(
    Hour DateTime CODEC(Delta(4), ZSTD(1)),
    Kind LowCardinality(String),
    Service LowCardinality(String),
    Name String CODEC(ZSTD(1)),
    Detail String CODEC(ZSTD(1)),
    Generation UInt64 CODEC(ZSTD(1)),
    -- Minutes that have a value.
    Minutes UInt8 CODEC(ZSTD(1)),
    -- Calls of a service, lines of a template; and how many of the calls failed.
    Calls UInt64 CODEC(T64, ZSTD(1)),
    Errors UInt64 CODEC(T64, ZSTD(1)),
    -- Of the minutes' values. Where nothing is zero, minutes without calls or lines count as such.
    Mean Float32 CODEC(ZSTD(1)),
    Lowest Float32 CODEC(ZSTD(1)),
    P1 Float32 CODEC(ZSTD(1)),
    P10 Float32 CODEC(ZSTD(1)),
    P25 Float32 CODEC(ZSTD(1)),
    P50 Float32 CODEC(ZSTD(1)),
    P75 Float32 CODEC(ZSTD(1)),
    P90 Float32 CODEC(ZSTD(1)),
    P99 Float32 CODEC(ZSTD(1)),
    Highest Float32 CODEC(ZSTD(1)),
    StoredAt DateTime DEFAULT now() CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(Generation)
PARTITION BY toMonday(Hour)
ORDER BY (Hour, Kind, Service, Name, Detail)
TTL StoredAt + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, index_granularity = 1024;

-- Which hours are summed up, by signal, and of how much: Generation is how many rows of telemetry the hour held then, and rows of
-- inquest_baselines_1h with another one are void. An hour of which nothing is written here was not observed.
CREATE TABLE IF NOT EXISTS inquest_baseline_hours
(
    Signal LowCardinality(String),
    Hour DateTime,
    Generation UInt64,
    -- Minutes of which anything was there, of any service.
    Minutes UInt8,
    StoredAt DateTime DEFAULT now()
)
ENGINE = ReplacingMergeTree(Generation)
ORDER BY (Signal, Hour)
TTL StoredAt + INTERVAL 90 DAY
SETTINGS non_replicated_deduplication_window = 10000;
