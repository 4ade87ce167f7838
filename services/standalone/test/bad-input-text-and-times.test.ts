/** Texts, metadata and times. No input crashes the platform: each is answered with one documented error, and changes nothing. */
import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { toBinary, create, fromJson } from '@bufbuild/protobuf';
import { TimestampSchema } from '@bufbuild/protobuf/wkt';
import { AccountCommandService } from '../../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import {
  DepositRequestSchema,
  TransactionCommandService,
} from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { EventQueryService } from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { LedgerQueryService } from '../../../gen/quittance/query/v1/ledger_query_service_pb.js';
import { ReportQueryService } from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import { TransactionQueryService } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { WIRES } from './raw-client.js';
import { LEDGER, JSON_ONLY, BINARY, aDeposit, aPayment, anAccount, field } from './bad-input-requests.js';
import { badInput, expectError, provesTheBooks } from './bad-input.js';

const { createLedger } = LedgerCommandService.method;
const { openAccount } = AccountCommandService.method;
const { deposit } = TransactionCommandService.method;
const { getBalance, listAccounts } = AccountQueryService.method;
const { listTransactions, getStatement } = TransactionQueryService.method;
const { listEvents } = EventQueryService.method;
const commands = TransactionCommandService.method;
const reports = ReportQueryService.method;
const target = badInput();
const { refused, accepted, expectUnchanged } = target;

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
      const outcome = await target.raw.bytes('connect json', deposit, Buffer.from(text));
      expect(outcome.reasons).toHaveLength(1);
      expect(outcome.reasons[0]).toMatch(/INVALID_FIELD|MALFORMED_MESSAGE/);
    }
    await expectUnchanged();
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
          const outcome = await target.raw.json(wire, method, json);
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
    const description = `'; drop table log.flushes; -- {"$gt": ""} \\ \u2028 🙂 \u200f <script> %s \u0001`;
    const metadata = { 'a.b-c_d': description, constructor: 'x', '0': 'zero' };
    const requestId = randomUUID();
    const client = target.platform.grpc(TransactionCommandService);
    await client.deposit({
      ledgerId: LEDGER,
      requestId,
      accountId: 'bob',
      description,
      metadata,
      reference: description.slice(0, 60),
      amount: { currency: 'EUR', minorUnits: 5n },
    });
    const { transactions } = await target.platform.connect(TransactionQueryService).listTransactions({
      ledgerId: LEDGER,
      reference: description.slice(0, 60),
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
      await target.raw.bytes('grpc', deposit, bytes),
      await target.raw.bytes(
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
      for (const wire of BINARY)
        expectError(await target.raw.bytes(wire, deposit, bytes), 'INVALID_FIELD', wire);
      const at = create(getBalance.input, {
        ledgerId: LEDGER,
        accountId: 'alice',
        at: { case: 'effectiveTime', value: create(TimestampSchema, { seconds: seconds, nanos }) },
      });
      for (const wire of BINARY) {
        const outcome = await target.raw.bytes(wire, getBalance, toBinary(getBalance.input, at));
        expectError(outcome, 'INVALID_FIELD', `${wire} ${String(seconds)}`);
      }
    }
    await expectUnchanged();
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
        const outcome = await target.raw.json(wire, reports.summarizeVolume, {
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

provesTheBooks(target);
