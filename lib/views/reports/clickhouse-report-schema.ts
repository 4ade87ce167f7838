/**
 * The tables of a generation. A fact is an entry, what a transaction moved in one currency, or a decline: one table, since a
 * batch is then one insert. Its key is where it stands in the log, so that whatever is inserted again replaces itself.
 *
 * A chunk is 100,000 positions. Once a partition's checkpoint is past one, its facts are added up into rollups, and the chunk is
 * sealed; chunks are sealed in order, so that their number says which. Rollups are made of facts as they are and never by an
 * incremental view, which would count what comes twice twice.
 *
 * On a cluster the engines are ReplicatedReplacingMergeTree, writers set insert_quorum and readers
 * select_sequential_consistency: a checkpoint must not be seen before its facts.
 */
export const CHUNK_POSITIONS = 100_000n;

export const TABLES = ['facts', 'rollups', 'seals', 'checkpoints'] as const;

export const FACT = { entry: 1, volume: 2, decline: 3 } as const;

export const schemaOf = (prefix: string): readonly string[] => [
  `CREATE TABLE ${prefix}_facts (
    partition UInt16,
    ledger_id String,
    fact UInt8,
    position Int64,
    entry UInt16,
    account_id String,
    type UInt8,
    currency LowCardinality(String),
    -- Of a decline: its reason.
    kind UInt8,
    -- Minor units; of an entry below zero for a debit.
    amount Int128,
    -- Microseconds since 1970.
    effective_time Int64,
    recorded_time Int64,
    INDEX positions position TYPE minmax GRANULARITY 1
  ) ENGINE = ReplacingMergeTree
  PARTITION BY toYYYYMM(fromUnixTimestamp64Micro(recorded_time, 'UTC'))
  ORDER BY (ledger_id, fact, position, entry)`,
  `CREATE TABLE ${prefix}_rollups (
    ledger_id String,
    fact UInt8,
    chunk Int64,
    account_id String,
    type UInt8,
    currency LowCardinality(String),
    kind UInt8,
    -- Numbers of 15 minutes since 1970.
    effective_bucket Int64,
    recorded_bucket Int64,
    debits Int128,
    credits Int128,
    n UInt64,
    -- Of the last fact in it.
    position Int64
  ) ENGINE = ReplacingMergeTree
  ORDER BY (ledger_id, fact, chunk, account_id, kind, currency, effective_bucket, recorded_bucket)`,
  `CREATE TABLE ${prefix}_seals (partition UInt16, chunk Int64)
  ENGINE = ReplacingMergeTree ORDER BY (partition, chunk)`,
  `CREATE TABLE ${prefix}_checkpoints (
    partition UInt16, epoch Int32, position Int64, offset Int64, hash String, recorded_time Int64, rank UInt256
  ) ENGINE = ReplacingMergeTree(rank) ORDER BY partition`,
];
