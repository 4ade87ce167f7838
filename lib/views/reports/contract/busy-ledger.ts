/** A log with everything that reports distinguish, for tests. */
import { clone } from '@bufbuild/protobuf';
import { AccountType } from '../../../../gen/quittance/common/v1/account_pb.js';
import { Direction, FeePayer } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { EventSchema } from '../../../../gen/quittance/event/v1/event_pb.js';
import { type CommandInit, LedgerFixture, testId } from '../../../../test/ledger-fixture.js';
import type { BusBatch } from '../../../log/bus.js';
import type { LogPoint, RecordedEvent } from '../../../log/recorded-event.js';
import { timestampOf } from '../../../base/time.js';

/** Two ledgers whose ids, and whose accounts' ids, sort otherwise by code units than by language. */
export const LEDGERS = ['main', 'main-b'] as const;
/** SHARES.A is an asset of the ledgers. */
const CURRENCIES = ['EUR', 'JPY', 'SHARES.A'] as const;
/** As the view knows it. */
export const SHARES = 'SHARES.A#4';

/** Deterministic numbers below a bound. */
export type Random = (below: number) => number;

/** A linear congruential generator: small, and the same everywhere. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function pick<T>(random: Random, from: readonly T[]): T {
  const found = from[random(from.length)];
  if (found === undefined) throw new Error('nothing to pick from');
  return found;
}

interface Builder {
  readonly fixture: LedgerFixture;
  readonly random: Random;
  readonly payments: string[];
  readonly transactions: string[];
  next: number;
}

/**
 * Events of some `commands` random commands, over hours, some dated days back; refused ones leave no event.
 */
export function busyLedger(seed: number, commands: number): LedgerFixture {
  const builder: Builder = {
    fixture: new LedgerFixture(),
    random: seeded(seed),
    payments: [],
    transactions: [],
    next: 1,
  };
  for (const ledgerId of LEDGERS) openLedger(builder, ledgerId);
  for (let n = 0; n < commands; n++) {
    // Mostly minutes: some segments hold much, some one event.
    const { fixture, random } = builder;
    if (random(4) === 0) fixture.now += BigInt(random(1_500)) * 1_000_000n + BigInt(random(1_000_000));
    attempt(builder, randomCommand(builder));
  }
  return builder.fixture;
}

function openLedger(builder: Builder, ledgerId: string): void {
  const run = (command: CommandInit) => builder.fixture.run(command);
  const common = () => ({ ledgerId, requestId: testId(builder.next++) });
  run({ case: 'createLedger', value: common() });
  run({ case: 'registerAsset', value: { ...common(), code: 'SHARES.A', exponent: 4, name: 'Shares A' } });
  const open = (accountId: string, currency: string, type: AccountType) =>
    run({
      case: 'openAccount',
      value: {
        ...common(),
        accountId,
        currency,
        type,
        overdraftLimit: type === AccountType.LIABILITY ? 500n : 0n,
      },
    });
  for (const currency of CURRENCIES) {
    for (const name of ['user:a', 'user:B', 'user-c', 'null', 'shop:1']) {
      open(`${name}.${currency}`, currency, AccountType.LIABILITY);
    }
    open(`user:bank.${currency}`, currency, AccountType.ASSET);
    open(`fees.${currency}`, currency, AccountType.REVENUE);
    for (const name of ['equity:1', 'equity:2']) open(`${name}.${currency}`, currency, AccountType.EQUITY);
  }
}

function attempt(builder: Builder, command: CommandInit): void {
  try {
    builder.fixture.run(command);
  } catch {
    return;
  }
  const id = command.value?.requestId ?? '';
  builder.transactions.push(id);
  if (command.case === 'authorizePayment' || command.case === 'submitPayment') builder.payments.push(id);
}

function randomCommand(builder: Builder): CommandInit {
  const { random, fixture } = builder;
  const currency = pick(random, CURRENCIES);
  const user = () => `${pick(random, ['user:a', 'user:B', 'user-c', 'null', 'shop:1'])}.${currency}`;
  const money = (most: number) => ({ currency, minorUnits: BigInt(1 + random(most)) });
  const common = {
    ledgerId: pick(random, LEDGERS),
    requestId: testId(builder.next++),
    ...(random(3) === 0
      ? { effectiveTime: timestampOf(fixture.now - BigInt(random(200_000)) * 1_000_003n) }
      : {}),
  };
  const paymentId = builder.payments.length === 0 ? testId(0) : pick(random, builder.payments);
  const fee = {
    paidBy: FeePayer.PAYEE,
    toAccountId: `fees.${currency}`,
    amount: { currency, minorUnits: 1n },
  };
  switch (random(9)) {
    case 0:
    case 1:
      return { case: 'deposit', value: { ...common, accountId: user(), amount: money(2_000) } };
    case 2:
      return { case: 'withdraw', value: { ...common, accountId: user(), amount: money(900) } };
    case 3:
    case 4: {
      const parties = { payerAccountId: user(), payeeAccountId: user() };
      return { case: 'submitPayment', value: { ...common, ...parties, amount: money(700), fees: [fee] } };
    }
    case 5: {
      const parties = { payerAccountId: user(), payeeAccountId: user() };
      return { case: 'authorizePayment', value: { ...common, ...parties, amount: money(700) } };
    }
    case 6:
      return random(2) === 0
        ? { case: 'capturePayment', value: { ...common, paymentId, amount: money(60) } }
        : { case: 'refundPayment', value: { ...common, paymentId, amount: money(60), force: true } };
    case 7:
      return { case: 'postTransaction', value: { ...common, force: true, entries: journal(random) } };
    default: {
      const transactionId =
        builder.transactions.length === 0 ? testId(0) : pick(random, builder.transactions);
      return { case: 'reverseTransaction', value: { ...common, transactionId, force: true } };
    }
  }
}

/** Moves in one or all currencies; sometimes so much that sums go beyond int64. */
function journal(random: Random) {
  const currencies = random(2) === 0 ? CURRENCIES : [pick(random, CURRENCIES)];
  const amount = random(3) === 0 ? 999_999_999_999_999_999n : BigInt(1 + random(5_000));
  return currencies.flatMap((currency) => {
    const [from, to] =
      random(2) === 0 ? (['equity:1', 'equity:2'] as const) : (['equity:2', 'user:bank'] as const);
    const money = { currency, minorUnits: amount };
    return [
      { accountId: `${from}.${currency}`, direction: Direction.DEBIT, amount: money },
      { accountId: `${to}.${currency}`, direction: Direction.CREDIT, amount: money },
    ];
  });
}

/** The same events further apart, as if others' events lay between: positions times `stride`. */
export function spread(events: readonly RecordedEvent[], stride: bigint): RecordedEvent[] {
  return events.map((recorded) => {
    const position = recorded.position * stride;
    const event = clone(EventSchema, recorded.event);
    event.position = position;
    return { ...recorded, event, position };
  });
}

/** Events as a bus delivers them; the watermark is at the last, or given. */
export function batchOf(events: readonly RecordedEvent[], watermark?: LogPoint): BusBatch {
  const last = events.at(-1);
  if (last === undefined) throw new Error('no events');
  const { position, hash, event } = last;
  return {
    partition: 0,
    events,
    offset: position,
    watermark: watermark ?? { epoch: 0, position, hash, recordedTime: event.recordedTimeMicros },
  };
}
