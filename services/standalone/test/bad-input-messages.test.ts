/** Messages: fields that are not known, bytes that are none, sizes, methods, HTTP. No input crashes the platform: each is answered with one documented error, and changes nothing. */
import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import { toBinary, create, fromJson } from '@bufbuild/protobuf';
import { AccountCommandService } from '../../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { TransactionCommandService } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { MoneySchema } from '../../../gen/quittance/common/v1/money_pb.js';
import { LedgerService } from '../../../gen/quittance/ops/v1/ledger_service_pb.js';
import { ProjectionService } from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { EventQueryService } from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { ReportQueryService } from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import { TransactionQueryService } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { LEDGER, JSON_ONLY, CONNECT, BINARY, aDeposit, field, eur } from './bad-input-requests.js';
import { badInput, expectError, provesTheBooks } from './bad-input.js';

const { createLedger } = LedgerCommandService.method;
const { openAccount, updateAccount, freezeAccount, closeAccount } = AccountCommandService.method;
const { deposit, executeBatch } = TransactionCommandService.method;
const { getBalance, batchGetBalances, listAccounts, watchBalances } = AccountQueryService.method;
const { listTransactions, listEntries, watchTransactions, getStatement } = TransactionQueryService.method;
const { listEvents, watchEvents } = EventQueryService.method;
const commands = TransactionCommandService.method;
const reports = ReportQueryService.method;
const target = badInput();
const { refused, accepted, expectUnchanged } = target;

describe('messages', () => {
  test('a command with a field that is not known is refused, at the top and inside, in JSON and in binary', async () => {
    await refused(deposit, aDeposit({ colour: 'red' }), 'UNKNOWN_FIELD', JSON_ONLY);
    await refused(deposit, aDeposit({ amount: { ...eur('5'), cents: 5 } }), 'UNKNOWN_FIELD', JSON_ONLY);
    const known = toBinary(deposit.input, fromJson(deposit.input, aDeposit()));
    const money = toBinary(MoneySchema, create(MoneySchema, { currency: 'EUR', minorUnits: 5n }));
    const inside = Buffer.concat([known, field(5, Buffer.concat([money, field(99, 7)]))]);
    for (const bytes of [Buffer.concat([known, field(99, 7)]), inside]) {
      for (const wire of BINARY) {
        expectError(await target.raw.bytes(wire, deposit, bytes), 'UNKNOWN_FIELD', wire);
      }
    }
    const batch = field(3, field(7, Buffer.concat([known, field(99, 7)])));
    for (const bytes of [batch, field(3, field(55, known))]) {
      const body = Buffer.concat([field(1, Buffer.from(LEDGER)), bytes]);
      for (const wire of BINARY) {
        expectError(await target.raw.bytes(wire, executeBatch, body), 'UNKNOWN_FIELD', wire);
      }
    }
    await expectUnchanged();
  });

  test('a query ignores fields that are not known', async () => {
    await accepted(getBalance, { ledgerId: LEDGER, accountId: 'alice', colour: 'red' }, JSON_ONLY);
    const known = toBinary(
      getBalance.input,
      fromJson(getBalance.input, { ledgerId: LEDGER, accountId: 'alice' }),
    );
    for (const wire of BINARY) {
      expect(
        await target.raw.bytes(wire, getBalance, Buffer.concat([known, field(99, known)])),
      ).toMatchObject({
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
          const outcome = await target.raw.bytes(wire, method, bytes);
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
          await target.raw.bytes('connect json', method, Buffer.from(text)),
          'MALFORMED_MESSAGE',
          `${text} ${method.name}`,
        );
      }
    }
    const deep = `${'{"amount":'.repeat(5_000)}1${'}'.repeat(5_000)}`;
    const outcome = await target.raw.bytes('connect json', deposit, Buffer.from(deep));
    expect(outcome.reasons).toHaveLength(1);
    expect(outcome.reasons[0]).not.toBe('quittance/INTERNAL');
    await expectUnchanged();
  });

  test('messages of more than 4 MiB are refused', async () => {
    const large = 'x'.repeat(5 * 1024 * 1024);
    await refused(deposit, aDeposit({ description: large }), 'MESSAGE_TOO_LARGE');
    await refused(getBalance, { ledgerId: LEDGER, accountId: large }, 'MESSAGE_TOO_LARGE');
    await refused(watchEvents, { ledgerId: large }, 'MESSAGE_TOO_LARGE');
    for (const wire of CONNECT) {
      expectError(await target.raw.bytes(wire, deposit, Buffer.alloc(17 << 20)), 'MESSAGE_TOO_LARGE', wire);
    }
  });

  // grpc-js cuts these off while it reads them, before anything of ours: the code is right, details there are none.
  test('over gRPC, messages beyond what the library itself reads are refused with RESOURCE_EXHAUSTED', async () => {
    const outcome = await target.raw.bytes('grpc', deposit, Buffer.alloc(17 << 20));
    expect(outcome).toMatchObject({ code: 8, answers: [] });
  });

  test('over gRPC, unknown methods are refused in our form', async () => {
    expectError(await target.raw.bytes('grpc', '/no.Such/Method', Buffer.alloc(0)), 'UNKNOWN_METHOD', 'grpc');
  });

  test('unknown methods and services', async () => {
    for (const path of [
      '/quittance.command.v1.TransactionCommandService/Steal',
      '/no.Such/Method',
      '/%00/x',
      '/',
    ]) {
      for (const wire of CONNECT) {
        expectError(await target.raw.bytes(wire, path, Buffer.alloc(0)), 'UNKNOWN_METHOD', `${wire} ${path}`);
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
      const outcome = await target.raw.bytes('connect json', deposit, body, {
        headers: { 'content-type': type },
      });
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
      expectError(
        await target.raw.bytes('connect json', deposit, body, { headers }),
        'MALFORMED_MESSAGE',
        timeout,
      );
    }
    const encoded = { 'content-encoding': 'gzip' };
    expectError(
      await target.raw.bytes('connect json', deposit, body, { headers: encoded }),
      'MALFORMED_MESSAGE',
      'gzip',
    );
    const unknown = { 'content-encoding': 'snappy' };
    const outcome = await target.raw.bytes('connect json', deposit, body, { headers: unknown });
    expectError(outcome, 'UNSUPPORTED_ENCODING', 'snappy');
    expect(outcome.message).toContain('gzip');
    const answer = await fetch(`${target.platform.connectUrl}/${deposit.parent.typeName}/Deposit`, {
      method: 'PUT',
      body,
    });
    expect(answer.status).toBe(405);
    expect(await answer.json()).toMatchObject({ details: [{ type: 'google.rpc.ErrorInfo' }] });
    await expectUnchanged();
  });

  test('calls by GET with queries of any kind', async () => {
    const path = `${target.platform.connectUrl}/${getBalance.parent.typeName}/GetBalance`;
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
      `${target.platform.connectUrl}/${deposit.parent.typeName}/Deposit?encoding=json&message=e30`,
    );
    expect(write.status).toBe(405);
  });
});

provesTheBooks(target);
