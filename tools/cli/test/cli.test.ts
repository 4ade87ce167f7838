/** The command line against a whole Quittance: what it prints is read by real parsers, and the exit codes are those of docs/cli.md. */
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse as parseCsv } from 'csv-parse/sync';
import { freePort } from '../../../lib/process/free-port.js';
import { versionOf } from '../../../lib/process/version.js';
import { startTestServer, type TestServer } from '../../../test/standalone.js';
import { createShell, type Shell, tourShell } from './shell.js';

let server: TestServer;
let shell: Shell;

beforeAll(async () => {
  server = await startTestServer();
  shell = await tourShell(server);
}, 120_000);

afterAll(async () => {
  await server.stop();
  rmSync(shell.home, { recursive: true, force: true });
});

/** The id that was printed before the command was sent. */
function requestIdOf(stderr: string): string {
  return /^request id (\S+)$/m.exec(stderr)?.[1] ?? '';
}

function rowsOf(csv: string): Record<string, string>[] {
  return parseCsv<Record<string, string>>(csv, { columns: true });
}

describe('a payment', () => {
  test('is made of decimal money, and its id is printed before it is sent', async () => {
    const paid = await shell.run(
      'payment',
      'submit',
      'alice',
      'shop',
      '25.00',
      'EUR',
      '--reference',
      'order-1',
      '-o',
      'id',
    );
    expect(paid.code).toBe(0);
    expect(paid.stdout).toBe(`${requestIdOf(paid.stderr)}\n`);
    expect(paid.stderr.indexOf('request id')).toBeLessThan(paid.stderr.indexOf('done at position'));
  });

  test('under the same request id is a replay', async () => {
    const words = ['payment', 'submit', 'alice', 'shop', '1 EUR', '-o', 'json'];
    const first = await shell.run(...words);
    const again = await shell.run(...words, '--request-id', requestIdOf(first.stderr));
    expect(JSON.parse(first.stdout)).toMatchObject({
      replayed: false,
      transaction: { status: 'TRANSACTION_STATUS_POSTED' },
    });
    expect(JSON.parse(again.stdout)).toMatchObject({ replayed: true });
    expect(again.stderr).toContain('replayed');
  });

  test('that is declined shows its reason, exit code 3', async () => {
    const declined = await shell.run('payment', 'submit', 'alice', 'shop', '9000.00', 'EUR', '-o', 'json');
    expect(declined.code).toBe(3);
    expect(declined.stderr).toContain('declined: insufficient-funds at alice');
    expect(JSON.parse(declined.stdout)).toMatchObject({
      transaction: { declineReason: 'DECLINE_REASON_INSUFFICIENT_FUNDS' },
    });
  });

  test('that a limit declines says which limit; limits are shown with what is used, and replaced', async () => {
    const limits = ['--limit', 'debit=50.00', '--limit', 'day=80.00 EUR', '--limit', 'day-count=3'];
    const opened = await shell.run('account', 'open', 'card', 'EUR', ...limits, '--limit-zone', 'Asia/Tokyo');
    expect(opened.code).toBe(0);
    await shell.run('transaction', 'deposit', 'card', '200.00', 'EUR');
    const declined = await shell.run('payment', 'submit', 'card', 'shop', '60.00', 'EUR');
    expect(declined.code).toBe(3);
    expect(declined.stderr).toContain('declined: limit-exceeded (debit) at card');
    await shell.run('payment', 'submit', 'card', 'shop', '40.00', 'EUR');
    const limitsNow = async () =>
      rowsOf((await shell.run('account', 'get', 'card', '--fresh', '-o', 'csv')).stdout)[0]?.limits;
    const until = String.raw`until \d{4}-\d\d-\d\dT15:00:00(\.0+)?Z`;
    const shown = `debit 50\\.00, day 40\\.00 of 80\\.00 ${until}, day-count 1 of 3 ${until}`;
    expect(await limitsNow()).toMatch(new RegExp(`^${shown}$`));
    await shell.run('account', 'update', 'card', '--limit', 'balance=500.00');
    expect(await limitsNow()).toBe('balance 500.00');
    await shell.run('account', 'update', 'card', '--limit', 'none');
    expect(await limitsNow()).toBe('');
    for (const words of [
      ['--limit', 'day'],
      ['--limit', 'year=5.00'],
      ['--limit', 'day-count=0'],
      ['--limit', 'day=5.00 USD'],
      ['--limit', 'none', '--limit', 'day=5.00'],
      ['--limit-zone', 'Asia/Tokyo', '--name', 'x'],
    ])
      expect(await shell.run('account', 'update', 'card', ...words)).toMatchObject({ code: 2, stdout: '' });
  });

  test('as a dry run stores nothing', async () => {
    const before = await shell.run('account', 'get', 'shop', '--fresh', '-o', 'json');
    const dry = await shell.run('payment', 'submit', 'alice', 'shop', '2.00', 'EUR', '--dry-run');
    const after = await shell.run('account', 'get', 'shop', '--fresh', '-o', 'json');
    expect(dry).toMatchObject({ code: 0, stderr: expect.stringContaining('nothing was stored') });
    expect(after.stdout).toBe(before.stdout);
  });

  test('is captured and refunded as much as there is', async () => {
    const held = await shell.run('payment', 'authorize', 'alice', 'shop', '4.00', 'EUR');
    const id = requestIdOf(held.stderr);
    const captured = await shell.run('payment', 'capture', id, '--all', '-o', 'csv');
    expect(rowsOf(captured.stdout)).toEqual([expect.objectContaining({ kind: 'capture', amount: '4.00' })]);
    await shell.run('payment', 'refund', id, '1.00', 'EUR');
    const refunded = await shell.run('payment', 'refund', id, '--all', '-o', 'csv');
    expect(rowsOf(refunded.stdout)).toEqual([expect.objectContaining({ kind: 'refund', amount: '3.00' })]);
    for (const words of [[], ['1.00', 'EUR', '--all']])
      expect(await shell.run('payment', 'refund', id, ...words)).toMatchObject({ code: 2, stdout: '' });
  });

  test('and a withdrawal take as much as there is, at most the amount', async () => {
    await shell.run('account', 'open', 'poor', 'EUR');
    await shell.run('transaction', 'deposit', 'poor', '3.00', 'EUR');
    const paid = await shell.run('payment', 'submit', 'poor', 'shop', '2.00', 'EUR', '--up-to', '-o', 'csv');
    expect(rowsOf(paid.stdout)).toEqual([expect.objectContaining({ status: 'posted', amount: '2.00' })]);
    const words = ['transaction', 'withdraw', 'poor', '5.00', 'EUR', '-o', 'csv'];
    expect(await shell.run(...words)).toMatchObject({ code: 3 });
    const withdrawn = await shell.run(...words, '--up-to');
    expect(withdrawn.code).toBe(0);
    expect(rowsOf(withdrawn.stdout)).toEqual([
      expect.objectContaining({ kind: 'withdrawal', amount: '1.00' }),
    ]);
  });

  test('is authorized, captured, released and refunded', async () => {
    const held = await shell.run(
      'payment',
      'authorize',
      'alice',
      'shop',
      '30.00',
      'EUR',
      '--expires',
      '+24h',
    );
    const id = requestIdOf(held.stderr);
    await shell.run('payment', 'capture', id, '20.00', 'EUR', '--final');
    await shell.run('payment', 'refund', id, '5.00', 'EUR');
    const { stdout } = await shell.run('payment', 'get', id, '-o', 'csv');
    expect(rowsOf(stdout)).toEqual([
      expect.objectContaining({
        authorized: '30.00',
        captured: '20.00',
        refunded: '5.00',
        voided: '10.00',
        remaining: '0.00',
      }),
    ]);
    const ended = await shell.run('payment', 'list', '--status', 'captured', '--payer', 'alice', '-o', 'csv');
    expect(rowsOf(ended.stdout)).toContainEqual(
      expect.objectContaining({ id, status: 'captured', remaining: '0.00' }),
    );
    expect(await shell.run('payment', 'void', id)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('PAYMENT_ENDED'),
    });
  });
});

test('open holds are listed by when they expire', async () => {
  const words = ['payment', 'authorize', 'alice', 'shop', '1.00', 'EUR', '--expires'];
  const [later, sooner] = [await shell.run(...words, '+9h'), await shell.run(...words, '+3h')].map(
    ({ stderr }) => requestIdOf(stderr),
  );
  const list = ['payment', 'list', '--order', 'expire-time', '-o', 'id'];
  expect((await shell.run(...list)).stdout.trim().split('\n')).toEqual([sooner, later]);
  expect((await shell.run(...list, '--desc')).stdout.trim().split('\n')).toEqual([later, sooner]);
  expect((await shell.run(...list, '--expires-before', '+4h')).stdout.trim()).toBe(sooner);
  const held = await shell.run('payment', 'list', '--remaining', '--payee', 'shop', '-o', 'csv');
  expect(rowsOf(held.stdout).map(({ remaining }) => remaining)).toEqual(['1.00', '1.00']);
  for (const id of [later, sooner]) await shell.run('payment', 'void', id ?? '');
});

test('a hold is adjusted, and listed by its new time', async () => {
  const words = ['payment', 'authorize', 'alice', 'shop', '1.00', 'EUR', '--expires'];
  const [first = '', second = ''] = [await shell.run(...words, '+3h'), await shell.run(...words, '+9h')].map(
    ({ stderr }) => requestIdOf(stderr),
  );
  const adjust = (...change: string[]) => shell.run('payment', 'adjust', second, ...change, '-o', 'csv');
  const adjusted = await adjust('2.50', 'EUR', '--expires', '+1h');
  expect(rowsOf(adjusted.stdout)).toEqual([
    expect.objectContaining({ id: second, authorized: '2.50', remaining: '2.50' }),
  ]);
  const { stdout } = await shell.run('payment', 'list', '--order', 'expire-time', '-o', 'id');
  expect(stdout.trim().split('\n')).toEqual([second, first]);
  const beyond = await adjust('9000.00', 'EUR');
  expect(beyond).toMatchObject({ code: 3, stderr: expect.stringContaining('declined: insufficient-funds') });
  expect(rowsOf(beyond.stdout)).toEqual([
    expect.objectContaining({ kind: 'adjustment', status: 'declined', amount: '9000.00' }),
  ]);
  expect(await adjust()).toMatchObject({ code: 2, stdout: '' });
  for (const id of [first, second]) await shell.run('payment', 'void', id);
});

describe('money', () => {
  test.each([
    ['1.001', 'EUR', 'EUR has 2'],
    ['0.5', 'JPY', 'JPY has 0'],
    ['1,50', 'EUR', 'is no amount'],
    ['-1', 'EUR', 'is no amount'],
    ['1e3', 'EUR', 'is no amount'],
    ['1', 'EURO', 'is no currency'],
    ['999999999999999999', 'EUR', 'is too much'],
  ])('%s %s is refused before anything is sent, exit code 2', async (amount, currency, why) => {
    const refused = await shell.run('payment', 'submit', 'alice', 'shop', amount, currency);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain(why);
    expect(refused.stderr).not.toContain('request id');
  });

  test('of an asset has the digits that the ledger gave it', async () => {
    const registered = await shell.run(
      'asset',
      'register',
      'BTC',
      '--exponent',
      '8',
      '--name',
      'Bitcoin',
      '-o',
      'id',
    );
    expect(registered).toMatchObject({ code: 0, stdout: 'BTC\n' });
    await shell.run('account', 'open', 'miner', 'BTC');
    expect(await shell.run('transaction', 'deposit', 'miner', '0.00000001', 'BTC')).toMatchObject({
      code: 0,
    });
    const { stdout } = await shell.run('account', 'get', 'miner', '-o', 'csv');
    expect(rowsOf(stdout)).toEqual([expect.objectContaining({ posted: '0.00000001', currency: 'BTC' })]);
    expect(await shell.run('transaction', 'deposit', 'miner', '0.000000001', 'BTC')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('BTC has 8'),
    });
    const assets = await shell.run('asset', 'list', '-o', 'csv');
    expect(rowsOf(assets.stdout)).toContainEqual(expect.objectContaining({ code: 'BTC', registered: 'yes' }));
  });

  test('beyond 2^53 stays exact', async () => {
    await shell.run('account', 'open', 'whale', 'JPY');
    await shell.run('transaction', 'deposit', 'whale', '9007199254740993', 'JPY');
    const { stdout } = await shell.run('account', 'get', 'whale', '-o', 'csv');
    expect(rowsOf(stdout)).toEqual([expect.objectContaining({ posted: '9007199254740993' })]);
  });
});

describe('lists', () => {
  test('as json are one document, as ndjson one object per line, as csv and id the same rows', async () => {
    const list = (form: string) =>
      shell.run('transaction', 'list', '--account', 'alice', '--all', '-o', form);
    const [json, ndjson, csv, id] = await Promise.all(['json', 'ndjson', 'csv', 'id'].map(list));
    const document = JSON.parse(json?.stdout ?? '') as { transactionId: string }[];
    const ids = document.map(({ transactionId }) => transactionId);
    expect(ids.length).toBeGreaterThan(2);
    const lines = (ndjson?.stdout ?? '').trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { transactionId: string }).transactionId)).toEqual(ids);
    expect(rowsOf(csv?.stdout ?? '').map((row) => row['id'])).toEqual(ids);
    expect((id?.stdout ?? '').trimEnd().split('\n')).toEqual(ids);
  });

  test('without a row are an empty document, and nothing as a table', async () => {
    const none = ['transaction', 'list', '--reference', 'no such thing'];
    expect(await shell.run(...none, '-o', 'json')).toMatchObject({ code: 0, stdout: '[]\n' });
    expect(await shell.run(...none)).toMatchObject({ code: 0, stdout: '' });
  });

  test('say that there is more, and on the standard error what they are as of', async () => {
    const { stdout, stderr } = await shell.run('account', 'list', '--limit', '1', '-o', 'id');
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/^as of \d+, 20/m);
    expect(stderr).toContain('there are more');
  });

  test('show the columns that are asked for, money at the right', async () => {
    const { stdout } = await shell.run(
      'account',
      'list',
      '--prefix',
      'alice',
      '--columns',
      'account,available',
    );
    const [heading = '', row = ''] = stdout.split('\n');
    expect(heading).toBe('ACCOUNT  AVAILABLE');
    expect(row).toMatch(/^alice {2}\s+\d+\.\d\d$/);
    expect(row).toHaveLength(heading.length);
  });

  test.each([
    [['transaction', 'list', '--nonsense', 'x'], "unknown option '--nonsense'"],
    [['transaction', 'list', '--status', 'done'], 'It is one of posted, declined'],
    [['transaction', 'list', '--from', 'yesterday'], 'It is a time such as'],
    [['transaction', 'list', '--from', '2026-02-31'], 'It is a time such as'],
    [['transaction', 'list', '-w', '--status', 'declined'], '--status does not go with -w'],
    [['transaction', 'list', '--columns', 'colour'], '"colour" is no column here'],
    [['transaction', 'list', '--columns', 'id', '-o', 'json'], 'json has no columns'],
    [['account', 'get', 'alice', '--fresh', '--stale'], 'exclude one another'],
    [['account', 'list', '--all', '--limit', '3'], 'exclude one another'],
    [['account', 'list', 'alice'], 'too many arguments'],
    [['account', 'lst'], "unknown command 'lst'"],
  ])('%j is an error, exit code 2', async (words, why) => {
    const refused = await shell.run(...words);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain(why);
  });
});

describe('reads', () => {
  test('see the last command without being told', async () => {
    const paid = await shell.run('payment', 'submit', 'alice', 'shop', '0.01', 'EUR');
    const position = /position (\d+)/.exec(paid.stderr)?.[1];
    const read = await shell.run('account', 'get', 'alice');
    expect(Number(/as of (\d+)/.exec(read.stderr)?.[1])).toBeGreaterThanOrEqual(Number(position));
  });

  test('forget a token that is not of this log, and go on', async () => {
    const other = createShell({ QUITTANCE_CLI_ADDRESS: server.grpc, QUITTANCE_CLI_LEDGER: 'tour' });
    await other.run('payment', 'submit', 'alice', 'shop', '0.01', 'EUR');
    const path = join(other.home, '.local', 'state', 'quittance', 'tokens.json');
    expect(statSync(path).mode & 0o077).toBe(0);
    const [key = ''] = Object.keys(JSON.parse(readFileSync(path, 'utf8')) as object);
    writeFileSync(path, JSON.stringify({ [key]: 'not a token' }));
    const read = await other.run('account', 'get', 'alice', '-o', 'id');
    expect(read).toMatchObject({ code: 0, stdout: 'alice\n' });
    expect(read.stderr).toContain('is forgotten');
    expect(await other.run('account', 'get', 'alice', '-o', 'id')).toMatchObject({
      stderr: expect.not.stringContaining('is forgotten'),
    });
    rmSync(other.home, { recursive: true, force: true });
  });

  test('at a position, at a time and by effective time show what was there', async () => {
    const { stderr } = await shell.run('payment', 'submit', 'alice', 'shop', '0.10', 'EUR');
    const position = BigInt(/position (\d+)/.exec(stderr)?.[1] ?? '0');
    const at = async (when: string) => {
      const { stdout } = await shell.run('account', 'get', 'alice', '--at', when, '-o', 'json');
      return BigInt((JSON.parse(stdout) as { posted: string }).posted);
    };
    expect((await at(String(position - 1n))) - (await at(String(position)))).toBe(10n);
    expect(await at('effective:now')).toBe(await at(String(position)));
    expect(await shell.run('account', 'get', 'alice', '--at', '-400d')).toMatchObject({ code: 4 });
    const diff = await shell.run(
      'account',
      'diff',
      'alice',
      '--from',
      String(position - 1n),
      '--to',
      String(position),
      '-o',
      'csv',
    );
    expect(rowsOf(diff.stdout)).toContainEqual(expect.objectContaining({ what: 'posted', change: '-0.10' }));
  });

  test('of what does not exist end with exit code 4', async () => {
    expect(await shell.run('account', 'get', 'nobody')).toMatchObject({ code: 4, stdout: '' });
    expect(await shell.run('account', 'list', '--ledger', 'nowhere')).toMatchObject({ code: 4 });
  });

  test('end with exit code 5 where nothing listens', async () => {
    const address = `127.0.0.1:${String(await freePort())}`;
    const { code, stderr } = await shell.run('account', 'get', 'alice', '--address', address);
    expect(code).toBe(5);
    expect(stderr).toContain(`nothing listens at ${address}`);
  });
});

describe('profiles', () => {
  test('keep what was set, for their owner alone, and show no token', async () => {
    const own = createShell({});
    await own.run('config', 'set', 'address', server.grpc);
    await own.run('config', 'set', 'ledger', 'tour');
    await own.runWith({ stdin: 'qtk_secret\n' }, 'config', 'set', 'token');
    const path = (await own.run('config', 'path')).stdout.trim();
    expect(statSync(path).mode & 0o077).toBe(0);
    expect(readFileSync(path, 'utf8')).toContain('token = "qtk_secret"');
    const listed = await own.run('config', 'list', '-o', 'csv');
    expect(listed.stdout).not.toContain('secret');
    expect(await own.run('account', 'get', 'alice', '-o', 'id')).toMatchObject({
      code: 0,
      stdout: 'alice\n',
    });
    chmodSync(path, 0o644);
    expect(await own.run('account', 'get', 'alice')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('chmod 600'),
    });
    rmSync(own.home, { recursive: true, force: true });
  });

  test('give way to a variable, and a variable to a flag', async () => {
    const own = createShell({});
    await own.run('config', 'set', 'address', server.grpc);
    await own.run('config', 'set', 'ledger', 'nowhere');
    expect(await own.run('account', 'get', 'alice')).toMatchObject({ code: 4 });
    const env = { QUITTANCE_CLI_LEDGER: 'tour' };
    expect(await own.runWith({ env }, 'account', 'get', 'alice')).toMatchObject({ code: 0 });
    expect(await own.runWith({ env }, 'account', 'get', 'alice', '--ledger', 'nowhere')).toMatchObject({
      code: 4,
    });
    rmSync(own.home, { recursive: true, force: true });
  });

  test.each(['colour', 'Address'])('know no setting %s', async (key) => {
    expect(await shell.run('config', 'set', key, 'x')).toMatchObject({ code: 2 });
  });
});

test('a month is closed, refuses what is dated in it, and is reopened for a reason', async () => {
  const own = createShell({ QUITTANCE_CLI_ADDRESS: server.grpc, QUITTANCE_CLI_LEDGER: 'months' });
  await own.run('ledger', 'create', 'months');
  await own.run('account', 'open', 'alice', 'EUR');
  const late = ['transaction', 'deposit', 'alice', '9.00', 'EUR', '--effective', '2026-01-31'];
  await own.run(...late);
  const preview = await own.run('ledger', 'close-period', '2026-01-31', '--dry-run');
  expect(preview.code).toBe(0);
  expect(preview.stdout).toMatch(/2026-01-31T23:59:59\.999999Z/);
  expect(preview.stdout).toMatch(/liability +0\.00 +9\.00 +EUR/);
  expect((await own.run('ledger', 'get', 'months')).stdout).not.toContain('23:59:59.999999Z');
  const closed = await own.run(
    'ledger',
    'close-period',
    '2026-01-31',
    '--description',
    'January',
    '-o',
    'json',
  );
  expect(JSON.parse(closed.stdout)).toMatchObject({
    period: { description: 'January', closedThrough: '2026-01-31T23:59:59.999999Z', totalCount: 2 },
  });
  expect((await own.run('ledger', 'get', 'months')).stdout).toContain('2026-01-31T23:59:59.999999Z');
  const refused = await own.run(...late);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('PERIOD_CLOSED')]);
  expect(refused.stderr).toContain('2026-01-31T23:59:59.999999Z');
  const reopened = await own.run('ledger', 'reopen-period', 'an invoice came late');
  expect([reopened.code, reopened.stdout]).toEqual([0, 'nothing is closed\n']);
  expect((await own.run(...late)).code).toBe(0);
  expect(await own.run('ledger', 'close-period', 'yesterday')).toMatchObject({ code: 2 });
  rmSync(own.home, { recursive: true, force: true });
});

test('the status of a server that serves is good, exit code 0', async () => {
  const { code, stdout } = await shell.run('status', '-o', 'json');
  const parts = JSON.parse(stdout) as { part: string; good: boolean; detail: string }[];
  expect(code).toBe(0);
  expect(parts.map(({ part }) => part)).toEqual(['server', 'queue', 'balances', 'history', 'reports']);
  expect(parts[0]?.detail).toBe(`${server.grpc}, standalone ${versionOf()}, embedded`);
  expect(parts.every(({ good }) => good)).toBe(true);
});
