/** Debian's Chromium, driven by playwright-core, for tests of the console. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from '@jest/globals';
import axe from 'axe-core';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const CHROMIUM = PLACES.find((place) => existsSync(place));
/** Ends a test that hangs. */
export const TEST_LIMIT_MS = 240_000;
/** What a busy machine needs, and less than the limit of a test, so that a failure names what was waited for. */
export const PATIENT_MS = 110_000;

/** Whether the tests of this file can run. Where CI runs they must: without a browser they fail. */
export const HAS_BROWSER = CHROMIUM !== undefined || process.env['CI'] !== undefined;

/** Says once why the tests are left out. */
export function sayWithoutBrowser(): void {
  if (!HAS_BROWSER)
    process.stderr.write('the console is not tested: there is no Chromium (apt-get install chromium)\n');
}

/** Builds the console if it is missing or old. */
export async function buildConsole(): Promise<void> {
  const script = fileURLToPath(new URL('../../../scripts/build-console.mjs', import.meta.url));
  await promisify(execFile)(process.execPath, [script]);
}

export function launch(): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error('there is no Chromium; apt-get install chromium');
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

/** What a page complained of: errors of scripts, and violations of the content security policy. */
export interface Watched {
  readonly page: Page;
  readonly complaints: readonly string[];
}

/** A tab that remembers what went wrong in it. */
export async function openTab(context: BrowserContext, url: string): Promise<Watched> {
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // What a browser says of an answer with an error status is said of refused calls on purpose.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text());
  });
  page.setDefaultTimeout(PATIENT_MS);
  await page.goto(url);
  return { page, complaints };
}

/** Looks for what keeps people out: labels, contrast, roles, the keyboard. */
export async function expectAccessible(page: Page): Promise<void> {
  // Evaluated by the debugger: the page's own policy would not let a script in.
  await page.evaluate(axe.source);
  const found: unknown = await page.evaluate(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
      violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' | ')))`,
  );
  expect({ at: page.url(), violations: found }).toEqual({ at: page.url(), violations: [] });
}
