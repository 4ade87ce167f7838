/** The balances view in Redis: one hash per partition, which holds one row per account and the checkpoint. */
import type { RedisClient } from '../../stores/redis/client.js';
import { type PartitionKeys, partitionsUpTo, redisGenerations } from '../../stores/redis/generations.js';
import type { ViewGenerations } from '../../view.js';
import { RedisBalanceReads } from './reads.js';
import { readRows } from './rows.js';
import { RedisBalanceWriter, writeScripts, type WriteScripts } from './writer.js';
import type { BalancesView } from '../view.js';

export interface RedisBalancesOptions {
  /** How many partitions the bus has. */
  readonly partitions: number;
  /** The partition that a ledger lives in, as the bus has it. */
  readonly partitionOf: (ledgerId: string) => number;
  /** What all keys begin with. Platforms that share a Redis have one each. Default `quittance`. */
  readonly prefix?: string;
}

/** The generations of the balances view. The client is one of createRedis. */
export function redisBalances(
  client: RedisClient,
  { partitions, partitionOf, prefix = 'quittance' }: RedisBalancesOptions,
): ViewGenerations<BalancesView> {
  const all = partitionsUpTo(partitions);
  const scripts = writeScripts(client);
  return redisGenerations<BalancesView>({
    client,
    partitions,
    prefix,
    view: 'balances',
    open: (generation, keysOf) =>
      openView(client, scripts, generation, keysOf, (ledgerId) =>
        ledgerId === null ? all : [partitionOf(ledgerId)],
      ),
  });
}

function openView(
  client: RedisClient,
  scripts: WriteScripts,
  generation: number,
  keysOf: (partition: number) => PartitionKeys,
  partitionsOf: (ledgerId: string | null) => readonly number[],
): BalancesView {
  const writer = new RedisBalanceWriter(client, scripts, generation, keysOf);
  const gathered = new Map<number, RedisBalanceReads>();
  return {
    id: 'balances',
    store: 'redis',
    generation,
    apply: (batch) => writer.apply(batch),
    deadLetters: (partition) => writer.deadLetters(partition),
    unpark: (unparking) => writer.unpark(unparking),
    checkpoint: (partition) => writer.checkpoint(partition),
    rows: (page) => readRows({ client, generation, keysOf }, partitionsOf(page.ledgerId), page),
    balances: (partition, ledgerId, accountIds) => {
      let reads = gathered.get(partition);
      if (reads === undefined) {
        reads = new RedisBalanceReads(client, generation, partition, keysOf(partition).rows);
        gathered.set(partition, reads);
      }
      return reads.read(ledgerId, accountIds);
    },
  };
}
