import { expect, test } from '@jest/globals';
import { AccountCommandService } from '../../../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { TransactionCommandService } from '../../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { WebhookService } from '../../../../gen/quittance/ops/v1/webhook_service_pb.js';
import { AccountQueryService } from '../../../../gen/quittance/query/v1/account_query_service_pb.js';
import { EventQueryService } from '../../../../gen/quittance/query/v1/event_query_service_pb.js';
import { ReportQueryService } from '../../../../gen/quittance/query/v1/report_query_service_pb.js';
import { TransactionQueryService } from '../../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import type { DescMethod, JsonObject } from '@bufbuild/protobuf';
import { currencyExponent } from '../../../../lib/base/currency.js';
import { readTyped } from '../../../../tools/cli/program.js';
import { splitWords } from '../../../../tools/cli/split-words.js';
import { cliLine } from './cli-line.js';

const ID = '0198c0de-0000-7000-8000-000000000001';
const { method: ofTransactions } = TransactionCommandService;
const { method: ofQueries } = TransactionQueryService;
const AMOUNT = { currency: 'EUR', minorUnits: '2500' };
const PAID = { payerAccountId: 'alice', payeeAccountId: 'shop', amount: AMOUNT };

const lines: readonly (readonly [DescMethod, JsonObject, string])[] = [
  [
    ofTransactions.submitPayment,
    { ledgerId: 'books', requestId: ID, ...PAID, reference: "Bob's order", validateOnly: true },
    `quittance payment submit alice shop 25.00 EUR --ledger books --request-id ${ID} --reference 'Bob'\\''s order' --dry-run`,
  ],
  [
    ofTransactions.submitPayment,
    { ...PAID, upTo: true },
    'quittance payment submit alice shop 25.00 EUR --up-to',
  ],
  [
    ofTransactions.capturePayment,
    { paymentId: ID, all: true, final: true },
    `quittance payment capture ${ID} --all --final`,
  ],
  [
    AccountCommandService.method.openAccount,
    {
      accountId: 'a',
      currency: 'JPY',
      overdraftLimit: '500',
      type: 'ACCOUNT_TYPE_ASSET',
      metadata: { k: 'v w' },
    },
    "quittance account open a JPY --overdraft 500 --type asset --metadata 'k=v w'",
  ],
  [
    ofQueries.listTransactions,
    {
      kinds: ['TRANSACTION_KIND_REFUND', 'TRANSACTION_KIND_REVERSAL'],
      declineReason: 'DECLINE_REASON_LIMIT_EXCEEDED',
      currency: 'EUR',
      minAmount: '2500',
      actor: 'Till 7',
      forced: true,
      metadata: [{ key: 'order', value: '17' }, { key: 'channel' }],
    },
    "quittance transaction list --kind refund --kind reversal --reason limit-exceeded --currency EUR --min 25.00 --actor 'Till 7' --forced --metadata order=17 --metadata channel",
  ],
  [
    AccountQueryService.method.listAccounts,
    { currency: 'EUR', maxPosted: '-1' },
    'quittance account list --currency EUR --max-posted=-0.01',
  ],
  [
    LedgerCommandService.method.closePeriod,
    { closedThrough: '2026-10-31T23:59:59.999999Z', description: 'October' },
    'quittance ledger close-period 2026-10-31T23:59:59.999999Z --description October',
  ],
  [
    WebhookService.method.listWebhookDeliveries,
    { ledgerId: 'books', webhookId: 'orders' },
    'quittance webhook deliveries orders --ledger books',
  ],
  [
    ofQueries.listTransactions,
    {
      ledgerId: 'books',
      consistency: { fullyConsistent: true },
      status: 'TRANSACTION_STATUS_DECLINED',
      kind: 'TRANSACTION_KIND_UNSPECIFIED',
      startEffectiveTime: '2026-11-01T00:00:00Z',
      descending: true,
      pageSize: 100,
    },
    'quittance transaction list --ledger books --status declined --from effective:2026-11-01T00:00:00Z --desc --limit 100 --fresh',
  ],
  [
    ofQueries.listPayments,
    { payerAccountId: 'alice', hasRemaining: true, orderBy: 'PAYMENT_ORDER_EXPIRE_TIME' },
    'quittance payment list --payer alice --remaining --order expire-time',
  ],
  [
    AccountQueryService.method.getBalance,
    { accountId: 'alice', position: '18231' },
    'quittance account get alice --at 18231',
  ],
  [
    EventQueryService.method.listEvents,
    { kinds: ['EVENT_KIND_ACCOUNT_FROZEN', 'EVENT_KIND_ACCOUNT_UNFROZEN'] },
    'quittance event list --kind account-frozen --kind account-unfrozen',
  ],
  [
    ReportQueryService.method.getTrialBalance,
    { groupBy: 'TRIAL_BALANCE_GROUPING_ACCOUNT', position: '5' },
    'quittance report trial-balance --by account --at 5',
  ],
];

test.each(lines.map(([method, json, line]) => ({ method, json, line })))(
  '$line is taken by the command line',
  ({ method, json, line }) => {
    const written = cliLine(method, json, currencyExponent) ?? '';
    expect(written).toBe(line);
    expect(readTyped(SILENT, splitWords(written).slice(1))).toMatchObject({ kind: 'verb' });
  },
);

const SILENT = { stdout: { write: () => true }, stderr: { write: () => true } };

test('what is still empty is a word in capitals', () => {
  const empty = { payerAccountId: '', payeeAccountId: '', amount: { currency: '', minorUnits: '0' } };
  expect(cliLine(ofTransactions.voidPayment, { paymentId: '' }, currencyExponent)).toBe(
    'quittance payment void PAYMENT_ID',
  );
  expect(cliLine(ofTransactions.authorizePayment, { payerAccountId: '' }, currencyExponent)).toBe(
    'quittance payment authorize PAYER_ACCOUNT_ID PAYEE_ACCOUNT_ID AMOUNT',
  );
  expect(cliLine(ofTransactions.submitPayment, empty, currencyExponent)).toContain('batch run');
});

test.each([
  [{ ...PAID, fees: [{ toAccountId: 'fees', minorUnits: '5' }] }],
  [{ ...PAID, amount: { currency: 'POINTS', minorUnits: '5' } }],
])('a command that no flag says is one of a batch', (json) => {
  expect(cliLine(ofTransactions.submitPayment, { ...json, ledgerId: 'books' }, currencyExponent)).toBe(
    `echo '${JSON.stringify({ submitPayment: { ...json, ledgerId: 'books' } })}' | quittance batch run - --format ndjson --ledger books`,
  );
});

test('a read that no flag says has no line', () => {
  expect(cliLine(ofQueries.listEntries, { pageToken: 'x' }, currencyExponent)).toBeUndefined();
  expect(cliLine(ofTransactions.executeBatch, { commands: [] }, currencyExponent)).toBeUndefined();
});
