/** The console of the distributed platform: its page comes from a query service, and calls a command process and the projector. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { AccountCommandService } from '../../../gen/quittance/command/v1/account_command_service_pb.js';
import { TransactionCommandService } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { startServicePlatform, type TestPlatform } from '../../../tools/stack/test/service-platform.js';
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

sayWithoutBrowser();
// Pages wait for a browser, five servers and their views on one machine.
jest.setTimeout(TEST_LIMIT_MS);

(HAS_BROWSER ? describe : describe.skip)('the console of the distributed platform', () => {
  let platform: TestPlatform;
  let browser: Browser;
  let tab: Watched;
  let page: Page;

  beforeAll(async () => {
    await buildConsole();
    [platform, browser] = await Promise.all([startServicePlatform('postgres'), launch()]);
    tab = await openTab(await browser.newContext(), platform.consoleUrl);
    page = tab.page;
  });

  afterAll(async () => {
    await browser.close();
    await platform.stop();
  });

  const open = async (path: string, heading: string) => {
    await page.goto(`${platform.consoleUrl}#/${LEDGER}/${path}`);
    await page.getByRole('heading', { level: 1, name: heading }).waitFor();
  };

  test('without a ledger it says how to make one, and makes it', async () => {
    await page.getByRole('heading', { level: 1, name: 'Welcome' }).waitFor();
    await page.keyboard.press('n');
    await page.getByLabel('Ledger', { exact: true }).last().fill(LEDGER);
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByRole('region', { name: 'Preview' }).waitFor();
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('heading', { level: 1, name: LEDGER }).waitFor();
    await fill(platform);
  });

  test('a payment is previewed, and a double click makes it once', async () => {
    await open('account/alice', 'alice');
    await page.locator('dl.figures').getByText('100.00').first().waitFor();
    await page.getByRole('button', { name: 'Pay…' }).click();
    const drawer = page.getByRole('dialog', { name: 'Pay' });
    await drawer.getByLabel('To account').fill('shop');
    await drawer.getByLabel('Amount', { exact: true }).fill('10.00');
    await drawer.getByLabel('Reference').fill('clicked-twice');
    await drawer.getByRole('button', { name: 'Preview' }).click();
    const row = drawer.getByRole('region', { name: 'Preview' }).getByRole('row').filter({ hasText: 'alice' });
    await row.waitFor();
    expect(await row.innerText()).toMatch(/alice\s+100\.00\s+90\.00\s+100\.00\s+90\.00/);
    await drawer.getByRole('button', { name: 'Send' }).dblclick();
    await drawer.getByText('replayed').waitFor();
    await page.keyboard.press('Escape');
    await open('transactions?q=reference:clicked-twice', 'Transactions');
    await page.getByText('10.00 EUR').waitFor();
    expect(await page.getByLabel('Transactions').getByRole('row').count()).toBe(2);
  });

  test('a decline is found with its reason', async () => {
    await open('transactions?q=status:declined', 'Transactions');
    await page.getByRole('row').nth(1).getByText('declined: insufficient funds').waitFor();
    await expectAccessible(page);
  });

  test('a payment is refunded from its page', async () => {
    await open('transactions?q=reference:clicked-twice', 'Transactions');
    await page.locator('[data-row]').first().click();
    await page.getByRole('heading', { level: 2, name: 'Payment' }).getByRole('link').click();
    await page.getByRole('heading', { level: 1, name: 'Payment' }).waitFor();
    await page.getByRole('button', { name: 'Refund…' }).click();
    const drawer = page.getByRole('dialog', { name: 'Refund' });
    await drawer.getByRole('button', { name: 'Preview' }).click();
    await drawer.getByRole('region', { name: 'Preview' }).waitFor();
    await drawer.getByRole('button', { name: 'Send' }).click();
    await drawer.getByText('committed').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('region', { name: 'What was done' }).getByText('refund').waitFor();
  });

  test('an account shows what it had at a position', async () => {
    await open('account/alice', 'alice');
    await page.keyboard.press('t');
    // That of the payment: a refund has followed it.
    await page.getByLabel('at position').fill('7');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: /pinned at/ }).waitFor();
    await page.locator('dl.figures').getByText('90.00').first().waitFor();
    await page.getByRole('button', { name: /pinned at/ }).click();
    await page.locator('dl.figures').getByText('100.00').first().waitFor();
  });

  test('a rebuild is watched to its end', async () => {
    await open('read-models', 'Read models');
    const history = page.getByRole('region', { name: 'history', exact: true });
    await history.getByRole('button', { name: 'Rebuild…' }).click();
    await history.getByRole('button', { name: 'Rebuild history' }).click();
    await history.getByRole('status').filter({ hasText: 'done' }).waitFor();
    await expectAccessible(page);
  });

  test('the books are proved', async () => {
    await open('proof', 'Proof');
    await page.getByRole('button', { name: 'Prove the books' }).click();
    await page.getByRole('status').filter({ hasText: 'Everything agrees' }).waitFor();
  });

  test('no script failed, and the policy of the page was never violated', () => {
    expect(tab.complaints).toEqual([]);
  });
});

/** Two accounts, a deposit, and a payment that is declined. */
async function fill(platform: TestPlatform): Promise<void> {
  const EUR = (minorUnits: bigint) => ({ currency: 'EUR', minorUnits });
  const requestOf = () => ({ ledgerId: LEDGER, requestId: randomUUID() });
  for (const accountId of ['alice', 'shop']) {
    await platform.grpc(AccountCommandService).openAccount({ ...requestOf(), accountId, currency: 'EUR' });
  }
  const transactions = platform.grpc(TransactionCommandService);
  await transactions.deposit({ ...requestOf(), accountId: 'alice', amount: EUR(10_000n) });
  await transactions.submitPayment({
    ...requestOf(),
    payerAccountId: 'alice',
    payeeAccountId: 'shop',
    amount: EUR(999_900n),
    reference: 'too-much',
  });
}
