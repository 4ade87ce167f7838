/** Which pages there are, in the order of the navigation. */
import type { ComponentType } from 'react';
import { AccountPage } from '../pages/account.js';
import { AccountsPage } from '../pages/accounts.js';
import { OverviewPage } from '../pages/overview.js';
import { TransactionPage } from '../pages/transaction.js';
import { TransactionsPage } from '../pages/transactions.js';

export interface PageEntry {
  readonly name: string;
  readonly title: string;
  /** After `g`; undefined: it is reached through another page. */
  readonly key?: string;
  /** Pages that belong to it. */
  readonly also?: readonly string[];
  readonly component: ComponentType;
}

export const PAGES: readonly PageEntry[] = [
  { name: 'overview', title: 'Overview', key: 'o', component: OverviewPage },
  {
    name: 'transactions',
    title: 'Transactions',
    key: 't',
    also: ['transaction'],
    component: TransactionsPage,
  },
  { name: 'transaction', title: 'Transaction', component: TransactionPage },
  { name: 'accounts', title: 'Accounts', key: 'a', also: ['account'], component: AccountsPage },
  { name: 'account', title: 'Account', component: AccountPage },
];
