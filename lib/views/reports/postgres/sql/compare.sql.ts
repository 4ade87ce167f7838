/** What the comparison of two generations reads: of one schema, or of both. */
import { hashOf } from '../../../stores/postgres/sql/digest.sql.js';

/** The ledgers of both, by id, after $1; what one of them has not is null. $2 limit */
export const ledgersOfBoth = (one: string, other: string): string => `
select ledger_id, a.ledger as our_ledger, b.ledger as their_ledger, coalesce(a.partition, b.partition) as partition
from ${one}.ledgers a full join ${other}.ledgers b using (ledger_id)
where ledger_id > $1
order by ledger_id limit $2`;

/** The accounts that are the same in both, in the order of their numbers in the first. $1 the last one before, $2 limit */
export const sameAccounts = (one: string, other: string): string => `
select p.account as ours, b.account as theirs
from (select * from ${one}.accounts where account > $1::int order by account limit $2) p
join ${one}.ledgers l on l.ledger = p.ledger
left join ${other}.ledgers m on m.ledger_id = l.ledger_id
left join ${other}.accounts b
  on b.ledger = m.ledger and b.account_id = p.account_id and b.type = p.type and b.currency = p.currency
order by 1`;

/**
 * The last position of a partition that is sealed in both, and the first 15 minutes of what only one of them has sealed; null:
 * there is nothing of the kind. $1 partition
 */
export const sealedInBoth = (one: string, other: string): string => {
  const last = (schema: string) =>
    `coalesce((select max(through) from ${schema}.segments where partition = $1::int), -1)`;
  const next = (schema: string) =>
    `(select min(recorded_bucket) from ${schema}.segments where partition = $1 and through > s.through)`;
  return `
select s.through, least(${next(one)}, ${next(other)}) as bucket
from (select least(${last(one)}, ${last(other)}) as through) as s`;
};

/** A rollup of a ledger, with what its numbers mean in their place. $1 ledger, $2 the last position */
const rollup = (rows: string, columns: string): string => `
select count(*) as rows, coalesce(sum(${hashOf(`row(${columns})`)}), 0)::text as digest
from ${rows}
where r.ledger = $1::int and r.position <= $2::bigint`;

const COMMON = 'r.position, r.effective_bucket, r.recorded_bucket, r.on_time';

export const entryRollup = (schema: string): string =>
  rollup(
    `${schema}.entry_rollup r join ${schema}.accounts a on a.account = r.account`,
    `${COMMON}, r.debits, r.credits, r.entries, a.account_id, a.type, a.currency, r.kind`,
  );

export const volumeRollup = (schema: string): string =>
  rollup(`${schema}.volume_rollup r`, `${COMMON}, r.principal, r.transactions, r.kind, r.currency`);

export const declineRollup = (schema: string): string =>
  rollup(`${schema}.decline_rollup r`, `${COMMON}, r.principal, r.declines, r.reason, r.currency`);
