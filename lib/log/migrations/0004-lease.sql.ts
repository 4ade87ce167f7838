/**
 * The lease of each shard: which command process decides, relays, expires and writes the state tables, and where it is reached.
 * Only the clock of the database says whether it has expired. `term` rises each time that another process takes it. What is in
 * the log is right without it, by the guard of the append. The append looks at it so that what one holder has refused is not committed
 * by an earlier one.
 */
export const createLease = `
create table log.lease (
  shard integer primary key,
  holder uuid not null,
  address text not null,
  term bigint not null,
  expire_time timestamptz not null
) with (fillfactor = 50);
`;
