/**
 * Webhooks: where the events of a ledger are posted, and up to where they were. They lie beside the log so that a restore brings
 * both back to the same time, and so that what waits is found by the index of the log.
 *
 * `position`: every event of the ledger up to here was delivered, was of no interest, or stands in webhooks.deliveries as parked.
 * `version` rises with each call that changes a row: what a process has read of it before counts no more. One process at a time
 * serves a webhook: `holder`, until `lease_expire_time` by the clock of the database. A ledger has as many webhooks as there are slots.
 *
 * webhooks.deliveries holds what failed alone. `state` is 1 of the one that is retried, 2 of those that are parked, 3 of parked ones
 * that are to be sent once more.
 */
export const createWebhooks = `
create schema webhooks;

create table webhooks.endpoints (
  ledger_id text collate "C" not null,
  webhook_id text collate "C" not null,
  slot smallint not null,
  url text not null,
  description text not null,
  kinds integer[] not null,
  account_ids text[] not null,
  retry_period integer not null,
  secret bytea not null,
  previous_secret bytea,
  previous_secret_expire_time timestamptz,
  is_paused boolean not null default false,
  pause_reason text not null default '',
  epoch integer not null,
  position bigint not null,
  version bigint not null default 1,
  next_time timestamptz not null default clock_timestamp(),
  served_time timestamptz not null default clock_timestamp(),
  holder uuid,
  lease_expire_time timestamptz,
  create_time timestamptz not null default clock_timestamp(),
  update_time timestamptz not null default clock_timestamp(),
  primary key (ledger_id, webhook_id),
  unique (ledger_id, slot)
) with (fillfactor = 50);

create table webhooks.deliveries (
  ledger_id text collate "C" not null,
  webhook_id text collate "C" not null,
  position bigint not null,
  event_id text not null,
  state smallint not null,
  attempts integer not null,
  first_time timestamptz not null,
  last_time timestamptz not null,
  failure text not null,
  primary key (ledger_id, webhook_id, position),
  foreign key (ledger_id, webhook_id) references webhooks.endpoints on delete cascade
);

create index deliveries_under_way on webhooks.deliveries (ledger_id, webhook_id, state, position) where state <> 2;
`;
