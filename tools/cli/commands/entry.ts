/** `quittance entry …` */
import { Direction, TransactionKind } from '../../../gen/quittance/common/v1/transaction_pb.js';
import { TransactionQueryService } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { choice, idOf, several, text, wordsOf } from '../flags.js';
import { printPages } from '../pages.js';
import { CALL_FLAGS, FRESHNESS_FLAGS, LEDGER_FLAGS, LIST_FLAGS, ORDER_FLAGS } from '../shared-flags.js';
import { ENTRIES } from '../sheets/entries.js';
import { type Noun, verb } from '../verb.js';
import { RANGE_FLAGS, rangeOf } from './range.js';
import { ROW_FLAGS, rowFiltersOf } from './row-filters.js';

const list = verb({
  name: 'list',
  summary: 'list entries, the oldest first',
  positionals: {},
  flags: {
    account: idOf('account', text('account', 'only of this account')),
    kind: several(
      choice('kind', 'only of transactions of this kind', wordsOf<TransactionKind>(TransactionKind)),
    ),
    direction: choice('side', 'only of this side', wordsOf<Direction>(Direction)),
    transaction: text('transaction', 'only of this transaction'),
    ...ROW_FLAGS,
    ...RANGE_FLAGS,
    ...ORDER_FLAGS,
    ...LIST_FLAGS,
    ...FRESHNESS_FLAGS,
    ...LEDGER_FLAGS,
    ...CALL_FLAGS,
  },
  examples: [
    ['quittance entry list --account alice --direction debit --from -7d', 'what went out this week'],
  ],
  run: async (session, { flags }) => {
    const filter = {
      ledgerId: session.ledger,
      accountId: flags.account ?? '',
      kinds: [...(flags.kind ?? [])],
      direction: flags.direction ?? Direction.UNSPECIFIED,
      transactionId: flags.transaction ?? '',
      descending: flags.desc ?? false,
      ...(await rowFiltersOf(session, flags)),
      ...rangeOf(session, flags),
    };
    await printPages(session, ENTRIES, async (page) => {
      const answer = await session.read(TransactionQueryService.method.listEntries, (consistency) => ({
        ...filter,
        consistency,
        ...page,
      }));
      return { rows: answer.entries, nextPageToken: answer.nextPageToken, asOf: answer.asOf };
    });
    return undefined;
  },
});

export const ENTRY: Noun = {
  name: 'entry',
  plural: 'entries',
  summary: 'the debits and credits of transactions',
  verbs: [list],
};
