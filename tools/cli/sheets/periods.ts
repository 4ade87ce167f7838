/** How closed periods and their trial balances are shown. */
import { AccountType } from '../../../gen/quittance/common/v1/account_pb.js';
import {
  type ClosedPeriod,
  ClosedPeriodSchema,
  type PeriodTotal,
  PeriodTotalSchema,
} from '../../../gen/quittance/common/v1/period_pb.js';
import { hexOf } from '../../../lib/base/bytes.js';
import { wordOf } from '../flags.js';
import { decimalOf } from '../money.js';
import { jsonOf, type Sheet } from '../sheet.js';
import { briefOf, isoOf } from '../when.js';

export const PERIODS: Sheet<ClosedPeriod> = {
  columns: [
    { name: 'ledger', of: ({ ledgerId }) => ledgerId },
    { name: 'closed-through', of: ({ closedThrough }) => isoOf(closedThrough) },
    { name: 'description', of: ({ description }) => description },
    {
      name: 'closed',
      of: ({ closeTime }) => isoOf(closeTime),
      brief: ({ closeTime }) => briefOf(closeTime),
      isWide: true,
    },
    { name: 'position', of: ({ position }) => String(position), isRight: true, isWide: true },
    { name: 'log-hash', of: ({ logHash }) => hexOf(logHash), isWide: true },
    { name: 'totals-hash', of: ({ totalsHash }) => hexOf(totalsHash), isWide: true },
  ],
  id: ({ closedThrough }) => isoOf(closedThrough),
  json: (period) => jsonOf(ClosedPeriodSchema, period),
};

export const PERIOD_TOTALS: Sheet<PeriodTotal> = {
  columns: [
    { name: 'type', of: ({ accountType }) => wordOf(AccountType, accountType) },
    { name: 'debits', of: ({ debits, exponent }) => decimalOf(debits, exponent), isRight: true },
    { name: 'credits', of: ({ credits, exponent }) => decimalOf(credits, exponent), isRight: true },
    { name: 'currency', of: ({ currency }) => currency },
  ],
  id: ({ currency, accountType }) => `${currency} ${wordOf(AccountType, accountType)}`,
  json: (total) => jsonOf(PeriodTotalSchema, total),
};
