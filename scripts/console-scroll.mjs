/**
 * Scrolls a list of 100,000 transactions in the console to its end and back, and says what that costs the browser: rows in the page,
 * and bytes of the heap of its scripts after a collection. The rows are made here, so the server needs a ledger and nothing in it.
 * Fails if the page keeps what was scrolled away.
 *
 *   npm start; node scripts/console-scroll.mjs [http://localhost:8081/console/] [demo]
 */
import { existsSync } from 'node:fs';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { chromium } from 'playwright-core';
import { TransactionKind, TransactionStatus } from '../dist/gen/quittance/common/v1/transaction_pb.js';
import {
  ListTransactionsRequestSchema,
  ListTransactionsResponseSchema,
} from '../dist/gen/quittance/query/v1/transaction_query_service_pb.js';

const [address = 'http://localhost:8081/console/', ledger = 'demo'] = process.argv.slice(2);
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);
const ROWS = 100_000;
const LOOK_EVERY = 20_000;
/** What can be seen, and a few more on both sides. */
const ROWS_IN_PAGE_MAX = 150;
/** A token per page of 100 rows, and the pages that can be seen. */
const GROWTH_BYTES_MAX = 10_000_000;
const LIMIT_MS = 600_000;

/** A page of the list: each row is named by its place. */
function answer(request) {
  const { pageToken, pageSize } = fromBinary(ListTransactionsRequestSchema, request);
  const start = pageToken === '' ? 0 : Number(pageToken);
  const end = Math.min(start + pageSize, ROWS);
  const transactions = Array.from({ length: end - start }, (_, offset) => ({
    transactionId: `0198c0de-0000-7000-8000-${String(start + offset).padStart(12, '0')}`,
    reference: `row-${String(start + offset + 1)}`,
    kind: TransactionKind.PAYMENT,
    status: TransactionStatus.POSTED,
    position: BigInt(ROWS - start - offset),
    amount: { currency: 'EUR', minorUnits: 100n, exponent: 2 },
    entries: ['alice', 'shop'].map((accountId, index) => ({ accountId, direction: index + 1 })),
  }));
  const nextPageToken = end === ROWS ? '' : String(end);
  const message = create(ListTransactionsResponseSchema, { transactions, nextPageToken });
  return Buffer.from(toBinary(ListTransactionsResponseSchema, message));
}

/** Goes to the end of what the list knows; says how many rows it knows, its heading not counted. */
const TO_END = `(() => {
  const list = document.querySelector('.rows');
  list.scrollTop = list.scrollHeight;
  return Number(list.getAttribute('aria-rowcount')) - 1;
})()`;
const TO_START = `document.querySelector('.rows').scrollTop = 0`;
const IN_PAGE = `document.querySelectorAll('.rows [role=row]').length`;

const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
});
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
await page.route('**/ListTransactions', (route) =>
  route.fulfill({
    contentType: 'application/proto',
    body: answer(route.request().postDataBuffer() ?? new Uint8Array()),
  }),
);
await page.goto(`${address}#/${ledger}/transactions`);
await page.getByText('row-1', { exact: true }).waitFor();
const session = await page.context().newCDPSession(page);

async function look(what) {
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  const rows = await page.evaluate(IN_PAGE);
  process.stdout.write(
    `${what}: ${String(rows)} rows in the page, ${(usedSize / 1e6).toFixed(1)} MB of heap\n`,
  );
  if (rows > ROWS_IN_PAGE_MAX) throw new Error(`${String(rows)} rows are in the page`);
  return usedSize;
}

const began_ms = performance.now();
const first = await look('at the start');
let known = 0;
let next = LOOK_EVERY;
while (known < ROWS) {
  known = await page.evaluate(TO_END);
  if (performance.now() - began_ms > LIMIT_MS) throw new Error(`only ${String(known)} rows came`);
  if (known < next) continue;
  await look(`after ${String(next)} rows`);
  next += LOOK_EVERY;
}
await page.getByText(`row-${String(ROWS)}`, { exact: true }).waitFor();
const last = await look('at the end');
await page.evaluate(TO_START);
await page.getByText('row-1', { exact: true }).waitFor();
await look('back at the start');
process.stdout.write(`${((performance.now() - began_ms) / 1_000).toFixed(1)} s\n`);
await browser.close();
if (last - first > GROWTH_BYTES_MAX) throw new Error(`the heap grew by ${String(last - first)} bytes`);
