/** Finds out what was typed: a UUID is a transaction or a payment, digits a position, else an account, or a reference. */
import { createClient, type Transport } from '@connectrpc/connect';
import { AccountQueryService } from '../../../../gen/quittance/query/v1/account_query_service_pb.js';
import { TransactionQueryService } from '../../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { typedPosition } from '../numbers.js';
import { linkTo } from '../state/route.js';

/** Whether a text in small letters is the id of a transaction. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const REFERENCE = 'reference:';

/** Asks the server what a text is of that says nothing itself: of accounts first, then of references. */
export async function linkOfSearch(transport: Transport, ledgerId: string, typed: string): Promise<string> {
  const text = typed.trim();
  const id = text.toLowerCase();
  if (isUuid(id)) return linkTo('transaction', id);
  const position = typedPosition(text);
  if (position !== undefined) return linkTo('events', '', { until: String(position) });
  if (text.startsWith(REFERENCE)) return linkOfReference(text.slice(REFERENCE.length));
  const { accounts } = await createClient(AccountQueryService, transport).listAccounts({
    ledgerId,
    accountIdPrefix: text,
    pageSize: 2,
  });
  const [only, other] = accounts;
  if (only !== undefined && other === undefined) return linkTo('account', only.accountId);
  if (only !== undefined) return linkTo('accounts', '', { q: `prefix:${quoted(text)}` });
  const { transactions } = await createClient(TransactionQueryService, transport).listTransactions({
    ledgerId,
    reference: text,
    pageSize: 2,
  });
  const [found, more] = transactions;
  if (found !== undefined && more === undefined)
    return linkTo(found.payment === undefined ? 'transaction' : 'payment', found.transactionId);
  return linkOfReference(text);
}

/** The transactions of a reference. */
export function linkOfReference(reference: string): string {
  return linkTo('transactions', '', { q: `${REFERENCE}${quoted(reference)}` });
}

/** As the line of a filter takes it. */
function quoted(text: string): string {
  return /\s/.test(text) ? `"${text}"` : text;
}
