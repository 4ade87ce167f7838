/**
 * The event log. `event` is the event.v1.Event exactly as encoded once; the other columns are copies for
 * indexes, which VerifyLedger checks. The primary key on position is the guard of the append: no sequence, no
 * head row (one bloats as soon as anything holds a snapshot: 2,150 appends/s fell to 860 in 50 s). Uniqueness
 * of request ids lives in a narrow table of its own, so that events may be partitioned by position and
 * archived. An index costs every append: the root of a stream is found by its request id, so only further
 * events of a stream are indexed by it (a payment has none); a time is found by bisecting the positions,
 * which are gapless and rise with it.
 */
export const createLog = `
create schema log;

create table log.events (
  position bigint primary key,
  ledger_id text collate "C" not null,
  stream_id text collate "C" not null,
  request_id uuid,
  ordinal integer not null,
  recorded_time bigint not null,
  event bytea not null,
  hash bytea not null
);

alter table log.events alter column event set storage external;

create index events_ledger on log.events (ledger_id, position);

create index events_stream on log.events (ledger_id, stream_id, position)
  where stream_id is distinct from request_id::text;

create table log.request_keys (
  ledger_id text collate "C" not null,
  request_id uuid not null,
  position bigint not null,
  primary key (ledger_id, request_id)
);
`;
