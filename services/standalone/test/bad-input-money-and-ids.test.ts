/** Amounts, currencies, journals, fees; ids of ledgers, accounts and requests. No input crashes the platform: each is answered with one documented error, and changes nothing. */
import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '@bufbuild/protobuf';
import { AccountCommandService } from '../../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { TransactionCommandService } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { LedgerService } from '../../../gen/quittance/ops/v1/ledger_service_pb.js';
import { ProjectionService } from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { EventQueryService } from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { ReportQueryService } from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import { TransactionQueryService } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { WIRES } from './raw-client.js';
import { LEDGER, JSON_ONLY, eur, aDeposit, aPayment, anAccount, aJournal } from './bad-input-requests.js';
import { badInput, expectError, provesTheBooks } from './bad-input.js';

const { createLedger } = LedgerCommandService.method;
const { openAccount, updateAccount, freezeAccount, closeAccount } = AccountCommandService.method;
const { deposit, submitPayment, postTransaction } = TransactionCommandService.method;
const { getBalance, batchGetBalances } = AccountQueryService.method;
const { getStatement } = TransactionQueryService.method;
const { listEvents, watchEvents } = EventQueryService.method;
const commands = TransactionCommandService.method;
const reports = ReportQueryService.method;
const target = badInput();
const { refused, accepted, head, expectUnchanged } = target;

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

  test('limits of accounts are amounts and counts of periods in a time zone that exists', async () => {
    const wrong: JsonObject[] = [
      { debit: '-1' },
      { debit: '1000000000000000000' },
      { balance: '-9223372036854775808' },
      { day: { amount: '-1' } },
      { week: { amount: '1000000000000000000' } },
      { month: { count: '-1' } },
      { month: { count: '1000000001' } },
      { day: {} },
      { day: { amount: '5' }, timeZone: 'Mars/Olympus' },
      { day: { amount: '5' }, timeZone: '+01:00' },
      { day: { amount: '5' }, timeZone: 'Z'.repeat(65) },
      { debit: '5', timeZone: 'Europe/Prague' },
    ];
    const anUpdate = (limits: JsonObject, updateMask: string) => ({
      ledgerId: LEDGER,
      requestId: randomUUID(),
      accountId: 'alice',
      limits,
      updateMask,
    });
    for (const limits of wrong) {
      await refused(openAccount, anAccount({ limits }), 'INVALID_FIELD');
      await refused(updateAccount, anUpdate(limits, 'limits'), 'INVALID_FIELD');
    }
    const limits = { debit: '5' };
    await refused(openAccount, anAccount({ limits, type: 'ACCOUNT_TYPE_ASSET' }), 'INVALID_FIELD');
    await refused(updateAccount, anUpdate(limits, 'name'), 'INVALID_FIELD');
  });

  test('what is no int64 in JSON is malformed', async () => {
    const numbers = [
      '9223372036854775808',
      '-9223372036854775809',
      '1.5',
      '1e400',
      '1_000',
      '1,000',
      'NaN',
      '',
      '5n',
    ];
    for (const amount of numbers) {
      await refused(deposit, aDeposit({ amount: eur(amount) }), 'MALFORMED_MESSAGE', JSON_ONLY);
    }
    for (const amount of ['1.5', '1e30', '9223372036854775808', 'true', '{}', '[5]', 'NaN']) {
      const text = JSON.stringify(aDeposit({ amount: eur('AMOUNT') })).replace('"AMOUNT"', amount);
      const outcome = await target.raw.bytes('connect json', deposit, Buffer.from(text));
      expectError(outcome, 'MALFORMED_MESSAGE', amount);
    }
    await expectUnchanged();
  });

  // JavaScript's BigInt reads these; proto3 JSON does not.
  test('spellings of numbers that are not decimal are malformed', async () => {
    for (const amount of ['0x10', '0b11', ' 5', '5 ', '+5', '05']) {
      await refused(deposit, aDeposit({ amount: eur(amount) }), 'MALFORMED_MESSAGE', JSON_ONLY);
    }
  });

  test('a number in JSON beyond what a float can hold is not rounded into money', async () => {
    const text = JSON.stringify(aDeposit({ amount: eur('AMOUNT') })).replace('"AMOUNT"', '9007199254740993');
    const outcome = await target.raw.bytes('connect json', deposit, Buffer.from(text));
    expectError(outcome, 'MALFORMED_MESSAGE', '2^53 + 1');
    await expectUnchanged();
  });

  test('currencies', async () => {
    for (const currency of ['eur', 'E', '', 'ÉUR', 'EU\0', '€€€', "';--", '1INCH', 'EUR#2', 'A'.repeat(17)]) {
      await refused(deposit, aDeposit({ amount: { currency, minorUnits: '5' } }), 'INVALID_FIELD');
      await refused(openAccount, anAccount({ currency }), 'INVALID_FIELD');
    }
    for (const currency of [
      'XXX',
      'ZZZ',
      'XAU',
      'BTC',
      'AAA',
      'EURO',
      'EU',
      'A'.repeat(16),
      'SHARES.A-1_B',
    ]) {
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

  test('assets', async () => {
    const { registerAsset } = LedgerCommandService.method;
    const asset = (fields: JsonObject) => ({
      ledgerId: LEDGER,
      requestId: randomUUID(),
      code: 'BTC',
      exponent: 8,
      name: 'Bitcoin',
      ...fields,
    });
    for (const exponent of [-1, 19, 2147483647]) {
      await refused(registerAsset, asset({ exponent }), 'INVALID_FIELD');
    }
    for (const code of ['', 'B', 'btc', '1INCH', 'B C', 'B#8', 'B'.repeat(17), '@settlement:EUR']) {
      await refused(registerAsset, asset({ code }), 'INVALID_FIELD');
    }
    for (const name of ['', 'n'.repeat(129), 'a\0b']) {
      await refused(registerAsset, asset({ name }), 'INVALID_FIELD');
    }
    // Listed, listed for a year, and withdrawn; even with its own exponent.
    for (const code of ['EUR', 'XCG', 'BGN']) {
      await refused(registerAsset, asset({ code, exponent: 2 }), 'ASSET_CODE_RESERVED');
    }
    await refused(registerAsset, asset({ ledgerId: 'no-such-ledger' }), 'LEDGER_NOT_FOUND');
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
      paidBy,
      toAccountId,
      amount,
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
  'x'.repeat(129),
  'x'.repeat(200),
  "a'; drop table log.flushes; --",
  '{"a":1}',
  '$1',
  '%',
  'a%00',
  '@',
  '@x',
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
    for (const wire of WIRES)
      expect(await target.raw.json(wire, deposit, requests)).toMatchObject({ code: 0 });
    expect(await head()).toBe(String(BigInt(target.headBefore) + 1n));
    const { getTransaction } = TransactionQueryService.method;
    await accepted(getTransaction, {
      ledgerId: LEDGER,
      transactionId: nil,
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
    await refused(commands.capturePayment, { ...about, paymentId, all: true }, 'PAYMENT_NOT_FOUND');
    const fees = [{ paidBy: 'FEE_PAYER_PAYER', toAccountId: 'carol', amount: eur('1') }];
    const entries = ['DIRECTION_DEBIT', 'DIRECTION_CREDIT'].map((direction, index) => ({
      accountId: ['alice', 'bob'][index] ?? '',
      direction,
      amount: eur('1'),
    }));
    for (const wrong of [{ entries: [...entries, ...entries] }, { entries, force: true }])
      await refused(commands.postTransaction, { ...about, upTo: true, ...wrong }, 'INVALID_FIELD');
    for (const method of [commands.capturePayment, commands.refundPayment]) {
      await refused(method, { ...about, paymentId }, 'INVALID_FIELD');
      await refused(method, { ...about, paymentId, all: true, amount: eur('5') }, 'INVALID_FIELD');
      await refused(method, { ...about, paymentId, all: true, fees }, 'INVALID_FIELD');
    }
    await refused(commands.voidPayment, { ...about, paymentId: target.depositId }, 'PAYMENT_NOT_FOUND');
    await refused(
      commands.adjustAuthorization,
      { ...about, paymentId: target.depositId, amount: eur('5') },
      'PAYMENT_NOT_FOUND',
    );
    await refused(commands.adjustAuthorization, { ...about, paymentId }, 'INVALID_FIELD');
    await refused(commands.adjustAuthorization, { ...about, paymentId, amount: eur('0') }, 'INVALID_FIELD');
    await refused(
      commands.adjustAuthorization,
      { ...about, paymentId, expireTime: '2026-01-01T00:00:00.0000001Z' },
      'INVALID_FIELD',
    );
    await refused(commands.refundPayment, { ...about, paymentId, amount: eur('5') }, 'PAYMENT_NOT_FOUND');
    await refused(
      commands.reverseTransaction,
      { ...about, transactionId: paymentId },
      'TRANSACTION_NOT_FOUND',
    );
    await refused(createLedger, { ledgerId: LEDGER, requestId: randomUUID() }, 'LEDGER_ALREADY_EXISTS');
    await refused(openAccount, anAccount({ accountId: 'alice' }), 'ACCOUNT_ALREADY_EXISTS');
    await refused(deposit, aDeposit({ requestId: target.depositId }), 'REQUEST_ID_REUSED');
    await refused(watchEvents, { ledgerId: 'nowhere' }, 'LEDGER_NOT_FOUND');
    await refused(LedgerService.method.verifyLedger, { ledgerId: 'nowhere' }, 'LEDGER_NOT_FOUND');
    await refused(ProjectionService.method.getProjection, { projectionId: 'nope' }, 'PROJECTION_NOT_FOUND');
    await refused(reports.getTrialBalance, { ledgerId: 'nowhere' }, 'LEDGER_NOT_FOUND');
    await refused(getStatement, { ledgerId: LEDGER, accountId: 'nobody' }, 'ACCOUNT_NOT_FOUND');
  });
});

provesTheBooks(target);
