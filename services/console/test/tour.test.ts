/** The console in a real browser, before a real platform. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { AccountCommandService } from '../../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { TransactionCommandService } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { createPool } from '../../../lib/log/postgres-client.js';
import { startPlatform, type TestPlatform } from '../../standalone/test/platform.js';
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

(HAS_BROWSER ? describe : describe.skip)('the console', () => {
  let platform: TestPlatform;
  let browser: Browser;
  let context: BrowserContext;
  let tab: Watched;
  let page: Page;

  beforeAll(async () => {
    [platform, browser] = await Promise.all([startPlatform({ console: 'on' }), launch(), buildConsole()]);
    await fill(platform);
    context = await browser.newContext();
    tab = await openTab(context, `${platform.connectUrl}/console/`);
    page = tab.page;
  });

  afterAll(async () => {
    await browser.close();
    await platform.stop();
  });

  const open = async (path: string, heading: string) => {
    await page.goto(`${platform.connectUrl}/console/#/${LEDGER}/${path}`);
    await page.getByRole('heading', { level: 1, name: heading }).waitFor();
  };

  test('the overview shows what has moved', async () => {
    await page.getByRole('heading', { level: 1, name: LEDGER }).waitFor();
    await page.getByText('declined: insufficient funds').waitFor();
    await page.getByRole('region', { name: 'Read models' }).getByText('running').first().waitFor();
    await expectAccessible(page);
  });

  test('a transaction that is declined is found by a filter, with its reason, amount and accounts', async () => {
    await open('transactions?q=status:declined', 'Transactions');
    const row = page.getByRole('row').nth(1);
    await row.getByText('declined: insufficient funds').waitFor();
    expect(await row.getByText('9,999.00 EUR').count()).toBe(1);
    expect(await row.getByRole('link', { name: 'alice' }).count()).toBe(1);
    await expectAccessible(page);
  });

  test('a filter that the list does not take is an error that names those it takes', async () => {
    await open('transactions?q=colour:red', 'Transactions');
    await page.getByRole('alert').filter({ hasText: 'kind: status: account:' }).waitFor();
  });

  test('a transaction shows its entries with the balance after each', async () => {
    await open('transactions?q=kind:payment+status:posted', 'Transactions');
    await page.locator('[data-row]').first().click();
    await page.getByRole('heading', { level: 1, name: 'payment' }).waitFor();
    const rows = page.getByRole('region', { name: 'Table of entries' }).getByRole('row');
    expect(await rows.nth(1).innerText()).toMatch(/alice\s+25\.00\s+EUR\s+75\.00/);
    expect(await rows.nth(2).innerText()).toMatch(/shop\s+25\.00\s+EUR\s+25\.00/);
    await expectAccessible(page);
  });

  test('an account shows what it has, and what it had at a position', async () => {
    await open('accounts', 'Accounts');
    await page.getByRole('link', { name: 'alice' }).click();
    const figures = page.locator('dl.figures');
    await figures.getByText('75.00').first().waitFor();
    await expectAccessible(page);
    await page.keyboard.press('t');
    await page.getByLabel('at position').fill('5');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: /pinned at/ }).waitFor();
    await figures.getByText('100.00').first().waitFor();
    expect(await page.getByLabel('Transactions').getByRole('row').count()).toBe(2);
    await page.getByRole('button', { name: /pinned at/ }).click();
    await figures.getByText('75.00').first().waitFor();
  });

  test('what is committed comes in live', async () => {
    await open('transactions', 'Transactions');
    await page.getByRole('status').filter({ hasText: /^live/ }).waitFor();
    await pay(platform, 'alice', 'shop', 137n, 'just-now');
    await page.getByRole('row').filter({ hasText: 'just-now' }).getByText('1.37 EUR').waitFor();
  });

  test('the keyboard leads to every page and through a list', async () => {
    await page.keyboard.press('g');
    await page.keyboard.press('a');
    await page.getByRole('heading', { level: 1, name: 'Accounts' }).waitFor();
    await page.locator('[data-row]').first().waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.locator('dl.figures').waitFor();
  });

  test('a payment is previewed with its effect, and a double click does it once', async () => {
    await open('account/alice', 'alice');
    await page.getByRole('button', { name: 'Pay…' }).click();
    const drawer = page.getByRole('dialog', { name: 'Pay' });
    await drawer.getByLabel('To account').fill('shop');
    await drawer.getByLabel('Amount', { exact: true }).fill('10.005');
    await drawer.getByRole('button', { name: 'Preview' }).click();
    await drawer.getByRole('alert').filter({ hasText: 'at most 2 digits' }).waitFor();
    await drawer.getByLabel('Amount', { exact: true }).fill('10.00');
    await drawer.getByLabel('Reference').fill('clicked-twice');
    await drawer.getByRole('button', { name: 'Preview' }).click();
    const row = drawer.getByRole('region', { name: 'Preview' }).getByRole('row').filter({ hasText: 'alice' });
    await row.waitFor();
    expect(await row.innerText()).toMatch(/alice\s+73\.63\s+63\.63\s+73\.63\s+63\.63/);
    await expectAccessible(page);
    await drawer.getByRole('button', { name: 'Send' }).dblclick();
    await drawer.getByText('replayed').waitFor();
    await page.keyboard.press('Escape');
    await open('transactions?q=reference:clicked-twice', 'Transactions');
    await page.getByText('10.00 EUR').waitFor();
    expect(await page.getByLabel('Transactions').getByRole('row').count()).toBe(2);
  });

  test('a payment can be refunded from its page, up to what was captured', async () => {
    await open('transactions?q=reference:clicked-twice', 'Transactions');
    await page.locator('[data-row]').first().click();
    await page.getByRole('heading', { level: 2, name: 'Payment' }).getByRole('link').click();
    await page.getByRole('heading', { level: 1, name: 'Payment' }).waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Refund…' }).click();
    const drawer = page.getByRole('dialog', { name: 'Refund' });
    expect(await drawer.getByLabel('Amount', { exact: true }).inputValue()).toBe('10.00');
    await drawer.getByRole('button', { name: 'Preview' }).click();
    await drawer.getByRole('region', { name: 'Preview' }).waitFor();
    await drawer.getByRole('button', { name: 'Send' }).click();
    await drawer.getByText('committed').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('region', { name: 'What was done' }).getByText('refund').waitFor();
    expect(await page.getByRole('button', { name: 'Refund…' }).count()).toBe(0);
  });

  test('an event is shown with its command, and the browser checks its hash over the stored bytes', async () => {
    await open('events', 'Events');
    await page.locator('[data-row]').first().waitFor();
    await expectAccessible(page);
    await open('event/6', 'transaction posted');
    const chain = page.getByRole('region', { name: 'Chain' });
    await chain.getByText(/stored bytes have this SHA-256/).waitFor();
    await chain.getByText('names this hash').waitFor();
    await page.getByRole('region', { name: 'Command' }).getByText('submitPayment').waitFor();
    await expectAccessible(page);
  });

  test('the reports balance', async () => {
    await open('reports', 'Reports');
    await page
      .getByRole('region', { name: 'Trial balance' })
      .getByText(/balances$/)
      .first()
      .waitFor();
    await page
      .getByRole('region', { name: 'Largest accounts' })
      .getByRole('link', { name: 'alice' })
      .waitFor();
    await expectAccessible(page);
  });

  test('a rebuild says in numbers what it will do, and is watched to its end', async () => {
    await open('read-models', 'Read models');
    const history = page.getByRole('region', { name: 'history' });
    await history.getByRole('button', { name: 'Rebuild…' }).click();
    await history.getByText(/events are read again into a new generation/).waitFor();
    await expectAccessible(page);
    await history.getByRole('button', { name: 'Rebuild history' }).click();
    await history.getByRole('status').filter({ hasText: 'done' }).waitFor();
  });

  test('the books are proved, and a tampered view shows in red', async () => {
    await open('proof', 'Proof');
    await page.getByRole('button', { name: 'Prove the books' }).click();
    await page.getByRole('status').filter({ hasText: 'Everything agrees' }).waitFor();
    await page
      .getByRole('banner')
      .getByText(/proved/)
      .waitFor();
    await expectAccessible(page);
    await tamper(platform);
    await page.getByRole('button', { name: 'Prove the books' }).click();
    await page.getByRole('status').filter({ hasText: 'Something differs' }).waitFor();
    await page.getByRole('region', { name: 'Findings' }).getByText('alice').first().waitFor();
    await page
      .getByRole('banner')
      .getByText(/differs,/)
      .waitFor();
    await expectAccessible(page);
  });

  test('the playground calls a method and gives the lines for a terminal', async () => {
    await open('playground?method=quittance.query.v1.LedgerQueryService/GetLedger', 'Playground');
    await page.getByRole('button', { name: 'Call' }).click();
    await page.getByRole('region', { name: 'Answer' }).getByText('"createTime"').waitFor();
    await page.getByText('Copy as').click();
    await page.getByText(/^curl .*GetLedger$/).waitFor();
    await page.getByText(/^grpcurl .*GetLedger$/).waitFor();
    await expectAccessible(page);
  });

  test('every page is as readable in the dark', async () => {
    const dark = await browser.newContext({ colorScheme: 'dark' });
    const { page: other, complaints } = await openTab(dark, `${platform.connectUrl}/console/`);
    await other.getByRole('heading', { level: 1, name: LEDGER }).waitFor();
    for (const path of [
      'overview',
      'transactions',
      'accounts',
      'events',
      'reports',
      'read-models',
      'proof',
      'playground',
    ]) {
      await other.goto(`${platform.connectUrl}/console/#/${LEDGER}/${path}`);
      await other.getByRole('heading', { level: 1 }).waitFor();
      await expectAccessible(other);
    }
    expect(complaints).toEqual([]);
    await dark.close();
  });

  test('without a ledger the console says how to make one, and makes it', async () => {
    const empty = await startPlatform({ console: 'on' });
    const { page: other, complaints } = await openTab(context, `${empty.connectUrl}/console/`);
    await other.getByRole('heading', { level: 1, name: 'Welcome' }).waitFor();
    await expectAccessible(other);
    await other.keyboard.press('n');
    await other.getByLabel('Ledger', { exact: true }).last().fill('first');
    await other.getByRole('button', { name: 'Preview' }).click();
    await other.getByRole('region', { name: 'Preview' }).waitFor();
    await other.getByRole('button', { name: 'Send' }).click();
    await other.getByRole('heading', { level: 1, name: 'first' }).waitFor();
    const steps = other.getByRole('region', { name: 'First steps' }).getByRole('listitem');
    await steps.first().getByText('done:').waitFor();
    expect(await steps.filter({ hasText: 'to do:' }).count()).toBe(4);
    expect(complaints).toEqual([]);
    await other.close();
    await empty.stop();
  });

  test('no script failed, and the policy of the page was never violated', () => {
    expect(tab.complaints).toEqual([]);
  });
});

/** As if the store had lost a cent of alice's balance. */
async function tamper(platform: TestPlatform): Promise<void> {
  const pool = createPool(platform.database.config, { max: 1, name: 'test' });
  await pool.query('update balances_1.accounts set credits = credits - 1');
  await pool.end();
}

async function fill(platform: TestPlatform): Promise<void> {
  const ledgers = platform.grpc(LedgerCommandService);
  await ledgers.createLedger({ ledgerId: LEDGER, requestId: randomUUID() });
  for (const accountId of ['alice', 'shop']) {
    const account = { ledgerId: LEDGER, requestId: randomUUID(), accountId, currency: 'EUR' };
    await platform.grpc(AccountCommandService).openAccount(account);
  }
  const transactions = platform.grpc(TransactionCommandService);
  const deposit = { ledgerId: LEDGER, requestId: randomUUID(), accountId: 'alice', amount: EUR(10_000n) };
  await transactions.deposit(deposit);
  await pay(platform, 'alice', 'shop', 2_500n, 'order-1');
  await pay(platform, 'alice', 'shop', 999_900n, 'too-much');
}

async function pay(
  platform: TestPlatform,
  from: string,
  to: string,
  minorUnits: bigint,
  reference: string,
): Promise<void> {
  await platform.grpc(TransactionCommandService).submitPayment({
    ledgerId: LEDGER,
    requestId: randomUUID(),
    payerAccountId: from,
    payeeAccountId: to,
    amount: EUR(minorUnits),
    reference,
  });
}
