/** An operator's questions, answered by the console: who, why, how much is held, what is closed, what a receiver did not take. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { AccountCommandService } from '../../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { ScheduleService } from '../../../gen/quittance/command/v1/schedule_service_pb.js';
import { TransactionCommandService } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { WebhookService } from '../../../gen/quittance/ops/v1/webhook_service_pb.js';
import { Direction } from '../../../gen/quittance/common/v1/transaction_pb.js';
import { startPlatform, type TestPlatform } from '../../standalone/test/platform.js';
import { type Receiver, startReceiver, status, SUCCESS } from '../../webhooks/test/receiver.js';
import {
  buildConsole,
  expectAccessible,
  HAS_BROWSER,
  launch,
  openTab,
  sayWithoutBrowser,
  TEST_LIMIT_MS,
  type Watched,
} from './browser.js';

const LEDGER = 'books';
const EUR = (minorUnits: bigint) => ({ currency: 'EUR', minorUnits });

sayWithoutBrowser();
// Pages wait for a browser, a server and its views on one machine.
jest.setTimeout(TEST_LIMIT_MS);

(HAS_BROWSER ? describe : describe.skip)('an operator', () => {
  let platform: TestPlatform;
  let receiver: Receiver;
  let browser: Browser;
  let context: BrowserContext;
  let tab: Watched;
  let page: Page;

  beforeAll(async () => {
    receiver = await startReceiver(status(500));
    [platform, browser] = await Promise.all([
      startPlatform({ console: 'on', webhooks: { networks: ['127.0.0.0/8'] } }),
      launch(),
      buildConsole(),
    ]);
    await fill(platform);
    context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    tab = await openTab(context, `${platform.connectUrl}/console/`);
    page = tab.page;
  });

  afterAll(async () => {
    await browser.close();
    await platform.stop();
    await receiver.close();
  });

  const open = async (path: string, heading: string) => {
    await page.goto(`${platform.connectUrl}/console/#/${LEDGER}/${path}`);
    await page.getByRole('heading', { level: 1, name: heading }).waitFor();
  };
  const rows = (name: string) => page.getByRole('table', { name }).getByRole('row');

  test('sees on the overview which hold expires next, without looking for it', async () => {
    await page.getByRole('heading', { level: 1, name: LEDGER }).waitFor();
    const holds = page.getByRole('region', { name: 'Open holds' }).getByRole('row');
    await holds.filter({ hasText: 'hotel-1' }).getByText('30.00 EUR').waitFor();
    expect(await holds.count()).toBe(2);
    await expectAccessible(page);
  });

  test('finds a payment by its reference in the search, and an account by how it begins', async () => {
    const search = async (text: string) => {
      await page.getByRole('textbox', { name: 'Search' }).fill(text);
      await page.keyboard.press('Enter');
    };
    await search('hotel-1');
    await page.getByRole('heading', { level: 1, name: 'Payment' }).waitFor();
    await page.getByText('hotel-1').waitFor();
    await search('shop');
    await page.getByRole('heading', { level: 1, name: 'shop' }).waitFor();
    await search('order 1');
    await page.getByRole('heading', { level: 1, name: 'Payment' }).waitFor();
    await search('of-nothing');
    await page.getByText('No transaction is so.').waitFor();
  });

  test('reads why a payment was declined: what was asked for, what there was, and by how much it was short', async () => {
    await open('transactions?q=reason:insufficient_funds', 'Transactions');
    await page.locator('[data-row]').first().click();
    const why = page.getByRole('region', { name: 'Why it was declined' });
    await why.getByText('9,927.50 EUR').waitFor();
    expect(await why.innerText()).toMatch(
      /Asked for\s+9,999\.00 EUR.*Available then\s+71\.50 EUR.*Short by/s,
    );
    expect(await page.getByText('Entries that were asked for').count()).toBe(1);
    expect(await page.getByRole('columnheader', { name: 'Balance after' }).count()).toBe(0);
    await expectAccessible(page);
    await why.getByRole('link', { name: 'pinned at' }).click();
    await page.getByRole('button', { name: /^pinned at \d+ · / }).click();
  });

  test('finds who forced a payment, and filters by kinds, amounts, metadata and the caller', async () => {
    await open('transactions', 'Transactions');
    await page.getByRole('button', { name: 'forced', exact: true }).click();
    const forced = rows('Transactions').filter({ hasText: 'by-force' });
    await forced.getByText('posted, forced').waitFor();
    expect(await forced.getByText('anonymous').count()).toBe(1);
    expect(await rows('Transactions').count()).toBe(2);
    const listed = async (q: string, reference: string, count: number) => {
      await open(`transactions?q=${encodeURIComponent(q)}`, 'Transactions');
      await rows('Transactions').filter({ hasText: reference }).waitFor();
      expect({ q, count: await rows('Transactions').count() }).toEqual({ q, count: count + 1 });
    };
    await listed('kind:authorization,journal', 'hotel-1', 2);
    await listed('min:30.00 max:30.00 currency:eur', 'hotel-1', 1);
    await listed('metadata:channel=web', 'order 1', 1);
    await listed('reference:"order 1" actor:anonymous', 'order 1', 1);
    await open('transactions?q=min:30', 'Transactions');
    await page.getByRole('alert').filter({ hasText: 'min: needs currency:' }).waitFor();
    await open('accounts?q=currency:EUR+type:liability+max:-0.01', 'Accounts');
    await rows('Accounts').getByRole('link', { name: 'poor' }).waitFor();
    expect(await rows('Accounts').count()).toBe(2);
    await page.keyboard.press('c');
    await page.getByText('--max-posted=-0.01').waitFor();
    await page.keyboard.press('Escape');
  });

  test('points at a row that stays where it is while others come in', async () => {
    await open('transactions?q=kind:deposit', 'Transactions');
    await page
      .getByRole('status')
      .filter({ hasText: /^live$/ })
      .waitFor();
    await page.locator('[data-row]').last().hover();
    await deposit(platform, 'meanwhile');
    await page.getByRole('status').filter({ hasText: 'live, 1 new above' }).waitFor();
    expect(await page.getByText('meanwhile').count()).toBe(0);
    await page.getByRole('heading', { level: 1 }).hover();
    await rows('Transactions').filter({ hasText: 'meanwhile' }).waitFor();
  });

  test('sees what is new in a list of events or accounts that is left open', async () => {
    await open('events', 'Events');
    await page.locator('[data-row]').first().waitFor();
    await platform.grpc(AccountCommandService).openAccount(account('opened-later'));
    await rows('Events').filter({ hasText: 'opened-later' }).waitFor();
  });

  test('sets limits of an account, and leaves the rest of it as it is', async () => {
    await open('account/alice', 'alice');
    await page.getByRole('button', { name: 'Change…' }).click();
    const drawer = page.getByRole('dialog', { name: 'Change an account' });
    await drawer.getByRole('button', { name: 'Preview' }).click();
    await drawer.getByRole('alert').filter({ hasText: 'nothing is changed' }).waitFor();
    await drawer.getByText('Limits', { exact: true }).click();
    await drawer.getByLabel('Debits of a day', { exact: true }).fill('500.00');
    await drawer.getByLabel('Number of debits of a month').fill('20');
    await expectAccessible(page);
    await send();
    await page.getByText('More of the account').click();
    await page.getByText('Debits of the day').waitFor();
    await page.getByText('0.00 of 500.00').waitFor();
    await page.getByText('0 of 20').waitFor();
    await page.getByText('crm-7').waitFor();
  });

  test('has the accounts offered that begin so, and their currency filled in', async () => {
    await open('overview', LEDGER);
    await page.keyboard.press('n');
    const drawer = page.getByRole('dialog', { name: 'Pay' });
    await drawer.getByLabel('From account').fill('ali');
    await drawer.locator('#accounts-payerAccountId option[value="alice"]').waitFor({ state: 'attached' });
    await drawer.getByLabel('From account').fill('alice');
    await drawer.locator('input[name="amount.currency"]').and(page.locator('[value="EUR"]')).waitFor();
    await page.goBack();
    await drawer.waitFor({ state: 'detached' });
  });

  test('closes a period after a look at its trial balance, and reopens it for a reason', async () => {
    await open('reports', 'Reports');
    const periods = page.getByRole('region', { name: 'Closed periods' });
    await periods.getByText('Nothing is closed').waitFor();
    await periods.getByRole('button', { name: 'Close a period…' }).click();
    const drawer = page.getByRole('dialog', { name: 'Close a period' });
    await drawer.getByLabel('Closed through').fill('2020-13-40');
    await drawer.getByRole('button', { name: 'Preview' }).click();
    await drawer.getByRole('alert').filter({ hasText: 'a day such as' }).waitFor();
    await drawer.getByLabel('Closed through').fill('2020-12-31');
    await drawer.getByLabel('Description').fill('The year 2020');
    await send();
    await periods.getByText('2020-12-31 23:59:59.999999 UTC').first().waitFor();
    await periods.getByText('The year 2020').waitFor();
    await expectAccessible(page);
    await periods.getByRole('button', { name: 'Reopen…' }).click();
    await page.getByRole('dialog').getByLabel('Why').fill('an invoice came late');
    await send();
    await periods.getByText('Nothing is closed').waitFor();
  });

  test('sees what a balance was over the last hours', async () => {
    await open('account/alice?tab=over+time&by=hours', 'alice');
    const history = page.getByRole('region', { name: 'Balance over time', exact: true });
    await history.getByRole('img', { name: /^Balance at the end of each of 48 hours/ }).waitFor();
    expect(await history.getByRole('row').count()).toBe(49);
    await page.getByLabel('Compare with position or time').fill('someday');
    await page.getByRole('button', { name: 'Compare' }).click();
    await page.getByRole('alert').filter({ hasText: 'a position, a day, a time' }).waitFor();
    await page.getByLabel('Compare with position or time').fill('2999-01-01');
    await page.getByRole('button', { name: 'Compare' }).click();
    await page.getByText(/changed by/).waitFor();
    await expectAccessible(page);
  });

  test('sends once more what a receiver did not take', async () => {
    const { webhookId } = { webhookId: 'orders' };
    const webhook = { ledgerId: LEDGER, webhookId, url: receiver.url, retryPeriodSeconds: 0 };
    await platform.grpc(WebhookService).createWebhook(webhook);
    await deposit(platform, 'not-taken');
    await open('webhooks', 'Webhooks');
    const part = page.getByRole('region', { name: webhookId, exact: true });
    await part.getByText('HTTP 500').first().waitFor();
    await part.getByRole('button', { name: 'Send 1 event once more' }).waitFor();
    await expectAccessible(page);
    receiver.answer(SUCCESS);
    await part.getByRole('button', { name: 'Send 1 event once more' }).click();
    await part.getByText('none', { exact: true }).waitFor();
    expect(receiver.taken).toHaveLength(1);
    await part.getByRole('button', { name: 'Pause' }).click();
    await part.getByText('paused: paused in the console').waitFor();
  });

  test('sees what is paid by a schedule, pauses it, and cancels it for good', async () => {
    await open('schedules', 'Schedules');
    await page.getByText('quittance schedule create').waitFor();
    const payment = { payerAccountId: 'alice', payeeAccountId: 'shop', amount: EUR(800n), reference: 'rent' };
    const seconds = BigInt(Date.UTC(2090, 0, 1) / 1_000);
    await platform.grpc(ScheduleService).createSchedule({
      ledgerId: LEDGER,
      requestId: randomUUID(),
      scheduleId: 'rent',
      payment,
      timing: { case: 'at', value: { seconds } },
    });
    await rows('Schedules').getByRole('link', { name: 'rent' }).waitFor();
    await expectAccessible(page);
    await rows('Schedules').getByRole('link', { name: 'rent' }).click();
    await page.getByText('2090-01-01 00:00:00.000000 UTC').waitFor();
    await page.getByText('8.00 EUR').waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('paused: paused in the console').waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Cancel…' }).click();
    await page.getByRole('button', { name: 'Cancel rent' }).click();
    await page.getByText('cancelled').first().waitFor();
    expect(await page.getByRole('button', { name: /Pause|Resume|Cancel/ }).count()).toBe(0);
  });

  test('reads a note where a list cannot show what a pin asks for', async () => {
    await open('accounts?at=5', 'Accounts');
    await page.getByRole('note').filter({ hasText: 'present balances' }).waitFor();
    expect(tab.complaints).toEqual([]);
  });

  test('keeps the frame when one page cannot be drawn', async () => {
    await page.evaluate(`localStorage.setItem('quittance.proofs',
      JSON.stringify({ ${LEDGER}: { isOk: true, position: 'none', hash: '', time_ms: 1 } }))`);
    await page.reload();
    await open('proof', 'This page could not be drawn');
    await page.getByRole('link', { name: 'Accounts' }).click();
    await rows('Accounts').getByRole('link', { name: 'alice' }).waitFor();
  });

  /** Previews and sends what the drawer has, then shuts it. */
  async function send(): Promise<void> {
    const drawer = page.getByRole('dialog').and(page.locator('[open]'));
    await drawer.getByRole('button', { name: 'Preview' }).click();
    await drawer.getByRole('region', { name: 'Preview' }).waitFor();
    await drawer.getByRole('button', { name: 'Send' }).click();
    await drawer.getByText('committed').waitFor();
    await drawer.getByRole('button', { name: 'Done' }).click();
  }
});

const account = (accountId: string) => ({
  ledgerId: LEDGER,
  requestId: randomUUID(),
  accountId,
  currency: 'EUR',
  ownerReference: 'crm-7',
});

/** Into an account that no other test looks at. */
async function deposit(platform: TestPlatform, reference: string): Promise<void> {
  const common = { ledgerId: LEDGER, requestId: randomUUID(), reference };
  await platform.grpc(TransactionCommandService).deposit({ ...common, accountId: 'shop', amount: EUR(100n) });
}

async function fill(platform: TestPlatform): Promise<void> {
  const common = () => ({ ledgerId: LEDGER, requestId: randomUUID() });
  const between = { payerAccountId: 'alice', payeeAccountId: 'shop' };
  await platform.grpc(LedgerCommandService).createLedger(common());
  for (const accountId of ['alice', 'shop', 'poor'])
    await platform.grpc(AccountCommandService).openAccount(account(accountId));
  const transactions = platform.grpc(TransactionCommandService);
  await transactions.deposit({ ...common(), accountId: 'alice', amount: EUR(12_650n) });
  const order = { reference: 'order 1', metadata: { channel: 'web' } };
  await transactions.submitPayment({ ...common(), ...between, amount: EUR(2_500n), ...order });
  const hold = { ...common(), ...between, amount: EUR(3_000n), reference: 'hotel-1' };
  await transactions.authorizePayment(hold);
  const tooMuch = { ...common(), ...between, amount: EUR(999_900n), reference: 'too-much' };
  await transactions.submitPayment(tooMuch);
  const sides = [
    { accountId: 'poor', direction: Direction.DEBIT, amount: EUR(500n) },
    { accountId: 'shop', direction: Direction.CREDIT, amount: EUR(500n) },
  ];
  const taken = { ...common(), entries: sides, reference: 'by-force', force: true };
  await transactions.postTransaction(taken);
}
