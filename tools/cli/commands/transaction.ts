/** `quittance transaction …` */
import {
  DepositResponseSchema,
  PostTransactionResponseSchema,
  ReverseTransactionResponseSchema,
  TransactionCommandService,
  UpdateTransactionResponseSchema,
  WithdrawResponseSchema,
} from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { Direction } from '../../../gen/quittance/common/v1/transaction_pb.js';
import { UsageError } from '../../../lib/process/command-line.js';
import { readAmount } from '../amounts.js';
import { type FlagValues, idOf, maybe, many, one, position, text, value } from '../flags.js';
import { given } from '../given.js';
import { currencyIn } from '../money.js';
import type { Session } from '../session.js';
import { CALL_FLAGS, COMMAND_FLAGS, LEDGER_FLAGS } from '../shared-flags.js';
import { ANNOTATIONS } from '../sheets/annotations.js';
import { type Noun, verb } from '../verb.js';
import { printAnswer, printBooked } from './answer.js';
import { BOOKING_FLAGS, bookingFields, FORCE_FLAG, METADATA_FLAG, metadataOf, UP_TO_FLAG } from './fields.js';
import { transactionReads } from './transaction-reads.js';

const SHARED = { ...COMMAND_FLAGS, ...LEDGER_FLAGS, ...CALL_FLAGS };
const MOVED = {
  account: idOf('account', one('the account')),
  amount: one('how much, such as 100.00'),
  currency: maybe('its currency'),
};
const MOVE_FLAGS = {
  settlement: idOf(
    'account',
    text('account', 'the asset account on the other side (default: @settlement:CURRENCY)'),
  ),
  expectedVersion: value('number', 'refuse if the account has another version', position),
  ...BOOKING_FLAGS,
  ...SHARED,
};
const methods = TransactionCommandService.method;

interface Moved {
  readonly account: string;
  readonly amount: string;
  readonly currency?: string | undefined;
}

/** The fields of a message that moves money into the ledger or out of it. */
async function moveFields(
  session: Session,
  { account, amount, currency }: Moved,
  flags: FlagValues<typeof MOVE_FLAGS>,
) {
  return {
    ...session.commandHead(),
    accountId: account,
    amount: await readAmount(session, amount, currency),
    settlementAccountId: flags.settlement ?? '',
    ...given({ expectedVersion: flags.expectedVersion }),
    ...bookingFields(session, flags),
  };
}

const deposit = verb({
  name: 'deposit',
  summary: 'bring money into the ledger',
  positionals: MOVED,
  flags: MOVE_FLAGS,
  examples: [['quittance transaction deposit alice 100.00 EUR', 'to alice, from @settlement:EUR']],
  run: async (session, { args, flags }) => {
    const message = await session.send(methods.deposit, await moveFields(session, args, flags));
    return printBooked(session, DepositResponseSchema, message);
  },
});

const withdraw = verb({
  name: 'withdraw',
  summary: 'take money out of the ledger',
  positionals: MOVED,
  flags: { ...UP_TO_FLAG, ...MOVE_FLAGS },
  examples: [
    ['quittance transaction withdraw alice 100.00 EUR', 'from alice, to @settlement:EUR'],
    ['quittance transaction withdraw alice 100.00 EUR --up-to', 'what alice has, at most 100.00'],
  ],
  run: async (session, { args, flags }) => {
    const message = await session.send(methods.withdraw, {
      ...(await moveFields(session, args, flags)),
      upTo: flags.upTo ?? false,
    });
    return printBooked(session, WithdrawResponseSchema, message);
  },
});

const post = verb({
  name: 'post',
  summary: 'post entries of your own, which sum to zero per currency',
  positionals: { entries: many('such as debit:cash=25.00 and credit:sales=25.00, in one word each') },
  flags: {
    currency: text('code', 'of amounts that name none'),
    ...UP_TO_FLAG,
    ...FORCE_FLAG,
    ...BOOKING_FLAGS,
    ...SHARED,
  },
  examples: [
    ['quittance transaction post debit:cash=25.00 credit:sales=25.00 --currency EUR', 'two entries'],
    [
      "quittance transaction post 'debit:cash=25.00 EUR' 'credit:sales=25.00 EUR' --dry-run",
      'what would happen now',
    ],
  ],
  run: async (session, { args: { entries }, flags }) => {
    const message = await session.send(methods.postTransaction, {
      ...session.commandHead(),
      entries: await Promise.all(entries.map((typed) => entryOf(session, typed, flags.currency))),
      force: flags.force ?? false,
      upTo: flags.upTo ?? false,
      ...bookingFields(session, flags),
    });
    return printBooked(session, PostTransactionResponseSchema, message);
  },
});

async function entryOf(session: Session, typed: string, currency: string | undefined) {
  const [, side = '', accountId = '', amount = ''] = /^(debit|credit):([^=]+)=(.+)$/.exec(typed) ?? [];
  if (side === '')
    throw new UsageError(`${JSON.stringify(typed)} is no entry; write it as debit:ACCOUNT=25.00`);
  const direction = side === 'debit' ? Direction.DEBIT : Direction.CREDIT;
  return { accountId, direction, amount: await readAmount(session, amount, currencyIn(amount) ?? currency) };
}

const reverse = verb({
  name: 'reverse',
  summary: 'undo a posted transaction by one that mirrors it',
  positionals: { transaction: idOf('transaction', one('its id')) },
  flags: { ...FORCE_FLAG, ...BOOKING_FLAGS, ...SHARED },
  examples: [['quittance transaction reverse 0198… --dry-run', 'what would happen now']],
  run: async (session, { args: { transaction }, flags }) => {
    const message = await session.send(methods.reverseTransaction, {
      ...session.commandHead(),
      transactionId: transaction,
      force: flags.force ?? false,
      ...bookingFields(session, flags),
    });
    return printBooked(session, ReverseTransactionResponseSchema, message);
  },
});

const update = verb({
  name: 'update',
  summary: 'change the description or the metadata; what is not named stays',
  positionals: { transaction: idOf('transaction', one('its id')) },
  flags: { description: text('text', 'the new one'), ...METADATA_FLAG, ...SHARED },
  examples: [['quittance transaction update 0198… --description "sent twice"', 'only the description']],
  notes: ['Metadata is replaced as a whole: name every pair that is to stay.'],
  run: async (session, { args: { transaction }, flags: { description, metadata } }) => {
    const paths = Object.entries({ description, metadata }).flatMap(([path, typed]) =>
      typed === undefined ? [] : [path],
    );
    if (paths.length === 0) throw new UsageError('name what to change: --description or --metadata');
    const message = await session.send(methods.updateTransaction, {
      ...session.commandHead(),
      transactionId: transaction,
      updateMask: { paths },
      description: description ?? '',
      metadata: metadataOf(metadata),
    });
    const schema = UpdateTransactionResponseSchema;
    await printAnswer(session, ANNOTATIONS, message, { schema, message, decided: message });
    return undefined;
  },
});

export const TRANSACTION: Noun = {
  name: 'transaction',
  plural: 'transactions',
  summary: 'everything that moved money, or was declined',
  verbs: [deposit, withdraw, post, reverse, update, ...transactionReads],
};
