/** Amounts of a ledger: in currencies of ISO 4217, or in its own assets, whose digits the ledger says. */
import { LedgerQueryService } from '../../gen/quittance/query/v1/ledger_query_service_pb.js';
import { currencyExponent } from '../../lib/base/currency.js';
import { type Amount, currencyIn, type ExponentOf, isCurrencyCode, readMoney } from './money.js';
import type { Session } from './session.js';

const PAGE_ROWS = 1_000;

/** Reads `25.00 EUR` or `0.5 BTC`, as one word or two. The ledger is asked only for what ISO 4217 does not list. @throws UsageError */
export async function readAmount(session: Session, typed: string, currency?: string): Promise<Amount> {
  const code = currencyIn(typed) ?? currency;
  const isKnown = code === undefined || !isCurrencyCode(code) || currencyExponent(code) !== undefined;
  return readMoney(typed, currency, isKnown ? currencyExponent : await exponentsOf(session));
}

/** The decimal digits of every currency and every asset of the ledger. */
export async function exponentsOf(session: Session): Promise<ExponentOf> {
  const { ledger: ledgerId } = session;
  const assets = new Map<string, number>();
  let pageToken = '';
  do {
    const page = { pageSize: PAGE_ROWS, pageToken };
    const answer = await session.read(LedgerQueryService.method.listAssets, (consistency) => ({
      ledgerId,
      consistency,
      ...page,
    }));
    for (const { code, exponent } of answer.assets) assets.set(code, exponent);
    pageToken = answer.nextPageToken;
  } while (pageToken !== '');
  return (code) => currencyExponent(code) ?? assets.get(code);
}
