/** Logs with everything that the history view distinguishes, for tests. */
import { AccountType, FreezeScope } from '../../../../gen/quittance/common/v1/account_pb.js';
import { Direction, FeePayer } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { type CommandInit, LedgerFixture, testId } from '../../../../test/ledger-fixture.js';
import { uuidFromBytes } from '../../../base/uuid.js';
import { timestampOf } from '../../../base/time.js';

/** Ids that sort otherwise by code units than by language, and one that is the prefix of another. */
export const LEDGERS = ['main', 'main-B', 'main.a'] as const;
export const ACCOUNTS = [
  'alice',
  'Bob',
  'alice-2',
  'alice:sub',
  'shop',
  'fees',
  'dollar',
  'coin',
  'unused',
] as const;
/** Of these accounts; of all others EUR. COIN is an asset of each ledger. */
const CURRENCIES: ReadonlyMap<string, string> = new Map([
  ['dollar', 'USD'],
  ['coin', 'COIN'],
]);
/** COIN as the view knows it. */
export const COIN = 'COIN#6';
export const REFERENCES = ['inv-1', 'inv-2', 'größe 1'] as const;
export const OWNERS = ['owner-1', 'łukasz'] as const;

const HOUR = 3_600_000_000n;

/** Deterministic numbers below a bound. */
export type Random = (below: number) => number;

/**
 * Mulberry32: small, the same everywhere, and without the patterns of simpler ones between one number and the
 * next.
 */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** One of several. */
export function pick<T>(random: Random, from: readonly T[]): T {
  const found = from[random(from.length)];
  if (found === undefined) throw new Error('nothing to pick from');
  return found;
}

/** A log that grows by random commands; the domain refuses some, which leave no event. */
export class Scenario {
  readonly fixture = new LedgerFixture();
  readonly #random: Random;
  readonly #transactions = new Map<string, string[]>();
  readonly #holds = new Map<string, string[]>();
  #next = 1;

  constructor(seed: number) {
    this.#random = seeded(seed);
    for (const ledgerId of LEDGERS) {
      this.#run({
        case: 'createLedger',
        value: {
          ledgerId,
          requestId: this.#id(),
          description: `of ${ledgerId}`,
          metadata: { b: '1', a: '2' },
        },
      });
      this.#run({
        case: 'registerAsset',
        value: { ledgerId, requestId: this.#id(), code: 'COIN', exponent: 6, name: 'Coin of größe' },
      });
      for (const accountId of ACCOUNTS) this.#run(this.#opening(ledgerId, accountId));
      this.#adjustAHold(ledgerId);
      this.#closeAPeriod(ledgerId);
    }
  }

  /** A hold on an overdraft that is raised, declined beyond it, kept by a batch that is declined, and released by one that is not. */
  #adjustAHold(ledgerId: string): void {
    const { fixture } = this;
    const eur = (minorUnits: bigint) => ({ currency: 'EUR', minorUnits });
    const paymentId = this.#id();
    const parties = { payerAccountId: 'Bob', payeeAccountId: 'shop' };
    fixture.run({
      case: 'authorizePayment',
      value: { ledgerId, requestId: paymentId, ...parties, amount: eur(100n) },
    });
    const adjustment = (minorUnits: bigint): CommandInit => ({
      case: 'adjustAuthorization',
      value: { ledgerId, requestId: this.#id(), paymentId, amount: eur(minorUnits) },
    });
    const release = (): CommandInit => ({
      case: 'voidPayment',
      value: { ledgerId, requestId: this.#id(), paymentId },
    });
    const withdrawal: CommandInit = {
      case: 'withdraw',
      value: { ledgerId, requestId: this.#id(), accountId: 'alice-2', amount: eur(1n) },
    };
    fixture.run(adjustment(400n));
    fixture.run(adjustment(501n));
    fixture.runAtomic([adjustment(200n), release(), withdrawal]);
    fixture.runAtomic([adjustment(50n), release()]);
  }

  /** A period that is closed and reopened, which no view shows. */
  #closeAPeriod(ledgerId: string): void {
    const { fixture } = this;
    const closedThrough = timestampOf(fixture.now - HOUR);
    fixture.run({ case: 'closePeriod', value: { ledgerId, requestId: this.#id(), closedThrough } });
    fixture.run({ case: 'reopenPeriod', value: { ledgerId, requestId: this.#id(), reason: 'late' } });
  }

  /** Runs so many commands. */
  grow(commands: number): this {
    for (let n = 0; n < commands; n++) {
      const ledgerId = pick(this.#random, LEDGERS);
      if (this.#random(40) === 0) this.#expireAHold(ledgerId);
      else if (this.#random(20) === 0) this.#attempt(() => this.#batch(ledgerId));
      else this.#attempt(() => this.#run(this.#command(ledgerId)));
      if (this.#random(10) === 0) this.fixture.now += HOUR * BigInt(1 + this.#random(30));
    }
    return this;
  }

  /** A week and a day later. */
  #expireAHold(ledgerId: string): void {
    this.fixture.now += 192n * HOUR;
    this.#attempt(() => this.fixture.expire(ledgerId, this.#hold(ledgerId)));
  }

  #batch(ledgerId: string): void {
    this.fixture.runAtomic([this.#deposit(ledgerId), this.#submission(ledgerId), this.#submission(ledgerId)]);
  }

  #attempt(work: () => unknown): void {
    try {
      work();
    } catch (error) {
      // A refusal reads `REASON: message`; anything else is a fault of the test.
      if (!(error instanceof Error) || !/^[A-Z_]{6,}/.test(error.message)) throw error;
    }
  }

  #run(command: CommandInit): void {
    for (const { event } of this.fixture.run(command)) {
      if (event.payload.case !== 'paymentAuthorized') continue;
      const paymentId = uuidFromBytes(event.requestId);
      this.#holds.set(event.ledgerId, [...(this.#holds.get(event.ledgerId) ?? []), paymentId]);
    }
  }

  #id(): string {
    return testId(this.#next++);
  }

  #transaction(ledgerId: string): string {
    return pick(this.#random, this.#transactions.get(ledgerId) ?? [testId(0)]);
  }

  /** The id of a recent authorization, so that its hold may still be open. */
  #hold(ledgerId: string): string {
    return pick(this.#random, this.#holds.get(ledgerId)?.slice(-4) ?? [testId(0)]);
  }

  #newTransaction(ledgerId: string): string {
    const id = this.#id();
    const made = this.#transactions.get(ledgerId);
    if (made === undefined) this.#transactions.set(ledgerId, [id]);
    else made.push(id);
    return id;
  }

  #opening(ledgerId: string, accountId: string): CommandInit {
    const type = accountId === 'fees' ? AccountType.REVENUE : AccountType.LIABILITY;
    return {
      case: 'openAccount',
      value: {
        ledgerId,
        requestId: this.#id(),
        accountId,
        currency: CURRENCIES.get(accountId) ?? 'EUR',
        type,
        overdraftLimit: accountId === 'Bob' ? 500n : 0n,
        limits: accountId === 'alice-2' ? { day: { amount: 900n }, month: { count: 40n } } : undefined,
        name: accountId,
        ownerReference: this.#random(2) === 0 ? '' : pick(this.#random, OWNERS),
        metadata: { z: '1', a: '2' },
      },
    };
  }

  #deposit(ledgerId: string): CommandInit {
    const accountId = pick(this.#random, ['alice', 'Bob', 'alice-2', 'dollar', 'coin']);
    return {
      case: 'deposit',
      value: {
        ...this.#common(ledgerId),
        accountId,
        amount: this.#money(CURRENCIES.get(accountId) ?? 'EUR', 4000),
      },
    };
  }

  #submission(ledgerId: string): CommandInit {
    return {
      case: 'submitPayment',
      value: {
        ...this.#common(ledgerId),
        ...this.#parties(),
        amount: this.#money('EUR', 800),
        fees: [{ paidBy: FeePayer.PAYEE, toAccountId: 'fees', amount: { currency: 'EUR', minorUnits: 1n } }],
      },
    };
  }

  #parties() {
    const payerAccountId = pick(this.#random, ['alice', 'Bob', 'alice-2']);
    return { payerAccountId, payeeAccountId: pick(this.#random, ['shop', 'alice:sub']) };
  }

  #common(ledgerId: string) {
    const random = this.#random;
    const value = {
      ledgerId,
      requestId: this.#newTransaction(ledgerId),
      reference: random(3) === 0 ? pick(random, REFERENCES) : '',
      description: `number ${String(this.#next)}`,
      metadata: { k: 'v', a: 'b' },
    };
    if (random(4) !== 0) return value;
    return { ...value, effectiveTime: timestampOf(this.fixture.now - HOUR * BigInt(random(100))) };
  }

  #money(currency: string, below: number) {
    return { currency, minorUnits: BigInt(1 + this.#random(below)) };
  }

  #command(ledgerId: string): CommandInit {
    const roll = this.#random(16);
    if (roll < 3) return this.#deposit(ledgerId);
    if (roll < 6) return this.#submission(ledgerId);
    if (roll < 13) return this.#movement(ledgerId, roll);
    return this.#change(ledgerId, roll);
  }

  #movement(ledgerId: string, roll: number): CommandInit {
    const amount = this.#money('EUR', 60);
    const transactionId = this.#transaction(ledgerId);
    switch (roll) {
      case 6:
      case 7:
        return {
          case: 'authorizePayment',
          value: { ...this.#common(ledgerId), ...this.#parties(), amount: this.#money('EUR', 800) },
        };
      case 8:
      case 9: {
        const common = this.#common(ledgerId);
        if (this.#random(4) > 0) {
          const final = this.#random(3) === 0;
          return {
            case: 'capturePayment',
            value: { ...common, paymentId: this.#hold(ledgerId), amount, final },
          };
        }
        const paymentId = this.#random(2) === 0 ? this.#hold(ledgerId) : transactionId;
        return { case: 'refundPayment', value: { ...common, paymentId, amount } };
      }
      case 10:
        return { case: 'withdraw', value: { ...this.#common(ledgerId), accountId: 'alice', amount } };
      case 11:
        return {
          case: 'reverseTransaction',
          value: { ...this.#common(ledgerId), transactionId, force: true },
        };
      default:
        return { case: 'postTransaction', value: { ...this.#common(ledgerId), entries: this.#journal() } };
    }
  }

  #authorization(ledgerId: string): CommandInit {
    // An authorization has no effective_time.
    const { effectiveTime: _, ...common } = { effectiveTime: undefined, ...this.#common(ledgerId) };
    return {
      case: 'authorizePayment',
      value: { ...common, ...this.#parties(), amount: this.#money('EUR', 300) },
    };
  }

  /** Two currencies; one account twice. */
  #journal() {
    const euro = this.#money('EUR', 50);
    const account = pick(this.#random, ['dollar', 'coin']);
    const currency = CURRENCIES.get(account) ?? 'EUR';
    const other = this.#money(currency, 50);
    const twice = { currency: 'EUR', minorUnits: euro.minorUnits * 2n };
    return [
      { accountId: 'alice', direction: Direction.DEBIT, amount: euro },
      { accountId: 'alice', direction: Direction.DEBIT, amount: euro },
      { accountId: 'fees', direction: Direction.CREDIT, amount: twice },
      { accountId: `@settlement:${currency}`, direction: Direction.DEBIT, amount: other },
      { accountId: account, direction: Direction.CREDIT, amount: other },
    ];
  }

  #change(ledgerId: string, roll: number): CommandInit {
    const accountId = pick(this.#random, ACCOUNTS);
    const account = { ledgerId, requestId: this.#id(), accountId };
    switch (roll) {
      case 13: {
        const requestId = this.#id();
        if (this.#random(2) === 0)
          return {
            case: 'voidPayment',
            value: { ledgerId, requestId, paymentId: this.#hold(ledgerId) },
          };
        return {
          case: 'updateTransaction',
          value: {
            ledgerId,
            requestId,
            transactionId: this.#transaction(ledgerId),
            updateMask: { paths: ['description', 'metadata'] },
            description: 'changed',
            metadata: { later: 'yes', earlier: 'no' },
          },
        };
      }
      case 14:
        return {
          case: 'updateAccount',
          value: {
            ...account,
            updateMask: { paths: ['name', 'owner_reference', 'overdraft_limit'] },
            name: 'renamed',
            ownerReference: this.#random(2) === 0 ? '' : pick(this.#random, OWNERS),
            overdraftLimit: BigInt(this.#random(1000)),
          },
        };
      default:
        if (this.#random(4) === 0)
          return { case: 'freezeAccount', value: { ...account, scope: FreezeScope.DEBITS } };
        if (this.#random(3) === 0)
          return { case: 'closeAccount', value: { ...account, accountId: 'unused' } };
        return { case: 'unfreezeAccount', value: account };
    }
  }
}
