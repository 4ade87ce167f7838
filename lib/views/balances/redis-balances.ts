/** The balances view in Redis: each account's latest state as one text in the hash of its partition. */
import { create } from '@bufbuild/protobuf';
import { AccountStateSchema } from '../../../gen/quittance/event/v1/event_pb.js';
import type { RecordedEvent } from '../../platform/bus.js';
import {
  CHECKPOINT,
  checkpointOf,
  dataKey,
  everyPartition,
  indexKey,
  redisGenerations,
  type RedisPlace,
  RedisWriter,
  whyMissing,
  type Write,
} from '../redis-generations.js';
import type { RedisClient } from '../redis-client.js';
import type { Checkpoint, Read, RowPage, ViewGenerations, ViewRow } from '../view.js';
import { accountKey, contentOf, latestStates } from './fold.js';
import type { BalanceRow, BalancesView } from './view.js';

export interface RedisBalancesOptions {
  readonly client: RedisClient;
  readonly partitions: number;
  partitionOf(ledgerId: string): number;
  /** Of all keys; default `quittance`. */
  readonly prefix?: string;
}

/** The generations of the balances view. */
export function redisBalances(options: RedisBalancesOptions): ViewGenerations<BalancesView> {
  const { client, partitions, prefix = 'quittance' } = options;
  const place: RedisPlace = { client, partitions, prefix, view: 'balances' };
  const partitionOf = (ledgerId: string) => options.partitionOf(ledgerId);
  return redisGenerations<BalancesView>({
    ...place,
    open: (generation) => openView(place, partitionOf, generation),
  });
}

function openView(
  place: RedisPlace,
  partitionOf: (ledgerId: string) => number,
  generation: number,
): BalancesView {
  const writer = new RedisWriter(place, generation);
  return {
    id: 'balances',
    store: 'redis',
    generation,
    apply: (batch) => writer.apply(batch, fold),
    checkpoint: async (partition) => (await read(place, generation, partition, [])).asOf,
    rows: (page) => rows(place, partitionOf, generation, page),
    balances: async (partition, ledgerId, accountIds) => {
      const keys = accountIds.map((accountId) => accountKey(ledgerId, accountId));
      const { value, asOf } = await read(place, generation, partition, keys);
      return { value: value.map((text, index) => rowOf(accountIds[index] ?? '', text)), asOf };
    },
  };
}

/** One command: the values and the checkpoint are of one moment. Reads at the same time travel together. */
async function read(
  place: RedisPlace,
  generation: number,
  partition: number,
  keys: readonly string[],
): Promise<Read<readonly (string | null)[]>> {
  const found = await place.client.hmget(dataKey(place, generation, partition), CHECKPOINT, ...keys);
  const [checkpoint, ...value] = found;
  if (checkpoint === null || checkpoint === undefined) throw await whyMissing(place, generation);
  const asOf: Checkpoint = checkpointOf(partition, checkpoint);
  return { value, asOf };
}

function fold(events: readonly RecordedEvent[]): Write {
  const fields = latestStates(events).flatMap((row) => [
    accountKey(row.ledgerId, row.state.accountId),
    textOf(row),
  ]);
  return { fields };
}

/** The version first, in as many digits as an int64 has: the script compares texts. No part has a space in it. */
function textOf({ state, position }: BalanceRow): string {
  return [
    String(state.version).padStart(19, '0'),
    ...[position, state.type, state.currency, state.status, state.freezeScope],
    ...[state.overdraftLimit, state.credits, state.debits, state.held],
  ].join(' ');
}

function rowOf(accountId: string, text: string | null): BalanceRow | undefined {
  if (text === null) return undefined;
  const [version = '', position = '', type, currency = '', status, freezeScope, ...amounts] = text.split(' ');
  const [overdraftLimit = '', credits = '', debits = '', held = ''] = amounts;
  const state = create(AccountStateSchema);
  state.accountId = accountId;
  state.type = Number(type);
  state.currency = currency;
  state.status = Number(status);
  state.freezeScope = Number(freezeScope);
  state.overdraftLimit = BigInt(overdraftLimit);
  state.credits = BigInt(credits);
  state.debits = BigInt(debits);
  state.held = BigInt(held);
  state.version = BigInt(version);
  return { state, position: BigInt(position) };
}

async function rows(
  place: RedisPlace,
  partitionOf: (ledgerId: string) => number,
  generation: number,
  { ledgerId, afterKey, limit }: RowPage,
): Promise<readonly ViewRow[]> {
  const partitions = ledgerId === null ? everyPartition(place) : [partitionOf(ledgerId)];
  const found = await Promise.all(
    partitions.map(async (partition) => {
      const keys = await keysOf(place, indexKey(place, generation, partition), { ledgerId, afterKey, limit });
      return keys.map((key) => ({ key, partition }));
    }),
  );
  const page = found
    .flat()
    .sort((one, other) => (one.key < other.key ? -1 : 1))
    .slice(0, limit);
  const texts = new Map<string, string | null>();
  await Promise.all(
    partitions.map(async (partition) => {
      const keys = page.filter((each) => each.partition === partition).map(({ key }) => key);
      const { value } = await read(place, generation, partition, keys);
      keys.forEach((key, index) => texts.set(key, value[index] ?? null));
    }),
  );
  return page.flatMap(({ key }) => {
    const row = rowOf(key.slice(key.indexOf(' ') + 1), texts.get(key) ?? null);
    return row === undefined ? [] : [{ key, position: row.position, content: contentOf(row) }];
  });
}

/** The keys after one, of a ledger or of all. Keys are ASCII, so that bytes sort as code units do. */
function keysOf(
  { client }: RedisPlace,
  index: string,
  { ledgerId, afterKey, limit }: RowPage,
): Promise<string[]> {
  const first = ledgerId === null ? '-' : `[${ledgerId} `;
  // The character after the space that ends the ledger's id.
  const end = ledgerId === null ? '+' : `(${ledgerId}!`;
  const start =
    afterKey === null || (ledgerId !== null && afterKey < `${ledgerId} `) ? first : `(${afterKey}`;
  return client.zrangebylex(index, start, end, 'LIMIT', 0, limit);
}
