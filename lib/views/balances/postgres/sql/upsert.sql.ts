import { ifMoved } from '../../../stores/postgres/sql/apply.sql.js';

/**
 * Writes the last states of a batch, sorted by key: $1 ledger ids, $2 account ids, $3 types, $4 currencies, $5 statuses,
 * $6 freeze scopes, $7 overdraft limits, $8 credits, $9 debits, $10 held, $11 versions, $12 positions. A state that is not
 * newer than the row changes nothing, so batches may overlap and come again.
 */
export const upsertSql = (schema: string): string => `
insert into ${schema}.accounts as a (
  ledger_id, account_id, type, currency, status, freeze_scope,
  overdraft_limit, credits, debits, held, version, position
)
select * from unnest(
  $1::text[], $2::text[], $3::smallint[], $4::text[], $5::smallint[], $6::smallint[],
  $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[]
)
where ${ifMoved}
on conflict (ledger_id, account_id) do update set
  type = excluded.type, currency = excluded.currency, status = excluded.status,
  freeze_scope = excluded.freeze_scope, overdraft_limit = excluded.overdraft_limit,
  credits = excluded.credits, debits = excluded.debits, held = excluded.held,
  version = excluded.version, position = excluded.position
where a.version < excluded.version`;
