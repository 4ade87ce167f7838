import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { currencyExponent } from '../../../lib/base/currency.js';
import { accountsChangedBy } from '../../../lib/log/account-of.js';
import { settlementAccountOf } from '../../../lib/log/settlement-account.js';
import { fail } from '../../../lib/rpc/errors.js';
import type { QueryContext } from '../context.js';
import { requireLedgerInLog } from './answers.js';

/**
 * The unit of a currency that a query names; empty for none. Of an asset the log says it, where the stream of its settlement
 * account begins with it: so that a view that is behind answers as of its own position, and not that there is no such asset.
 * @throws CallError UNKNOWN_CURRENCY, LEDGER_NOT_FOUND
 */
export async function requestedUnit(
  { log }: Pick<QueryContext, 'log'>,
  { ledgerId, currency }: { readonly ledgerId: string; readonly currency: string },
): Promise<string> {
  if (currency === '' || currencyExponent(currency) !== undefined) return currency;
  const streamId = settlementAccountOf(currency);
  const [registered] = await log.page({ after: -1n, through: null, limit: 1, ledgerId, streamId });
  const unit = registered === undefined ? undefined : accountsChangedBy(registered.event)[0]?.currency;
  if (unit !== undefined) return unit;
  await requireLedgerInLog({ log }, ledgerId);
  const description = `${currency} is neither a currency of ISO 4217 nor an asset of the ledger`;
  throw fail(ErrorReason.UNKNOWN_CURRENCY, `currency: ${description}`, {
    fields: [{ field: 'currency', description }],
  });
}
