/** Reads of transactions: one, a list, a live tail. */
import { create } from '@bufbuild/protobuf';
import {
  DeclineReason,
  type Transaction,
  TransactionKind,
  TransactionStatus,
} from '../../../gen/quittance/common/v1/transaction_pb.js';
import {
  EntryRecordSchema,
  TransactionQueryService,
} from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { UsageError } from '../../../lib/process/command-line.js';
import { choice, idOf, one, several, text, wordsOf } from '../flags.js';
import { given } from '../given.js';
import { put } from '../io.js';
import { printPages } from '../pages.js';
import { printList, printOne, printWatch } from '../printer.js';
import type { Session } from '../session.js';
import {
  CALL_FLAGS,
  FRESHNESS_FLAGS,
  LEDGER_FLAGS,
  LIST_FLAGS,
  ORDER_FLAGS,
  WATCH_FLAGS,
} from '../shared-flags.js';
import { ENTRIES } from '../sheets/entries.js';
import { TRANSACTIONS } from '../sheets/transactions.js';
import { verb } from '../verb.js';
import { from } from './answer.js';
import { follow } from './follow.js';
import { RANGE_FLAGS, rangeOf } from './range.js';
import { ROW_FLAGS, rowFiltersOf } from './row-filters.js';

const SHARED = { ...FRESHNESS_FLAGS, ...LEDGER_FLAGS, ...CALL_FLAGS };
const methods = TransactionQueryService.method;

const get = verb({
  name: 'get',
  summary: 'show a transaction and its entries',
  positionals: { transaction: idOf('transaction', one('its id')) },
  flags: SHARED,
  examples: [['quittance transaction get 0198…', 'what moved, or why it was declined']],
  run: async (session, { args: { transaction: transactionId } }) => {
    const { ledger: ledgerId, io, format } = session;
    const { transaction, asOf } = await session.read(methods.getTransaction, (consistency) => ({
      ledgerId,
      transactionId,
      consistency,
    }));
    if (transaction === undefined) return undefined;
    await printOne(io, format, TRANSACTIONS, { row: transaction });
    if (format.form === 'table' && format.columns === undefined && transaction.entries.length > 0) {
      await put(io, '\n');
      await printList(
        io,
        format,
        ENTRIES,
        from(transaction.entries.map((entry) => recordOf(transaction, entry))),
      );
    }
    session.sayAsOf(asOf);
    return undefined;
  },
});

/** An entry with what a list of entries says about its transaction. */
function recordOf(transaction: Transaction, entry: Transaction['entries'][number]) {
  const { transactionId, kind, position, effectiveTime, recordedTime } = transaction;
  const times = given({ effectiveTime, recordedTime });
  return create(EntryRecordSchema, { entry, transactionId, kind, position, ...times });
}

const list = verb({
  name: 'list',
  summary: 'list transactions, the oldest first',
  positionals: {},
  flags: {
    account: idOf('account', text('account', 'only with an entry of this account')),
    kind: several(choice('kind', 'only of this kind', wordsOf<TransactionKind>(TransactionKind))),
    status: choice('status', 'only of this status', wordsOf<TransactionStatus>(TransactionStatus)),
    reason: choice('reason', 'only declined for this reason', wordsOf<DeclineReason>(DeclineReason)),
    reference: text('text', 'only of this reference'),
    payment: idOf('payment', text('payment', 'only of this payment')),
    ...ROW_FLAGS,
    ...RANGE_FLAGS,
    ...WATCH_FLAGS,
    ...ORDER_FLAGS,
    ...LIST_FLAGS,
    ...SHARED,
  },
  examples: [
    ['quittance transaction list --desc --limit 10', 'the last ten'],
    [
      'quittance transaction list --account alice --status declined --from -7d --all -o csv',
      'for a spreadsheet',
    ],
    [
      'quittance transaction list --kind refund --kind reversal --min 100.00 --currency EUR',
      'two kinds, of 100 EUR and more',
    ],
    ['quittance transaction list --metadata order=17 --desc', 'the latest of an order first'],
    ['quittance transaction list --account alice -w', 'from now on, as they come'],
  ],
  run: async (session, { flags }) => {
    if (flags.watch === true) return watch(session, flags);
    const { ledger: ledgerId } = session;
    const filter = {
      ledgerId,
      accountId: flags.account ?? '',
      kinds: [...(flags.kind ?? [])],
      status: flags.status ?? TransactionStatus.UNSPECIFIED,
      reference: flags.reference ?? '',
      paymentId: flags.payment ?? '',
      declineReason: flags.reason ?? DeclineReason.UNSPECIFIED,
      descending: flags.desc ?? false,
      ...(await rowFiltersOf(session, flags)),
      ...rangeOf(session, flags),
    };
    await printPages(session, TRANSACTIONS, async (page) => {
      const answer = await session.read(methods.listTransactions, (consistency) => ({
        ...filter,
        consistency,
        ...page,
      }));
      return { rows: answer.transactions, nextPageToken: answer.nextPageToken, asOf: answer.asOf };
    });
    return undefined;
  },
});

/** The server watches a ledger or an account: any other filter would be ignored, so it is refused. */
async function watch(
  session: Session,
  { account, watch: _watch, ...others }: Readonly<Record<string, unknown>>,
): Promise<undefined> {
  const [refused] = WATCH_REFUSES.filter((name) => others[name] !== undefined);
  if (refused !== undefined)
    throw new UsageError(`--${refused} does not go with -w, which takes --account only`);
  const { ledger: ledgerId } = session;
  let resumeToken = '';
  const answers = follow(session, () =>
    session.stream('query', methods.watchTransactions, {
      ledgerId,
      accountId: typeof account === 'string' ? account : '',
      resumeToken,
    }),
  );
  async function* transactions(): AsyncGenerator<Transaction> {
    for await (const answer of answers) {
      resumeToken = answer.resumeToken;
      if (answer.transaction !== undefined) yield answer.transaction;
    }
  }
  await printWatch(session.io, session.format, TRANSACTIONS, transactions());
  return undefined;
}

const WATCH_REFUSES = [
  'kind',
  'status',
  'reason',
  'reference',
  'payment',
  ...Object.keys(ROW_FLAGS),
  'from',
  'to',
  'desc',
  'limit',
  'all',
];

export const transactionReads = [get, list];
