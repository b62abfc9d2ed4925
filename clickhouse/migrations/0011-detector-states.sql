-- What detection has learned, for the scanner that comes next: the newest LearnedTo of a key counts. A state nobody has touched for a
-- month is of a series that is gone.

CREATE TABLE IF NOT EXISTS inquest_detector_states
(
    Watch LowCardinality(String),
    StateKey String,
    LearnedTo DateTime64(3),
    State String CODEC(ZSTD(3)),
    StoredAt DateTime DEFAULT now()
)
ENGINE = ReplacingMergeTree(LearnedTo)
ORDER BY (Watch, StateKey)
TTL StoredAt + INTERVAL 30 DAY;
