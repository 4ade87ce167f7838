/** The console where it is not alone on its server's own address: with authentication, behind a path, in several tabs, over a restart. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import http from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import type { Browser } from 'playwright-core';
import { AccountCommandService } from '../../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { TransactionCommandService } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { startIssuer } from '../../standalone/test/issuer.js';
import { startPlatform, type TestPlatform } from '../../standalone/test/platform.js';
import { removeDataDir, startServer } from '../../standalone/test/server-process.js';
import { CLIENT_ID, startLoginIssuer } from './login-issuer.js';
import { buildConsole, HAS_BROWSER, launch, openTab, sayWithoutBrowser, TEST_LIMIT_MS } from './browser.js';

const LEDGER = 'books';
/** As many as a browser opens connections to one address, less the one that all tabs' other calls need. */
const TABS = 5;

sayWithoutBrowser();
// Pages wait for a browser, a server and its views on one machine.
jest.setTimeout(TEST_LIMIT_MS);

(HAS_BROWSER ? describe : describe.skip)('the console', () => {
  let browser: Browser;
  let platform: TestPlatform;

  beforeAll(async () => {
    [platform, browser] = await Promise.all([startPlatform({ console: 'on' }), launch(), buildConsole()]);
    await openLedger(platform.connectUrl);
  });

  afterAll(async () => {
    await browser.close();
    await platform.stop();
  });

  test('below a path of a proxy everything works', async () => {
    const proxy = await startProxy('/x/y', platform.connectUrl);
    const context = await browser.newContext();
    const { page, complaints } = await openTab(context, `${proxy.url}/x/y/console`);
    await page.getByRole('heading', { level: 1, name: LEDGER }).waitFor();
    await page.getByRole('region', { name: 'Read models' }).getByText('running').first().waitFor();
    expect(new URL(page.url()).pathname).toBe('/x/y/console/');
    expect(complaints).toEqual([]);
    await context.close();
    proxy.close();
  });

  test('several tabs stay usable and live beside each other', async () => {
    const context = await browser.newContext();
    const url = `${platform.connectUrl}/console/#/${LEDGER}/transactions`;
    const pages = [];
    for (let tab = 0; tab < TABS; tab += 1) pages.push((await openTab(context, url)).page);
    for (const page of pages) await page.getByRole('status').filter({ hasText: /^live/ }).waitFor();
    await deposit(platform.connectUrl, 'in-all-tabs');
    for (const page of pages) await page.getByRole('row').filter({ hasText: 'in-all-tabs' }).waitFor();
    await context.close();
  });

  test('read-only it offers nothing that changes something', async () => {
    const other = await startPlatform({ console: 'read-only' });
    await openLedger(other.connectUrl);
    const context = await browser.newContext();
    const { page } = await openTab(context, `${other.connectUrl}/console/#/${LEDGER}/account/alice`);
    await page.getByRole('heading', { level: 1, name: 'alice' }).waitFor();
    expect(await page.getByText('read-only').count()).toBe(1);
    expect(await page.getByRole('button', { name: /New…|Pay…|Freeze…/ }).count()).toBe(0);
    await context.close();
    await other.stop();
  });

  test('with authentication it asks for a token, and offers what the token allows', async () => {
    const issuer = await startIssuer();
    const secured = await startPlatform({ console: 'on', auth: { issuer: issuer.config } });
    const owner = await issuer.token({ scope: 'create:* read:* write:* admin:*' });
    await openLedger(secured.connectUrl, owner);
    const context = await browser.newContext();
    const { page } = await openTab(context, `${secured.connectUrl}/console/`);
    const logIn = async (token: string) => {
      await page.getByLabel(/API key or token/).fill(token);
      await page.getByRole('button', { name: 'Log in' }).click();
    };
    await logIn('nonsense');
    await page.getByLabel(/API key or token/).waitFor();
    await logIn(await issuer.token({ scope: `read:${LEDGER}` }));
    await page.getByRole('heading', { level: 1, name: LEDGER }).waitFor();
    expect(await page.getByRole('button', { name: 'New…' }).count()).toBe(0);
    await page.getByRole('button', { name: /log out/ }).click();
    await logIn(owner);
    await page.getByRole('button', { name: 'New…' }).waitFor();
    await context.close();
    await secured.stop();
    await issuer.close();
  });

  test('it logs in at the issuer, and comes back to the page that was asked for', async () => {
    const { issuer, asked } = await startLoginIssuer(`read:${LEDGER} write:${LEDGER}`);
    const login = { ...issuer.config, clientId: CLIENT_ID, scope: 'openid ledgers' };
    const secured = await startPlatform({
      console: 'on',
      auth: { issuer: issuer.config },
      consoleLogin: login,
    });
    await openLedger(secured.connectUrl, await issuer.token({ scope: 'create:* write:*' }));
    const context = await browser.newContext();
    const { page, complaints } = await openTab(context, `${secured.connectUrl}/console/#/${LEDGER}/accounts`);
    await page.getByRole('button', { name: 'Log in at 127.0.0.1' }).click();
    await page.getByRole('heading', { level: 1, name: 'Accounts' }).waitFor();
    await page.getByRole('link', { name: 'alice' }).waitFor();
    await page.getByRole('button', { name: 'operator · log out' }).waitFor();
    expect(page.url()).toBe(`${secured.connectUrl}/console/#/${LEDGER}/accounts`);
    expect(Object.fromEntries(asked[0] ?? [])).toMatchObject({
      response_type: 'code',
      scope: 'openid ledgers',
      audience: issuer.config.audience,
      redirect_uri: `${secured.connectUrl}/console/`,
    });
    await page.getByRole('button', { name: 'operator · log out' }).click();
    await page.goto(`${secured.connectUrl}/console/?code=stolen&state=forged`);
    await page.getByRole('alert').filter({ hasText: 'not begun in this tab' }).waitFor();
    await page.getByText('With an API key or a token').waitFor();
    expect(complaints).toEqual([]);
    await context.close();
    await secured.stop();
    await issuer.close();
  });

  test('a page that watches recovers from kill -9 of its server, without a gap', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'console-'));
    const first = await startServer(dataDir);
    await openLedger(first.connect);
    const context = await browser.newContext();
    const { page } = await openTab(context, `${first.connect}/console/#/${LEDGER}/transactions`);
    await page.getByRole('status').filter({ hasText: /^live/ }).waitFor();
    await deposit(first.connect, 'before');
    await page.getByRole('row').filter({ hasText: 'before' }).waitFor();
    await first.kill();
    await page
      .getByRole('status')
      .filter({ hasText: /^not live/ })
      .waitFor();
    const second = await startServer(dataDir, { connectPort: new URL(first.connect).port });
    await deposit(second.connect, 'while-away');
    await page.getByRole('row').filter({ hasText: 'while-away' }).waitFor();
    await page.getByRole('status').filter({ hasText: /^live/ }).waitFor();
    expect(await page.getByRole('row').filter({ hasText: 'before' }).count()).toBe(1);
    await context.close();
    await second.stop();
    await removeDataDir(dataDir);
  });
});

function clientsOf(url: string, token?: string) {
  const transport = createConnectTransport({
    baseUrl: url,
    httpVersion: '1.1',
    interceptors: [
      (next) => (request) => {
        if (token !== undefined) request.header.set('Authorization', `Bearer ${token}`);
        return next(request);
      },
    ],
  });
  return {
    ledgers: createClient(LedgerCommandService, transport),
    accounts: createClient(AccountCommandService, transport),
    transactions: createClient(TransactionCommandService, transport),
  };
}

async function openLedger(url: string, token?: string): Promise<void> {
  const { ledgers, accounts } = clientsOf(url, token);
  await ledgers.createLedger({ ledgerId: LEDGER, requestId: randomUUID() });
  const account = { ledgerId: LEDGER, requestId: randomUUID(), accountId: 'alice', currency: 'EUR' };
  await accounts.openAccount(account);
}

async function deposit(url: string, reference: string): Promise<void> {
  await clientsOf(url).transactions.deposit({
    ledgerId: LEDGER,
    requestId: randomUUID(),
    accountId: 'alice',
    amount: { currency: 'EUR', minorUnits: 100n },
    reference,
  });
}

/** Passes on what comes below a path, without it. */
async function startProxy(prefix: string, to: string) {
  const server = http.createServer((request, response) => {
    const path = request.url ?? '';
    if (!path.startsWith(prefix)) {
      response.writeHead(404).end();
      return;
    }
    const { method, headers } = request;
    const onward = http.request(to + path.slice(prefix.length), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
