/** One thread through everything: a payment from a client through the log into each view and out of a query, by both doors. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AccountCommandService } from '../../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { TransactionCommandService } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { TransactionStatus } from '../../../gen/quittance/common/v1/transaction_pb.js';
import { LedgerService } from '../../../gen/quittance/ops/v1/ledger_service_pb.js';
import { ProjectionService } from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { EventQueryService } from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { ReportQueryService } from '../../../gen/quittance/query/v1/report_query_service_pb.js';
import { TransactionQueryService } from '../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { startPlatform, type TestPlatform } from './platform.js';

let platform: TestPlatform;

beforeAll(async () => {
  platform = await startPlatform();
});

afterAll(async () => {
  await platform.stop();
});

describe.each(['grpc', 'connect'] as const)('over %s', (door) => {
  const ledgerId = `thread-${door}`;

  test('a payment is decided, logged, projected into three views, and read as of its token', async () => {
    const client = platform[door];
    await client(LedgerCommandService).createLedger({ ledgerId, requestId: randomUUID() });
    for (const accountId of ['alice', 'bob']) {
      await client(AccountCommandService).openAccount({
        ledgerId,
        requestId: randomUUID(),
        accountId,
        currency: 'EUR',
      });
    }
    await client(TransactionCommandService).deposit({
      ledgerId,
      requestId: randomUUID(),
      accountId: 'alice',
      amount: { currency: 'EUR', minorUnits: 10_000n },
    });
    const requestId = randomUUID();
    const paid = await client(TransactionCommandService).submitPayment({
      ledgerId,
      requestId,
      payerAccountId: 'alice',
      payeeAccountId: 'bob',
      reference: 'order-7',
      amount: { currency: 'EUR', minorUnits: 2_500n },
    });
    expect(paid.transaction?.status).toBe(TransactionStatus.POSTED);
    const consistency = { requirement: { case: 'atLeastAsFresh' as const, value: paid.consistencyToken } };

    const balance = await client(AccountQueryService).getBalance({ ledgerId, accountId: 'bob', consistency });
    expect(balance.balance).toMatchObject({ posted: 2_500n, available: 2_500n, exponent: 2 });
    expect(balance.asOf?.position).toBeGreaterThanOrEqual(paid.position);

    const listed = await client(TransactionQueryService).listTransactions({
      ledgerId,
      accountId: 'bob',
      consistency,
    });
    expect(listed.transactions.map(({ transactionId }) => transactionId)).toEqual([requestId]);
    expect(listed.transactions[0]).toMatchObject({ reference: 'order-7', amount: { minorUnits: 2_500n } });

    const trial = await client(ReportQueryService).getTrialBalance({ ledgerId, consistency });
    expect(trial.totals).toMatchObject([{ currency: 'EUR', debits: '12500', credits: '12500' }]);

    const statement = await client(TransactionQueryService).getStatement({
      ledgerId,
      accountId: 'alice',
      consistency,
    });
    expect(statement.lines.map((line) => line.balance)).toEqual([10_000n, 7_500n]);

    const events = await client(EventQueryService).listEvents({ ledgerId, streamId: requestId });
    expect(events.events.map(({ event }) => event?.payload.case)).toEqual(['transactionPosted']);
    expect(events.events[0]?.command?.command.case).toBe('submitPayment');
  });

  test('the books are proved, and the projections say how far they are', async () => {
    const client = platform[door];
    const messages = [];
    for await (const { event } of client(LedgerService).verifyLedger({ ledgerId })) messages.push(event);
    expect(messages.filter(({ case: name }) => name === 'finding')).toEqual([]);
    expect(messages.at(-1)).toMatchObject({ case: 'verdict', value: { ok: true } });
    const { projections } = await client(ProjectionService).listProjections({});
    expect(projections.map(({ projectionId }) => projectionId).sort()).toEqual([
      'balances',
      'history',
      'reports',
    ]);
  });
});
