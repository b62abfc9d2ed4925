-- Every anomaly that passed the bar, also those that no incident came of and those that a rule hides: one row for each version,
-- the newest counts. An anomaly's first time never changes, so that its versions meet in one partition.

CREATE TABLE IF NOT EXISTS inquest_anomalies
(
    AnomalyId String,
    Version UInt64,
    Time DateTime64(3),
    LastTime DateTime64(3),
    IsOver UInt8,
    Service LowCardinality(String),
    Aspect LowCardinality(String),
    Detector LowCardinality(String),
    SeriesKey String,
    Subject String,
    Deviation Float64,
    IncidentId String,
    HiddenBy LowCardinality(String),
    Body String CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree(Version)
PARTITION BY toDate(Time)
ORDER BY (AnomalyId)
{{retention Time}}
SETTINGS ttl_only_drop_parts = 1;
