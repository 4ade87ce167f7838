/** The console in a real browser, before a real platform. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { AccountCommandService } from '../../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { TransactionCommandService } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { TransactionKind, TransactionStatus } from '../../../gen/quittance/common/v1/transaction_pb.js';
import {
  type ListTransactionsRequest,
  ListTransactionsRequestSchema,
  ListTransactionsResponseSchema,
  TransactionQueryService,
} from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { createPool } from '../../../lib/log/postgres-client.js';
import { until } from '../../../test/load.js';
import { startPlatform, type TestPlatform } from '../../standalone/test/platform.js';
import {
  buildConsole,
  expectAccessible,
  HAS_BROWSER,
  launch,
  openTab,
  PATIENT_MS,
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
    await page.getByRole('img', { name: /^Balance after each of the last 2 entries/ }).waitFor();
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

  test('a time pins all pages too, and one before everything is refused', async () => {
    await open('accounts', 'Accounts');
    await page.keyboard.press('t');
    await page.getByLabel('at position or time').fill('1999-01-01');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').filter({ hasText: 'nothing was recorded before then' }).waitFor();
    await page.getByLabel('at position or time').fill('2999-01-01T00:00Z');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: /^pinned at \d/ }).click();
    await page.getByRole('button', { name: /^as of/ }).waitFor();
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

  test('Ctrl-K finds pages, actions, accounts, and what an id is of', async () => {
    await open('overview', LEDGER);
    const palette = page.getByRole('dialog', { name: 'Go to' });
    const find = async (text: string, option: string) => {
      await page.keyboard.press('Control+k');
      await palette.getByRole('combobox').fill(text);
      await palette.getByRole('option', { name: option }).first().waitFor();
    };
    await find('ali', 'alice');
    await expectAccessible(page);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'alice' }).waitFor();
    await find('read mod', 'Read models');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Read models' }).waitFor();
    await find(await paymentId(platform), 'payment');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Payment' }).waitFor();
    await find('freeze', 'Freeze an account');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Freeze an account' }).waitFor();
    await page.keyboard.press('Escape');
  });

  test('c gives what the page shows as lines for a terminal', async () => {
    await open('transactions?q=status:declined', 'Transactions');
    await page.keyboard.press('c');
    const lines = page.getByRole('dialog', { name: 'Copy as' });
    await lines
      .getByText('quittance transaction list --ledger books --status declined --desc --limit 100')
      .waitFor();
    await lines.getByText(/^curl .*ListTransactions$/).waitFor();
    await expectAccessible(page);
    await page.keyboard.press('Escape');
  });

  test('columns are hidden and stay so, and come back', async () => {
    const header = page.getByRole('columnheader', { name: 'Actor' });
    await header.waitFor();
    await page.getByText('Columns').click();
    await page.getByRole('checkbox', { name: 'Actor' }).uncheck();
    await header.waitFor({ state: 'detached' });
    await page.reload();
    await page.getByRole('columnheader', { name: 'Position' }).waitFor();
    expect(await header.count()).toBe(0);
    await page.getByText('Columns').click();
    await page.getByRole('checkbox', { name: 'Actor' }).check();
    await header.waitFor();
  });

  test('one zone holds for all times', async () => {
    await open('transactions', 'Transactions');
    const time = page.locator('[data-row] time').last();
    const read = async () => (await time.getAttribute('title')) ?? '';
    const inUtc = await read();
    expect(inUtc).toMatch(/ UTC$/);
    await page.getByLabel('Time zone').selectOption('other…');
    await page.getByRole('textbox', { name: 'Time zone' }).fill('Asia/Tokyo');
    await page.locator('time[title$="Asia/Tokyo"]').last().waitFor();
    const instant = (text: string, offset: string) =>
      Date.parse(text.slice(0, 19).replace(' ', 'T') + offset);
    expect(instant(await read(), '+09:00')).toBe(instant(inUtc, 'Z'));
    expect(await page.locator('time[title$=" UTC"]').count()).toBe(0);
    await page.getByLabel('Time zone').selectOption('UTC');
    await page.locator('time[title$=" UTC"]').last().waitFor();
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

  test('as much as there is is taken, and the preview says how much', async () => {
    await open('account/alice', 'alice');
    await page.getByRole('button', { name: 'Withdraw…' }).click();
    const drawer = page.getByRole('dialog', { name: 'Withdraw' });
    await drawer.getByLabel('Amount', { exact: true }).fill('5000');
    await drawer.getByLabel(/^As much as there is/).check();
    await drawer.getByRole('button', { name: 'Preview' }).click();
    const row = drawer.getByRole('region', { name: 'Preview' }).getByRole('row').filter({ hasText: 'alice' });
    await row.waitFor();
    expect(await row.innerText()).toMatch(/alice\s+63\.63\s+0\.00\s+63\.63\s+0\.00/);
    await page.keyboard.press('Escape');
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
    await drawer.getByLabel(/^All that is left/).check();
    expect(await drawer.getByLabel('Amount', { exact: true }).isDisabled()).toBe(true);
    await drawer.getByRole('button', { name: 'Preview' }).click();
    await drawer.getByRole('region', { name: 'Preview' }).waitFor();
    await drawer.getByRole('button', { name: 'Send' }).click();
    await drawer.getByText('committed').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('region', { name: 'What was done' }).getByText('refund').waitFor();
    expect(await page.getByRole('button', { name: 'Refund…' }).count()).toBe(0);
  });

  test('payments are listed with their totals, and open holds by their expiry', async () => {
    await open('payments', 'Payments');
    const rows = page.getByRole('table', { name: 'Payments' }).getByRole('row');
    const refunded = rows.filter({ hasText: 'clicked-twice' });
    await refunded.waitFor();
    expect(await refunded.innerText()).toMatch(/alice\s+shop\s+10\.00\s+10\.00\s+10\.00\s+0\.00 EUR/);
    await expectAccessible(page);
    await page.getByRole('button', { name: 'open', exact: true }).click();
    await page.getByText('No payment is so.').waitFor();
    await open('payments?q=open:no', 'Payments');
    await page.getByRole('alert').filter({ hasText: 'open: is yes' }).waitFor();
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

  test('an event that a store refused is tried again, by a typed word', async () => {
    const database = createPool(platform.database.config, { max: 1, name: 'test' });
    await database.query(`
      create function history_1.refuse() returns trigger language plpgsql as $$
      begin raise exception 'not this amount' using errcode = 'P0666'; end $$;
      create trigger refuse before insert on history_1.lines for each row
        when (abs(new.amount) = 666) execute function history_1.refuse()`);
    await pay(platform, 'alice', 'shop', 666n, 'refused-by-the-store');
    await open('read-models', 'Read models');
    const history = page.getByRole('region', { name: 'history', exact: true });
    const retry = history.getByRole('button', { name: 'Retry 1 event' });
    await retry.waitFor();
    await history.getByText('P0666').waitFor();
    await expectAccessible(page);
    expect(await retry.isDisabled()).toBe(true);
    await database.query('drop trigger refuse on history_1.lines');
    await history.getByLabel(/^To try 1 event again/).fill('history');
    await retry.click();
    await history.getByText('1 of 1 applied').waitFor();
    await open('transactions?q=reference:refused-by-the-store', 'Transactions');
    await page.getByText('6.66 EUR').waitFor();
    await database.end();
  });

  test('a rebuild says in numbers what it will do, and is watched to its end', async () => {
    await open('read-models', 'Read models');
    const history = page.getByRole('region', { name: 'history', exact: true });
    await history.getByRole('button', { name: 'Rebuild…' }).click();
    await history.getByText(/events are read again into a new generation/).waitFor();
    await expectAccessible(page);
    await history.getByRole('button', { name: 'Rebuild history' }).click();
    await history.getByRole('status').filter({ hasText: 'done' }).waitFor();
  });

  test('the process says what it is, how it is set up and how it stands', async () => {
    await open('system', 'System');
    const [process] = await page.getByRole('region').all();
    await process?.getByText('decided here').waitFor();
    await process?.getByText(platform.grpcAddress).waitFor();
    for (const view of ['balances', 'history', 'reports']) await process?.getByText(`View ${view}`).waitFor();
    await expectAccessible(page);
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
    const kept = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Keep an anchor' }).click();
    const anchor = readFileSync(await (await kept).path(), 'utf8');
    const check = async (text: string) => {
      const file = { name: 'anchor.json', mimeType: 'application/json', buffer: Buffer.from(text) };
      await page.getByLabel('Check against an anchor').setInputFiles(file);
    };
    await check(anchor);
    await page.getByRole('status').filter({ hasText: 'The log agrees with the anchor' }).waitFor();
    await check(anchor.replace(/[0-9a-f]{64}/, '0'.repeat(64)));
    await page.getByRole('status').filter({ hasText: 'The log differs from the anchor' }).waitFor();
    await check(anchor.replace(LEDGER, 'other'));
    await page.getByRole('alert').filter({ hasText: 'of the ledger other' }).waitFor();
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
    await page.getByText('Copy as', { exact: true }).click();
    await page.getByText(/^curl .*GetLedger$/).waitFor();
    await page.getByText(/^grpcurl .*GetLedger$/).waitFor();
    await page.getByText(`quittance ledger get ${LEDGER}`).waitFor();
    await expectAccessible(page);
  });

  test('of a list of 2,000 rows only those that can be seen are in the page', async () => {
    const { page: other } = await openTab(context, `${platform.connectUrl}/console/`);
    await other.getByRole('heading', { level: 1, name: LEDGER }).waitFor();
    await other.route('**/ListTransactions', (route) => {
      const asked = route.request().postDataBuffer() ?? new Uint8Array();
      const body = Buffer.from(manyTransactions(fromBinary(ListTransactionsRequestSchema, asked)));
      return route.fulfill({ contentType: 'application/proto', body });
    });
    await other.goto(`${platform.connectUrl}/console/#/${LEDGER}/transactions`);
    const table = other.getByRole('table', { name: 'Transactions' });
    await table.waitFor();
    await until(
      'the end of the list is reached',
      async () => {
        const rows: unknown = await other.evaluate(`${SCROLL}(1)`);
        return rows === String(MANY + 1);
      },
      PATIENT_MS,
    );
    await table.getByText(`row-${String(MANY)}`, { exact: true }).waitFor();
    expect(await table.getByRole('row').count()).toBeLessThan(ROWS_IN_PAGE);
    await other.evaluate(`${SCROLL}(0.5)`);
    await table.getByText(`row-${String(MANY / 2)}`, { exact: true }).waitFor();
    await other.close();
  });

  test('every page is as readable in the dark', async () => {
    const dark = await browser.newContext({ colorScheme: 'dark' });
    const { page: other, complaints } = await openTab(dark, `${platform.connectUrl}/console/`);
    await other.getByRole('heading', { level: 1, name: LEDGER }).waitFor();
    for (const path of [
      'overview',
      'transactions',
      'payments',
      'accounts',
      'events',
      'reports',
      'read-models',
      'system',
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

const MANY = 2_000;
const ROWS_IN_PAGE = 150;
/** Scrolls the list to a share of its height; says how many rows it knows, its heading counted. */
const SCROLL = `((share) => {
  const list = document.querySelector('.rows');
  list.scrollTop = list.scrollHeight * share;
  return list.getAttribute('aria-rowcount');
})`;

/** A page of a list of 2,000 transactions, each of which is named by its place. */
function manyTransactions({ pageToken, pageSize }: ListTransactionsRequest): Uint8Array {
  const start = pageToken === '' ? 0 : Number(pageToken);
  const end = Math.min(start + pageSize, MANY);
  const transactions = Array.from({ length: end - start }, (_, offset) => ({
    transactionId: `0198c0de-0000-7000-8000-${String(start + offset).padStart(12, '0')}`,
    reference: `row-${String(start + offset + 1)}`,
    kind: TransactionKind.PAYMENT,
    status: TransactionStatus.POSTED,
    position: BigInt(MANY - start - offset),
    amount: { currency: 'EUR', minorUnits: 100n, exponent: 2 },
    entries: ['alice', 'shop'].map((accountId, index) => ({ accountId, direction: index + 1 })),
  }));
  const nextPageToken = end === MANY ? '' : String(end);
  return toBinary(
    ListTransactionsResponseSchema,
    create(ListTransactionsResponseSchema, { transactions, nextPageToken }),
  );
}

/** The id of the payment that was made first. */
async function paymentId(platform: TestPlatform): Promise<string> {
  const { transactions } = await platform
    .grpc(TransactionQueryService)
    .listTransactions({ ledgerId: LEDGER, reference: 'order-1' });
  return transactions[0]?.transactionId ?? '';
}

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
