import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { TransactionStatus } from '../../../gen/quittance/common/v1/transaction_pb.js';
import {
  ListPaymentsRequestSchema,
  PaymentOrder,
} from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { timestampOf } from '../../../lib/base/time.js';
import type { CommandInit } from '../../../test/ledger-fixture.js';
import { LOOKED_AT_MAX } from '../rpc/filtered-page.js';
import { listPayments } from '../rpc/list-payments.js';
import { callOf, deposit, failureOf, opened, openWorld, type World } from './fixture.js';

let world: World;

const HOUR = 3_600_000_000n;

const list = (request: MessageInitShape<typeof ListPaymentsRequestSchema>) =>
  listPayments(world.context)(create(ListPaymentsRequestSchema, { ledgerId: 'main', ...request }), callOf());

/** The references of a page. */
const references = async (request: MessageInitShape<typeof ListPaymentsRequestSchema>) =>
  ((await list(request)).payments ?? []).map(({ reference }) => reference);

/** The references of all pages. */
async function allReferences(request: MessageInitShape<typeof ListPaymentsRequestSchema>) {
  const all: (string | undefined)[] = [];
  let pageToken = '';
  let pages = 0;
  do {
    const page = await list({ ...request, pageToken });
    all.push(...(page.payments ?? []).map(({ reference }) => reference));
    pageToken = page.nextPageToken ?? '';
    pages += 1;
  } while (pageToken !== '');
  return { all, pages };
}

interface Made {
  readonly reference: string;
  readonly payer?: string;
  readonly payee?: string;
  readonly minorUnits?: bigint;
}

function parties({ payer = 'alice', payee = 'shop', reference, minorUnits = 10n }: Made) {
  const amount = { currency: 'EUR', minorUnits };
  return { ledgerId: 'main', payerAccountId: payer, payeeAccountId: payee, reference, amount };
}

/** A payment at once. */
function payment(made: Made): CommandInit {
  return { case: 'submitPayment', value: { ...parties(made), requestId: world.id() } };
}

/** When a test's holds begin. */
let start: bigint;

const at = (hours: bigint) => timestampOf(start + hours * HOUR);

/** A hold that ends so many hours after the beginning. */
function hold(made: Made & { readonly hours: bigint; readonly requestId?: string }): CommandInit {
  const { requestId = world.id(), hours } = made;
  return { case: 'authorizePayment', value: { ...parties(made), requestId, expireTime: at(hours) } };
}

function capture(paymentId: string, minorUnits: bigint): CommandInit {
  const amount = { currency: 'EUR', minorUnits };
  return { case: 'capturePayment', value: { ledgerId: 'main', requestId: world.id(), paymentId, amount } };
}

beforeAll(async () => {
  world = await openWorld();
  start = world.fixture.now;
  const [captured, voided, partly] = [world.id(), world.id(), world.id()];
  await world.settle(
    ...opened(world, 'main', 'alice', 'bob', 'shop'),
    ...opened(world, 'empty', 'alice'),
    deposit(world, 'alice', 1_000n),
    deposit(world, 'bob', 1_000n),
    hold({ reference: 'late', hours: 90n }),
    hold({ reference: 'early', hours: 30n }),
    hold({ reference: 'soon', hours: 20n, payer: 'bob' }),
    hold({ reference: 'captured', hours: 10n, requestId: captured }),
    hold({ reference: 'voided', hours: 10n, requestId: voided }),
    hold({ reference: 'partly', hours: 10n, requestId: partly }),
  );
  await world.settle(
    capture(captured, 10n),
    capture(partly, 4n),
    { case: 'voidPayment', value: { ledgerId: 'main', requestId: world.id(), paymentId: voided } },
    payment({ reference: 'paid', payee: 'bob' }),
    payment({ reference: 'declined', payer: 'bob', payee: 'alice', minorUnits: 100_000n }),
  );
});

afterAll(() => world.close());

const ALL = ['late', 'early', 'soon', 'captured', 'voided', 'partly', 'paid', 'declined'];

test('payments are listed as they began, declined ones too, without what belongs to them', async () => {
  expect(await references({})).toEqual(ALL);
  expect(await references({ descending: true })).toEqual([...ALL].reverse());
  const [captured] = ((await list({ status: TransactionStatus.CAPTURED })).payments ?? []).map(
    ({ status, payment }) => ({ status, captured: payment?.captured }),
  );
  expect(captured).toEqual({ status: TransactionStatus.CAPTURED, captured: 10n });
});

test('each filter leaves what it says, and they are joined by AND', async () => {
  expect(await references({ status: TransactionStatus.AUTHORIZED })).toEqual([
    'late',
    'early',
    'soon',
    'partly',
  ]);
  expect(await references({ status: TransactionStatus.POSTED })).toEqual(['paid']);
  expect(await references({ status: TransactionStatus.DECLINED })).toEqual(['declined']);
  expect(await references({ status: TransactionStatus.VOIDED })).toEqual(['voided']);
  expect(await references({ hasRemaining: true })).toEqual(['late', 'early', 'soon', 'partly']);
  expect(await references({ payerAccountId: 'bob' })).toEqual(['soon', 'declined']);
  expect(await references({ payeeAccountId: 'bob' })).toEqual(['paid']);
  expect(await references({ payerAccountId: 'alice', payeeAccountId: 'bob' })).toEqual(['paid']);
  expect(await references({ payerAccountId: 'bob', hasRemaining: true })).toEqual(['soon']);
  expect(await references({ endExpireTime: at(30n) })).toEqual(['soon', 'partly']);
  expect(await references({ startExpireTime: at(30n), endExpireTime: at(91n) })).toEqual(['late', 'early']);
  expect(await references({ payerAccountId: 'alice', endExpireTime: at(31n) })).toEqual(['early', 'partly']);
  expect(await references({ hasRemaining: true, status: TransactionStatus.CAPTURED })).toEqual([]);
});

test('in order of expiry only open holds are listed, either way round, in pages', async () => {
  const orderBy = PaymentOrder.EXPIRE_TIME;
  const ordered = ['partly', 'soon', 'early', 'late'];
  expect(await references({ orderBy })).toEqual(ordered);
  expect(await references({ orderBy, descending: true })).toEqual([...ordered].reverse());
  expect((await allReferences({ orderBy, pageSize: 1 })).all).toEqual(ordered);
  expect((await allReferences({ orderBy, pageSize: 3, descending: true })).all).toEqual(
    [...ordered].reverse(),
  );
  expect(await references({ orderBy, endExpireTime: at(30n) })).toEqual(['partly', 'soon']);
  expect(await references({ orderBy, payerAccountId: 'alice' })).toEqual(['partly', 'early', 'late']);
  expect(await references({ orderBy, status: TransactionStatus.AUTHORIZED })).toEqual(ordered);
  expect(await references({ orderBy, status: TransactionStatus.VOIDED })).toEqual([]);
});

test('pages join to the whole with each filter; a token of one order is no token of the other', async () => {
  for (const filter of [{}, { payerAccountId: 'alice' }, { hasRemaining: true }, { endExpireTime: at(31n) }])
    expect((await allReferences({ ...filter, pageSize: 1 })).all).toEqual(await references(filter));
  const { nextPageToken: pageToken = '' } = await list({ pageSize: 1 });
  const other = list({ pageSize: 1, pageToken, orderBy: PaymentOrder.EXPIRE_TIME });
  expect((await failureOf(other)).reason).toBe(ErrorReason.INVALID_PAGE_TOKEN);
});

test('an empty ledger has none, and one that does not exist is an error', async () => {
  expect((await list({ ledgerId: 'empty' })).payments).toEqual([]);
  expect((await failureOf(list({ ledgerId: 'nowhere' }))).reason).toBe(ErrorReason.LEDGER_NOT_FOUND);
  const refused = list({ startExpireTime: at(2n), endExpireTime: at(2n) });
  expect(await failureOf(refused)).toMatchObject({
    reason: ErrorReason.INVALID_FIELD,
    details: { fields: [{ field: 'end_expire_time' }] },
  });
});

test('a party is looked for in a bounded part of a busy account at a time', async () => {
  const deposits = Array.from({ length: LOOKED_AT_MAX + 100 }, () => deposit(world, 'shop', 1n));
  await world.settle(...deposits, payment({ reference: 'of shop', payer: 'shop', payee: 'alice' }));
  const first = await list({ payerAccountId: 'shop' });
  expect(first.payments).toEqual([]);
  expect(first.nextPageToken).not.toBe('');
  const { all, pages } = await allReferences({ payerAccountId: 'shop' });
  expect(all).toEqual(['of shop']);
  expect(pages).toBe(2);
});
