-- What detection looks at: calls into services (kept as Server) and out of them (as Client) by operation and ten seconds, with how
-- long they took as counts by bucket. A bucket is 15 % wide: number B holds durations from 1.15^(B - 50) ms on, the last and the first
-- whatever lies beyond. Spans without a kind may be either: they count as calls into. A client is kept by whom it calls, where it says so,
-- so that a dependency without spans of its own is seen. Ids in names are ?; where an insert has more than 200 names of a service in
-- ten seconds, those with less than a hundredth of its calls are one: the empty one. Nobody reads requests by ten seconds without operations
-- any more.

DROP VIEW IF EXISTS inquest_red_10s_mv;

DROP TABLE IF EXISTS inquest_red_10s;

CREATE TABLE IF NOT EXISTS inquest_operations_10s
(
    ServiceName LowCardinality(String),
    Operation LowCardinality(String),
    SpanKind LowCardinality(String),
    Time DateTime CODEC(Delta(4), ZSTD(1)),
    Calls SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    Errors SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    Durations SimpleAggregateFunction(sumMap, Map(UInt8, UInt64)) CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY toDate(Time)
ORDER BY (Time, ServiceName, Operation, SpanKind)
{{retention Time at most 2}}
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS inquest_operations_10s_mv TO inquest_operations_10s AS
SELECT ServiceName, if(Names > 200 AND NameCalls * 100 < AllCalls, '', Name) AS Operation, Kind AS SpanKind, Time, sum(NameCalls) AS Calls,
  sum(NameErrors) AS Errors, sumMap(NameDurations) AS Durations
FROM (
  SELECT ServiceName, Kind, Time, Name, sum(BucketCalls) AS NameCalls, sum(BucketErrors) AS NameErrors,
    CAST((groupArray(Bucket), groupArray(BucketCalls)), 'Map(UInt8, UInt64)') AS NameDurations,
    count() OVER (PARTITION BY ServiceName, Kind, Time) AS Names, sum(NameCalls) OVER (PARTITION BY ServiceName, Kind, Time) AS AllCalls
  FROM (
    SELECT ServiceName, Kind, Time, Bucket, sum(RawCalls) AS BucketCalls, sum(RawErrors) AS BucketErrors, if(length(RawName) > 200, '',
      replaceRegexpAll(RawName, '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{8,}|[0-9]{3,}', '?')) AS Name
    FROM (
      SELECT ServiceName, if(SpanKind IN ('Client', 'Producer'), 'Client', 'Server') AS Kind,
        toStartOfInterval(toDateTime(Timestamp), toIntervalSecond(10)) AS Time,
        if(Kind = 'Client', coalesce(nullIf(SpanAttributes['peer.service'], ''), nullIf(SpanAttributes['server.address'], ''),
          nullIf(SpanAttributes['db.system'], ''), SpanName), SpanName) AS RawName,
        toUInt8(least(255, greatest(0, floor(log(greatest(Duration / 1e6, 0.001)) / log(1.15)) + 50))) AS Bucket,
        count() AS RawCalls, countIf(StatusCode = 'Error') AS RawErrors
      FROM otel_traces
      WHERE (SpanKind != 'Internal' OR ParentSpanId = '')
      GROUP BY ServiceName, Kind, Time, RawName, Bucket
    )
    GROUP BY ServiceName, Kind, Time, Name, Bucket
  )
  GROUP BY ServiceName, Kind, Time, Name
)
GROUP BY ServiceName, Operation, Kind, Time;

INSERT INTO inquest_operations_10s
SELECT ServiceName, if(Names > 200 AND NameCalls * 100 < AllCalls, '', Name) AS Operation, Kind AS SpanKind, Time, sum(NameCalls) AS Calls,
  sum(NameErrors) AS Errors, sumMap(NameDurations) AS Durations
FROM (
  SELECT ServiceName, Kind, Time, Name, sum(BucketCalls) AS NameCalls, sum(BucketErrors) AS NameErrors,
    CAST((groupArray(Bucket), groupArray(BucketCalls)), 'Map(UInt8, UInt64)') AS NameDurations,
    count() OVER (PARTITION BY ServiceName, Kind, Time) AS Names, sum(NameCalls) OVER (PARTITION BY ServiceName, Kind, Time) AS AllCalls
  FROM (
    SELECT ServiceName, Kind, Time, Bucket, sum(RawCalls) AS BucketCalls, sum(RawErrors) AS BucketErrors, if(length(RawName) > 200, '',
      replaceRegexpAll(RawName, '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{8,}|[0-9]{3,}', '?')) AS Name
    FROM (
      SELECT ServiceName, if(SpanKind IN ('Client', 'Producer'), 'Client', 'Server') AS Kind,
        toStartOfInterval(toDateTime(Timestamp), toIntervalSecond(10)) AS Time,
        if(Kind = 'Client', coalesce(nullIf(SpanAttributes['peer.service'], ''), nullIf(SpanAttributes['server.address'], ''),
          nullIf(SpanAttributes['db.system'], ''), SpanName), SpanName) AS RawName,
        toUInt8(least(255, greatest(0, floor(log(greatest(Duration / 1e6, 0.001)) / log(1.15)) + 50))) AS Bucket,
        count() AS RawCalls, countIf(StatusCode = 'Error') AS RawErrors
      FROM otel_traces
      WHERE (SpanKind != 'Internal' OR ParentSpanId = '') AND toDate(Timestamp) = {{day otel_traces Timestamp}}
      GROUP BY ServiceName, Kind, Time, RawName, Bucket
    )
    GROUP BY ServiceName, Kind, Time, Name, Bucket
  )
  GROUP BY ServiceName, Kind, Time, Name
)
GROUP BY ServiceName, Operation, Kind, Time;
