/** Believable traffic: the next step, given the steps before. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { CommandSchema } from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { FeePayer } from '../../gen/quittance/common/v1/transaction_pb.js';
import { BANK, CURRENCY, CUSTOMER_IDS, FEES, LEDGER, MERCHANT_IDS } from './cast.js';

/** A command, and a line about it for people. */
export interface Step {
  readonly command: NonNullable<MessageInitShape<typeof CommandSchema>['command']>;
  readonly line: string;
}

/** A hold or a payment that can be followed up. */
interface Open {
  readonly paymentId: string;
  readonly payer: string;
  readonly payee: string;
  readonly amount: bigint;
}

/** Where randomness and ids come from. */
export interface Chance {
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly newId: () => string;
}

/** How many holds and payments it remembers at most: the demo may run for days. */
const MEMORY = 50;

/** The story so far, and what comes next. */
export class Traffic {
  readonly #holds: Open[] = [];
  readonly #payments: Open[] = [];

  readonly #chance: Chance;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** The first steps: every customer gets a salary to spend. */
  *opening(): Generator<Step> {
    for (const customer of CUSTOMER_IDS) yield this.#salary(customer);
  }

  /** One thing that happens. */
  next(): Step {
    const die = this.#chance.random();
    if (die < 0.12) return this.#salary(this.#one(CUSTOMER_IDS));
    if (die < 0.5) return this.#purchase();
    if (die < 0.68) return this.#authorization();
    if (die < 0.82) return this.#settlement() ?? this.#authorization();
    if (die < 0.9) return this.#refund() ?? this.#purchase();
    if (die < 0.95) return this.#payout();
    return this.#splurge();
  }

  /** Remembers what can be captured or refunded later. */
  remember(command: Step['command'], posted: boolean): void {
    if (!posted) return;
    if (command.case !== 'authorizePayment' && command.case !== 'submitPayment') return;
    const { requestId, payerAccountId, payeeAccountId, amount } = command.value;
    const open = {
      paymentId: requestId ?? '',
      payer: payerAccountId ?? '',
      payee: payeeAccountId ?? '',
      amount: amount?.minorUnits ?? 0n,
    };
    const list = command.case === 'authorizePayment' ? this.#holds : this.#payments;
    list.push(open);
    if (list.length > MEMORY) list.shift();
  }

  #salary(accountId: string): Step {
    const minorUnits = BigInt(this.#between(90_000, 240_000));
    const value = {
      ...this.#ids(),
      accountId,
      amount: money(minorUnits),
      settlementAccountId: BANK,
      description: 'Salary',
    };
    return {
      command: { case: 'deposit', value },
      line: `${accountId} is paid a salary of ${text(minorUnits)}`,
    };
  }

  #purchase(): Step {
    return this.#payment(BigInt(this.#between(250, 9_500)), 'buys for');
  }

  /** More than most customers have: some of these are declined. */
  #splurge(): Step {
    return this.#payment(BigInt(this.#between(300_000, 900_000)), 'tries to buy for');
  }

  #payment(minorUnits: bigint, verb: string): Step {
    const [payer, payee] = [this.#one(CUSTOMER_IDS), this.#one(MERCHANT_IDS)];
    const value = {
      ...this.#ids(),
      payerAccountId: payer,
      payeeAccountId: payee,
      amount: money(minorUnits),
      fees: [fee(minorUnits)],
      reference: this.#reference(),
    };
    return {
      command: { case: 'submitPayment', value },
      line: `${payer} ${verb} ${text(minorUnits)} at ${payee}`,
    };
  }

  #authorization(): Step {
    const [payer, payee] = [this.#one(CUSTOMER_IDS), this.#one(MERCHANT_IDS)];
    const minorUnits = BigInt(this.#between(2_000, 25_000));
    const value = {
      ...this.#ids(),
      payerAccountId: payer,
      payeeAccountId: payee,
      amount: money(minorUnits),
      reference: this.#reference(),
    };
    return {
      command: { case: 'authorizePayment', value },
      line: `${payee} reserves ${text(minorUnits)} of ${payer}`,
    };
  }

  /** A hold is captured in full, in part, or given back. */
  #settlement(): Step | undefined {
    const hold = this.#holds.shift();
    if (hold === undefined) return undefined;
    const die = this.#chance.random();
    if (die < 0.15) {
      const value = { ...this.#ids(), paymentId: hold.paymentId };
      return {
        command: { case: 'voidPayment', value },
        line: `${hold.payee} gives ${hold.payer} the reservation of ${text(hold.amount)} back`,
      };
    }
    const minorUnits = die < 0.4 ? (hold.amount * 7n) / 10n : hold.amount;
    const value = {
      ...this.#ids(),
      paymentId: hold.paymentId,
      amount: money(minorUnits),
      fees: [fee(minorUnits)],
      final: true,
    };
    return {
      command: { case: 'capturePayment', value },
      line: `${hold.payee} captures ${text(minorUnits)} of the ${text(hold.amount)} reserved of ${hold.payer}`,
    };
  }

  #refund(): Step | undefined {
    const payment = this.#payments.splice(this.#between(0, this.#payments.length), 1)[0];
    if (payment === undefined) return undefined;
    const minorUnits = this.#chance.random() < 0.5 ? payment.amount : payment.amount / 2n;
    const value = { ...this.#ids(), paymentId: payment.paymentId, amount: money(minorUnits) };
    return {
      command: { case: 'refundPayment', value },
      line: `${payment.payee} refunds ${text(minorUnits)} to ${payment.payer}`,
    };
  }

  #payout(): Step {
    const accountId = this.#one(MERCHANT_IDS);
    const minorUnits = BigInt(this.#between(5_000, 30_000));
    const value = {
      ...this.#ids(),
      accountId,
      amount: money(minorUnits),
      settlementAccountId: BANK,
      description: 'Payout',
    };
    return { command: { case: 'withdraw', value }, line: `${accountId} is paid out ${text(minorUnits)}` };
  }

  #ids() {
    return { ledgerId: LEDGER, requestId: this.#chance.newId() };
  }

  #reference(): string {
    return `order-${this.#between(100_000, 999_999)}`;
  }

  #one(list: readonly string[]): string {
    return list[this.#between(0, list.length)] ?? '';
  }

  /** A whole number from `low` to below `high`. */
  #between(low: number, high: number): number {
    return low + Math.floor(this.#chance.random() * (high - low));
  }
}

function money(minorUnits: bigint) {
  return { currency: CURRENCY, minorUnits };
}

/** 1.5 percent and 5 cents, which the payee pays. */
function fee(minorUnits: bigint) {
  return { paidBy: FeePayer.PAYEE, toAccountId: FEES, amount: money(5n + (minorUnits * 15n) / 1000n) };
}

function text(minorUnits: bigint): string {
  return `${minorUnits / 100n}.${String(minorUnits % 100n).padStart(2, '0')} ${CURRENCY}`;
}
