/** Reads of a ledger of which events are parked: all answers are as of the position before the first of them. */
import { create, type DescMessage, type MessageInitShape } from '@bufbuild/protobuf';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import {
  BatchGetBalancesRequestSchema,
  GetBalanceRequestSchema,
} from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { ListLedgersRequestSchema } from '../../../gen/quittance/query/v1/ledger_query_service_pb.js';
import {
  GetStatementRequestSchema,
  ListEntriesRequestSchema,
  ListTransactionsRequestSchema,
  WatchTransactionsRequestSchema,
} from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import type { RecordedEvent } from '../../../lib/log/recorded-event.js';
import { ParkedStreams } from '../../../lib/views/parked/parked-streams.js';
import type { View } from '../../../lib/views/view.js';
import { batchGetBalances } from '../rpc/batch-get-balances.js';
import { getBalance } from '../rpc/get-balance.js';
import { getStatement } from '../rpc/get-statement.js';
import { listEntries } from '../rpc/list-entries.js';
import { listLedgers } from '../rpc/list-ledgers.js';
import { listTransactions } from '../rpc/list-transactions.js';
import { watchTransactions } from '../rpc/watch-transactions.js';
import { callOf, deposit, failureOf, opened, openWorld, pay, type World } from './fixture.js';

const NAMES = ['a', 'b', 'c', 'd'] as const;
/** A read that waits longer has not seen that it would wait for an operator. */
const LONG_MS = 60_000;

let world: World;
let poison: RecordedEvent;
let free: RecordedEvent;
let views: readonly View[];

const ofMain = <D extends DescMessage>(schema: D, request: MessageInitShape<D>) =>
  create(schema, Object.assign({ ledgerId: 'main' }, request));
const whole = () => poison.position - 1n;

beforeAll(async () => {
  world = await openWorld();
  await world.settle(...opened(world, 'main', ...NAMES), ...opened(world, 'other', 'a'));
  await world.settle(...NAMES.map((name) => deposit(world, name, 100n)));
  const events = world.run(pay(world, 'a', 'b', 6n), pay(world, 'c', 'd', 7n));
  const [first, second] = events;
  if (first === undefined || second === undefined) throw new Error('two payments');
  [poison, free] = [first, second];
  views = [await world.balances.current(), await world.history.current()];
  for (const view of views) {
    const streams = new ParkedStreams();
    const { position } = poison;
    const refusal = { record: poison, tries: 3, failure: 'refused by the test' };
    await view.apply(streams.park(world.fixture.batch(position, position), refusal, world.fixture.now));
    await view.apply(streams.plan(world.fixture.batch(position + 1n), world.fixture.now));
  }
});

afterAll(() => world.close());

test('lists and statements end before it, and their tokens are of there', async () => {
  const list = await listTransactions(world.context)(ofMain(ListTransactionsRequestSchema, {}), callOf());
  expect(list.asOf?.position).toBe(whole());
  expect(list.transactions?.every(({ position = 0n }) => position <= whole())).toBe(true);
  const first = ofMain(ListTransactionsRequestSchema, { pageSize: 2 });
  const page = await listTransactions(world.context)(first, callOf());
  const next = ofMain(ListTransactionsRequestSchema, { pageSize: 2, pageToken: page.nextPageToken ?? '' });
  expect((await listTransactions(world.context)(next, callOf())).asOf?.position).toBe(whole());
  const entries = await listEntries(world.context)(
    ofMain(ListEntriesRequestSchema, { accountId: 'c' }),
    callOf(),
  );
  expect([entries.asOf?.position, entries.entries?.length]).toEqual([whole(), 1]);
  const statement = await getStatement(world.context)(
    ofMain(GetStatementRequestSchema, { accountId: 'c' }),
    callOf(),
  );
  expect(statement).toMatchObject({ closingBalance: { minorUnits: 100n }, asOf: { position: whole() } });
  // Ledgers are all there.
  const ledgers = await listLedgers(world.context)(create(ListLedgersRequestSchema, {}), callOf());
  expect(ledgers.asOf?.position).toBe(free.position);
});

test('one account may be newer than the answer says, and is in order', async () => {
  const request = ofMain(BatchGetBalancesRequestSchema, { accountIds: [...NAMES] });
  const { balances, asOf } = await batchGetBalances(world.context)(request, callOf());
  expect(balances?.map(({ posted }) => posted)).toEqual([100n, 100n, 93n, 107n]);
  expect(asOf?.position).toBe(whole());
});

test('a read of what comes after it fails at once, with the cause', async () => {
  const at = (position: bigint) =>
    getBalance(world.context)(
      ofMain(GetBalanceRequestSchema, { accountId: 'c', at: { case: 'position', value: position } }),
      callOf(LONG_MS),
    );
  expect((await at(whole())).balance?.posted).toBe(100n);
  expect(await failureOf(at(free.position))).toMatchObject({
    reason: ErrorReason.READ_MODEL_BEHIND,
    details: { metadata: { cause: 'DEAD_LETTER', position: String(whole()) } },
  });
  const consistency = { requirement: { case: 'fullyConsistent' as const, value: true } };
  const now = getBalance(world.context)(
    ofMain(GetBalanceRequestSchema, { accountId: 'c', consistency }),
    callOf(LONG_MS),
  );
  expect((await failureOf(now)).details.metadata).toMatchObject({ cause: 'DEAD_LETTER' });
  const other = getBalance(world.context)(
    create(GetBalanceRequestSchema, { ledgerId: 'other', accountId: 'a', consistency }),
    callOf(LONG_MS),
  );
  expect((await other).asOf?.position).toBe(free.position);
});

test('a watch waits for it, and leaves nothing out', async () => {
  const call = callOf();
  const stream = watchTransactions(world.context)(ofMain(WatchTransactionsRequestSchema, {}), call)[
    Symbol.asyncIterator
  ]();
  expect((await stream.next()).value).toMatchObject({ asOf: { position: whole() } });
  const following = stream.next();
  for (const view of views) {
    const streams = new ParkedStreams(await view.deadLetters(0));
    const [letter] = streams.letters;
    if (letter === undefined) throw new Error('the event is parked');
    await view.unpark(streams.apply(letter, poison));
  }
  expect((await following).value).toMatchObject({ position: poison.position });
  expect((await stream.next()).value).toMatchObject({ position: free.position });
  call.leave();
});
