-- What Inquest itself must remember: documents by kind and id (newest version wins), graph checkpoints, the audit chain.

CREATE TABLE IF NOT EXISTS inquest_archive
(
    Kind LowCardinality(String),
    Id String,
    Version UInt64,
    SortTime DateTime64(3),
    Body String CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree(Version)
ORDER BY (Kind, Id);

CREATE TABLE IF NOT EXISTS inquest_checkpoints
(
    ThreadId String,
    Namespace String,
    Kind LowCardinality(String),
    Key String,
    Text String CODEC(ZSTD(3)),
    Version UInt64,
    IsDeleted UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(Version)
ORDER BY (ThreadId, Kind, Namespace, Key);

CREATE TABLE IF NOT EXISTS inquest_audit
(
    Sequence UInt64,
    AtTime DateTime64(3),
    Actor String,
    Kind LowCardinality(String),
    Subject String,
    Body String CODEC(ZSTD(3))
)
ENGINE = MergeTree
ORDER BY Sequence;

CREATE TABLE IF NOT EXISTS inquest_once
(
    Key String,
    Text String,
    WrittenAt DateTime64(6) DEFAULT now64(6)
)
ENGINE = MergeTree
ORDER BY Key;
