/** Reads of the log: keyset pages by primary key or index, none longer than its page. */

const columns = `position, event, hash`;

/** $1 after  $2 through  $3 limit */
export const readPage = `
select ${columns} from log.events
where position > $1 and position <= $2
order by position limit $3`;

/** $1 after  $2 through  $3 limit  $4 ledger id */
export const readLedgerPage = `
select ${columns} from log.events
where ledger_id = $4 and position > $1 and position <= $2
order by ledger_id, position limit $3`;

/** $1 after  $2 through  $3 limit  $4 ledger id  $5 stream id */
export const readStreamPage = `
select ${columns} from log.events
where ledger_id = $4 and stream_id = $5 and position > $1 and position <= $2
order by ledger_id, stream_id, position limit $3`;

/** $1 position */
export const readAt = `select ${columns} from log.events where position = $1`;

export const readHead = `
select ${columns} from log.events order by position desc limit 1`;

/** $1 recorded time, microseconds: the last event at or before it. recorded_time rises with position. */
export const readAtTime = `
select ${columns} from log.events where recorded_time <= $1 order by recorded_time desc limit 1`;

/** The database's clock in microseconds. */
export const readNow = `select (extract(epoch from clock_timestamp()) * 1000000)::bigint as now`;
