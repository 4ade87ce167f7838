/**
 * Schedules: payments that are made at a time or by a rule, and what became of their times. They lie beside the log so that a restore
 * brings both back to the same time. Times are UTC microseconds by the clock of the process that decides, as in the log.
 *
 * `request` is the CreateScheduleRequest in canonical form. `occurrence_time` is the time at hand, `upcoming` what follows it, as far
 * as it was worked out. `exponent` is that of the currency. `is_begun`: the payment of `attempt` may have been sent, and is sent until there is an answer. `wake_time`:
 * when the holder of the lease is to look at the schedule; null: not at all. `state` is 1 active, 2 paused, 3 ended, 4 cancelled.
 * `version` rises with each change.
 *
 * The primary key includes what lists filter by, so that they walk it alone, in order. The request stands first in its own key, lest a
 * list is planned over that one, which has another order.
 *
 * schedules.runs: `outcome` is 1 posted, 2 declined, 3 failed, 4 skipped; `reason` the number of a decline reason or of an error.
 */
export const createSchedules = `
create schema schedules;

create table schedules.schedules (
  ledger_id text collate "C" not null,
  schedule_id text collate "C" not null,
  request_id uuid not null,
  request bytea not null,
  payer_account_id text collate "C" not null,
  payee_account_id text collate "C" not null,
  exponent smallint not null,
  actor text not null,
  state smallint not null,
  pause_reason text not null default '',
  occurrence_time bigint,
  attempt integer not null,
  is_begun boolean not null,
  wake_time bigint,
  upcoming bigint[] not null,
  has_more boolean not null,
  total integer not null,
  posted integer not null,
  declined integer not null,
  failed integer not null,
  skipped integer not null,
  version bigint not null default 1,
  create_time bigint not null,
  update_time bigint not null,
  primary key (ledger_id, schedule_id) include (state, payer_account_id, payee_account_id),
  unique (request_id, ledger_id)
) with (fillfactor = 50);

create index schedules_due on schedules.schedules (wake_time) where wake_time is not null;
create index schedules_open on schedules.schedules (ledger_id, state) where state <= 2;

create table schedules.runs (
  ledger_id text collate "C" not null,
  schedule_id text collate "C" not null,
  occurrence_time bigint not null,
  attempt integer not null,
  outcome smallint not null,
  transaction_id uuid,
  reason integer not null,
  run_time bigint not null,
  occurrences integer not null,
  last_occurrence_time bigint not null,
  primary key (ledger_id, schedule_id, occurrence_time, attempt)
);
`;
