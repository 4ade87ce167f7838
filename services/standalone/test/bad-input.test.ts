/** No input crashes the platform: each is answered with one documented error, and changes nothing. */
import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type DescMethod, type JsonObject, toBinary, create, fromBinary, fromJson } from '@bufbuild/protobuf';
import { anyUnpack, TimestampSchema } from '@bufbuild/protobuf/wkt';
import pg from 'pg';
import { ErrorInfoSchema } from '../../../gen/google/rpc/error_details_pb.js';
import { AccountCommandService } from '../../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import {
  DepositRequestSchema,
  ExecuteBatchResponseSchema,
  StreamCommandsRequestSchema,
  type StreamCommandsResponse,
  StreamCommandsResponseSchema,
  TransactionCommandService,
} from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { MoneySchema } from '../../../gen/quittance/common/v1/money_pb.js';
import { ErrorReason } from '../../../gen/quittance/common/v1/error_reason_pb.js';
import { LedgerService } from '../../../gen/quittance/ops/v1/ledger_service_pb.js';
import { ProjectionService } from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { EventQueryService } from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { LedgerQueryService } from '../../../gen/quittance/query/v1/ledger_query_service_pb.js';
import { ReportQueryService } from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import { TransactionQueryService } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { ERROR_CATALOGUE } from '../../../lib/rpc/error-catalogue.js';
import {
  decodeConsistencyToken,
  encodeConsistencyToken,
  encodePageToken,
  encodeResumeToken,
  queryFingerprint,
} from '../../../lib/rpc/tokens.js';
import { Client, credentials } from '@grpc/grpc-js';
import { startPlatform, type TestPlatform } from './platform.js';
import { type Outcome, type RawClient, rawClient, type Wire, WIRES } from './raw-client.js';

const { createLedger } = LedgerCommandService.method;
const { openAccount, updateAccount, freezeAccount, closeAccount } = AccountCommandService.method;
const commands = TransactionCommandService.method;
const { deposit, submitPayment, postTransaction, executeBatch } = commands;
const { getBalance, batchGetBalances, listAccounts, watchBalances } = AccountQueryService.method;
const { listTransactions, listEntries, watchTransactions, getStatement } = TransactionQueryService.method;
const reports = ReportQueryService.method;
const { listEvents, watchEvents } = EventQueryService.method;

let platform: TestPlatform;
let other: TestPlatform;
let raw: RawClient;
let database: pg.Pool;
/** The log's end before the test: nothing refused may move it. */
let headBefore: string;
const LEDGER = 'bad-input';
let consistencyToken = '';
let depositId = '';

beforeAll(async () => {
  [platform, other] = await Promise.all([startPlatform(), startPlatform()]);
  raw = rawClient(platform.grpcAddress, platform.connectUrl);
  database = new pg.Pool({ ...platform.database.config, max: 1 });
  for (const each of [platform, other]) {
    await each.grpc(LedgerCommandService).createLedger({ ledgerId: LEDGER, requestId: randomUUID() });
    for (const accountId of ['alice', 'bob', 'carol']) {
      await each
        .grpc(AccountCommandService)
        .openAccount({ ledgerId: LEDGER, requestId: randomUUID(), accountId, currency: 'EUR' });
    }
    const requestId = randomUUID();
    const answer = await each.grpc(TransactionCommandService).deposit({
      ...{ ledgerId: LEDGER, requestId, accountId: 'alice' },
      amount: { currency: 'EUR', minorUnits: 1_000_000n },
    });
    if (each === platform) {
      ({ consistencyToken } = answer);
      depositId = requestId;
    }
  }
});

afterAll(async () => {
  raw.close();
  await database.end();
  await Promise.all([platform.stop(), other.stop()]);
});

async function head(): Promise<string> {
  const { rows } = await database.query<{ end: string }>('select max(position)::text as end from log.events');
  return rows[0]?.end ?? '';
}

beforeEach(async () => {
  headBefore = await head();
});

afterEach(async () => {
  expect(await platform.grpc(LedgerQueryService).getLedger({ ledgerId: LEDGER })).toMatchObject({});
});

const INSIDE =
  /\bat .+\.[cm]?[jt]s:\d|node_modules|insert into|SQLSTATE|invalid byte sequence|ECONN|duplicate key|syntax error|relation "|violates|protobuf-es|RangeError|TypeError|out of range for type/i;

/** One documented error, with its code of the catalogue, and nothing of our inside. */
function expectError(outcome: Outcome, reason: keyof typeof ErrorReason, wire: string): void {
  expect([wire, outcome.reasons, outcome.message]).toEqual([
    wire,
    [`quittance/${reason}`],
    expect.any(String),
  ]);
  expect(outcome.message).not.toBe('');
  expect(outcome.code).toBe(ERROR_CATALOGUE[ErrorReason[reason]].code);
  expect(outcome.text).not.toMatch(INSIDE);
}

/** The call is refused for this reason over each wire, and the log is as before. */
async function refused(
  method: DescMethod,
  json: JsonObject,
  reason: keyof typeof ErrorReason,
  wires: readonly Wire[] = WIRES,
): Promise<void> {
  for (const wire of wires) {
    const about = `${wire} ${method.name} ${JSON.stringify(json).slice(0, 300)}`;
    expectError(await raw.json(wire, method, json), reason, about);
  }
  expect(await head()).toBe(headBefore);
}

async function accepted(method: DescMethod, json: JsonObject, wires: readonly Wire[] = WIRES): Promise<void> {
  for (const wire of wires)
    expect([wire, await raw.json(wire, method, json)]).toMatchObject([wire, { code: 0 }]);
}

const JSON_ONLY: readonly Wire[] = ['connect json'];
const CONNECT: readonly Wire[] = ['connect json', 'connect proto'];
const BINARY: readonly Wire[] = ['grpc', 'connect proto'];

const eur = (minorUnits: string | number): JsonObject => ({ currency: 'EUR', minorUnits });
const aDeposit = (change: JsonObject = {}): JsonObject => ({
  ...{ ledgerId: LEDGER, requestId: randomUUID(), accountId: 'bob', amount: eur('5') },
  ...change,
});
const aPayment = (change: JsonObject = {}): JsonObject => ({
  ...{ ledgerId: LEDGER, requestId: randomUUID(), payerAccountId: 'alice', payeeAccountId: 'bob' },
  amount: eur('5'),
  ...change,
});
const anAccount = (change: JsonObject = {}): JsonObject => ({
  ...{ ledgerId: LEDGER, requestId: randomUUID(), accountId: `new-${randomUUID()}`, currency: 'EUR' },
  ...change,
});
const aJournal = (entries: [string, string, JsonObject][], change: JsonObject = {}): JsonObject => ({
  ...{ ledgerId: LEDGER, requestId: randomUUID() },
  entries: entries.map(([accountId, direction, amount]) => ({
    accountId,
    direction: `DIRECTION_${direction}`,
    amount,
  })),
  ...change,
});

/** A field of length-delimited bytes, or a varint. */
function field(number: number, value: Uint8Array | number): Buffer {
  const isVarint = typeof value === 'number';
  const tag = varint(number * 8 + (isVarint ? 0 : 2));
  return isVarint ? Buffer.concat([tag, varint(value)]) : Buffer.concat([tag, varint(value.length), value]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, rest]);
}

describe('messages', () => {
  test('a command with a field that is not known is refused, at the top and inside, in JSON and in binary', async () => {
    await refused(deposit, aDeposit({ colour: 'red' }), 'UNKNOWN_FIELD', JSON_ONLY);
    await refused(deposit, aDeposit({ amount: { ...eur('5'), cents: 5 } }), 'UNKNOWN_FIELD', JSON_ONLY);
    const known = toBinary(deposit.input, fromJson(deposit.input, aDeposit()));
    const money = toBinary(MoneySchema, create(MoneySchema, { currency: 'EUR', minorUnits: 5n }));
    const inside = Buffer.concat([known, field(5, Buffer.concat([money, field(99, 7)]))]);
    for (const bytes of [Buffer.concat([known, field(99, 7)]), inside]) {
      for (const wire of BINARY) {
        expectError(await raw.bytes(wire, deposit, bytes), 'UNKNOWN_FIELD', wire);
      }
    }
    const batch = field(3, field(7, Buffer.concat([known, field(99, 7)])));
    for (const bytes of [batch, field(3, field(55, known))]) {
      const body = Buffer.concat([field(1, Buffer.from(LEDGER)), bytes]);
      for (const wire of BINARY) {
        expectError(await raw.bytes(wire, executeBatch, body), 'UNKNOWN_FIELD', wire);
      }
    }
    expect(await head()).toBe(headBefore);
  });

  test('a query ignores fields that are not known', async () => {
    await accepted(getBalance, { ledgerId: LEDGER, accountId: 'alice', colour: 'red' }, JSON_ONLY);
    const known = toBinary(
      getBalance.input,
      fromJson(getBalance.input, { ledgerId: LEDGER, accountId: 'alice' }),
    );
    for (const wire of BINARY) {
      expect(await raw.bytes(wire, getBalance, Buffer.concat([known, field(99, known)]))).toMatchObject({
        code: 0,
      });
    }
  });

  test('an empty message breaks the rules of each method that has any', async () => {
    const all = [
      createLedger,
      openAccount,
      updateAccount,
      freezeAccount,
      closeAccount,
      ...Object.values(commands),
    ];
    const reads = [getBalance, batchGetBalances, listAccounts, listTransactions, listEntries, getStatement];
    const watches = [watchBalances, watchTransactions, watchEvents, LedgerService.method.verifyLedger];
    const { getTransaction } = TransactionQueryService.method;
    const others = [listEvents, ...Object.values(reports), ProjectionService.method.pauseProjection];
    for (const method of [...all, ...reads, ...watches, getTransaction, ...others]) {
      if (method.methodKind !== 'bidi_streaming') await refused(method, {}, 'INVALID_FIELD');
    }
  });

  test('bytes that are no message are told so', async () => {
    const broken = [
      Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
      Buffer.from([0x0a, 0x7f, 0x41]),
      field(1, 7),
      // Not UTF-8.
      field(1, Buffer.from([0xc3, 0x28])),
    ];
    for (const bytes of broken) {
      for (const method of [deposit, getBalance, watchEvents]) {
        for (const wire of BINARY) {
          const outcome = await raw.bytes(wire, method, bytes);
          expectError(
            outcome,
            outcome.reasons[0] === 'quittance/INVALID_FIELD' ? 'INVALID_FIELD' : 'MALFORMED_MESSAGE',
            wire,
          );
        }
      }
    }
    const noJson = [
      '',
      '{',
      '[]',
      'null',
      '"text"',
      '{"ledgerId": 5}',
      '{"ledgerId":"a","ledgerId":"b"}',
      '\0',
    ];
    for (const text of noJson) {
      for (const method of [deposit, getBalance, watchEvents]) {
        expectError(
          await raw.bytes('connect json', method, Buffer.from(text)),
          'MALFORMED_MESSAGE',
          `${text} ${method.name}`,
        );
      }
    }
    const deep = `${'{"amount":'.repeat(5_000)}1${'}'.repeat(5_000)}`;
    const outcome = await raw.bytes('connect json', deposit, Buffer.from(deep));
    expect(outcome.reasons).toHaveLength(1);
    expect(outcome.reasons[0]).not.toBe('quittance/INTERNAL');
    expect(await head()).toBe(headBefore);
  });

  test('messages of more than 4 MiB are refused', async () => {
    const large = 'x'.repeat(5 * 1024 * 1024);
    await refused(deposit, aDeposit({ description: large }), 'MESSAGE_TOO_LARGE');
    await refused(getBalance, { ledgerId: LEDGER, accountId: large }, 'MESSAGE_TOO_LARGE');
    await refused(watchEvents, { ledgerId: large }, 'MESSAGE_TOO_LARGE');
    for (const wire of CONNECT) {
      expectError(await raw.bytes(wire, deposit, Buffer.alloc(17 << 20)), 'MESSAGE_TOO_LARGE', wire);
    }
  });

  // grpc-js cuts these off while it reads them, before anything of ours: the code is right, details there are none.
  test('over gRPC, messages beyond what the library itself reads are refused with RESOURCE_EXHAUSTED', async () => {
    const outcome = await raw.bytes('grpc', deposit, Buffer.alloc(17 << 20));
    expect(outcome).toMatchObject({ code: 8, answers: [] });
  });

  test('over gRPC, unknown methods are refused in our form', async () => {
    expectError(await raw.bytes('grpc', '/no.Such/Method', Buffer.alloc(0)), 'UNKNOWN_METHOD', 'grpc');
  });

  test('unknown methods and services', async () => {
    for (const path of [
      '/quittance.command.v1.TransactionCommandService/Steal',
      '/no.Such/Method',
      '/%00/x',
      '/',
    ]) {
      for (const wire of CONNECT) {
        expectError(await raw.bytes(wire, path, Buffer.alloc(0)), 'UNKNOWN_METHOD', `${wire} ${path}`);
      }
    }
  });

  test('other content types, HTTP methods, encodings and timeouts over Connect', async () => {
    const body = Buffer.from(JSON.stringify(aDeposit()));
    for (const type of [
      'text/plain',
      'application/xml',
      'application/grpc-web-text',
      'application/connect+json',
      '',
    ]) {
      const outcome = await raw.bytes('connect json', deposit, body, { headers: { 'content-type': type } });
      if (type.includes('connect+')) {
        // Clients of streams read the error from the stream's end.
        expect(String(outcome.answers[0])).toContain('"reason":"MALFORMED_MESSAGE"');
      } else {
        expectError(outcome, 'MALFORMED_MESSAGE', type);
        expect(outcome.httpStatus).toBe(415);
      }
    }
    for (const timeout of ['-1', 'soon', '1e3', '99999999999']) {
      const headers = { 'connect-timeout-ms': timeout };
      expectError(await raw.bytes('connect json', deposit, body, { headers }), 'MALFORMED_MESSAGE', timeout);
    }
    const encoded = { 'content-encoding': 'gzip' };
    expectError(
      await raw.bytes('connect json', deposit, body, { headers: encoded }),
      'MALFORMED_MESSAGE',
      'gzip',
    );
    const unknown = { 'content-encoding': 'snappy' };
    const outcome = await raw.bytes('connect json', deposit, body, { headers: unknown });
    expectError(outcome, 'UNSUPPORTED_ENCODING', 'snappy');
    expect(outcome.message).toContain('gzip');
    const answer = await fetch(`${platform.connectUrl}/${deposit.parent.typeName}/Deposit`, {
      method: 'PUT',
      body,
    });
    expect(answer.status).toBe(405);
    expect(await answer.json()).toMatchObject({ details: [{ type: 'google.rpc.ErrorInfo' }] });
    expect(await head()).toBe(headBefore);
  });

  test('calls by GET with queries of any kind', async () => {
    const path = `${platform.connectUrl}/${getBalance.parent.typeName}/GetBalance`;
    const message = encodeURIComponent(JSON.stringify({ ledgerId: LEDGER, accountId: 'alice' }));
    expect((await fetch(`${path}?encoding=json&message=${message}`)).status).toBe(200);
    for (const query of [
      '',
      '?encoding=xml&message=x',
      '?encoding=json',
      '?encoding=json&message=%ZZ',
      '?encoding=json&message=%00',
      '?encoding=proto&base64=1&message=***',
      '?encoding=json&compression=snappy&message=e30',
    ]) {
      const answer = await fetch(path + query);
      const body = (await answer.json()) as { details?: { type: string }[] };
      const isTheirs = query.includes('snappy')
        ? answer.status === 501
        : answer.status >= 400 && answer.status < 500;
      expect([query, isTheirs]).toEqual([query, true]);
      expect(body.details?.filter(({ type }) => type === 'google.rpc.ErrorInfo')).toHaveLength(1);
    }
    const write = await fetch(
      `${platform.connectUrl}/${deposit.parent.typeName}/Deposit?encoding=json&message=e30`,
    );
    expect(write.status).toBe(405);
  });
});

describe('money', () => {
  test('amounts are 1 to 10^18 - 1', async () => {
    for (const amount of ['0', '-1', '1000000000000000000', '9223372036854775807', '-9223372036854775808']) {
      await refused(deposit, aDeposit({ amount: eur(amount) }), 'INVALID_FIELD');
      await refused(submitPayment, aPayment({ amount: eur(amount) }), 'INVALID_FIELD');
      const fees = [{ paidBy: 'FEE_PAYER_PAYER', toAccountId: 'carol', amount: eur(amount) }];
      await refused(submitPayment, aPayment({ fees }), 'INVALID_FIELD');
      const entries: [string, string, JsonObject][] = [
        ['alice', 'DEBIT', eur(amount)],
        ['bob', 'CREDIT', eur(amount)],
      ];
      await refused(postTransaction, aJournal(entries), 'INVALID_FIELD');
    }
    for (const amount of ['-1', '1000000000000000000', '-9223372036854775808']) {
      await refused(openAccount, anAccount({ overdraftLimit: amount }), 'INVALID_FIELD');
    }
  });

  test('what is no int64 in JSON is malformed', async () => {
    const numbers = [
      ...['9223372036854775808', '-9223372036854775809', '1.5', '1e400', '1_000', '1,000', 'NaN', '', '5n'],
    ];
    for (const amount of numbers) {
      await refused(deposit, aDeposit({ amount: eur(amount) }), 'MALFORMED_MESSAGE', JSON_ONLY);
    }
    for (const amount of ['1.5', '1e30', '9223372036854775808', 'true', '{}', '[5]', 'NaN']) {
      const text = JSON.stringify(aDeposit({ amount: eur('AMOUNT') })).replace('"AMOUNT"', amount);
      const outcome = await raw.bytes('connect json', deposit, Buffer.from(text));
      expectError(outcome, 'MALFORMED_MESSAGE', amount);
    }
    expect(await head()).toBe(headBefore);
  });

  // JavaScript's BigInt reads these; proto3 JSON does not.
  test('spellings of numbers that are not decimal are malformed', async () => {
    for (const amount of ['0x10', '0b11', ' 5', '5 ', '+5', '05']) {
      await refused(deposit, aDeposit({ amount: eur(amount) }), 'MALFORMED_MESSAGE', JSON_ONLY);
    }
  });

  test('a number in JSON beyond what a float can hold is not rounded into money', async () => {
    const text = JSON.stringify(aDeposit({ amount: eur('AMOUNT') })).replace('"AMOUNT"', '9007199254740993');
    const outcome = await raw.bytes('connect json', deposit, Buffer.from(text));
    expectError(outcome, 'MALFORMED_MESSAGE', '2^53 + 1');
    expect(await head()).toBe(headBefore);
  });

  test('currencies', async () => {
    for (const currency of ['eur', 'EURO', 'E', '', 'ÉUR', 'EU\0', '€€€', "';--"]) {
      await refused(deposit, aDeposit({ amount: { currency, minorUnits: '5' } }), 'INVALID_FIELD');
      await refused(openAccount, anAccount({ currency }), 'INVALID_FIELD');
    }
    for (const currency of ['XXX', 'ZZZ', 'XAU', 'BTC', 'AAA']) {
      await refused(deposit, aDeposit({ amount: { currency, minorUnits: '5' } }), 'UNKNOWN_CURRENCY');
      await refused(openAccount, anAccount({ currency }), 'UNKNOWN_CURRENCY');
      await refused(
        reports.rankAccounts,
        { ledgerId: LEDGER, currency, rankBy: 'RANK_BY_COUNT' },
        'UNKNOWN_CURRENCY',
      );
    }
    await refused(deposit, aDeposit({ amount: { currency: 'USD', minorUnits: '5' } }), 'CURRENCY_MISMATCH');
    await refused(
      submitPayment,
      aPayment({ amount: { currency: 'JPY', minorUnits: '5' } }),
      'CURRENCY_MISMATCH',
    );
    for (const exponent of [0, 3, -2, 2147483647]) {
      await refused(deposit, aDeposit({ amount: { ...eur('5'), exponent } }), 'INVALID_FIELD');
    }
  });

  test('journals that do not balance, name one account only, or are too long', async () => {
    await refused(
      postTransaction,
      aJournal([
        ['alice', 'DEBIT', eur('5')],
        ['bob', 'CREDIT', eur('4')],
      ]),
      'UNBALANCED_ENTRIES',
    );
    await refused(
      postTransaction,
      aJournal([
        ['alice', 'DEBIT', eur('5')],
        ['bob', 'CREDIT', { currency: 'USD', minorUnits: '5' }],
      ]),
      'UNBALANCED_ENTRIES',
    );
    await refused(postTransaction, aJournal([['alice', 'DEBIT', eur('5')]]), 'INVALID_FIELD');
    const side = (index: number): [string, string, JsonObject] => [
      index % 2 === 0 ? 'alice' : 'bob',
      index % 2 === 0 ? 'DEBIT' : 'CREDIT',
      eur('1'),
    ];
    const long = Array.from({ length: 102 }, (_, index) => side(index));
    await refused(postTransaction, aJournal(long), 'INVALID_FIELD');
    await refused(
      postTransaction,
      aJournal([
        ['alice', 'UNSPECIFIED', eur('5')],
        ['bob', 'CREDIT', eur('5')],
      ]),
      'INVALID_FIELD',
    );
    // 100 entries of the most that there is: their sums overflow no total in silence.
    const most = Array.from({ length: 100 }, (_, index): [string, string, JsonObject] => [
      index % 2 === 0 ? 'alice' : 'bob',
      index % 2 === 0 ? 'DEBIT' : 'CREDIT',
      eur('999999999999999999'),
    ]);
    await refused(postTransaction, aJournal(most, { force: true }), 'BALANCE_OVERFLOW');
  });

  test('fees', async () => {
    const fee = (toAccountId: string, amount: JsonObject, paidBy = 'FEE_PAYER_PAYEE') => ({
      ...{ paidBy, toAccountId, amount },
    });
    await refused(submitPayment, aPayment({ fees: [fee('carol', eur('6'))] }), 'FEE_EXCEEDS_AMOUNT');
    await refused(submitPayment, aPayment({ fees: [fee('alice', eur('1'))] }), 'INVALID_FIELD');
    await refused(
      submitPayment,
      aPayment({ fees: [fee('carol', eur('1'), 'FEE_PAYER_UNSPECIFIED')] }),
      'INVALID_FIELD',
    );
    await refused(
      submitPayment,
      aPayment({ fees: [{ toAccountId: 'carol', paidBy: 77, amount: eur('1') }] }),
      'INVALID_FIELD',
    );
    await refused(
      submitPayment,
      aPayment({ fees: [fee('carol', { currency: 'USD', minorUnits: '1' })] }),
      'INVALID_FIELD',
    );
    const many = Array.from({ length: 11 }, () => fee('carol', eur('1'), 'FEE_PAYER_PAYER'));
    await refused(submitPayment, aPayment({ fees: many }), 'INVALID_FIELD');
    await refused(submitPayment, aPayment({ payeeAccountId: 'alice' }), 'INVALID_FIELD');
    await refused(submitPayment, aPayment({ fees: [fee('nobody', eur('1'))] }), 'ACCOUNT_NOT_FOUND');
  });
});

const IDS = [
  ...[
    'a\0b',
    '\0',
    "o'clock",
    '"',
    '🙂',
    '../../etc/passwd',
    'a/b',
    'a\\b',
    'a b',
    'a\nb',
    'é',
    '-a',
    '.',
    '',
  ],
  ...[
    'x'.repeat(129),
    'x'.repeat(200),
    "a'; drop table log.events; --",
    '{"a":1}',
    '$1',
    '%',
    'a%00',
    '@',
    '@x',
  ],
];

describe('ids', () => {
  test('only ids of the contract name ledgers and accounts', async () => {
    for (const id of IDS) {
      await refused(createLedger, { ledgerId: id, requestId: randomUUID() }, 'INVALID_FIELD');
      await refused(openAccount, anAccount({ accountId: id }), 'INVALID_FIELD');
      await refused(deposit, aDeposit({ accountId: id }), 'INVALID_FIELD');
      await refused(getBalance, { ledgerId: LEDGER, accountId: id }, 'INVALID_FIELD');
      await refused(batchGetBalances, { ledgerId: LEDGER, accountIds: [id] }, 'INVALID_FIELD');
      await refused(listEvents, { ledgerId: id }, 'INVALID_FIELD');
    }
  });

  test('the settlement account cannot be opened, frozen, unfrozen, changed or closed', async () => {
    const named = { ledgerId: LEDGER, requestId: randomUUID(), accountId: '@settlement:EUR' };
    await refused(openAccount, { ...named, currency: 'EUR' }, 'INVALID_FIELD');
    await refused(freezeAccount, named, 'INVALID_FIELD');
    await refused(AccountCommandService.method.unfreezeAccount, named, 'INVALID_FIELD');
    await refused(closeAccount, named, 'INVALID_FIELD');
    await refused(updateAccount, { ...named, updateMask: 'name', name: 'x' }, 'INVALID_FIELD');
    await accepted(getBalance, { ledgerId: LEDGER, accountId: '@settlement:EUR' });
    await refused(getBalance, { ledgerId: LEDGER, accountId: '@settlement:USD' }, 'ACCOUNT_NOT_FOUND');
    await refused(deposit, aDeposit({ accountId: '@settlement:EUR' }), 'INVALID_FIELD');
  });

  test('request ids are 36 lower-case characters', async () => {
    const { getTransaction } = TransactionQueryService.method;
    for (const requestId of [
      randomUUID().toUpperCase(),
      randomUUID().replaceAll('-', ''),
      `{${randomUUID()}}`,
      `${randomUUID()} `,
      `${randomUUID()}\n`,
      'not-a-uuid',
      '',
      `urn:uuid:${randomUUID()}`,
      randomUUID().replace(/^./, 'g'),
    ]) {
      await refused(deposit, aDeposit({ requestId }), 'INVALID_FIELD');
      await refused(
        commands.voidPayment,
        { ledgerId: LEDGER, requestId: randomUUID(), paymentId: requestId },
        'INVALID_FIELD',
      );
      await refused(getTransaction, { ledgerId: LEDGER, transactionId: requestId }, 'INVALID_FIELD');
    }
  });

  test('the nil UUID is an id like any other', async () => {
    const nil = '00000000-0000-0000-0000-000000000000';
    const requests = aDeposit({ requestId: nil });
    for (const wire of WIRES) expect(await raw.json(wire, deposit, requests)).toMatchObject({ code: 0 });
    expect(await head()).toBe(String(BigInt(headBefore) + 1n));
    const { getTransaction } = TransactionQueryService.method;
    await accepted(getTransaction, {
      ...{ ledgerId: LEDGER, transactionId: nil },
      consistency: { fullyConsistent: true },
    });
  });

  test('what does not exist is not found', async () => {
    const paymentId = randomUUID();
    await refused(getBalance, { ledgerId: 'nowhere', accountId: 'alice' }, 'LEDGER_NOT_FOUND');
    await refused(getBalance, { ledgerId: LEDGER, accountId: 'nobody' }, 'ACCOUNT_NOT_FOUND');
    await refused(openAccount, anAccount({ ledgerId: 'nowhere' }), 'LEDGER_NOT_FOUND');
    await refused(deposit, aDeposit({ ledgerId: 'constructor' }), 'LEDGER_NOT_FOUND');
    await refused(deposit, aDeposit({ accountId: 'constructor' }), 'ACCOUNT_NOT_FOUND');
    const about = { ledgerId: LEDGER, requestId: randomUUID() };
    await refused(commands.capturePayment, { ...about, paymentId, amount: eur('5') }, 'PAYMENT_NOT_FOUND');
    await refused(commands.voidPayment, { ...about, paymentId: depositId }, 'PAYMENT_NOT_FOUND');
    await refused(commands.refundPayment, { ...about, paymentId, amount: eur('5') }, 'PAYMENT_NOT_FOUND');
    await refused(
      commands.reverseTransaction,
      { ...about, transactionId: paymentId },
      'TRANSACTION_NOT_FOUND',
    );
    await refused(createLedger, { ledgerId: LEDGER, requestId: randomUUID() }, 'LEDGER_ALREADY_EXISTS');
    await refused(openAccount, anAccount({ accountId: 'alice' }), 'ACCOUNT_ALREADY_EXISTS');
    await refused(deposit, aDeposit({ requestId: depositId }), 'REQUEST_ID_REUSED');
    await refused(watchEvents, { ledgerId: 'nowhere' }, 'LEDGER_NOT_FOUND');
    await refused(LedgerService.method.verifyLedger, { ledgerId: 'nowhere' }, 'LEDGER_NOT_FOUND');
    await refused(ProjectionService.method.getProjection, { projectionId: 'nope' }, 'PROJECTION_NOT_FOUND');
    await refused(reports.getTrialBalance, { ledgerId: 'nowhere' }, 'LEDGER_NOT_FOUND');
    await refused(getStatement, { ledgerId: LEDGER, accountId: 'nobody' }, 'ACCOUNT_NOT_FOUND');
  });
});

describe('text', () => {
  test('NUL is refused wherever text is stored', async () => {
    for (const name of ['reference', 'description']) {
      await refused(deposit, aDeposit({ [name]: 'a\0b' }), 'INVALID_FIELD');
    }
    await refused(deposit, aDeposit({ metadata: { a: '\0' } }), 'INVALID_FIELD');
    await refused(deposit, aDeposit({ metadata: { 'a\0': 'x' } }), 'INVALID_FIELD');
    for (const name of ['name', 'ownerReference']) {
      await refused(openAccount, anAccount({ [name]: '\0' }), 'INVALID_FIELD');
    }
    await refused(
      createLedger,
      { ledgerId: 'nul', requestId: randomUUID(), description: '\0' },
      'INVALID_FIELD',
    );
  });

  test('a lone surrogate in JSON is refused, not replaced', async () => {
    for (const escaped of ['\\ud800', '\\udc00', '\\udc00\\ud800']) {
      const text = JSON.stringify(aDeposit({ description: 'TEXT' })).replace('TEXT', escaped);
      const outcome = await raw.bytes('connect json', deposit, Buffer.from(text));
      expect(outcome.reasons).toHaveLength(1);
      expect(outcome.reasons[0]).toMatch(/INVALID_FIELD|MALFORMED_MESSAGE/);
    }
    expect(await head()).toBe(headBefore);
  });

  test('text in filters finds nothing, and breaks nothing', async () => {
    const texts = [
      'a\0b',
      '\0',
      "' or 1=1 --",
      '%',
      '_',
      '\\',
      '{"$ne":1}',
      '🙂',
      'x'.repeat(128),
      '$1',
      "'",
      '"',
    ];
    for (const text of texts) {
      for (const [method, json] of [
        [listTransactions, { ledgerId: LEDGER, reference: text }],
        [listAccounts, { ledgerId: LEDGER, accountIdPrefix: text }],
        [listAccounts, { ledgerId: LEDGER, ownerReference: text }],
        [LedgerQueryService.method.listLedgers, { ledgerIdPrefix: text }],
        [listEvents, { ledgerId: LEDGER, streamId: text }],
      ] as const) {
        for (const wire of WIRES) {
          const outcome = await raw.json(wire, method, json);
          const about = [method.name, text, wire];
          if (outcome.code !== 0) expectError(outcome, 'INVALID_FIELD', about.join(' '));
          else if (wire === 'connect json') {
            expect([...about, JSON.stringify(JSON.parse(String(outcome.answers[0])))]).toEqual([
              ...about,
              expect.not.stringMatching(/"(transactions|accounts|ledgers|events)":\[\{/),
            ]);
          }
        }
      }
    }
  });

  test('any other text is kept as it is', async () => {
    const description = `'; drop table log.events; -- {"$gt": ""} \\ \u2028 🙂 \u200f <script> %s \u0001`;
    const metadata = { 'a.b-c_d': description, constructor: 'x', '0': 'zero' };
    const requestId = randomUUID();
    const client = platform.grpc(TransactionCommandService);
    await client.deposit({
      ...{
        ledgerId: LEDGER,
        requestId,
        accountId: 'bob',
        description,
        metadata,
        reference: description.slice(0, 60),
      },
      amount: { currency: 'EUR', minorUnits: 5n },
    });
    const { transactions } = await platform.connect(TransactionQueryService).listTransactions({
      ...{ ledgerId: LEDGER, reference: description.slice(0, 60) },
      consistency: { requirement: { case: 'fullyConsistent', value: true } },
    });
    expect(transactions).toMatchObject([{ transactionId: requestId, description, metadata }]);
  });

  test('a metadata key that JavaScript treats as its own is stored or refused, never dropped', async () => {
    const requestId = randomUUID();
    const pair = Buffer.concat([field(1, Buffer.from('__proto__')), field(2, Buffer.from('kept'))]);
    const bytes = Buffer.concat([
      toBinary(deposit.input, fromJson(deposit.input, aDeposit({ requestId }))),
      field(10, pair),
    ]);
    const outcomes = [
      await raw.bytes('grpc', deposit, bytes),
      await raw.bytes(
        'connect json',
        deposit,
        Buffer.from(JSON.stringify(aDeposit({ metadata: { PROTO: 'kept' } })).replace('PROTO', '__proto__')),
      ),
    ];
    for (const outcome of outcomes) {
      if (outcome.code !== 0) {
        expectError(outcome, 'INVALID_FIELD', 'either');
        continue;
      }
      expect(String(outcome.answers[0])).toContain('__proto__');
    }
  });

  test('metadata beyond its limits', async () => {
    const pairs = (count: number, value: string) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${String(index)}`, value]));
    await refused(deposit, aDeposit({ metadata: pairs(33, 'x') }), 'INVALID_FIELD');
    await refused(deposit, aDeposit({ metadata: pairs(1, 'x'.repeat(501)) }), 'INVALID_FIELD');
    await refused(deposit, aDeposit({ metadata: pairs(32, 'x'.repeat(500)) }), 'INVALID_FIELD');
    await refused(deposit, aDeposit({ metadata: pairs(16, '🙂'.repeat(200)) }), 'INVALID_FIELD');
    for (const key of ['', 'A', 'a b', 'é', 'x'.repeat(65), "'"]) {
      await refused(deposit, aDeposit({ metadata: { [key]: 'x' } }), 'INVALID_FIELD');
    }
    await refused(deposit, aDeposit({ description: 'x'.repeat(501) }), 'INVALID_FIELD');
    await refused(deposit, aDeposit({ reference: 'x'.repeat(129) }), 'INVALID_FIELD');
  });
});

describe('times', () => {
  test('finer than a microsecond, before 1970, in the future, or no time at all', async () => {
    await refused(deposit, aDeposit({ effectiveTime: '2020-01-01T00:00:00.000000001Z' }), 'INVALID_FIELD');
    await refused(deposit, aDeposit({ effectiveTime: '1969-12-31T23:59:59Z' }), 'INVALID_FIELD');
    await refused(deposit, aDeposit({ effectiveTime: '9999-12-31T23:59:59Z' }), 'TIME_OUT_OF_RANGE');
    const soon = new Date(Date.now() + 60_000).toISOString();
    await refused(deposit, aDeposit({ effectiveTime: soon }), 'TIME_OUT_OF_RANGE');
    await refused(
      deposit,
      aDeposit({ effectiveTime: '10000-01-01T00:00:00Z' }),
      'MALFORMED_MESSAGE',
      JSON_ONLY,
    );
    await refused(deposit, aDeposit({ effectiveTime: 'yesterday' }), 'MALFORMED_MESSAGE', JSON_ONLY);
    await refused(
      commands.authorizePayment,
      aPayment({ expireTime: '2001-01-01T00:00:00Z' }),
      'TIME_OUT_OF_RANGE',
    );
    await refused(
      commands.authorizePayment,
      aPayment({ expireTime: '2999-01-01T00:00:00Z' }),
      'TIME_OUT_OF_RANGE',
    );
    await refused(
      commands.authorizePayment,
      aPayment({ expireTime: '0001-01-01T00:00:00Z' }),
      'TIME_OUT_OF_RANGE',
    );
    for (const [seconds, nanos] of [
      [253_402_300_800n, 0],
      [2n ** 62n, 0],
      [-(2n ** 62n), 0],
      [1n, -1],
      [1n, 1_000_000_000],
    ] as const) {
      const message = fromJson(DepositRequestSchema, aDeposit());
      message.effectiveTime = create(TimestampSchema, { seconds: seconds, nanos });
      const bytes = toBinary(DepositRequestSchema, message);
      for (const wire of BINARY) expectError(await raw.bytes(wire, deposit, bytes), 'INVALID_FIELD', wire);
      const at = create(getBalance.input, {
        ...{ ledgerId: LEDGER, accountId: 'alice' },
        at: { case: 'effectiveTime', value: create(TimestampSchema, { seconds: seconds, nanos }) },
      });
      for (const wire of BINARY) {
        const outcome = await raw.bytes(wire, getBalance, toBinary(getBalance.input, at));
        expectError(outcome, 'INVALID_FIELD', `${wire} ${String(seconds)}`);
      }
    }
    expect(await head()).toBe(headBefore);
  });

  test('times of queries', async () => {
    const asked = { ledgerId: LEDGER, accountId: 'alice' };
    const fine = '2020-01-01T00:00:00.000000001Z';
    await refused(getBalance, { ...asked, recordedTime: '2999-01-01T00:00:00Z' }, 'TIME_OUT_OF_RANGE');
    await refused(getBalance, { ...asked, recordedTime: fine }, 'INVALID_FIELD');
    await refused(getBalance, { ...asked, recordedTime: '1970-01-01T00:00:00Z' }, 'ACCOUNT_NOT_FOUND');
    await refused(getBalance, { ...asked, recordedTime: '0001-01-01T00:00:00Z' }, 'ACCOUNT_NOT_FOUND');
    await refused(getStatement, { ...asked, startTime: fine }, 'INVALID_FIELD');
    const backwards = { startTime: '2021-01-01T00:00:00Z', endTime: '2020-01-01T00:00:00Z' };
    await refused(getStatement, { ...asked, ...backwards }, 'INVALID_FIELD');
    await refused(reports.summarizeVolume, { ledgerId: LEDGER, buckets: backwards }, 'INVALID_FIELD');
    const ages = { startTime: '0001-01-01T00:00:00Z', endTime: '9999-12-31T23:59:59Z' };
    for (const interval of ['INTERVAL_HOUR', 'INTERVAL_DAY', 'INTERVAL_WEEK', 'INTERVAL_MONTH']) {
      await refused(
        reports.summarizeVolume,
        { ledgerId: LEDGER, buckets: { ...ages, interval } },
        'INVALID_FIELD',
      );
    }
    const day = { startTime: '2020-01-01T00:00:00Z', endTime: '2020-01-02T00:00:00Z' };
    for (const timeZone of ['Mars/Base', '+01:00', 'a\0', '../zone', "'", 'x'.repeat(500)]) {
      for (const wire of WIRES) {
        const outcome = await raw.json(wire, reports.summarizeVolume, {
          ledgerId: LEDGER,
          buckets: { ...day, timeZone },
        });
        expectError(outcome, 'INVALID_FIELD', `${wire} ${timeZone}`);
      }
    }
    await accepted(getStatement, { ...asked, startTime: ages.startTime, endTime: ages.endTime });
    await accepted(reports.getTrialBalance, { ledgerId: LEDGER, endTime: ages.endTime });
    await accepted(reports.getTrialBalance, { ledgerId: LEDGER, endTime: ages.startTime });
  });
});

describe('lists', () => {
  test('duplicates, none, and too many', async () => {
    for (const method of [batchGetBalances, watchBalances]) {
      await refused(method, { ledgerId: LEDGER, accountIds: ['alice', 'alice'] }, 'INVALID_FIELD');
      await refused(method, { ledgerId: LEDGER, accountIds: [] }, 'INVALID_FIELD');
      const many = Array.from({ length: 1_001 }, (_, index) => `a${String(index)}`);
      await refused(method, { ledgerId: LEDGER, accountIds: many }, 'INVALID_FIELD');
    }
    await refused(watchBalances, { ledgerId: LEDGER, accountIds: ['alice', 'nobody'] }, 'ACCOUNT_NOT_FOUND');
    const unknown = Array.from({ length: 1_000 }, (_, index) => `a${String(index)}`);
    await accepted(batchGetBalances, { ledgerId: LEDGER, accountIds: unknown });
  });

  test('page sizes', async () => {
    for (const pageSize of [-1, 1_001, 2_147_483_647, -2_147_483_648]) {
      await refused(listTransactions, { ledgerId: LEDGER, pageSize }, 'INVALID_FIELD');
      await refused(listEntries, { ledgerId: LEDGER, pageSize }, 'INVALID_FIELD');
      await refused(listAccounts, { ledgerId: LEDGER, pageSize }, 'INVALID_FIELD');
      await refused(listEvents, { ledgerId: LEDGER, pageSize }, 'INVALID_FIELD');
      await refused(LedgerQueryService.method.listLedgers, { pageSize }, 'INVALID_FIELD');
      await refused(reports.getTrialBalance, { ledgerId: LEDGER, pageSize }, 'INVALID_FIELD');
      await refused(getStatement, { ledgerId: LEDGER, accountId: 'alice', pageSize }, 'INVALID_FIELD');
      await refused(
        reports.rankAccounts,
        { ledgerId: LEDGER, currency: 'EUR', rankBy: 'RANK_BY_COUNT', limit: pageSize },
        'INVALID_FIELD',
      );
    }
  });

  test('enums and fields that are not there', async () => {
    await refused(listTransactions, { ledgerId: LEDGER, kind: 99 }, 'INVALID_FIELD');
    await refused(openAccount, anAccount({ type: 99 }), 'INVALID_FIELD');
    await refused(openAccount, anAccount({ type: -1 }), 'INVALID_FIELD');
    await refused(openAccount, anAccount({ type: 'ACCOUNT_TYPE_GOLD' }), 'INVALID_FIELD', JSON_ONLY);
    await refused(freezeAccount, { ...anAccount(), currency: 'EUR' }, 'UNKNOWN_FIELD', JSON_ONLY);
    const about = { ledgerId: LEDGER, requestId: randomUUID(), accountId: 'alice' };
    await refused(updateAccount, { ...about, updateMask: '' }, 'INVALID_FIELD');
    await refused(updateAccount, { ...about, updateMask: 'currency' }, 'INVALID_FIELD');
    await refused(updateAccount, { ...about, updateMask: 'name.first' }, 'INVALID_FIELD');
    await refused(updateAccount, { ...about, updateMask: 'name', ownerReference: 'x' }, 'INVALID_FIELD');
    await refused(updateAccount, about, 'INVALID_FIELD');
    const star = create(updateAccount.input, { ...about, updateMask: { paths: ['*'] } });
    for (const wire of BINARY) {
      expectError(
        await raw.bytes(wire, updateAccount, toBinary(updateAccount.input, star)),
        'INVALID_FIELD',
        wire,
      );
    }
    for (const expectedVersion of ['0', '-1']) {
      await refused(deposit, aDeposit({ expectedVersion }), 'INVALID_FIELD');
    }
    await refused(deposit, aDeposit({ expectedVersion: '9223372036854775807' }), 'VERSION_MISMATCH');
  });
});

/** The first message of a watch. connect-node goes on with a call whose reader only breaks out of the loop. */
async function firstOf<T>(watch: (signal: AbortSignal) => AsyncIterable<T>): Promise<T> {
  const leave = new AbortController();
  try {
    for await (const message of watch(leave.signal)) return message;
    throw new Error('the watch ended without a message');
  } finally {
    leave.abort();
  }
}

describe('tokens', () => {
  const lists: [DescMethod, JsonObject][] = [
    [listTransactions, { ledgerId: LEDGER }],
    [listEntries, { ledgerId: LEDGER }],
    [listAccounts, { ledgerId: LEDGER }],
    [listEvents, { ledgerId: LEDGER }],
    [LedgerQueryService.method.listLedgers, {}],
    [getStatement, { ledgerId: LEDGER, accountId: 'alice' }],
    [reports.getTrialBalance, { ledgerId: LEDGER, groupBy: 'TRIAL_BALANCE_GROUPING_ACCOUNT' }],
  ];

  const damaged = () => [
    ...[
      'x',
      '=',
      '🙂',
      'AAAA',
      '\0',
      'x'.repeat(4096),
      `${consistencyToken}=`,
      consistencyToken.slice(0, -1),
    ],
    consistencyToken.replace(
      /^(.{20})./,
      (_, start: string) => `${start}${consistencyToken[20] === 'A' ? 'B' : 'A'}`,
    ),
  ];

  test('page tokens that are damaged, of another query, of another method', async () => {
    for (const [method, json] of lists) {
      for (const pageToken of [...damaged(), consistencyToken]) {
        await refused(method, { ...json, pageToken }, 'INVALID_PAGE_TOKEN');
      }
      await refused(method, { ...json, pageToken: 'x'.repeat(4097) }, 'INVALID_FIELD');
    }
    const client = platform.connect(TransactionQueryService);
    const { nextPageToken } = await client.listEntries({ ledgerId: LEDGER, pageSize: 1 });
    expect(nextPageToken).not.toBe('');
    await refused(
      listEntries,
      { ledgerId: LEDGER, accountId: 'alice', pageToken: nextPageToken },
      'INVALID_PAGE_TOKEN',
    );
    await refused(
      listEntries,
      { ledgerId: LEDGER, descending: true, pageToken: nextPageToken },
      'INVALID_PAGE_TOKEN',
    );
    await refused(listTransactions, { ledgerId: LEDGER, pageToken: nextPageToken }, 'INVALID_PAGE_TOKEN');
    await refused(watchEvents, { ledgerId: LEDGER, resumeToken: nextPageToken }, 'INVALID_RESUME_TOKEN');
    await refused(
      getBalance,
      { ledgerId: LEDGER, accountId: 'alice', consistency: { atLeastAsFresh: nextPageToken } },
      'INVALID_CONSISTENCY_TOKEN',
    );
    await accepted(listEntries, { ledgerId: LEDGER, pageSize: 1_000, pageToken: nextPageToken });
  });

  test('tokens of another store', async () => {
    const theirs = other.grpc(TransactionQueryService);
    const { nextPageToken, asOf } = await theirs.listEntries({ ledgerId: LEDGER, pageSize: 1 });
    await refused(listEntries, { ledgerId: LEDGER, pageToken: nextPageToken }, 'INVALID_PAGE_TOKEN');
    const consistency = { atLeastAsFresh: asOf?.consistencyToken ?? '' };
    for (const [method, json] of lists) {
      await refused(method, { ...json, consistency }, 'INVALID_CONSISTENCY_TOKEN');
    }
    for (const json of [{ groupBy: 'TRIAL_BALANCE_GROUPING_ACCOUNT' }]) {
      await refused(
        reports.getTrialBalance,
        { ledgerId: LEDGER, ...json, consistency },
        'INVALID_CONSISTENCY_TOKEN',
      );
    }
    await refused(
      watchBalances,
      { ledgerId: LEDGER, accountIds: ['alice'], consistency },
      'INVALID_CONSISTENCY_TOKEN',
    );
    const [events, transactions] = await Promise.all([
      firstOf((signal) => other.grpc(EventQueryService).watchEvents({ ledgerId: LEDGER }, { signal })),
      firstOf((signal) => theirs.watchTransactions({ ledgerId: LEDGER }, { signal })),
    ]);
    await refused(watchEvents, { ledgerId: LEDGER, resumeToken: events.resumeToken }, 'INVALID_RESUME_TOKEN');
    await refused(
      watchTransactions,
      { ledgerId: LEDGER, resumeToken: transactions.resumeToken },
      'INVALID_RESUME_TOKEN',
    );
  });

  test('consistency tokens that are damaged, beyond the end of the log, or of a history that never was', async () => {
    const own = decodeConsistencyToken(consistencyToken);
    const asked = { ledgerId: LEDGER, accountId: 'alice' };
    const beyond = encodeConsistencyToken({ ...own, position: 10_000n });
    for (const atLeastAsFresh of [
      ...damaged(),
      '',
      beyond,
      encodeConsistencyToken({ ...own, position: 2n ** 63n - 1n }),
    ]) {
      await refused(getBalance, { ...asked, consistency: { atLeastAsFresh } }, 'INVALID_CONSISTENCY_TOKEN');
    }
    const shard = encodeConsistencyToken({ ...own, shard: 7 });
    await refused(
      getBalance,
      { ...asked, consistency: { atLeastAsFresh: shard } },
      'INVALID_CONSISTENCY_TOKEN',
    );
    const lost = encodeConsistencyToken({ ...own, hash: Buffer.alloc(8, 1) });
    for (const [method, json] of lists) {
      await refused(method, { ...json, consistency: { atLeastAsFresh: lost } }, 'HISTORY_LOST');
      await refused(
        method,
        { ...json, consistency: { atLeastAsFresh: beyond } },
        'INVALID_CONSISTENCY_TOKEN',
      );
    }
  });

  test('resume tokens that are damaged, of another watch, or beyond the end of the log', async () => {
    for (const method of [watchEvents, watchTransactions]) {
      for (const resumeToken of [...damaged(), consistencyToken]) {
        await refused(method, { ledgerId: LEDGER, resumeToken }, 'INVALID_RESUME_TOKEN');
      }
      const own = decodeConsistencyToken(consistencyToken);
      const message = fromJson(method.input, { ledgerId: LEDGER });
      const fingerprint = queryFingerprint(method.input, message);
      const watch = method === watchEvents ? 'events' : 'transactions';
      const token = { ...own, fingerprint, watch, sent: 0xffff_ffff } as const;
      const beyond = encodeResumeToken({ ...token, position: 10_000n });
      await refused(method, { ledgerId: LEDGER, resumeToken: beyond }, 'INVALID_RESUME_TOKEN');
      const lost = encodeResumeToken({ ...token, hash: Buffer.alloc(8, 1) });
      await refused(method, { ledgerId: LEDGER, resumeToken: lost }, 'HISTORY_LOST');
      const another = encodeResumeToken({ ...token, fingerprint: Buffer.alloc(8) });
      await refused(method, { ledgerId: LEDGER, resumeToken: another }, 'INVALID_RESUME_TOKEN');
    }
  });

  test('a forged page token reads nothing that it should not, and breaks nothing', async () => {
    const own = decodeConsistencyToken(consistencyToken);
    for (const [method, json] of lists) {
      const fingerprint = queryFingerprint(method.input, fromJson(method.input, json));
      for (const cursor of [
        [-(2n ** 63n)],
        [2n ** 63n - 1n],
        [0n, 0n],
        [2n ** 63n - 1n, 2n ** 63n - 1n],
        [0n, 0n, 0n],
        ['a\0b', 'x'],
        ['EUR', 'a\0b'],
        ['EUR', 'EUR', 'EUR'],
        [],
      ]) {
        for (const recordedTime of [0n, -(2n ** 63n), 2n ** 63n - 1n]) {
          const pageToken = encodePageToken({ ...own, fingerprint, cursor, recordedTime });
          for (const wire of WIRES) {
            const outcome = await raw.json(wire, method, { ...json, pageToken });
            const about = `${method.name} ${wire} ${String(cursor)} ${String(recordedTime)}`;
            if (outcome.code !== 0) expectError(outcome, 'INVALID_PAGE_TOKEN', about);
          }
        }
      }
    }
  });

  test('positions beyond the end of the log', async () => {
    for (const position of ['10000', '9223372036854775807']) {
      await refused(getBalance, { ledgerId: LEDGER, accountId: 'alice', position }, 'POSITION_OUT_OF_RANGE');
      await refused(
        getStatement,
        { ledgerId: LEDGER, accountId: 'alice', position },
        'POSITION_OUT_OF_RANGE',
      );
      await refused(reports.getTrialBalance, { ledgerId: LEDGER, position }, 'POSITION_OUT_OF_RANGE');
      await refused(watchEvents, { ledgerId: LEDGER, startPosition: position }, 'POSITION_OUT_OF_RANGE');
      await accepted(listEvents, { ledgerId: LEDGER, startPosition: position });
      await accepted(listEvents, { ledgerId: LEDGER, endPosition: position });
    }
    await refused(getBalance, { ledgerId: LEDGER, accountId: 'alice', position: '-1' }, 'INVALID_FIELD');
    await refused(getBalance, { ledgerId: LEDGER, accountId: 'alice', position: '0' }, 'ACCOUNT_NOT_FOUND');
    await refused(watchEvents, { ledgerId: LEDGER, startPosition: '-1' }, 'INVALID_FIELD');
  });
});

describe('batches', () => {
  const ATOMIC = 'BATCH_MODE_ATOMIC';
  const batch = (items: JsonObject[], change: JsonObject = {}): JsonObject => ({
    ...{ ledgerId: LEDGER, commands: items },
    ...change,
  });

  test('their size', async () => {
    await refused(executeBatch, batch([]), 'INVALID_FIELD');
    const items = Array.from({ length: 1_001 }, () => ({ deposit: aDeposit() }));
    await refused(executeBatch, batch(items), 'INVALID_FIELD');
    await refused(executeBatch, batch(items, { mode: ATOMIC }), 'INVALID_FIELD');
    await refused(executeBatch, batch([{ deposit: aDeposit() }], { mode: 9 }), 'INVALID_FIELD');
  });

  test('an atomic one is refused as a whole, naming the item, and stores nothing', async () => {
    const good = () => ({ deposit: aDeposit() });
    const requestId = randomUUID();
    const bad: [JsonObject, keyof typeof ErrorReason][] = [
      [{ createLedger: { ledgerId: LEDGER, requestId: randomUUID() } }, 'INVALID_FIELD'],
      [{ openAccount: anAccount() }, 'INVALID_FIELD'],
      [{ deposit: aDeposit({ ledgerId: 'another' }) }, 'INVALID_FIELD'],
      [{ deposit: aDeposit({ validateOnly: true }) }, 'INVALID_FIELD'],
      [{ deposit: aDeposit({ amount: eur('0') }) }, 'INVALID_FIELD'],
      [{ deposit: aDeposit({ accountId: 'nobody' }) }, 'ACCOUNT_NOT_FOUND'],
      [{ voidPayment: { ledgerId: LEDGER, requestId: randomUUID(), paymentId: requestId } }, 'INVALID_FIELD'],
      [{ deposit: aDeposit({ requestId: depositId }) }, 'REQUEST_ID_REUSED'],
      [{}, 'INVALID_FIELD'],
    ];
    for (const [item, reason] of bad) {
      await refused(executeBatch, batch([good(), item], { mode: ATOMIC }), reason);
      const outcome = await raw.json('grpc', executeBatch, batch([good(), item], { mode: ATOMIC }));
      // Of a batch that overlaps what is stored, the first item that is not is named.
      expect(outcome.text).toContain(reason === 'REQUEST_ID_REUSED' ? 'commands[0]' : 'commands[1]');
    }
    const twice = [{ deposit: aDeposit({ requestId }) }, { deposit: aDeposit({ requestId }) }];
    await refused(executeBatch, batch(twice, { mode: ATOMIC }), 'INVALID_FIELD');
  });

  test('in an independent one each item answers for itself', async () => {
    const requestId = randomUUID();
    const twice = aDeposit({ requestId });
    const items: JsonObject[] = [
      { deposit: aDeposit({ amount: eur('0') }) },
      { createLedger: { ledgerId: LEDGER, requestId: randomUUID() } },
      { deposit: aDeposit({ ledgerId: 'another' }) },
      { deposit: aDeposit({ validateOnly: true }) },
      {},
      { deposit: aDeposit({ accountId: 'nobody' }) },
      { deposit: twice },
      { deposit: twice },
      { deposit: aDeposit({ requestId, amount: eur('6') }) },
    ];
    const outcome = await raw.json('grpc', executeBatch, batch(items));
    expect(outcome.code).toBe(0);
    const { results } = fromBinary(ExecuteBatchResponseSchema, outcome.answers[0] ?? Buffer.alloc(0));
    expect(results.map(reasonOf)).toEqual([
      ...['INVALID_FIELD', 'INVALID_FIELD', 'INVALID_FIELD', 'INVALID_FIELD', 'INVALID_FIELD'],
      ...['ACCOUNT_NOT_FOUND', '', '', 'REQUEST_ID_REUSED'],
    ]);
    expect(results[7]?.result.value).toMatchObject({ replayed: true });
    expect(await head()).toBe(String(BigInt(headBefore) + 1n));
  });
});

function reasonOf({ result }: { result: NonNullable<StreamCommandsResponse['result']>['result'] }): string {
  if (result.case !== 'error') return '';
  const infos = result.value.details.flatMap((detail) => anyUnpack(detail, ErrorInfoSchema) ?? []);
  expect(infos).toHaveLength(1);
  return infos[0]?.reason ?? 'none';
}

/** Sends these messages over one stream and reads what comes until its end. */
function stream(messages: readonly Uint8Array[]): Promise<{ reasons: string[]; end: string }> {
  const client = new Client(platform.grpcAddress, credentials.createInsecure(), {
    'grpc.max_send_message_length': -1,
  });
  const path = `/${commands.streamCommands.parent.typeName}/StreamCommands`;
  const call = client.makeBidiStreamRequest(
    path,
    (bytes: Buffer) => bytes,
    (bytes: Buffer) => bytes,
  );
  return new Promise((resolve) => {
    const reasons: string[] = [];
    call.on('data', (bytes: Buffer) => {
      const { result, index } = fromBinary(StreamCommandsResponseSchema, bytes);
      expect(index).toBe(BigInt(reasons.length));
      reasons.push(result === undefined ? 'none' : reasonOf(result));
    });
    const ended = (end: string) => {
      client.close();
      resolve({ reasons, end });
    };
    call.on('error', (error) => {
      ended(error.message);
    });
    call.on('end', () => {
      ended('OK');
    });
    for (const message of messages) call.write(Buffer.from(message));
    call.end();
  });
}

describe('streams of commands', () => {
  const item = (json: JsonObject) =>
    toBinary(StreamCommandsRequestSchema, fromJson(StreamCommandsRequestSchema, { command: json }));

  test('a bad command answers for itself, and the stream goes on', async () => {
    const { reasons, end } = await stream([
      item({ deposit: aDeposit() }),
      item({ deposit: aDeposit({ amount: eur('0') }) }),
      item({}),
      new Uint8Array(0),
      item({ deposit: aDeposit({ accountId: 'nobody' }) }),
      item({ deposit: aDeposit({ requestId: depositId }) }),
      item({ deposit: aDeposit() }),
    ]);
    expect({ reasons, end }).toEqual({
      reasons: [
        '',
        'INVALID_FIELD',
        'INVALID_FIELD',
        'INVALID_FIELD',
        'ACCOUNT_NOT_FOUND',
        'REQUEST_ID_REUSED',
        '',
      ],
      end: 'OK',
    });
    expect(await head()).toBe(String(BigInt(headBefore) + 2n));
  });

  test('fields that are not known are refused at every depth', async () => {
    const known = toBinary(deposit.input, fromJson(deposit.input, aDeposit()));
    const { reasons, end } = await stream([
      field(1, field(7, Buffer.concat([known, field(99, 1)]))),
      field(1, Buffer.concat([field(7, known), field(99, 1)])),
      Buffer.concat([field(1, field(7, known)), field(99, 1)]),
      field(1, field(55, known)),
      item({ deposit: aDeposit() }),
    ]);
    expect({ reasons, end }).toEqual({
      reasons: [...Array.from({ length: 4 }, () => 'UNKNOWN_FIELD'), ''],
      end: 'OK',
    });
    expect(await head()).toBe(String(BigInt(headBefore) + 1n));
  });

  test('bytes that are no message, and messages that are too large, answer for themselves', async () => {
    const { reasons, end } = await stream([
      item({ deposit: aDeposit() }),
      Buffer.from([0xff, 0xff]),
      field(1, Buffer.alloc(5 * 1024 * 1024)),
      item({ deposit: aDeposit() }),
    ]);
    expect({ reasons, end }).toEqual({
      reasons: ['', 'MALFORMED_MESSAGE', 'MESSAGE_TOO_LARGE', ''],
      end: 'OK',
    });
  });
});

test('after all this the books are proved', async () => {
  const messages = [];
  for await (const { event } of platform.grpc(LedgerService).verifyLedger({ ledgerId: LEDGER }))
    messages.push(event);
  expect(messages.filter(({ case: name }) => name === 'finding')).toEqual([]);
  expect(messages.at(-1)).toMatchObject({ case: 'verdict', value: { ok: true } });
  const { projections } = await platform.connect(ProjectionService).listProjections({});
  expect(projections.map(({ failure }) => failure)).toEqual(['', '', '']);
});
