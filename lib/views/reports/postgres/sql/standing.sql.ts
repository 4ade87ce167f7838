/**
 * What a report has to know before it sums up, from one snapshot: rows of four kinds, told apart by `what`.
 *
 *     point     one row: the checkpoint, the ledger's number, the account's number, the last sealed position
 *               that counts
 *     bound     for each bound, by its place: the first sealed segment with a record at or after it, unless
 *               there is none
 *     open      the segment after the last that counts as a whole, if it is sealed: some of it counts
 *     tail      what is in no segment, but for packs that were recorded before the first bound: no record is dated after
 *               it was recorded; none if `open` is there
 *
 * $1 partition, $2 ledger id, $3 the last position that counts or null, $4 the bounds, $5 an account id or
 * null. What is sealed never changes, so that statements after this one need not see its snapshot.
 */
import { checkpointColumns } from '../../../stores/postgres/sql/generations.sql.js';

const NO_CHECKPOINT = 'null::bigint, null::int, null::bigint, null::bytea, null::bigint, null::text';
const segment = 's.after, s.through, s.from_time';

export const standingSql = (schema: string): string => `
with of_ledger as materialized (
  select l.ledger from ${schema}.ledgers l where l.ledger_id = $2::text
), point as materialized (
  select coalesce(max(s.through), -1) as sealed from (
    select s.through from ${schema}.segments s
    where s.partition = $1::int and ($3::bigint is null or s.through <= $3) order by s.through desc limit 1
  ) s
), open as materialized (
  select ${segment} from ${schema}.segments s
  where s.partition = $1 and s.through > (select sealed from point) order by s.through limit 1
)
select 'point' as what, (select ledger from of_ledger) as ledger,
  (select a.account from ${schema}.accounts a
   where a.ledger = (select ledger from of_ledger) and a.account_id = $5::text) as account,
  null::bigint as place, null::bigint as after, p.sealed as through, null::bigint as from_time, null::bytea as pack,
  ${checkpointColumns}
from point p left join ${schema}.checkpoint c on c.partition = $1
union all
select 'bound', null, null, b.place, ${segment}, null, ${NO_CHECKPOINT}
from unnest($4::bigint[]) with ordinality as b (bound, place)
cross join lateral (
  select ${segment} from ${schema}.segments s
  where s.partition = $1 and s.to_time >= b.bound order by s.to_time limit 1
) s
where s.through <= (select sealed from point)
union all
select 'open', null, null, null, ${segment}, null, ${NO_CHECKPOINT} from open s
union all
select 'tail', null, null, null, null, t.through, null, t.rows, ${NO_CHECKPOINT}
from ${schema}.tail t
where t.partition = $1 and t.through > (select sealed from point) and t.to_time >= coalesce(($4::bigint[])[1], t.to_time)
  and not exists (select from open)`;

/** Packs of a ledger: $1 ledger, $2 after this position, $3 through this one, $4 how many. */
export const packsSql = (schema: string): string => `
select p.through, p.rows as pack from ${schema}.packs p
where p.ledger = $1::int and p.through > $2::bigint and p.through <= $3::bigint
order by p.through limit $4::int`;

/**
 * Records off time that are dated in some 15 minutes: $1 ledger, $2 the 15 minutes, $3 through this position,
 * $4 and $5 after this bucket and position, $6 how many.
 */
export const offTimePacksSql = (schema: string): string => `
select p.effective_bucket, p.through, p.rows as pack from ${schema}.off_time_packs p
where p.ledger = $1::int and p.effective_bucket = any ($2::int[]) and p.through <= $3::bigint
  and (p.effective_bucket, p.through) > ($4::int, $5::bigint)
order by p.effective_bucket, p.through limit $6::int`;
