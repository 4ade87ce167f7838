/** Events of a ledger of payments, as the log has them, without a server: what a view is given to apply. */
import { createHash, randomBytes } from 'node:crypto';
import { create, toBinary } from '@bufbuild/protobuf';
import { AccountStatus, AccountType } from '../../gen/quittance/common/v1/account_pb.js';
import {
  Direction,
  TransactionKind,
  TransactionStatus,
} from '../../gen/quittance/common/v1/transaction_pb.js';
import { SubmitPaymentRequestSchema } from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { CommandType, type Event, EventSchema } from '../../gen/quittance/event/v1/event_pb.js';

const LEDGER = 'main';
const FIRST_TIME_US = 1_767_225_600_000_000n;
const MICROSECONDS_APART = 100n;
/** More than any account pays out. */
const FIRST_CREDITS = 1_000_000_000_000n;

/** An event with its bytes and their hash. */
export interface PaymentEvent {
  readonly position: bigint;
  readonly event: Event;
  readonly bytes: Uint8Array;
  readonly hash: Uint8Array;
}

interface AccountInit {
  readonly accountId: string;
  version: bigint;
  credits: bigint;
  debits: bigint;
}

/** A ledger whose accounts pay each other at random. */
export class PaymentLog {
  readonly #accounts: AccountInit[];
  #position = 0n;

  constructor(accounts: number) {
    this.#accounts = Array.from({ length: accounts }, (_, n) => ({
      accountId: `customer-${String(n).padStart(7, '0')}`,
      version: 1n,
      credits: FIRST_CREDITS,
      debits: 0n,
    }));
  }

  /** The beginning of the log, the ledger, and its accounts. */
  opening(): PaymentEvent[] {
    const start = this.#made({ payload: { case: 'logStarted', value: { logId: randomBytes(16) } } });
    const ledger = this.#made({
      ledgerId: LEDGER,
      requestId: randomBytes(16),
      commandType: CommandType.CREATE_LEDGER,
      payload: { case: 'ledgerCreatedV2', value: {} },
    });
    const opened = this.#accounts.map((account) =>
      this.#made({
        ledgerId: LEDGER,
        stream: { case: 'entityStreamId', value: account.accountId },
        requestId: randomBytes(16),
        commandType: CommandType.OPEN_ACCOUNT,
        payload: {
          case: 'accountOpened',
          value: { account: stateOf(account), profile: { profileVersion: 1n } },
        },
      }),
    );
    return [start, ledger, ...opened];
  }

  /** Payments between two accounts, both drawn evenly. */
  payments(count: number): PaymentEvent[] {
    return Array.from({ length: count }, () => this.#payment());
  }

  #payment(): PaymentEvent {
    const { length } = this.#accounts;
    const index = Math.floor(Math.random() * length);
    const other = (index + 1 + Math.floor(Math.random() * (length - 1))) % length;
    const [payer, payee] = [this.#accounts[index], this.#accounts[other]];
    if (payer === undefined || payee === undefined) throw new Error('no such account');
    const amount = BigInt(1 + Math.floor(Math.random() * 1000));
    payer.debits += amount;
    payer.version += 1n;
    payee.credits += amount;
    payee.version += 1n;
    const requestId = randomBytes(16);
    const entry = (index: number, account: AccountInit, direction: Direction) => ({
      account: index,
      direction,
      amount,
      version: account.version,
      postedAfter: account.credits - account.debits,
    });
    return this.#made({
      ledgerId: LEDGER,
      stream: { case: 'transactionStreamId', value: requestId },
      requestId,
      commandType: CommandType.SUBMIT_PAYMENT,
      canonicalBody: bodyOf(payer.accountId, payee.accountId, amount),
      payload: {
        case: 'transactionPosted',
        value: {
          kind: TransactionKind.PAYMENT,
          accounts: [stateOf(payer), stateOf(payee)],
          entries: [entry(0, payer, Direction.DEBIT), entry(1, payee, Direction.CREDIT)],
          transactions: [
            {
              version: 1n,
              status: TransactionStatus.POSTED,
              payment: { authorized: amount, captured: amount },
            },
          ],
          amount,
        },
      },
    });
  }

  #made(init: Parameters<typeof create<typeof EventSchema>>[1]): PaymentEvent {
    const position = this.#position++;
    const event = create(EventSchema, init);
    event.position = position;
    event.recordedTimeMicros = FIRST_TIME_US + position * MICROSECONDS_APART;
    event.previousHash = randomBytes(32);
    const bytes = toBinary(EventSchema, event);
    return { position, event, bytes, hash: createHash('sha256').update(bytes).digest() };
  }
}

function stateOf({ accountId, version, credits, debits }: AccountInit) {
  return {
    accountId,
    type: AccountType.LIABILITY,
    currency: 'EUR',
    status: AccountStatus.OPEN,
    credits,
    debits,
    version,
  };
}

function bodyOf(payerAccountId: string, payeeAccountId: string, minorUnits: bigint): Uint8Array {
  const amount = { currency: 'EUR', minorUnits };
  return toBinary(
    SubmitPaymentRequestSchema,
    create(SubmitPaymentRequestSchema, { ledgerId: LEDGER, payerAccountId, payeeAccountId, amount }),
  );
}
