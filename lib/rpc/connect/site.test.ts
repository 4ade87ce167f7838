import { afterEach, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { serveSite } from './site.js';

const cleanUps: (() => void)[] = [];

afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

/** A server of one site; its folder is empty until the test fills it. */
async function startSite() {
  const directory = mkdtempSync(join(tmpdir(), 'site-'));
  const site = {
    prefix: '/console/',
    directory,
    settings: { version: '1' },
    callsTo: ['https://command.example'],
  };
  const server = http.createServer((request, response) => {
    const path = request.url?.split('?', 1)[0] ?? '';
    void serveSite(site, path, request, response).then((isServed) => {
      if (!isServed) response.writeHead(418).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(() => {
    server.close();
    server.closeAllConnections();
    rmSync(directory, { recursive: true });
  });
  const { port } = server.address() as AddressInfo;
  return { directory, url: `http://127.0.0.1:${String(port)}` };
}

test('files are served below the prefix, compressed where the caller takes it, the named ones for ever', async () => {
  const { directory, url } = await startSite();
  mkdirSync(join(directory, 'assets'));
  writeFileSync(join(directory, 'index.html'), '<p>console</p>');
  writeFileSync(join(directory, 'assets/index-a1.js'), 'plain');
  writeFileSync(join(directory, 'assets/index-a1.js.gz'), gzipSync('zipped'));
  const page = await fetch(`${url}/console/?a=1`);
  expect([page.status, await page.text(), page.headers.get('cache-control')]).toEqual([
    200,
    '<p>console</p>',
    'no-cache',
  ]);
  expect(page.headers.get('content-security-policy')).toContain(
    "default-src 'self'; connect-src 'self' https://command.example;",
  );
  const zipped = await fetch(`${url}/console/assets/index-a1.js`);
  expect([await zipped.text(), zipped.headers.get('cache-control')]).toEqual([
    'zipped',
    expect.stringContaining('immutable'),
  ]);
  const plain = await fetch(`${url}/console/assets/index-a1.js`, {
    headers: { 'accept-encoding': 'gzip;q=0' },
  });
  expect([await plain.text(), plain.headers.get('content-type')]).toEqual([
    'plain',
    'text/javascript; charset=utf-8',
  ]);
});

test('a page that is not built yet says so, and asks again', async () => {
  const { directory, url } = await startSite();
  const before = await fetch(`${url}/console/`);
  expect([before.status, await before.text()]).toEqual([
    503,
    expect.stringContaining('http-equiv="refresh"'),
  ]);
  writeFileSync(join(directory, 'index.html'), 'built');
  expect(await (await fetch(`${url}/console/`)).text()).toBe('built');
});

test('the page gets its settings, and the address without a slash leads to the one with it', async () => {
  const { url } = await startSite();
  expect(await (await fetch(`${url}/console/settings.json`)).json()).toEqual({ version: '1' });
  const bare = await fetch(`${url}/console`, { redirect: 'manual' });
  expect([bare.status, bare.headers.get('location')]).toEqual([308, 'console/']);
});

test.each(['/console/nothing.js', '/console/..%2f..%2fpackage.json', '/console/built-of.txt'])(
  '%s is not found',
  async (path) => {
    const { directory, url } = await startSite();
    writeFileSync(join(directory, 'built-of.txt'), 'secret');
    expect((await fetch(url + path)).status).toBe(404);
  },
);

test('other paths and methods are not the site’s', async () => {
  const { url } = await startSite();
  expect((await fetch(`${url}/consoles/`)).status).toBe(418);
  expect((await fetch(`${url}/console/`, { method: 'POST' })).status).toBe(418);
});
