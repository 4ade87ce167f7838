/** Opens the log for those who read it: the same for the projector and for query. */
import type { PoolConfig } from 'pg';
import type { Closeables } from '../base/closeables.js';
import { partitioner } from './partition.js';
import { createPool, KEYED_PLANS, type Pool } from './postgres-client.js';
import { listenForCommits, type OnCommit } from './postgres-listen.js';
import { postgresLogReader } from './postgres-log-reader.js';
import { checkLogVersion } from './postgres-migrate.js';
import type { LogReader } from './reader.js';
import { SHARD } from './shard.js';
import { Wakeups } from './wakeups.js';

export interface LogOptions {
  readonly postgres: PoolConfig;
  /** Under which PostgreSQL lists the connections. */
  readonly name: string;
  /** Connections at most. */
  readonly max: number;
  /** How many partitions the topic has. @throws StartError */
  partitionsOf(pool: Pool): Promise<number>;
}

/** The log, open for reading. */
export interface OpenLog {
  readonly pool: Pool;
  readonly reader: LogReader;
  /** Woken by commits. */
  readonly wakeups: Wakeups;
  readonly partitions: number;
  /** The partition of the topic that a ledger lives in. */
  readonly partitionOf: (ledgerId: string) => number;
}

/**
 * Opens the log and looks up its topic, which must be there.
 * @throws StartError if the log is of another version, or the topic is not as recorded.
 */
export async function composeLog(options: LogOptions, closeables: Closeables): Promise<OpenLog> {
  const { postgres, name, max } = options;
  const pool = createPool(postgres, { max, name, options: KEYED_PLANS });
  closeables.add('the pool of the log', () => pool.end());
  await checkLogVersion(pool);
  const partitions = await options.partitionsOf(pool);
  const wakeups = composeWakeups(postgres, closeables);
  const reader = postgresLogReader(pool, wakeups, SHARD);
  return { pool, reader, wakeups, partitions, partitionOf: partitioner(partitions) };
}

/** Wakes readers of the log at each commit, of this process and of others; then `onCommit` is called. */
export function composeWakeups(postgres: PoolConfig, closeables: Closeables, onCommit?: OnCommit): Wakeups {
  const wakeups = new Wakeups();
  const listening = listenForCommits(postgres, (position) => {
    wakeups.wake();
    onCommit?.(position);
  });
  closeables.add('listening for commits', listening.stop);
  return wakeups;
}

/** For probes of health: whether the log can be read. */
export function logAnswers(reader: LogReader): () => Promise<boolean> {
  return async () => (await reader.head()).position >= 0n;
}
