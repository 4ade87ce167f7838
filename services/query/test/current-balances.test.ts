/**
 * Balances while their view is missing: they are read in the history, and nobody notices but by what a read
 * costs.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import type { Balance } from '../../../gen/quittance/common/v1/account_pb.js';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import {
  BatchGetBalancesRequestSchema,
  GetBalanceRequestSchema,
  WatchBalancesRequestSchema,
} from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { ViewMissingError } from '../../../lib/views/view.js';
import type { QueryContext } from '../context.js';
import { currentBalances } from '../current-balances.js';
import { batchGetBalances } from '../rpc/batch-get-balances.js';
import { getBalance } from '../rpc/get-balance.js';
import { watchBalances } from '../rpc/watch-balances.js';
import { servingView } from '../serving-view.js';
import { callOf, deposit, failureOf, opened, openWorld, pay, type World } from './fixture.js';

const ACCOUNTS = ['alice', 'bob', '@settlement:EUR', 'unknown'];
const NOW = { consistency: { requirement: { case: 'fullyConsistent' as const, value: true } } };

let world: World;
/** The world with a balances view that is there or not. */
let context: QueryContext;
let isThere = false;

beforeAll(async () => {
  world = await openWorld();
  await world.settle(
    ...opened(world, 'main', 'alice', 'bob'),
    deposit(world, 'alice', 1_000n),
    pay(world, 'alice', 'bob', 300n),
    {
      case: 'authorizePayment',
      value: {
        ledgerId: 'main',
        payerAccountId: 'alice',
        payeeAccountId: 'bob',
        amount: { currency: 'EUR', minorUnits: 50n },
        requestId: world.id(),
      },
    },
  );
  const balances = {
    current: () => (isThere ? world.balances.current() : Promise.reject(new ViewMissingError('balances'))),
  };
  context = { ...world.context, balances: servingView(currentBalances(balances, world.history)) };
});

afterAll(() => world.close());

const batchIn = (from: QueryContext) =>
  batchGetBalances(from)(
    create(BatchGetBalancesRequestSchema, { ledgerId: 'main', accountIds: ACCOUNTS, ...NOW }),
    callOf(),
  );

const balanceIn = (from: QueryContext, accountId: string) =>
  getBalance(from)(create(GetBalanceRequestSchema, { ledgerId: 'main', accountId, ...NOW }), callOf());

describe('while there is no balances view', () => {
  test('single and batched reads answer what the view would, as of the same position', async () => {
    const expected = await batchIn(world.context);
    expect(expected.balances).toHaveLength(3);
    expect(await batchIn(context)).toEqual(expected);
    for (const accountId of ['alice', 'bob', '@settlement:EUR']) {
      expect(await balanceIn(context, accountId)).toEqual(await balanceIn(world.context, accountId));
    }
    expect((await failureOf(balanceIn(context, 'unknown'))).reason).toBe(ErrorReason.ACCOUNT_NOT_FOUND);
  });

  test('a watch goes on from the history to the view when that is there', async () => {
    const call = callOf();
    const request = create(WatchBalancesRequestSchema, { ledgerId: 'main', accountIds: ['bob'] });
    const watch = watchBalances(context)(request, call)[Symbol.asyncIterator]();
    const next = async (): Promise<Balance | undefined> => {
      for (;;) {
        const { value, done } = await watch.next();
        if (done === true) throw new Error('the watch has ended');
        if (value.balances?.[0] !== undefined) return value.balances[0] as Balance;
      }
    };
    expect((await next())?.version).toBeDefined();
    await world.settle(pay(world, 'alice', 'bob', 1n));
    expect(await next()).toEqual((await balanceIn(world.context, 'bob')).balance);
    isThere = true;
    await context.balances.refresh();
    expect((await context.balances()).id).toBe('balances');
    await world.settle(pay(world, 'alice', 'bob', 2n));
    expect(await next()).toEqual((await balanceIn(world.context, 'bob')).balance);
    isThere = false;
    call.leave();
  });

  test('without a history either, it is the balances view that is named', async () => {
    const none = { current: () => Promise.reject(new ViewMissingError('history')) };
    const missing = { current: () => Promise.reject(new ViewMissingError('balances')) };
    const nothing = { ...world.context, balances: servingView(currentBalances(missing, none)) };
    expect(await failureOf(balanceIn(nothing, 'alice'))).toMatchObject({
      reason: ErrorReason.NOT_SERVING,
      message: 'the balances view is not there yet',
    });
  });
});
