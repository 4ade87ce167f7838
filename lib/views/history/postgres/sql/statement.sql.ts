/**
 * A page of a statement with its balances, in one snapshot. $1 partition, $2 ledger_id, $3 account_id, $4
 * through (or null),
 * $5 from and $6 to (or null), $7 position and $8 entry of the key before the page (or null), $9 limit, and
 * by effective time $10 the time of that key (or null). Nothing in a snapshot is after its checkpoint.
 */
import { checkpointColumns } from '../../../stores/postgres/sql/generations.sql.js';
import { firstAt } from '../lists/positions.js';
import { entryColumns } from './read.sql.js';

const FIRST = '(-9223372036854775808)';
const LAST = '9223372036854775807';

const heading = `
select ${checkpointColumns}, a.currency as account_currency, s.opening::bigint as opening,
  s.closing::bigint as closing, s.brought_forward::bigint as brought_forward, d.*`;

const account = (schema: string): string => `
from ${schema}.checkpoint c
left join ${schema}.accounts a
  on a.ledger_id = $2 and a.account_id = $3 and a.opened_position <= coalesce($4::bigint, ${LAST})`;

/**
 * In order of (effective_time, position, entry): the sums come from the covering index alone, in one pass.
 */
export const statementByEffectiveTime = (schema: string): string => `
${heading} ${account(schema)}
left join lateral (
  select coalesce(sum(x.signed) filter (where x.effective_time < coalesce($5::bigint, ${FIRST})), 0) as opening,
    coalesce(sum(x.signed), 0) as closing,
    coalesce(sum(x.signed) filter (where x.effective_time < coalesce($5::bigint, ${FIRST})
      or (x.effective_time, x.position, x.entry) <= ($10::bigint, $7::bigint, $8::integer)), 0) as brought_forward
  from (
    select e.effective_time, e.position, e.entry,
      case e.direction when 1 then -e.amount else e.amount end as signed
    from ${schema}.entries e
    where e.ledger_id = $2 and e.account_id = $3 and e.position <= coalesce($4::bigint, ${LAST})
      and e.effective_time < greatest($5::bigint, coalesce($6::bigint, ${LAST}))
  ) x
) s on a.account_id is not null
left join lateral (
  select ${entryColumns(schema)}
  from ${schema}.entries e
  join ${schema}.transactions t on t.ledger_id = $2 and t.position = e.position
  where e.ledger_id = $2 and e.account_id = $3 and e.position <= coalesce($4::bigint, ${LAST})
    and e.effective_time >= greatest(coalesce($5::bigint, ${FIRST}), coalesce($10::bigint, ${FIRST}))
    and e.effective_time < coalesce($6::bigint, ${LAST})
    and (e.effective_time, e.position, e.entry)
      > (coalesce($10::bigint, ${FIRST}), coalesce($7::bigint, -1), coalesce($8::integer, -1))
  order by e.effective_time, e.position, e.entry limit $9
) d on a.account_id is not null
where c.partition = $1
order by d.effective_time, d.position, d.entry`;

/** posted as the last event before a position left it. */
const postedBefore = (schema: string, position: string): string => `
coalesce((select v.credits - v.debits from ${schema}.account_versions v
  where v.ledger_id = $2 and v.account_id = $3 and v.position < ${position} and v.position <= coalesce($4::bigint, ${LAST})
  order by v.position desc limit 1), 0)`;

/**
 * In order of (position, entry), which is that of recorded_time: balances are looked up, nothing is summed
 * but the entries of the one event that the page before ended in.
 */
export const statementByRecordedTime = (schema: string): string => `
${heading} ${account(schema)}
left join lateral (
  select case when $5::bigint is null then -1 else ${firstAt(schema, '$2', '$5::bigint')} end as start,
    case when $6::bigint is null then ${LAST} else ${firstAt(schema, '$2', '$6::bigint')} end as finish
) b on a.account_id is not null
left join lateral (
  select ${postedBefore(schema, 'b.start')} as opening,
    ${postedBefore(schema, 'greatest(b.start, b.finish)')} as closing,
    case when $7::bigint is null or $7::bigint < b.start then ${postedBefore(schema, 'b.start')}
    else ${postedBefore(schema, '$7::bigint')} + coalesce((
      select sum(case e.direction when 1 then -e.amount else e.amount end) from ${schema}.entries e
      where e.ledger_id = $2 and e.position = $7 and e.entry <= $8::integer and e.account_id = $3), 0)
    end as brought_forward
) s on a.account_id is not null
left join lateral (
  select ${entryColumns(schema)}
  from ${schema}.account_versions v
  join ${schema}.entries e on e.ledger_id = $2 and e.position = v.position and e.account_id = $3
  join ${schema}.transactions t on t.ledger_id = $2 and t.position = v.position
  where v.ledger_id = $2 and v.account_id = $3 and v.position <= coalesce($4::bigint, ${LAST})
    and v.position >= greatest(b.start, $7::bigint) and v.position < b.finish
    and (v.position, e.entry) > (coalesce($7::bigint, -1), coalesce($8::integer, -1))
  order by v.position, e.entry limit $9
) d on a.account_id is not null
where c.partition = $1
order by d.position, d.entry`;
