/**
 * A topic that the log is relayed to: how many partitions it was created with, and the relay's cursor.
 * Everything up to `position` is stored by the broker; `last_positions` holds, for each partition, the
 * position of the last event in it up to there (-1: none), which the relay needs to say of each message what
 * came before it.
 */
export const createRelay = `
create table log.relay (
  topic text primary key,
  partitions integer not null,
  epoch integer not null default 0,
  position bigint not null default -1,
  hash bytea not null default '',
  last_positions bigint[] not null,
  created_time timestamptz not null default now()
);
`;
