/**
 * Takes the pictures of docs/console.md again: each page, light and dark, of a server that runs and has a ledger.
 *
 *   npm start; npm run demo -- --seconds 20; node scripts/console-screenshots.mjs [http://localhost:8081/console/] [demo]
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const [address = 'http://localhost:8081/console/', ledger = 'demo'] = process.argv.slice(2);
const OUT = fileURLToPath(new URL('../docs/console/', import.meta.url));
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);
const SIZE = { width: 1280, height: 800 };

/** Each page with what shows that it has been filled, and the name of its picture where that is another one. */
const PAGES = [
  ['overview', 'Latest transactions'],
  ['transactions', 'customer:'],
  ['accounts', 'customer:'],
  ['account/customer:anna', 'Posted'],
  ['events', 'posted'],
  ['reports', 'balances'],
  ['payments', 'customer:'],
  ['account/customer:anna?tab=over+time&by=hours', 'Closing', 'balance-history'],
  ['webhooks', 'Posts to'],
  ['schedules', 'active'],
  ['read-models', 'running'],
  ['system', 'decided here'],
  ['proof', 'Prove the books'],
  ['playground', 'Request, as JSON'],
];

mkdirSync(OUT, { recursive: true });
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
for (const colorScheme of ['light', 'dark']) {
  const context = await browser.newContext({ colorScheme, viewport: SIZE });
  const page = await context.newPage();
  for (const [path, shown, name = path.split('/')[0]] of PAGES) {
    await page.goto(`${address}#/${ledger}/${path}`);
    await page.getByText(shown).first().waitFor();
    if (path === 'proof') {
      await page.getByRole('button', { name: shown }).click();
      await page.getByText('up to position').last().waitFor();
    }
    await page.screenshot({ path: join(OUT, `${name}-${colorScheme}.png`) });
    process.stdout.write(`${name}, ${colorScheme}\n`);
  }
  await context.close();
}
await browser.close();
