/**
 * The event log: a row per flush, which is what one append wrote. `events` holds the event.v1.Event of each position from
 * `first` to `last`, end to end, exactly as encoded once, and `ends` says in bytes where each of them ends; epoch, recorded_time
 * and hash are those of the last one. A row per event costs more to append, to read and on disk (ADR 0019).
 *
 * The primary key must be `first`: it is the guard of the append. Two writers that append after the same event come to the same
 * `first`, and only one of them can commit; by any other key both would. No sequence, no head row (one bloats as soon as
 * anything holds a snapshot: 2,150 appends/s fell to 860 in 50 s).
 *
 * The other tables are copies for look-ups, which VerifyLedger checks. request_keys keeps request ids unique for ever; it begins
 * with the id, so that ids of UUID version 7 fill it from one side. ledger_flushes says which events of a flush are of a ledger,
 * counted from 0. The root of a stream of transactions is found by its request id, so that streams has only the further events
 * of a stream, and those of accounts and ledgers: a payment has none.
 */
export const createLog = `
create schema log;

create table log.flushes (
  first bigint primary key,
  last bigint not null,
  epoch integer not null,
  recorded_time bigint not null,
  ends integer[] not null,
  hash bytea not null,
  events bytea not null
);

alter table log.flushes alter column events set storage external;
alter table log.flushes alter column ends set storage external;

create index flushes_recorded_time on log.flushes (recorded_time);

create table log.request_keys (
  request_id uuid not null,
  ledger_id text collate "C" not null,
  position bigint not null,
  primary key (request_id, ledger_id)
);

create table log.ledger_flushes (
  ledger_id text collate "C" not null,
  first bigint not null,
  indexes integer[] not null,
  primary key (ledger_id, first)
);

create table log.streams (
  ledger_id text collate "C" not null,
  stream_id text collate "C" not null,
  position bigint not null,
  primary key (ledger_id, stream_id, position)
);
`;
