/** `quittance payment …` */
import {
  AdjustAuthorizationResponseSchema,
  AuthorizePaymentResponseSchema,
  CapturePaymentResponseSchema,
  RefundPaymentResponseSchema,
  SubmitPaymentResponseSchema,
  TransactionCommandService,
  VoidPaymentResponseSchema,
} from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { TransactionStatus } from '../../../gen/quittance/common/v1/transaction_pb.js';
import {
  PaymentOrder,
  TransactionQueryService,
} from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { UsageError } from '../../../lib/process/command-line.js';
import { readAmount } from '../amounts.js';
import { NOT_FOUND } from '../exit-codes.js';
import { choice, type FlagValues, idOf, maybe, one, text, toggle, value, wordsOf } from '../flags.js';
import { given } from '../given.js';
import { say } from '../io.js';
import { printPages } from '../pages.js';
import { printOne } from '../printer.js';
import type { Session } from '../session.js';
import {
  CALL_FLAGS,
  COMMAND_FLAGS,
  FRESHNESS_FLAGS,
  LEDGER_FLAGS,
  LIST_FLAGS,
  ORDER_FLAGS,
} from '../shared-flags.js';
import { LISTED_PAYMENTS, PAYMENTS } from '../sheets/payments.js';
import { type Noun, verb } from '../verb.js';
import { readWhen } from '../when.js';
import { printAnswer, printBooked, printTouched } from './answer.js';
import { FEE_FLAG, feesOf } from './fees.js';
import { BOOKING_FLAGS, bookingFields, FORCE_FLAG, timeOf, UP_TO_FLAG } from './fields.js';

const SHARED = { ...COMMAND_FLAGS, ...LEDGER_FLAGS, ...CALL_FLAGS };
const AMOUNT = { amount: one('how much, such as 25.00'), currency: maybe('its currency, such as EUR') };
const MAYBE_AMOUNT = { amount: maybe('how much, such as 25.00'), currency: AMOUNT.currency };
const PARTIES = {
  payer: idOf('account', one('the account that pays')),
  payee: idOf('account', one('the account that gets it')),
};
const methods = TransactionCommandService.method;

const submit = verb({
  name: 'submit',
  summary: 'pay at once',
  positionals: { ...PARTIES, ...AMOUNT },
  flags: { ...UP_TO_FLAG, ...FEE_FLAG, ...BOOKING_FLAGS, ...SHARED },
  examples: [
    ['quittance payment submit alice shop 25.00 EUR --reference order-1', 'from alice to shop'],
    ['quittance payment submit alice shop 25.00 EUR --dry-run', 'what would happen now'],
    ['quittance payment submit alice shop 25.00 EUR --fee payee:fees=0.50', 'the shop pays 0.50 of it'],
    ['quittance payment submit alice shop 25.00 EUR --up-to', 'what alice has, at most 25.00'],
  ],
  run: async (session, { args: { payer, payee, ...money }, flags }) => {
    const amount = await readAmount(session, money.amount, money.currency);
    const message = await session.send(methods.submitPayment, {
      ...session.commandHead(),
      payerAccountId: payer,
      payeeAccountId: payee,
      amount,
      fees: await feesOf(session, flags.fee, amount),
      upTo: flags.upTo ?? false,
      ...bookingFields(session, flags),
    });
    return printBooked(session, SubmitPaymentResponseSchema, message);
  },
});

const authorize = verb({
  name: 'authorize',
  summary: 'hold an amount, to be captured later',
  positionals: { ...PARTIES, ...AMOUNT },
  flags: {
    expires: value('time', 'when the hold ends (default: in 7 days)', readWhen),
    ...BOOKING_FLAGS,
    ...SHARED,
  },
  examples: [
    ['quittance payment authorize alice shop 30.00 EUR', 'held for 7 days'],
    ['quittance payment authorize alice shop 30.00 EUR --expires +24h', 'held for a day'],
  ],
  run: async (session, { args: { payer, payee, ...money }, flags }) => {
    const message = await session.send(methods.authorizePayment, {
      ...session.commandHead(),
      payerAccountId: payer,
      payeeAccountId: payee,
      amount: await readAmount(session, money.amount, money.currency),
      ...given({ expireTime: timeOf(session, flags.expires) }),
      ...bookingFields(session, flags),
    });
    return printBooked(session, AuthorizePaymentResponseSchema, message);
  },
});

const capture = verb({
  name: 'capture',
  summary: 'take from what is held',
  positionals: { payment: idOf('payment', one('the id of the payment')), ...MAYBE_AMOUNT },
  flags: {
    all: toggle('all that is left of the hold, in place of an amount'),
    final: toggle('release what is left of the hold'),
    ...FEE_FLAG,
    ...BOOKING_FLAGS,
    ...SHARED,
  },
  examples: [
    ['quittance payment capture 0198… 20.00 EUR', 'the rest stays held'],
    ['quittance payment capture 0198… 20.00 EUR --final', 'the rest is released'],
    ['quittance payment capture 0198… --all', 'all that is held'],
  ],
  run: async (session, { args: { payment: paymentId, ...money }, flags }) => {
    const share = await shareOf(session, money, flags);
    const message = await session.send(methods.capturePayment, {
      ...session.commandHead(),
      paymentId,
      ...share,
      final: flags.final ?? false,
      ...bookingFields(session, flags),
    });
    return printBooked(session, CapturePaymentResponseSchema, message);
  },
});

const adjust = verb({
  name: 'adjust',
  summary: 'hold more or less, or for another time',
  positionals: {
    payment: idOf('payment', one('the id of the payment')),
    amount: maybe('how much to hold in all, such as 35.00'),
    currency: AMOUNT.currency,
  },
  flags: { expires: value('time', 'when the hold ends (default: as it was)', readWhen), ...SHARED },
  examples: [
    ['quittance payment adjust 0198… 35.00 EUR', '35.00 in all, what was captured included'],
    ['quittance payment adjust 0198… --expires +72h', 'the same amount, for three more days from now'],
  ],
  run: async (session, { args: { payment: paymentId, ...money }, flags }) => {
    if (money.amount === undefined && flags.expires === undefined)
      throw new UsageError('name an amount such as 35.00 EUR, --expires, or both');
    const message = await session.send(methods.adjustAuthorization, {
      ...session.commandHead(),
      paymentId,
      ...(await totalOf(session, money)),
      ...given({ expireTime: timeOf(session, flags.expires) }),
    });
    const schema = AdjustAuthorizationResponseSchema;
    if (message.transaction !== undefined) return printBooked(session, schema, message);
    await printAnswer(session, PAYMENTS, message.payment, { schema, message, decided: message });
    await printTouched(session, message.accounts);
    return undefined;
  },
});

/** The amount that was typed, if one was. */
async function totalOf(session: Session, { amount, currency }: Typed) {
  return amount === undefined ? {} : { amount: await readAmount(session, amount, currency) };
}

const release = verb({
  name: 'void',
  summary: 'release all that is still held',
  positionals: { payment: idOf('payment', one('the id of the payment')) },
  flags: SHARED,
  examples: [['quittance payment void 0198…', 'nothing is held any more']],
  run: async (session, { args: { payment: paymentId } }) => {
    const message = await session.send(methods.voidPayment, { ...session.commandHead(), paymentId });
    const schema = VoidPaymentResponseSchema;
    await printAnswer(session, PAYMENTS, message.payment, { schema, message, decided: message });
    await printTouched(session, message.accounts);
    return undefined;
  },
});

const refund = verb({
  name: 'refund',
  summary: 'give back what was captured, or a part of it',
  positionals: { payment: idOf('payment', one('the id of the payment')), ...MAYBE_AMOUNT },
  flags: {
    all: toggle('all that may still be given back, in place of an amount'),
    from: idOf('account', text('account', 'the account that pays it back (default: the payee)')),
    to: idOf('account', text('account', 'the account that gets it (default: the payer)')),
    ...FEE_FLAG,
    ...FORCE_FLAG,
    ...BOOKING_FLAGS,
    ...SHARED,
  },
  examples: [
    ['quittance payment refund 0198… 5.00 EUR --dry-run', 'what would happen now'],
    ['quittance payment refund 0198… 5.00 EUR --force', 'even if the payee lacks it'],
  ],
  run: async (session, { args: { payment: paymentId, ...money }, flags }) => {
    const share = await shareOf(session, money, flags);
    const message = await session.send(methods.refundPayment, {
      ...session.commandHead(),
      paymentId,
      ...share,
      force: flags.force ?? false,
      fromAccountId: flags.from ?? '',
      toAccountId: flags.to ?? '',
      ...bookingFields(session, flags),
    });
    return printBooked(session, RefundPaymentResponseSchema, message);
  },
});

/** An amount as it was typed, or none. */
interface Typed {
  readonly amount: string | undefined;
  readonly currency: string | undefined;
}

/** A named amount with its fees, or all that is left when the command is decided. @throws UsageError on both or neither */
async function shareOf(
  session: Session,
  { amount: typed, currency }: Typed,
  { all, fee }: FlagValues<typeof FEE_FLAG> & { readonly all: boolean | undefined },
) {
  if ((typed === undefined) !== (all === true))
    throw new UsageError('name an amount such as 25.00 EUR, or --all, and not both');
  if (typed === undefined) {
    if (fee !== undefined) throw new UsageError('--all takes no --fee, which is a part of a named amount');
    return { all: true };
  }
  const amount = await readAmount(session, typed, currency);
  return { amount, fees: await feesOf(session, fee, amount) };
}

const get = verb({
  name: 'get',
  summary: 'show a payment: what was authorized, captured, refunded, and what is left',
  positionals: { payment: idOf('payment', one('its id')) },
  flags: { ...FRESHNESS_FLAGS, ...LEDGER_FLAGS, ...CALL_FLAGS },
  examples: [
    ['quittance payment get 0198…', 'its totals'],
    ['quittance transaction list --payment 0198…', 'what it is made of'],
  ],
  run: async (session, { args: { payment } }) => {
    const { ledger: ledgerId } = session;
    const { transaction, asOf } = await session.read(
      TransactionQueryService.method.getTransaction,
      (consistency) => ({ ledgerId, transactionId: payment, consistency }),
    );
    session.sayAsOf(asOf);
    if (transaction?.payment !== undefined)
      await printOne(session.io, session.format, PAYMENTS, { row: transaction.payment });
    else say(session.io, 'this transaction is no payment; quittance transaction get shows it');
    return transaction?.payment === undefined ? NOT_FOUND : undefined;
  },
});

const list = verb({
  name: 'list',
  summary: 'list payments, the oldest first',
  positionals: {},
  flags: {
    status: choice('status', 'only of this status', wordsOf<TransactionStatus>(TransactionStatus)),
    payer: idOf('account', text('account', 'only those that this account pays')),
    payee: idOf('account', text('account', 'only those to this account')),
    remaining: toggle('only those of which something is still held'),
    expiresFrom: value('time', 'only open holds that expire then or later', readWhen),
    expiresBefore: value('time', 'only open holds that expire before then', readWhen),
    order: choice(
      'order',
      'by what (default position); by expire-time only open holds are listed',
      wordsOf<PaymentOrder>(PaymentOrder),
    ),
    ...ORDER_FLAGS,
    ...LIST_FLAGS,
    ...FRESHNESS_FLAGS,
    ...LEDGER_FLAGS,
    ...CALL_FLAGS,
  },
  examples: [
    ['quittance payment list --payee shop --desc', 'the last 50 to the shop'],
    ['quittance payment list --order expire-time --expires-before +24h', 'what is about to expire'],
    ['quittance payment list --payer alice --remaining --all -o csv', 'all that is held of alice'],
  ],
  run: async (session, { flags }) => {
    const filter = {
      ledgerId: session.ledger,
      status: flags.status ?? TransactionStatus.UNSPECIFIED,
      payerAccountId: flags.payer ?? '',
      payeeAccountId: flags.payee ?? '',
      hasRemaining: flags.remaining ?? false,
      orderBy: flags.order ?? PaymentOrder.UNSPECIFIED,
      descending: flags.desc ?? false,
      ...given({
        startExpireTime: timeOf(session, flags.expiresFrom),
        endExpireTime: timeOf(session, flags.expiresBefore),
      }),
    };
    await printPages(session, LISTED_PAYMENTS, async (page) => {
      const answer = await session.read(TransactionQueryService.method.listPayments, (consistency) => ({
        ...filter,
        consistency,
        ...page,
      }));
      return { rows: answer.payments, nextPageToken: answer.nextPageToken, asOf: answer.asOf };
    });
    return undefined;
  },
});

export const PAYMENT: Noun = {
  name: 'payment',
  plural: 'payments',
  summary: 'payments: pay, hold, adjust, capture, release, refund',
  verbs: [submit, authorize, adjust, capture, release, refund, get, list],
};
