/** Which pages there are, in the order of the navigation. */
import type { ComponentType } from 'react';
import { AccountPage } from '../pages/account.js';
import { AccountsPage } from '../pages/accounts.js';
import { EventPage } from '../pages/event.js';
import { EventsPage } from '../pages/events.js';
import { OverviewPage } from '../pages/overview.js';
import { PaymentPage } from '../pages/payment.js';
import { PaymentsPage } from '../pages/payments.js';
import { PlaygroundPage } from '../pages/playground.js';
import { ProofPage } from '../pages/proof.js';
import { ReadModelsPage } from '../pages/read-models.js';
import { ReportsPage } from '../pages/reports.js';
import { SchedulePage, SchedulesPage } from '../pages/schedules.js';
import { SystemPage } from '../pages/system.js';
import { TransactionPage } from '../pages/transaction.js';
import { TransactionsPage } from '../pages/transactions.js';
import { WebhooksPage } from '../pages/webhooks.js';

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
  { name: 'payments', title: 'Payments', key: 'h', also: ['payment'], component: PaymentsPage },
  { name: 'transaction', title: 'Transaction', component: TransactionPage },
  { name: 'accounts', title: 'Accounts', key: 'a', also: ['account'], component: AccountsPage },
  { name: 'account', title: 'Account', component: AccountPage },
  { name: 'payment', title: 'Payment', component: PaymentPage },
  { name: 'events', title: 'Events', key: 'e', also: ['event'], component: EventsPage },
  { name: 'event', title: 'Event', component: EventPage },
  { name: 'reports', title: 'Reports', key: 'r', component: ReportsPage },
  { name: 'read-models', title: 'Read models', key: 'm', component: ReadModelsPage },
  {
    name: 'schedules',
    title: 'Schedules',
    key: 'd',
    also: ['schedule'],
    component: SchedulesPage,
  },
  { name: 'schedule', title: 'Schedule', component: SchedulePage },
  { name: 'webhooks', title: 'Webhooks', key: 'w', component: WebhooksPage },
  { name: 'system', title: 'System', key: 's', component: SystemPage },
  { name: 'proof', title: 'Proof', key: 'p', component: ProofPage },
  { name: 'playground', title: 'Playground', key: 'y', component: PlaygroundPage },
];
