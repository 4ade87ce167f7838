/** What goes on: watches, forwarding, retries, batches; and what proves, reports, completes. Against a whole Quittance. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Server as GrpcServer, ServerCredentials, status } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { parse as parseCsv } from 'csv-parse/sync';
import {
  SubmitPaymentRequestSchema,
  SubmitPaymentResponseSchema,
} from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { startTestServer, type TestServer } from '../../../test/standalone.js';
import { until } from '../../../test/until.js';
import { type Shell, tourShell } from './shell.js';

const MAIN = fileURLToPath(new URL('../../../dist/tools/cli/main.js', import.meta.url));

let server: TestServer;
let shell: Shell;
const cleanUps: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  server = await startTestServer();
  shell = await tourShell(server);
}, 120_000);

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

afterAll(async () => {
  await server.stop();
  rmSync(shell.home, { recursive: true, force: true });
});

const pay = (amount: string) => shell.run('payment', 'submit', 'alice', 'shop', amount, 'EUR');

function rowsOf(csv: string): Record<string, string>[] {
  return parseCsv<Record<string, string>>(csv, { columns: true });
}

function idsOf(stdout: string): string[] {
  return stdout.trimEnd().split('\n');
}

/** A server of the same contract that answers SubmitPayment as the test says, and keeps the ids that it got. */
async function startFake(
  answers: () => 'away' | 'done' | 'silent',
): Promise<{ readonly address: string; readonly ids: string[] }> {
  const ids: string[] = [];
  const fake = new GrpcServer();
  fake.addService(
    {
      submitPayment: {
        path: '/quittance.command.v1.TransactionCommandService/SubmitPayment',
        requestStream: false,
        responseStream: false,
        requestDeserialize: (bytes: Buffer) => fromBinary(SubmitPaymentRequestSchema, bytes),
        requestSerialize: (request) => Buffer.from(toBinary(SubmitPaymentRequestSchema, request)),
        responseDeserialize: (bytes: Buffer) => fromBinary(SubmitPaymentResponseSchema, bytes),
        responseSerialize: (answer) => Buffer.from(toBinary(SubmitPaymentResponseSchema, answer)),
      },
    },
    {
      submitPayment: (
        call: { request: { requestId: string } },
        callback: (error: object | null, answer?: unknown) => void,
      ) => {
        ids.push(call.request.requestId);
        const answer = answers();
        if (answer === 'away') callback({ code: status.UNAVAILABLE, details: 'the database is away' });
        if (answer === 'done') callback(null, create(SubmitPaymentResponseSchema, { position: 1n }));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    fake.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  cleanUps.push(async () => {
    fake.forceShutdown();
  });
  return { address: `127.0.0.1:${String(port)}`, ids };
}

describe('a webhook', () => {
  // Nothing is recorded in this ledger after the webhook was created, and so nothing is sent.
  const hook = (verb: string, ...words: string[]) =>
    shell.run('webhook', verb, ...words, '--ledger', 'hooked');

  test('is created with a secret that is shown once, changed, stopped, and deleted', async () => {
    await shell.run('ledger', 'create', 'hooked');
    const words = ['orders', 'https://8.8.8.8/hook', '--kind', 'account-frozen', '--retry', '12h'];
    const created = await hook('create', ...words, '-o', 'json');
    const { secret, webhook } = JSON.parse(created.stdout) as { secret: string; webhook: object };
    expect(created).toMatchObject({ code: 0, stderr: expect.stringContaining(secret) });
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(webhook).toMatchObject({
      url: 'https://8.8.8.8/hook',
      kinds: ['EVENT_KIND_ACCOUNT_FROZEN'],
      retryPeriodSeconds: 43_200,
      state: 'WEBHOOK_STATE_ACTIVE',
    });
    const changed = await hook('update', 'orders', '--description', 'for orders', '--account', 'alice');
    expect(changed.code).toBe(0);
    await hook('pause', 'orders', '--reason', 'moving');
    const [row] = rowsOf((await hook('list', '-o', 'csv')).stdout);
    expect(row).toMatchObject({
      webhook: 'orders',
      state: 'paused',
      'paused-why': 'moving',
      accounts: 'alice',
      kinds: 'account-frozen',
      description: 'for orders',
      parked: '0',
    });
    const rotated = await hook('rotate-secret', 'orders', '--overlap', '2h');
    expect(rotated.stderr).toMatch(/whsec_/);
    expect(rotated.stderr).not.toContain(secret);
    expect((await hook('deliveries', 'orders', '-o', 'json')).stdout.trim()).toBe('[]');
    expect((await hook('retry', 'orders', '--all')).stderr).toContain('0 deliveries are sent once more');
    expect((await hook('retry', 'orders')).code).toBe(2);
    const position = row?.['position'] ?? '';
    expect((await hook('replay', 'orders', '--from', String(Number(position) + 1), '--yes')).code).toBe(0);
    expect((await hook('resume', 'orders', '-o', 'id')).stdout).toBe('orders\n');
    expect((await hook('delete', 'orders', '--yes')).code).toBe(0);
    expect((await hook('get', 'orders')).code).toBe(4);
  });
});

describe('a schedule', () => {
  const schedule = (verb: string, ...words: string[]) =>
    shell.run('schedule', verb, ...words, '--ledger', 'scheduled');
  const RENT = ['alice', 'shop', '8.00 EUR', '--id', 'rent', '--start', '2999-01-31T08:00Z'];
  const RULE = ['--rule', 'FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3', '--zone', 'Europe/Berlin'];

  test('is created, shown with its times, listed, paused, resumed and cancelled', async () => {
    await shell.run('ledger', 'create', 'scheduled');
    for (const account of ['alice', 'shop'])
      await shell.run('account', 'open', account, 'EUR', '--ledger', 'scheduled');
    const preview = await schedule('create', ...RENT, ...RULE, '--dry-run', '-o', 'wide');
    expect(preview).toMatchObject({ code: 0, stderr: expect.stringContaining('nothing was stored') });
    expect(preview.stdout).toContain('2999-02-28T08:00:00Z 2999-03-31T07:00:00Z');
    expect((await schedule('get', 'rent')).code).toBe(4);
    const words = [
      '--on-decline',
      'retry',
      '--retry-interval',
      '6h',
      '--on-missed',
      'skip',
      '--late-after',
      '2h',
    ];
    const created = await schedule('create', ...RENT, ...RULE, ...words, '-o', 'json');
    const { schedule: shown } = JSON.parse(created.stdout) as { schedule: object };
    expect(shown).toMatchObject({
      retryIntervalSeconds: 21_600,
      retryPeriodSeconds: 64_800,
      lateAfterSeconds: 7_200,
      onMissed: 'ON_MISSED_SKIP',
      occurrenceCount: 3,
    });
    await schedule('pause', 'rent', '--reason', 'moving out');
    const [row] = rowsOf(
      (await schedule('list', '--state', 'paused', '--account', 'alice', '-o', 'csv')).stdout,
    );
    expect(row).toMatchObject({
      schedule: 'rent',
      state: 'paused',
      payer: 'alice',
      payee: 'shop',
      amount: '8.00',
      currency: 'EUR',
      next: '2999-01-31T08:00:00.000000Z',
      times: '3',
      posted: '0',
      'paused-why': 'moving out',
    });
    expect((await schedule('resume', 'rent', '-o', 'id')).stdout).toBe('rent\n');
    expect((await schedule('runs', 'rent', '-o', 'json')).stdout.trim()).toBe('[]');
    expect((await schedule('cancel', 'rent', '--yes')).code).toBe(0);
    expect((await schedule('list', '--state', 'active', '-o', 'json')).stdout.trim()).toBe('[]');
    expect((await schedule('create', ...RENT)).code).toBe(2);
  });
});

describe('a command whose outcome is not known', () => {
  test('is sent again under the request id that was printed', async () => {
    let calls = 0;
    const fake = await startFake(() => ((calls += 1) < 3 ? 'away' : 'done'));
    const paid = await shell.run(
      'payment',
      'submit',
      'alice',
      'shop',
      '1.00',
      'EUR',
      '--address',
      fake.address,
    );
    expect(paid.code).toBe(0);
    expect(paid.stderr).toContain('trying again: the database is away');
    const printed = /^request id (\S+)$/m.exec(paid.stderr)?.[1] ?? '';
    expect(fake.ids).toEqual([printed, printed, printed]);
  });

  test('ends with exit code 5 and the line to send again, which pays once', async () => {
    const fake = await startFake(() => 'away');
    const words = ['payment', 'submit', 'alice', 'shop', '0.50', 'EUR', '--reference', "Bob's order"];
    const lost = await shell.run(...words, '--timeout', '50ms', '--address', fake.address);
    expect(lost.code).toBe(5);
    const line = /^send it again: (.*)$/m.exec(lost.stderr)?.[1] ?? '';
    expect(line).toContain(String.raw`'Bob'\''s order'`);
    const again = line.replace(fake.address, server.grpc).replace('--timeout 50ms ', '');
    expect(await inBash(again)).toMatchObject({ code: 0 });
    const id = /--request-id (\S+)$/.exec(line)?.[1] ?? '';
    const third = await shell.run(...words, '--request-id', id);
    expect(third).toMatchObject({ code: 0, stderr: expect.stringContaining('replayed') });
    const { stdout } = await shell.run(
      'transaction',
      'list',
      '--reference',
      "Bob's order",
      '--fresh',
      '-o',
      'id',
    );
    expect(idsOf(stdout)).toEqual([id]);
  });

  test('after Ctrl-C is said to be unknown, with the line to send again, exit code 130', async () => {
    const end = new AbortController();
    const fake = await startFake(() => {
      end.abort();
      return 'silent';
    });
    const words = ['payment', 'submit', 'alice', 'shop', '0.50', 'EUR', '--address', fake.address];
    const interrupted = await shell.runWith({ signal: end.signal }, ...words);
    expect(interrupted.code).toBe(130);
    expect(interrupted.stderr).toContain(`--request-id ${fake.ids[0] ?? ''}`);
  });

  test('is not the same as one that the server refuses', async () => {
    const refused = await shell.run('payment', 'submit', 'alice', 'alice', '0.50', 'EUR');
    expect(refused.code).toBe(2);
    expect(refused.stderr).not.toContain('send it again');
  });
});

/** Runs a line in a real bash, with the built command line under its name. */
function inBash(
  line: string,
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  return inShell('bash', `quittance() { '${process.execPath}' '${MAIN}' "$@"; }\n${line}`);
}

function inShell(name: string, script: string) {
  const env = { ...process.env, HOME: shell.home, QUITTANCE_CLI_LEDGER: 'tour' };
  return new Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>(
    (resolve) => {
      execFile(name, ['-c', script], { env }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
      });
    },
  );
}

describe('a watch', () => {
  test('of a balance shows it, then each change, until Ctrl-C', async () => {
    const end = new AbortController();
    const rows: { posted: string }[] = [];
    const onOut = (text: string) => rows.push(JSON.parse(text) as { posted: string });
    const watching = shell.runWith(
      { signal: end.signal, onOut },
      'account',
      'get',
      'shop',
      '-w',
      '-o',
      'ndjson',
    );
    await until(() => rows.length > 0);
    const before = BigInt(rows.at(-1)?.posted ?? 0);
    await pay('0.25');
    await until(() => BigInt(rows.at(-1)?.posted ?? 0) === before + 25n);
    end.abort();
    expect(await watching).toMatchObject({ code: 0 });
  });

  test('as one document is refused', async () => {
    expect(await shell.run('event', 'list', '-w', '-o', 'json')).toMatchObject({ code: 2, stdout: '' });
  });
});

/** Takes events as an endpoint of an operator would: `answer` says what each gets. */
async function startHook(answer: (position: string, times: number) => number | Promise<number>) {
  const taken: string[] = [];
  const hook: Server = createServer((request, response) => {
    void (async () => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      const { event } = JSON.parse(body) as { event: { position: string } };
      const { position } = event;
      taken.push(position);
      const code = await answer(position, taken.filter((each) => each === position).length);
      response.writeHead(code).end();
    })();
  });
  hook.listen(0, '127.0.0.1');
  await once(hook, 'listening');
  cleanUps.push(async () => {
    hook.closeAllConnections();
    hook.close();
    await once(hook, 'close');
  });
  return { url: `http://127.0.0.1:${String((hook.address() as AddressInfo).port)}/hook`, taken };
}

const allPositions = async () =>
  idsOf((await shell.run('event', 'list', '--all', '--fresh', '-o', 'id')).stdout);

describe('event forward', () => {
  test('loses nothing over kill -9, a busy endpoint and Ctrl-C', async () => {
    const file = join(shell.home, 'forward.resume');
    for (const amount of ['0.01', '0.02', '0.03', '0.04']) await pay(amount);
    const first = await allPositions();
    const [killedAt = '', busyAt = '', stoppedAt = ''] = first.slice(2);
    const end = new AbortController();
    const kill: { now?: () => void } = {};
    const hook = await startHook((position, times) => {
      if (position === killedAt && times === 1) kill.now?.();
      if (position === stoppedAt && times === 1) end.abort();
      return position === busyAt && times === 1 ? 503 : 204;
    });
    const words = ['event', 'forward', '--to', hook.url, '--from', '0', '--resume-file', file];

    const env = {
      ...process.env,
      HOME: shell.home,
      QUITTANCE_CLI_LEDGER: 'tour',
      QUITTANCE_CLI_ADDRESS: server.grpc,
    };
    const child = spawn(process.execPath, [MAIN, ...words], { env, stdio: 'ignore' });
    kill.now = () => child.kill('SIGKILL');
    await once(child, 'exit');
    expect(hook.taken.at(-1)).toBe(killedAt);

    expect(await shell.runWith({ signal: end.signal }, ...words)).toMatchObject({ code: 0 });
    await pay('0.05');
    const all = await allPositions();
    const last = new AbortController();
    const going = shell.runWith({ signal: last.signal }, ...words);
    await until(() => hook.taken.includes(all.at(-1) ?? ''));
    last.abort();
    await going;

    expect([...new Set(hook.taken)]).toEqual(all);
    const repeated = hook.taken.filter((position, index) => hook.taken.indexOf(position) !== index);
    expect(new Set(repeated)).toEqual(
      new Set([killedAt, busyAt, ...repeated.filter((each) => each === stoppedAt)]),
    );
  });

  test('stops at an event that the endpoint refuses, and sends none behind it', async () => {
    const [first = '', second = ''] = await allPositions();
    const hook = await startHook((position) => (position === second ? 400 : 200));
    const refused = await shell.run('event', 'forward', '--to', hook.url, '--from', '0');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`position ${second}`);
    expect(hook.taken).toEqual([first, second]);
  });

  test.each([
    [[], '--to http://HOST/PATH'],
    [['--to', 'ftp://localhost/'], '--to http://HOST/PATH'],
  ])('with %j is an error', async (words, why) => {
    expect(await shell.run('event', 'forward', ...words)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(why),
    });
  });

  test('refuses a resume file of another ledger', async () => {
    const file = join(shell.home, 'other.resume');
    writeFileSync(file, JSON.stringify({ ledger: 'other', position: '1', resumeToken: 'x' }));
    const refused = await shell.run('event', 'forward', '--to', 'http://localhost:1/', '--resume-file', file);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('of the ledger other') });
  });
});

describe('events', () => {
  test('are filtered by kind and time, and shown with the command as it was sent', async () => {
    await shell.run('account', 'freeze', 'shop');
    await shell.run('account', 'unfreeze', 'shop');
    const line =
      'event list --kind account-frozen --kind account-unfrozen --from -1h --desc --limit 2 -o csv';
    const { stdout } = await shell.run(...line.split(' '));
    expect(rowsOf(stdout).map(({ event }) => event)).toEqual(['AccountUnfrozen', 'AccountFrozen']);
    const [, frozen] = rowsOf(stdout);
    const explained = await shell.run('explain', frozen?.['position'] ?? '', '-o', 'json');
    expect(JSON.parse(explained.stdout)).toMatchObject({ command: { freezeAccount: { accountId: 'shop' } } });
  });

  test('a transaction is explained by its entries, event, command and hash', async () => {
    const id = /^request id (\S+)$/m.exec((await pay('0.75')).stderr)?.[1] ?? '';
    const { stdout, code } = await shell.run('explain', id, '-o', 'json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      transaction: { transactionId: id },
      entries: [{ entry: { accountId: 'alice' } }, { entry: { accountId: 'shop' } }],
      command: { submitPayment: { amount: { minorUnits: '75' } } },
      event: { hash: expect.stringMatching(/=$/) },
    });
    expect((await shell.run('explain', id)).stdout).toContain('== entries');
  });
});

describe('a batch', () => {
  const file = () => join(shell.home, 'payroll.csv');

  test('is judged by a dry run, booked, and replayed under the same id', async () => {
    writeFileSync(
      file(),
      'payer,payee,amount,currency,reference\nalice,shop,1.00,EUR,pay-1\nalice,shop,2.00,EUR,pay-2\n',
    );
    const paid = async () =>
      rowsOf((await shell.run('transaction', 'list', '--reference', 'pay-1', '--fresh', '-o', 'csv')).stdout);
    expect((await shell.run('batch', 'run', file(), '--dry-run', '-o', 'csv')).code).toBe(0);
    expect(await paid()).toEqual([]);
    const first = await shell.run('batch', 'run', file(), '--atomic', '-o', 'csv');
    const id = /^request id (\S+)$/m.exec(first.stderr)?.[1] ?? '';
    const again = await shell.run('batch', 'run', file(), '--atomic', '-o', 'csv', '--request-id', id);
    const statuses = (csv: string) => rowsOf(csv).map(({ status: each, replayed }) => [each, replayed]);
    expect(statuses(first.stdout)).toEqual([
      ['posted', ''],
      ['posted', ''],
    ]);
    expect(statuses(again.stdout)).toEqual([
      ['posted', 'yes'],
      ['posted', 'yes'],
    ]);
    expect(await paid()).toHaveLength(1);
  });

  test('atomic is all or nothing, exit code 3', async () => {
    writeFileSync(file(), 'payer,payee,amount,currency\nalice,shop,1.00,EUR\nalice,shop,9000.00,EUR\n');
    const declined = await shell.run('batch', 'run', file(), '--atomic', '-o', 'csv');
    expect(declined.code).toBe(3);
    expect(rowsOf(declined.stdout).map(({ reason }) => reason)).toEqual([
      'batch-declined',
      'insufficient-funds',
    ]);
  });

  test('of commands as JSON takes every command, and tells which one failed', async () => {
    const lines = [
      { openAccount: { accountId: 'batched', currency: 'EUR' } },
      { deposit: { accountId: 'batched', amount: { currency: 'EUR', minorUnits: '500' } } },
      { deposit: { accountId: 'nobody', amount: { currency: 'EUR', minorUnits: '500' } } },
    ];
    const stdin = lines.map((line) => JSON.stringify(line)).join('\n');
    const ran = await shell.runWith({ stdin }, 'batch', 'run', '-', '--format', 'ndjson', '-o', 'json');
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.stdout)).toMatchObject([
      { status: 'done' },
      { status: 'posted' },
      { status: 'error', reason: 'ACCOUNT_NOT_FOUND' },
    ]);
  });

  test.each([
    ['payer,payee,amount,currency,colour\n', '"colour" is not known'],
    ['payer,payee,amount,currency\nalice,shop,1.005,EUR\n', 'line 2: 1.005 EUR has 3 decimal digits'],
    ['payer,payee,amount,currency\nalice,,1.00,EUR\n', 'line 2: the column payee is empty'],
    ['payer,payee,amount,currency\n', 'holds no command'],
  ])('of %j is refused as a whole', async (csv, why) => {
    writeFileSync(file(), csv);
    const refused = await shell.run('batch', 'run', file());
    expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(why) });
  });
});

describe('a proof', () => {
  test('of a sound ledger is exit code 0, and keeps an anchor that holds later', async () => {
    const anchor = join(shell.home, 'anchor.json');
    expect(await shell.run('verify', '--anchor', anchor, '--save')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('anchor at position'),
    });
    const kept = JSON.parse(readFileSync(anchor, 'utf8')) as Record<string, string>;
    expect(kept).toMatchObject({ ledger: 'tour', hash: expect.stringMatching(/^[0-9a-f]{64}$/) });
    await pay('0.01');
    const later = await shell.run('verify', 'tour', '--anchor', anchor, '-o', 'csv');
    expect(later.code).toBe(0);
    expect(rowsOf(later.stdout).map(({ subject, result }) => `${subject ?? ''} ${result ?? ''}`)).toEqual([
      'anchor ok',
      'log ok',
      'state-tables ok',
      'balances ok',
      'history ok',
      'reports ok',
      'verdict ok',
    ]);
  });

  test('that does not agree with an anchor is exit code 6, and keeps none', async () => {
    const anchor = join(shell.home, 'false.json');
    const [position = ''] = await allPositions();
    for (const at of [position, '999999']) {
      const text = JSON.stringify({ ledger: 'tour', position: at, hash: 'ab'.repeat(32) });
      writeFileSync(anchor, text);
      const proof = await shell.run('verify', '--anchor', anchor, '--save', '-o', 'csv');
      expect(proof.code).toBe(6);
      expect(
        rowsOf(proof.stdout)
          .filter(({ result }) => result === 'differs')
          .map(({ subject }) => subject),
      ).toEqual(['anchor', 'verdict']);
      expect(readFileSync(anchor, 'utf8')).toBe(text);
    }
  });
});

describe('reports', () => {
  test('balance, with decimal sums', async () => {
    const { stdout, code } = await shell.run(
      'report',
      'trial-balance',
      '--by',
      'account',
      '--fresh',
      '-o',
      'csv',
    );
    expect(code).toBe(0);
    const rows = rowsOf(stdout);
    expect(rows.map(({ key }) => key)).toEqual(expect.arrayContaining(['@settlement:EUR', 'alice', 'shop']));
    const cents = (column: string) =>
      rows.reduce((sum, row) => sum + BigInt((row[column] ?? '').replace('.', '')), 0n);
    expect(cents('debits')).toBe(cents('credits'));
    expect(cents('net')).toBe(0n);
  });

  test.each([
    [
      ['volume', '--from', '-1h'],
      ['start', 'end', 'kind', 'count', 'volume', 'currency'],
    ],
    [
      ['declines', '--from', '-1h'],
      ['start', 'end', 'reason', 'count', 'volume', 'currency'],
    ],
    [
      ['cash-flow', 'alice', '--from', '-1h'],
      ['start', 'end', 'kind', 'inflow', 'outflow', 'currency'],
    ],
    [
      ['balance-history', 'alice', '--from', '-1h', '--interval', 'hour'],
      ['start', 'end', 'account', 'opening', 'debits', 'credits', 'closing', 'currency'],
    ],
    [
      ['rank', 'EUR', '--by', 'credits', '--top', '2'],
      ['rank', 'account', 'debits', 'credits', 'posted', 'count', 'currency'],
    ],
  ])('%j are rows with the same columns', async (words, columns) => {
    const { stdout, code } = await shell.run('report', ...words, '--fresh', '-o', 'csv');
    expect(code).toBe(0);
    expect(Object.keys(rowsOf(stdout)[0] ?? {})).toEqual(columns);
  });

  test('a statement runs its balance', async () => {
    const { stdout } = await shell.run('account', 'statement', 'shop', '--fresh', '--all', '-o', 'csv');
    const account = await shell.run('account', 'get', 'shop', '-o', 'csv');
    expect(rowsOf(stdout).at(-1)?.['balance']).toBe(rowsOf(account.stdout)[0]?.['posted']);
  });
});

/** Which of the shells this machine has; bash is always there. */
const INSTALLED = ['/usr/bin/zsh', '/bin/zsh'].some((path) => existsSync(path)) ? ['bash', 'zsh'] : ['bash'];

const ASKING: Readonly<Record<string, (words: string) => string>> = {
  bash: (words) =>
    `COMP_WORDS=(quittance ${words}); COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 )); _quittance; printf '%s\\n' "\${COMPREPLY[@]}"`,
  zsh: (words) => `words=(quittance ${words}); CURRENT=\${#words}; _quittance`,
};

/** What zsh has only where a line is edited: adds the words that begin as the last one does. */
const EDITOR = `compdef() { :; }
_files() { :; }
compadd() { local each; for each in "\${(@P)2}"; do [[ "$each" == "\${words[CURRENT]}"* ]] && printf '%s\\n' "$each"; done; }`;

test.each(INSTALLED)(
  '%s completes nouns, verbs, flags and their values, and starts no process for them',
  async (name) => {
    const { stdout: script } = await shell.run('completion', name);
    const path = join(shell.home, `completion.${name}`);
    writeFileSync(path, script);
    const asked = [
      'pay',
      'payment sub',
      'payments submit --dr',
      "transaction list --status ''",
      'projection rebuild h',
      'verify --anc',
      'server re',
      'batch run --at',
      'completion z',
      "payment submit --reference ''",
      'account open card EUR --limit day',
    ];
    const load = `quittance() { echo started; }\n${name === 'zsh' ? EDITOR : ''}\nsource '${path}'`;
    const lines = asked.map((words) => `${ASKING[name]?.(words) ?? ''}; echo ---`).join('\n');
    const { stdout, stderr } = await inShell(name, `${load}\n${lines}`);
    expect(stderr).toBe('');
    expect(stdout.split('---\n').map((part) => part.trim().split('\n').join(' '))).toEqual([
      'payment',
      'submit',
      '--dry-run',
      'posted declined authorized captured voided expired',
      'history',
      '--anchor',
      'reset',
      '--atomic',
      'zsh',
      '',
      'day= day-count=',
      '',
    ]);
  },
);

/** Stands for the command line: notes what it is asked for, and knows two ids. */
const KNOWING = `quittance() { printf '%s\\n' "$*" >>"$HOME/asked"; printf '%s\\n' customer:anna @settlement:EUR; }`;

test.each(INSTALLED)('%s completes ids where the words say that they are', async (name) => {
  rmSync(join(shell.home, 'asked'), { force: true });
  const { stdout: script } = await shell.run('completion', name);
  const path = join(shell.home, `ids.${name}`);
  writeFileSync(path, script);
  const asked = [
    'account get cust',
    'payment submit --ledger books --reference x customer:anna cust',
    'account open cust',
    'webhook pause cust',
    'account get --co',
  ];
  const load = `${KNOWING}\n${name === 'zsh' ? EDITOR : ''}\nsource '${path}'`;
  const lines = asked.map((words) => `${ASKING[name]?.(words) ?? ''}; echo ---`).join('\n');
  const { stdout, stderr } = await inShell(name, `${load}\n${lines}`);
  expect(stderr).toBe('');
  expect(stdout.split('---\n').map((part) => part.trim())).toEqual([
    'customer:anna',
    'customer:anna',
    '',
    'customer:anna',
    '--columns',
    '',
  ]);
  expect(readFileSync(join(shell.home, 'asked'), 'utf8')).toBe(
    'ids account cust --timeout 1s --stale\nids account cust --timeout 1s --stale --ledger books\n' +
      'ids webhook cust --timeout 1s --stale\n',
  );
});

test('bash, to which a colon and an @ end a word, completes what follows them', async () => {
  const { stdout: script } = await shell.run('completion', 'bash');
  const path = join(shell.home, 'colons.bash');
  writeFileSync(path, script);
  const asked = ['account get customer : an', 'account get customer :', 'account get @ sett'];
  const lines = asked.map((words) => ASKING['bash']?.(words) ?? '').join('\n');
  const { stdout, stderr } = await inShell('bash', `${KNOWING}\nsource '${path}'\n${lines}`);
  expect({ stderr, words: stdout.trim().split('\n') }).toEqual({
    stderr: '',
    words: ['anna', 'anna', 'settlement:EUR'],
  });
});

describe('ids', () => {
  test('are those of the server that begin so, kept for a moment', async () => {
    expect(await shell.run('ids', 'account', 'al', '--fresh')).toMatchObject({ code: 0, stdout: 'alice\n' });
    expect(await shell.run('ids', 'ledger', 'to', '--fresh')).toMatchObject({ stdout: 'tour\n' });
    const held = await shell.run('payment', 'authorize', 'alice', 'shop', '0.01', 'EUR', '-o', 'id');
    const payment = held.stdout.trim();
    for (const kind of ['payment', 'transaction'])
      expect(await shell.run('ids', kind, payment.slice(0, 13), '--fresh')).toMatchObject({
        stdout: expect.stringContaining(payment),
      });
    const rent = ['alice', 'shop', '1.00', 'EUR', '--id', 'rent', '--at', '2090-01-01'];
    expect(await shell.run('schedule', 'create', ...rent)).toMatchObject({ code: 0 });
    expect(await shell.run('ids', 'schedule', 're')).toMatchObject({ code: 0, stdout: 'rent\n' });
    expect(await shell.run('ids', 'explained', 'al', '--fresh')).toMatchObject({ stdout: 'alice\n' });
    const ends = await shell.run('ids', 'month-end');
    expect(ends.stdout.trim().split('\n')).toHaveLength(12);
    expect(ends.stdout).toMatch(/^(\d{4}-\d\d-(28|29|30|31)\n){12}$/);
    const away = ['--address', 'localhost:1', '--query-address', server.grpc];
    expect(await shell.run('ids', 'account', 'al', ...away)).toMatchObject({ stdout: 'alice\n' });
    expect(await shell.run('ids', 'colour')).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('the shell', () => {
  const typed = (...lines: readonly string[]) => shell.runWith({ stdin: `${lines.join('\n')}\n` }, 'shell');

  test('runs one line after another, in the ledger that is used', async () => {
    const ran = await typed(
      '# a note',
      'quittance account get alice -o id',
      "ledger create 'other books' -o id --dry-run || true",
    );
    expect(ran).toMatchObject({ code: 2, stdout: 'alice\n' });
    await shell.run('ledger', 'create', 'second');
    const used = await typed(
      'use second',
      'account open only EUR -o id',
      'account list --prefix on --fresh -o id',
      'exit',
    );
    expect(used).toMatchObject({ code: 0, stdout: 'only\nonly\n' });
  });

  test('ends at the first line that fails, with its exit code', async () => {
    const ran = await typed('account get nobody', 'account get alice -o id');
    expect(ran).toMatchObject({ code: 4, stdout: '' });
    expect(await typed("account get 'alice")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no end'),
    });
    expect(await typed('use')).toMatchObject({ code: 2 });
    expect(await typed('server start')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('own shell'),
    });
  });
});

test('every word of the help has help of its own, with an example', async () => {
  const { stdout } = await shell.run('--help');
  const nouns = [...stdout.matchAll(/^ {2}([a-z-]+) {2,}/gm)].map(([, noun]) => noun ?? '');
  const own = nouns.filter((noun) => !['server', 'demo', 'import', 'torture', 'bench'].includes(noun));
  expect(own).toEqual(expect.arrayContaining(['ledger', 'payment', 'verify']));
  for (const noun of own) {
    const help = await shell.run(noun, '--help');
    expect(help).toMatchObject({ code: 0, stderr: '' });
    const verbs = [...(help.stdout.split('Commands:')[1] ?? '').matchAll(/^ {2}([a-z-]+) /gm)].map(
      ([, verb]) => verb ?? '',
    );
    for (const words of verbs.length === 0 ? [[noun]] : verbs.map((verb) => [noun, verb])) {
      const each = await shell.run(...words, '--help');
      expect(each.stdout).toContain(`Examples:\n  `);
      expect(each.stdout).toContain(`quittance ${words.join(' ')}`);
    }
  }
});

test('a program of the platform runs under it, on the server of the settings', async () => {
  const demo = await inBash(`QUITTANCE_CLI_ADDRESS=${server.grpc} quittance demo --seconds 0.1`);
  expect(demo).toMatchObject({ code: 0, stdout: expect.stringContaining('ledger demo') });
});
