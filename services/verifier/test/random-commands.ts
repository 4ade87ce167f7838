/** Ledgers that grow by random commands; those that the domain refuses leave no event. */
import { FreezeScope } from '../../../gen/quittance/common/v1/account_pb.js';
import { Direction, FeePayer } from '../../../gen/quittance/common/v1/transaction_pb.js';
import { timestampOf } from '../../../lib/base/time.js';
import { type CommandInit, LedgerFixture, testId } from '../../../test/ledger-fixture.js';

/** The ledgers; the one's id is the beginning of the other's. */
export const LEDGERS = ['main', 'main-b'] as const;

const ACCOUNTS = ['alice', 'Bob', 'alice-2', 'shop', 'fees', 'dollar', 'coin'] as const;
/** Of these accounts; of all others EUR. COIN is an asset of each ledger. */
const CURRENCIES: ReadonlyMap<string, string> = new Map([
  ['dollar', 'USD'],
  ['coin', 'COIN'],
]);
const HOUR = 3_600_000_000n;

export class RandomCommands {
  readonly fixture = new LedgerFixture();
  readonly #made = new Map<string, string[]>();
  #state: number;
  #next = 1;

  /** The same seed, the same commands. */
  constructor(seed: number) {
    this.#state = seed;
    for (const ledgerId of LEDGERS) {
      this.fixture.run({ case: 'createLedger', value: this.#base(ledgerId) });
      this.fixture.run({
        case: 'registerAsset',
        value: { ...this.#base(ledgerId), code: 'COIN', exponent: 6, name: 'Coin' },
      });
      for (const accountId of ACCOUNTS) {
        const currency = CURRENCIES.get(accountId) ?? 'EUR';
        const value = { ...this.#base(ledgerId), accountId, currency, name: accountId };
        const overdraftLimit = accountId === 'Bob' ? 400n : 0n;
        const limits =
          accountId === 'alice-2' ? { debit: 700n, week: { amount: 2_000n, count: 9n } } : undefined;
        this.fixture.run({ case: 'openAccount', value: { ...value, overdraftLimit, limits } });
      }
    }
  }

  /** Runs so many commands; some of them are refused. */
  grow(commands: number): this {
    for (let done = 0; done < commands; done++) {
      const ledgerId = this.#pick(LEDGERS);
      if (this.#below(12) === 0) this.fixture.now += HOUR * BigInt(this.#below(40));
      try {
        this.#step(ledgerId);
      } catch (error) {
        // A refusal reads `REASON: message`; anything else is a fault of the test.
        if (!(error instanceof Error) || !/^[A-Z_]{6,}/.test(error.message)) throw error;
      }
    }
    return this;
  }

  #step(ledgerId: string): void {
    const roll = this.#below(20);
    if (roll === 0) this.fixture.expire(ledgerId, this.#any(ledgerId));
    else if (roll === 1) {
      this.fixture.runAtomic([this.#deposit(ledgerId), this.#payment(ledgerId), this.#payment(ledgerId)]);
    } else if (roll < 5) this.fixture.run(this.#deposit(ledgerId));
    else if (roll < 8) this.fixture.run(this.#payment(ledgerId));
    else if (roll < 16) this.fixture.run(this.#movement(ledgerId));
    else this.fixture.run(this.#change(ledgerId));
  }

  #deposit(ledgerId: string): CommandInit {
    const accountId = this.#pick(['alice', 'Bob', 'alice-2', 'dollar', 'coin']);
    const amount = this.#money(CURRENCIES.get(accountId) ?? 'EUR', 2_000);
    return { case: 'deposit', value: { ...this.#making(ledgerId), accountId, amount } };
  }

  #payment(ledgerId: string): CommandInit {
    const value = { ...this.#making(ledgerId), ...this.#parties(), amount: this.#money('EUR', 900) };
    return { case: 'submitPayment', value: { ...value, fees: this.#fees() } };
  }

  #movement(ledgerId: string): CommandInit {
    const amount = this.#money('EUR', 300);
    const transactionId = this.#any(ledgerId);
    const paymentId = transactionId;
    const base = this.#making(ledgerId);
    switch (this.#below(8)) {
      case 0:
      case 1:
        return {
          case: 'authorizePayment',
          value: { ...base, ...this.#parties(), amount: this.#money('EUR', 800) },
        };
      case 2:
      case 3: {
        const final = this.#below(2) === 0;
        return { case: 'capturePayment', value: { ...base, paymentId, amount, final, fees: this.#fees() } };
      }
      case 4:
        return this.#below(3) === 0
          ? { case: 'refundPayment', value: { ...base, paymentId, all: true } }
          : { case: 'refundPayment', value: { ...base, paymentId, amount } };
      case 5:
        return {
          case: 'withdraw',
          value: { ...base, accountId: 'alice', amount, upTo: this.#below(2) === 0 },
        };
      case 6:
        return { case: 'reverseTransaction', value: { ...base, transactionId, force: true } };
      default:
        return { case: 'postTransaction', value: { ...base, entries: this.#journal() } };
    }
  }

  #change(ledgerId: string): CommandInit {
    const base = this.#base(ledgerId);
    const account = { ...base, accountId: this.#pick(ACCOUNTS) };
    switch (this.#below(11)) {
      case 0:
      case 1:
        return { case: 'voidPayment', value: { ...base, paymentId: this.#any(ledgerId) } };
      case 2: {
        const value = { ...base, transactionId: this.#any(ledgerId), updateMask: { paths: ['description'] } };
        return { case: 'updateTransaction', value: { ...value, description: 'changed' } };
      }
      case 3: {
        const updateMask = { paths: ['name', 'overdraft_limit'] };
        const overdraftLimit = BigInt(this.#below(900));
        return { case: 'updateAccount', value: { ...account, updateMask, name: 'renamed', overdraftLimit } };
      }
      case 4:
        return { case: 'freezeAccount', value: { ...account, scope: FreezeScope.DEBITS } };
      case 5:
        return { case: 'unfreezeAccount', value: account };
      case 6:
      case 7: {
        const expireTime = timestampOf(this.fixture.now + BigInt(1 + this.#below(200)) * HOUR);
        const value = { ...base, paymentId: this.#any(ledgerId), amount: this.#money('EUR', 800) };
        return { case: 'adjustAuthorization', value: { ...value, expireTime } };
      }
      case 8: {
        const closedThrough = timestampOf(this.fixture.now - HOUR * BigInt(this.#below(80)));
        return { case: 'closePeriod', value: { ...base, closedThrough } };
      }
      case 9:
        return { case: 'reopenPeriod', value: { ...base, reason: 'something came late' } };
      default:
        return { case: 'closeAccount', value: account };
    }
  }

  /** Two currencies; one account twice. */
  #journal() {
    const account = this.#pick(['dollar', 'coin']);
    const currency = CURRENCIES.get(account) ?? 'EUR';
    const [euro, other] = [this.#money('EUR', 50), this.#money(currency, 50)];
    const twice = { currency: 'EUR', minorUnits: euro.minorUnits * 2n };
    return [
      { accountId: 'alice', direction: Direction.DEBIT, amount: euro },
      { accountId: 'alice', direction: Direction.DEBIT, amount: euro },
      { accountId: 'fees', direction: Direction.CREDIT, amount: twice },
      { accountId: `@settlement:${currency}`, direction: Direction.DEBIT, amount: other },
      { accountId: account, direction: Direction.CREDIT, amount: other },
    ];
  }

  #fees() {
    const paidBy = this.#pick([FeePayer.PAYER, FeePayer.PAYEE]);
    return this.#below(3) === 0
      ? [{ paidBy, toAccountId: 'fees', amount: { currency: 'EUR', minorUnits: 1n } }]
      : [];
  }

  #parties() {
    return { payerAccountId: this.#pick(['alice', 'Bob', 'alice-2']), payeeAccountId: 'shop' };
  }

  #base(ledgerId: string) {
    return { ledgerId, requestId: testId(this.#next++) };
  }

  /** Of a command that makes a transaction. */
  #making(ledgerId: string) {
    const base = {
      ...this.#base(ledgerId),
      description: `number ${String(this.#next)}`,
      metadata: { k: 'v', a: 'b' },
    };
    this.#made.set(ledgerId, [...(this.#made.get(ledgerId) ?? []), base.requestId]);
    if (this.#below(4) !== 0) return base;
    return { ...base, effectiveTime: timestampOf(this.fixture.now - HOUR * BigInt(this.#below(100))) };
  }

  /** One of the transactions asked for last: some of them were refused. */
  #any(ledgerId: string): string {
    return this.#pick((this.#made.get(ledgerId) ?? [testId(0)]).slice(-12));
  }

  #money(currency: string, below: number) {
    return { currency, minorUnits: BigInt(1 + this.#below(below)) };
  }

  #pick<T>(from: readonly T[]): T {
    const found = from[this.#below(from.length)];
    if (found === undefined) throw new Error('nothing to pick from');
    return found;
  }

  /** Mulberry32. */
  #below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  }
}
