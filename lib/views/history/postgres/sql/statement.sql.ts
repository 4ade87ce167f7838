/**
 * A page of a statement with its balances, in one snapshot. $1 partition, $2 ledger_id, $3 account_id, $4
 * through (or null),
 * $5 from and $6 to (or null), $7 position and $8 entry of the key before the page (or null), $9 limit, and
 * by effective time $10 the time of that key (or null). Nothing in a snapshot is after its checkpoint.
 *
 * Balances are looked up: the last line before a position has the sum of all entries recorded before it. By
 * effective time, which is never after recorded_time, the entries recorded later and dated earlier are added,
 * from the index of entries that are dated otherwise than they were recorded.
 */
import { checkpointColumns } from '../../../stores/postgres/sql/generations.sql.js';
import { firstAt, ledgerKey } from './keys.sql.js';
import { entryColumns } from './read.sql.js';

const FIRST = '(-9223372036854775808)';
const LAST = '9223372036854775807';
/** The column is a smallint. */
const LAST_ENTRY = '32767';

/**
 * The key after which a page begins: that before the page, or one before the whole range. It is the only lower
 * bound in the order of the index: of two PostgreSQL may begin at the one that is further back, and pass over
 * all between them.
 */
const BEGINS_AT_RANGE = '$10::bigint is null or $10 < $5::bigint';
const DATED_KEY = `
  case when ${BEGINS_AT_RANGE} then coalesce($5::bigint, ${FIRST}) else $10 end,
  case when ${BEGINS_AT_RANGE} then -1 else $7::bigint end,
  case when ${BEGINS_AT_RANGE} then -1 else $8::integer end`;
const RECORDED_KEY = `
  case when $7::bigint is null or $7 < b.start then b.start - 1 else $7 end,
  case when $7::bigint is null or $7 < b.start then ${LAST_ENTRY} else $8::integer end`;

const heading = `
select ${checkpointColumns}, a.account_id, a.currency, s.opening::bigint as opening,
  s.closing::bigint as closing, s.brought_forward::bigint as brought_forward, d.*`;

const account = (schema: string): string => `
from ${schema}.checkpoint c
left join ${schema}.accounts a
  on a.ledger_id = $2 and a.account_id = $3 and a.opened_position <= coalesce($4::bigint, ${LAST})`;

/** The position of the first transaction recorded at or after a time; `otherwise` if there is no time. */
const positionAt = (schema: string, time: string, otherwise: string): string => `
case when ${time} is null then ${otherwise} else ${firstAt(schema, ledgerKey(schema, '$2'), time)} end`;

/** Where the range begins, where it ends, and where the time of the key before the page is. */
const bounds = (schema: string, key: string): string => `
left join lateral (
  select ${positionAt(schema, '$5::bigint', '0')} as start,
    ${positionAt(schema, '$6::bigint', LAST)} as finish, ${key} as key offset 0
) b on a.account_id is not null`;

/** posted as the last event before a position left it. */
const postedBefore = (schema: string, position: string): string => `
coalesce((select v.credits - v.debits from ${schema}.lines v
  where v.account = a.opened_position and v.position < ${position} and v.position <= coalesce($4::bigint, ${LAST})
  order by v.position desc, v.entry desc limit 1), 0)`;

/**
 * The sum of the entries recorded at a position or later that are dated so. `+ 0` keeps PostgreSQL from reading
 * a range of positions of the account instead of the index by date.
 */
const datedBefore = (schema: string, position: string, dated: string): string => `
coalesce((select sum(x.amount) from ${schema}.lines x
  where x.account = a.opened_position and x.position + 0 >= ${position}
    and x.position + 0 <= coalesce($4::bigint, ${LAST}) and ${dated}), 0)`;

/** posted by what is dated before a time, which is that of the position. */
const postedDatedBefore = (schema: string, position: string, time: string): string => `
${postedBefore(schema, position)} + ${datedBefore(schema, position, `x.effective_time < ${time}`)}`;

/**
 * posted up to the key before the page: besides what is dated before its time, the entries of that time up to
 * the key. Of those at most one event is dated when it was recorded.
 */
const postedUpToKey = (schema: string): string => `
${postedBefore(schema, 'b.key')}
  + ${datedBefore(schema, 'b.key', 'x.effective_time <= $10 and (x.effective_time, x.position, x.entry) <= ($10, $7::bigint, $8::integer)')}
  + coalesce((select sum(x.amount) from ${schema}.lines x
    join ${schema}.transactions t on t.ledger = ${ledgerKey(schema, '$2')} and t.position = x.position
    where x.account = a.opened_position and x.position = b.key and x.position <= coalesce($4::bigint, ${LAST})
      and x.effective_time is null and t.recorded_time = $10
      and (x.position, x.entry) <= ($7::bigint, $8::integer)), 0)`;

/** In order of (effective_time, position, entry): two orders, merged. */
export const statementByEffectiveTime = (schema: string): string => `
${heading} ${account(schema)}
${bounds(schema, positionAt(schema, '$10::bigint', '0'))}
left join lateral (
  select ${postedDatedBefore(schema, 'b.start', 'coalesce($5::bigint, 0)')} as opening,
    ${postedDatedBefore(schema, 'greatest(b.start, b.finish)', `greatest($5::bigint, coalesce($6::bigint, ${LAST}))`)} as closing,
    case when $10::bigint is null or $10 < $5
      then ${postedDatedBefore(schema, 'b.start', 'coalesce($5::bigint, 0)')}
      else ${postedUpToKey(schema)} end as brought_forward
) s on a.account_id is not null
left join lateral (
  select u.* from (
    (select ${entryColumns}
    from ${schema}.lines l
    join ${schema}.transactions t on t.ledger = ${ledgerKey(schema, '$2')} and t.position = l.position
    where l.account = a.opened_position and l.entry >= 0 and l.effective_time is null
      and l.position <= coalesce($4::bigint, ${LAST})
      and l.position >= greatest(b.start, b.key) and l.position < b.finish
      and (t.recorded_time, l.position, l.entry)
        > (coalesce($10::bigint, ${FIRST}), coalesce($7::bigint, -1), coalesce($8::integer, -1))
    order by l.position, l.entry limit $9)
    union all
    (select ${entryColumns}
    from ${schema}.lines l
    join ${schema}.transactions t on t.ledger = ${ledgerKey(schema, '$2')} and t.position = l.position
    where l.account = a.opened_position and l.position <= coalesce($4::bigint, ${LAST})
      and l.effective_time is not null and l.effective_time < coalesce($6::bigint, ${LAST})
      and (l.effective_time, l.position, l.entry) > (${DATED_KEY})
    order by l.effective_time, l.position, l.entry limit $9)
  ) u
  order by u.effective_time, u.position, u.entry limit $9
) d on a.account_id is not null
where c.partition = $1
order by d.effective_time, d.position, d.entry`;

/** In order of (position, entry), which is that of recorded_time. */
export const statementByRecordedTime = (schema: string): string => `
${heading} ${account(schema)}
${bounds(schema, 'null::bigint')}
left join lateral (
  select ${postedBefore(schema, 'b.start')} as opening,
    ${postedBefore(schema, 'greatest(b.start, b.finish)')} as closing,
    case when $7::bigint is null or $7::bigint < b.start then ${postedBefore(schema, 'b.start')}
    else ${postedBefore(schema, '$7::bigint')} + coalesce((
      select sum(x.amount) from ${schema}.lines x
      where x.account = a.opened_position and x.position = $7 and x.entry <= $8::integer), 0)
    end as brought_forward
) s on a.account_id is not null
left join lateral (
  select ${entryColumns}
  from ${schema}.lines l
  join ${schema}.transactions t on t.ledger = ${ledgerKey(schema, '$2')} and t.position = l.position
  where l.account = a.opened_position and l.entry >= 0 and l.position <= coalesce($4::bigint, ${LAST})
    and l.position < b.finish and (l.position, l.entry) > (${RECORDED_KEY})
  order by l.position, l.entry limit $9
) d on a.account_id is not null
where c.partition = $1
order by d.position, d.entry`;
