/** Accounts with their last line, in order of opening. */
import { AccountStatus, AccountType } from '../../../../../gen/quittance/common/v1/account_pb.js';
import type { AccountListing } from '../../view.js';
import { accountColumns, lastLine } from '../sql/read.sql.js';
import { Filter, type Statement } from './filter.js';

export function listAccounts(schema: string, listing: AccountListing): Statement {
  const filter = new Filter();
  const partition = filter.param(listing.partition);
  filter.add(`a.ledger_id = ${filter.param(listing.ledgerId)}`);
  filter.through('a.opened_position', listing.through);
  filter.after('a.opened_position', listing.after);
  filter.prefix('a.account_id', listing.idPrefix);
  filter.equal('a.currency', listing.currency, '');
  filter.equal('a.type', listing.type, AccountType.UNSPECIFIED);
  filter.equal('a.status', listing.status, AccountStatus.UNSPECIFIED);
  filter.equalText('a.owner_reference', listing.ownerReference);
  const rows = `
  select ${accountColumns} from ${schema}.accounts a
  cross join lateral (${lastLine(schema)}) v
  ${filter.where}
  order by a.opened_position limit ${filter.param(listing.limit)}`;
  return filter.page(schema, partition, rows, 'd.opened_position');
}
