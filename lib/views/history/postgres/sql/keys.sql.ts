/** Parts of statements: keys of ledgers and accounts, and positions that stand for a time. */
import { INT64_MAX } from '../../../../base/bigints.js';

/** The key of a ledger by its id; null if there is none. */
export function ledgerKey(schema: string, ledgerId: string): string {
  return `(select g.position from ${schema}.ledgers g where g.ledger_id = ${ledgerId})`;
}

/** The key of an account by its ids; null if there is none. */
export function accountKey(schema: string, ledgerId: string, accountId: string): string {
  return `(select k.opened_position from ${schema}.accounts k
    where k.ledger_id = ${ledgerId} and k.account_id = ${accountId})`;
}

/**
 * The position of the ledger's first transaction recorded at or after a time; beyond all positions if there
 * is none. By bisection: an index of recorded_time would cost every payment, this costs a read some 25 steps.
 * The transactions before `low` are earlier than the time, and `found` is the first one known not to be.
 */
export function firstAt(schema: string, ledger: string, time: string): string {
  return `(with recursive search (low, high, found) as (
    select 0::bigint, coalesce((select max(x.position) + 1 from ${schema}.transactions x
      where x.ledger = ${ledger}), 0), ${String(INT64_MAX)}
    union all
    select
      case when m.recorded_time < ${time} then m.position + 1 else s.low end,
      case when m.recorded_time < ${time} then s.high else (s.low + s.high) / 2 end,
      case when m.recorded_time >= ${time} then m.position else s.found end
    from search s
    left join lateral (
      select x.position, x.recorded_time from ${schema}.transactions x
      where x.ledger = ${ledger} and x.position >= (s.low + s.high) / 2 order by x.position limit 1
    ) m on true
    where s.low < s.high
  )
  select found from search where low >= high)`;
}
