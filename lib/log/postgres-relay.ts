/** The record of a topic and the relay's cursor, in the log's own database. */
import { int8Array } from './postgres-arrays.js';
import type { Pool } from './postgres-client.js';
import type { RelayCursorStore } from './relay-cursor.js';

const readTopicSql = `select partitions from log.relay where topic = $1`;

const insertTopicSql = `
insert into log.relay (topic, partitions, last_positions)
select $1, $2, array_fill(-1::bigint, array[$2::integer])
on conflict (topic) do nothing`;

const readCursorSql = `select epoch, position, hash, last_positions from log.relay where topic = $1`;

/** Nothing waits for the disk: a cursor that is lost costs some messages sent twice. */
const saveCursorSql = `
with unhurried as (select set_config('synchronous_commit', 'off', true))
update log.relay set epoch = $2, position = $3, hash = $4, last_positions = $5
from unhurried
where topic = $1 and (epoch, position) < ($2::integer, $3::bigint)`;

interface CursorRow {
  readonly epoch: number;
  readonly position: bigint;
  readonly hash: Uint8Array;
  readonly last_positions: readonly string[];
}

/** How many partitions the topic was created with; undefined if it was not. */
export async function readTopic(pool: Pool, topic: string): Promise<number | undefined> {
  const { rows } = await pool.query<{ partitions: number }>(readTopicSql, [topic]);
  return rows[0]?.partitions;
}

/** Records the topic, once; what is recorded stays. */
export async function recordTopic(pool: Pool, topic: string, partitions: number): Promise<void> {
  await pool.query(insertTopicSql, [topic, partitions]);
}

/** The relay's cursor for a topic. The pool is from createPool. */
export function postgresRelayCursor(pool: Pool, topic: string): RelayCursorStore {
  return {
    read: async () => {
      const { rows } = await pool.query<CursorRow>(readCursorSql, [topic]);
      const row = rows[0];
      if (row === undefined) throw new Error(`the topic ${topic} is not recorded`);
      const { epoch, position, hash, last_positions } = row;
      return { epoch, position, hash, lasts: last_positions.map(BigInt) };
    },
    save: async ({ epoch, position, hash, lasts }) => {
      await pool.query({
        name: 'save_relay_cursor',
        text: saveCursorSql,
        values: [topic, epoch, position, hash, int8Array(lasts)],
      });
    },
  };
}
