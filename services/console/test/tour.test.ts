/** The console in a real browser, before a real platform. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { AccountCommandService } from '../../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { TransactionCommandService } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { startPlatform, type TestPlatform } from '../../standalone/test/platform.js';
import {
  buildConsole,
  expectAccessible,
  HAS_BROWSER,
  launch,
  openTab,
  sayWithoutBrowser,
  type Watched,
} from './browser.js';

const LEDGER = 'books';
const EUR = (minorUnits: bigint) => ({ currency: 'EUR', minorUnits });

sayWithoutBrowser();

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
  }, 180_000);

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

  test('no script failed, and the policy of the page was never violated', () => {
    expect(tab.complaints).toEqual([]);
  });
});

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
