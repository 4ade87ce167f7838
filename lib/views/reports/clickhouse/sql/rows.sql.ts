/**
 * The canonical rows, page by page in order of their keys. Sums are shown by 15-minute buckets alone: chunks
 * are this store's own affair, so those of a bucket are added up, with what is in no chunk yet.
 *
 * ledger, limit: how many, through: the checkpoint, sealed and tail: the last sealed chunk and where it ends.
 */
import type { Section } from '../../rows.js';
import { bucketOf } from './schema.sql.js';
import type { ReportTables } from './read.sql.js';

/** The first ledger at or after an id, or only that itself, and its partition. */
export const nextLedgerSql = ({ entries }: ReportTables, only: boolean): string => `
select ledger_id, partition from ${entries}
where ledger_id ${only ? '=' : '>='} {ledger:String}
order by ledger_id limit 1`;

/** After position `after`. */
export const declineRowsSql = ({ entries }: ReportTables): string => `
select e.position as at, e.recorded_time as recorded, toString(e.principal) as principal_text, e.reason as reason,
  toString(e.currency) as row_currency
from ${entries} as e final
where e.ledger_id = {ledger:String} and e.position > {after:Int64} and e.position <= {through:Int64} and e.reason > 0
order by e.position limit {limit:UInt32}`;

/** After position `after` and index `index`. */
export const entryRowsSql = ({ entries }: ReportTables): string => `
select e.position as at, e.entry as index, e.account_id as account_id, e.type as type, toString(e.currency) as row_currency,
  e.kind as kind, e.amount as amount, e.effective_time as effective, e.recorded_time as recorded
from ${entries} as e final
where e.ledger_id = {ledger:String} and e.position >= {after:Int64} and (e.position, toInt32(e.entry)) > ({after:Int64}, {index:Int32})
  and e.position <= {through:Int64} and e.reason = 0
order by e.position, e.entry limit {limit:UInt32}`;

/** After position `after` and currency `after_currency`. */
export const volumeRowsSql = ({ entries }: ReportTables): string => `
select e.position as at, toString(e.currency) as row_currency, e.kind as kind, toString(e.principal) as principal_text,
  e.effective_time as effective, e.recorded_time as recorded
from ${entries} as e final
where e.ledger_id = {ledger:String} and e.position >= {after:Int64}
  and (e.position, toString(e.currency)) > ({after:Int64}, {after_currency:String})
  and e.position <= {through:Int64} and e.reason = 0 and e.transactions > 0
order by e.position, row_currency limit {limit:UInt32}`;

/**
 * The bucket, at or after `first`, up to which the rollup has as many rows as are wanted; no row where it has
 * not.
 */
export const horizonSql = ({ rollup }: ReportTables): string => `
select recorded_bucket as bucket from ${rollup}
where ledger_id = {ledger:String} and recorded_bucket >= {first:Int32}
order by recorded_bucket limit 1 offset {limit:UInt32}`;

export type SumSection = Exclude<Section, 'decline' | 'entry' | 'volume'>;

const PADDED_RECORDED = `leftPad(toString(recorded), 10, '0')`;
const PADDED_BOTH = `${PADDED_RECORDED}, ' ', leftPad(toString(effective), 10, '0')`;

const KEYS: Readonly<Record<SumSection, string>> = {
  'sum-decline': `concat(${PADDED_RECORDED}, ' ', row_currency, ' ', toString(reason))`,
  'sum-entry': `concat(${PADDED_BOTH}, ' ', account_id, ' ', toString(kind))`,
  'sum-volume': `concat(${PADDED_BOTH}, ' ', row_currency, ' ', toString(kind))`,
};

/** Of the recorded buckets from `first` through `last`, after the key `after`. */
export const sumsSql = ({ entries, rollup }: ReportTables, section: SumSection): string => {
  const which = section === 'sum-decline' ? 'reason > 0' : 'reason = 0';
  return `
select ${KEYS[section]} as key, max(at) as last_position, any(row_type) as type, any(row_currency) as currency_text,
  toString(sum(counted)) as entries_text, toString(sum(dr)) as debits_text, toString(sum(cr)) as credits_text,
  toString(sum(transacted)) as transactions_text, toString(sum(principal_units)) as principal_text
from (
  select r.recorded_bucket as recorded, r.effective_bucket as effective, r.account_id as account_id,
    toString(r.currency) as row_currency, r.kind as kind, r.reason as reason, r.position as at, r.type as row_type,
    r.debits as dr, r.credits as cr, r.entries as counted, r.principal as principal_units, r.transactions as transacted
  from ${rollup} as r final
  where r.ledger_id = {ledger:String} and r.chunk <= {sealed:Int64} and r.recorded_bucket between {first:Int32} and {last:Int32}
    and r.${which}
  union all
  select ${bucketOf('e.recorded_time')}, ${bucketOf('e.effective_time')}, e.account_id, toString(e.currency), e.kind, e.reason,
    e.position, e.type, if(e.amount < 0, -toInt128(e.amount), toInt128(0)), if(e.amount > 0, toInt128(e.amount), toInt128(0)),
    toUInt64(e.reason = 0), e.principal, toUInt64(e.transactions)
  from ${entries} as e final
  where e.ledger_id = {ledger:String} and e.position > {tail:Int64} and e.position <= {through:Int64}
    and ${bucketOf('e.recorded_time')} between {first:Int32} and {last:Int32} and e.${which}
)
group by key
having key > {after:String}
order by key limit {limit:UInt32}`;
};
