/**
 * What the golden bytes were made of: a ledger that each kind of command has touched. A life is run once, when it is added; what was
 * written then is kept in lives.json and never made again, so that a life may be left as it is for ever. Another one is added for
 * what comes later.
 */
import { create } from '@bufbuild/protobuf';
import { AccountType, FreezeScope } from '../../gen/quittance/common/v1/account_pb.js';
import { Direction, FeePayer } from '../../gen/quittance/common/v1/transaction_pb.js';
import { ClosePeriodRequestSchema } from '../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { CommandType, EventSchema } from '../../gen/quittance/event/v1/event_pb.js';
import { encodeMessage } from '../../lib/base/codec/binary.js';
import { DAY, SECOND, timestampOf } from '../../lib/base/time.js';
import { uuidToBytes } from '../../lib/base/uuid.js';
import { type CommandInit, LedgerFixture, testId } from '../ledger-fixture.js';

/** An event as it was written, and the request that it came of: undefined for internal events and further events of a command. */
export interface Written {
  readonly bytes: Uint8Array;
  readonly request: CommandInit | undefined;
}

/** The lives of today, each with what it writes. */
export const LIVES: Readonly<Record<string, () => readonly Written[]>> = {
  'every command': everyCommand,
  'events of no command': eventsOfNoCommand,
};

const ledgerId = 'golden';
const money = (minorUnits: bigint, currency = 'EUR') => ({ currency, minorUnits });

/** Runs commands and keeps what they wrote. */
class Life {
  readonly written: Written[] = [];
  readonly fixture = new LedgerFixture();
  #last = 0;

  /** A request id that only its place in the life decides. */
  id(): string {
    this.#last += 1;
    return testId(this.#last);
  }

  own() {
    return { ledgerId, requestId: this.id() };
  }

  /** Runs a command. @returns its request id */
  run(init: CommandInit): string {
    this.fixture.run(init).forEach(({ bytes }, index) => {
      this.written.push({ bytes, request: index === 0 ? init : undefined });
    });
    return init.value?.requestId ?? '';
  }

  atomic(inits: readonly CommandInit[]): void {
    this.fixture.runAtomic(inits).forEach(({ bytes }, index) => {
      this.written.push({ bytes, request: inits[index] });
    });
  }

  expire(paymentId: string): void {
    for (const { bytes } of this.fixture.expire(ledgerId, paymentId))
      this.written.push({ bytes, request: undefined });
  }
}

const metadata = { channel: 'web', 'order.no': '17' };
const described = { reference: 'order-17', description: 'Two chairs', metadata };

function everyCommand(): readonly Written[] {
  const life = new Life();
  const [genesis] = life.fixture.events;
  if (genesis !== undefined) life.written.push({ bytes: genesis.bytes, request: undefined });
  const effectiveTime = timestampOf(life.fixture.now - DAY);
  const dated = { ...described, effectiveTime };
  accounts(life, effectiveTime);
  payments(life, dated);
  reversals(life, dated);
  batches(life);
  periods(life);
  return life.written;
}

function accounts(life: Life, effectiveTime: ReturnType<typeof timestampOf>): void {
  life.run({ case: 'createLedger', value: { ...life.own(), description: 'Shop', metadata } });
  life.run({ case: 'registerAsset', value: { ...life.own(), code: 'POINTS', exponent: 3, name: 'Points' } });
  const period = { amount: 900_000n, count: 40n };
  const limits = { debit: 500_000n, balance: 800_000n, day: period, week: period, month: period };
  const profile = { name: 'Alice', ownerReference: 'customer-1', metadata };
  const alice = { ...profile, accountId: 'alice', currency: 'EUR', type: AccountType.LIABILITY };
  const zoned = { ...limits, timeZone: 'Europe/Prague' };
  life.run({
    case: 'openAccount',
    value: { ...life.own(), ...alice, overdraftLimit: 2_000n, limits: zoned },
  });
  for (const accountId of ['shop', 'spare', 'shut', 'poor'])
    life.run({ case: 'openAccount', value: { ...life.own(), accountId, currency: 'EUR' } });
  const types = { fees: AccountType.REVENUE, bank: AccountType.ASSET, costs: AccountType.EXPENSE };
  for (const [accountId, type] of Object.entries(types))
    life.run({ case: 'openAccount', value: { ...life.own(), accountId, currency: 'EUR', type } });
  const equity = { accountId: 'owners', currency: 'POINTS', type: AccountType.EQUITY };
  life.run({ case: 'openAccount', value: { ...life.own(), ...equity } });
  const paths = ['name', 'owner_reference', 'overdraft_limit', 'metadata', 'limits'];
  const changed = { overdraftLimit: 1_000n, limits: { ...zoned, debit: 600_000n }, updateMask: { paths } };
  const first = { ...life.own(), accountId: 'alice', expectedVersion: 1n };
  life.run({ case: 'updateAccount', value: { ...first, ...profile, name: 'Alice B.', ...changed } });
  const spare = (expectedVersion: bigint) => ({ ...life.own(), accountId: 'spare', expectedVersion });
  life.run({ case: 'freezeAccount', value: { ...spare(1n), scope: FreezeScope.ALL } });
  life.run({ case: 'unfreezeAccount', value: spare(2n) });
  life.run({ case: 'freezeAccount', value: { ...life.own(), accountId: 'shut', scope: FreezeScope.DEBITS } });
  life.run({ case: 'closeAccount', value: { ...life.own(), accountId: 'shut', expectedVersion: 2n } });
  const cash = { accountId: 'alice', settlementAccountId: 'bank', ...described, effectiveTime };
  life.run({
    case: 'deposit',
    value: { ...life.own(), ...cash, expectedVersion: 2n, amount: money(700_000n) },
  });
  life.run({
    case: 'withdraw',
    value: { ...life.own(), ...cash, expectedVersion: 3n, amount: money(1_500n), upTo: true },
  });
}

type Dated = typeof described & { readonly effectiveTime: ReturnType<typeof timestampOf> };

const parties = { payerAccountId: 'alice', payeeAccountId: 'shop' };
const fees = [
  { paidBy: FeePayer.PAYER, toAccountId: 'fees', amount: money(30n) },
  { paidBy: FeePayer.PAYEE, toAccountId: 'fees', amount: money(20n) },
];

function payments(life: Life, dated: Dated): void {
  const pay = { ...parties, ...dated, amount: money(20_000n) };
  const paid = life.run({ case: 'submitPayment', value: { ...life.own(), ...pay, fees, upTo: true } });
  const back = { paymentId: paid, ...dated, fees: fees.slice(0, 1), force: true };
  const others = { fromAccountId: 'spare', toAccountId: 'alice' };
  const refunded = life.run({
    case: 'refundPayment',
    value: { ...life.own(), ...back, ...others, amount: money(500n) },
  });
  life.run({ case: 'reverseTransaction', value: { ...life.own(), transactionId: refunded } });
  life.run({ case: 'refundPayment', value: { ...life.own(), paymentId: paid, all: true, force: true } });
  const paths = ['description', 'metadata'];
  const note = { description: 'Three chairs', metadata: { note: 'changed' }, updateMask: { paths } };
  life.run({ case: 'updateTransaction', value: { ...life.own(), transactionId: paid, ...note } });
  const expireTime = timestampOf(life.fixture.now + DAY);
  const hold = (amount: bigint) => ({
    ...life.own(),
    ...parties,
    ...dated,
    amount: money(amount),
    expireTime,
  });
  const held = life.run({ case: 'authorizePayment', value: hold(5_000n) });
  const later = { amount: money(6_000n), expireTime: timestampOf(life.fixture.now + 2n * DAY) };
  life.run({ case: 'adjustAuthorization', value: { ...life.own(), paymentId: held, ...later } });
  const much = { paymentId: held, amount: money(900_000n) };
  life.run({ case: 'adjustAuthorization', value: { ...life.own(), ...much } });
  const part = { paymentId: held, ...dated, amount: money(2_000n), fees };
  const captured = life.run({ case: 'capturePayment', value: { ...life.own(), ...part } });
  life.run({ case: 'reverseTransaction', value: { ...life.own(), transactionId: captured, force: true } });
  life.run({
    case: 'capturePayment',
    value: { ...life.own(), paymentId: held, amount: money(1_000n), final: true },
  });
  const whole = life.run({ case: 'authorizePayment', value: hold(400n) });
  life.run({ case: 'capturePayment', value: { ...life.own(), paymentId: whole, all: true } });
  const gone = life.run({ case: 'authorizePayment', value: hold(300n) });
  life.run({ case: 'voidPayment', value: { ...life.own(), paymentId: gone } });
  const left = life.run({ case: 'authorizePayment', value: hold(200n) });
  life.fixture.now += DAY + SECOND;
  life.expire(left);
}

/** A journal, reversals, and what is declined. */
function reversals(life: Life, dated: Dated): void {
  const entry = (accountId: string, direction: Direction) => ({ accountId, direction, amount: money(70n) });
  const entries = [entry('poor', Direction.DEBIT), entry('costs', Direction.CREDIT)];
  life.run({ case: 'postTransaction', value: { ...life.own(), ...dated, entries, force: true } });
  life.run({ case: 'postTransaction', value: { ...life.own(), entries, upTo: true } });
  const poor = { payerAccountId: 'poor', payeeAccountId: 'shop', amount: money(9n) };
  life.run({ case: 'submitPayment', value: { ...life.own(), ...poor } });
  const most = { ...parties, amount: money(650_000n) };
  life.run({ case: 'submitPayment', value: { ...life.own(), ...most } });
  const leaving = { payerAccountId: 'alice', payeeAccountId: 'spare', amount: money(550n) };
  const paid = life.run({ case: 'submitPayment', value: { ...life.own(), ...leaving, fees } });
  const rest = { accountId: 'spare', amount: money(530n) };
  life.run({ case: 'withdraw', value: { ...life.own(), ...rest } });
  life.run({ case: 'closeAccount', value: { ...life.own(), accountId: 'spare' } });
  const reversal = { transactionId: paid, ...dated, force: true };
  life.run({ case: 'reverseTransaction', value: { ...life.own(), ...reversal } });
}

function batches(life: Life): void {
  const deposit = (amount: bigint): CommandInit => ({
    case: 'deposit',
    value: { ...life.own(), accountId: 'poor', amount: money(amount) },
  });
  const withdraw = (amount: bigint): CommandInit => ({
    case: 'withdraw',
    value: { ...life.own(), accountId: 'poor', amount: money(amount) },
  });
  life.atomic([deposit(100n), withdraw(10n)]);
  const held = life.run({
    case: 'authorizePayment',
    value: { ...life.own(), payerAccountId: 'poor', payeeAccountId: 'shop', amount: money(5n) },
  });
  life.atomic([
    deposit(1n),
    withdraw(7_000n),
    { case: 'voidPayment', value: { ...life.own(), paymentId: held } },
  ]);
}

function periods(life: Life): void {
  const end = life.fixture.now - 3n * DAY;
  const close = (closedThrough: bigint): CommandInit => ({
    case: 'closePeriod',
    value: { ...life.own(), closedThrough: timestampOf(closedThrough), description: 'December' },
  });
  life.run(close(end));
  const keep = { keepClosedThrough: timestampOf(end - DAY), reason: 'an invoice came late' };
  life.run({ case: 'reopenPeriod', value: { ...life.own(), ...keep } });
  life.run({ case: 'reopenPeriod', value: { ...life.own(), reason: 'all of it' } });
}

/** What no command of a fixture makes: a log that was restored, every field of the envelope, and a trial balance. */
function eventsOfNoCommand(): readonly Written[] {
  const restored = {
    shard: 1,
    epoch: 2,
    position: 9_007_199_254_740_993n,
    recordedTimeMicros: 1_767_225_600_000_001n,
    previousHash: new Uint8Array(32).fill(3),
    ignorable: true,
  };
  const epochStarted = create(EventSchema, {
    ...restored,
    payload: {
      case: 'epochStarted',
      value: { forkPosition: 9_007_199_254_740_992n, forkHash: new Uint8Array(32).fill(3) },
    },
  });
  const closedThrough = timestampOf(1_767_225_599_999_999n);
  const requestId = testId(1);
  const periodClosed = create(EventSchema, {
    ...restored,
    ledgerId,
    stream: { case: 'entityStreamId', value: '@periods' },
    requestId: uuidToBytes(requestId),
    commandType: CommandType.CLOSE_PERIOD,
    canonicalBody: encodeMessage(
      ClosePeriodRequestSchema,
      create(ClosePeriodRequestSchema, { ledgerId, closedThrough }),
    ),
    actor: 'key:ops/0123456789ab',
    traceId: new Uint8Array(16).fill(4),
    traceSampled: true,
    ignorable: false,
    payload: {
      case: 'periodClosed',
      value: {
        closedThroughMicros: 1_767_225_599_999_999n,
        totals: [
          {
            currency: 'BTC#8',
            accountType: AccountType.LIABILITY,
            debits: '1',
            credits: '18446744073709551616',
          },
        ],
        totalCount: 2,
        totalsHash: new Uint8Array(32).fill(5),
        description: 'December',
      },
    },
  });
  const request: CommandInit = { case: 'closePeriod', value: { ledgerId, requestId, closedThrough } };
  // No decision of today names the account of a hold after another one.
  const expired = create(EventSchema, {
    ...restored,
    ledgerId,
    stream: { case: 'transactionStreamId', value: uuidToBytes(requestId) },
    ignorable: false,
    payload: {
      case: 'paymentExpired',
      value: {
        accounts: [{ accountId: 'shop' }, { accountId: 'alice' }],
        holdChanges: [{ account: 1, delta: -9n, heldAfter: 0n, version: 8n }],
      },
    },
  });
  return [
    { bytes: encodeMessage(EventSchema, epochStarted), request: undefined },
    { bytes: encodeMessage(EventSchema, expired), request: undefined },
    { bytes: encodeMessage(EventSchema, periodClosed), request },
  ];
}
