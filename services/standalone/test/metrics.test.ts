/** /metrics of the embedded platform: what docs/operations.md lists, and values that follow what was done. */
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AccountCommandService } from '../../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { TransactionCommandService } from '../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { LedgerService } from '../../../gen/quittance/ops/v1/ledger_service_pb.js';
import { ProjectionService, RebuildPhase } from '../../../gen/quittance/ops/v1/projection_service_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { documentedMetrics, shownMetrics } from '../../../test/documented-metrics.js';
import { until } from '../../../test/load.js';
import { startPlatform, type TestPlatform } from './platform.js';

const ledgerId = 'measured';
const eur = (minorUnits: bigint) => ({ currency: 'EUR', minorUnits });

let platform: TestPlatform;

beforeAll(async () => {
  platform = await startPlatform({ dataDirectory: tmpdir() });
  await platform.grpc(LedgerCommandService).createLedger({ ledgerId, requestId: randomUUID() });
  const accounts = platform.grpc(AccountCommandService);
  for (const accountId of ['alice', 'shop']) {
    await accounts.openAccount({ ledgerId, requestId: randomUUID(), accountId, currency: 'EUR' });
  }
  const transactions = platform.grpc(TransactionCommandService);
  const deposit = { ledgerId, requestId: randomUUID(), accountId: 'alice', amount: eur(10_000n) };
  await transactions.deposit(deposit);
});

afterAll(async () => {
  await platform.stop();
});

async function scrape(): Promise<string> {
  return (await fetch(`${platform.connectUrl}/metrics`)).text();
}

/** The value of a series, named as in the exposition format; undefined if it is not shown. */
async function value(series: string): Promise<number | undefined> {
  const line = (await scrape()).split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

function payment(minorUnits: bigint) {
  return {
    ledgerId,
    requestId: randomUUID(),
    payerAccountId: 'alice',
    payeeAccountId: 'shop',
    amount: eur(minorUnits),
  };
}

test('commands are counted by outcome and reason, and posted money by currency', async () => {
  const transactions = platform.grpc(TransactionCommandService);
  const one = payment(1_250n);
  await transactions.submitPayment(one);
  await transactions.submitPayment(one);
  await transactions.submitPayment({ ...payment(1n), validateOnly: true });
  await transactions.submitPayment(payment(99_999_999n));
  await expect(transactions.submitPayment({ ...payment(1n), payeeAccountId: 'nobody' })).rejects.toThrow(
    'nobody',
  );
  const of = (outcome: string, reason: string) =>
    value(`quittance_commands_total{command="SUBMIT_PAYMENT",outcome="${outcome}",reason="${reason}"}`);
  expect(await of('committed', '')).toBe(1);
  expect(await of('replayed', '')).toBe(1);
  expect(await of('validated', '')).toBe(1);
  expect(await of('declined', 'INSUFFICIENT_FUNDS')).toBe(1);
  expect(await of('refused', 'ACCOUNT_NOT_FOUND')).toBe(1);
  expect(await value('quittance_call_errors_total{reason="ACCOUNT_NOT_FOUND"}')).toBe(1);
  const method = 'quittance.command.v1.TransactionCommandService/SubmitPayment';
  expect(await value(`quittance_call_duration_seconds_count{method="${method}"}`)).toBe(5);
  expect(await value(`quittance_call_duration_seconds_bucket{method="${method}",le="+Inf"}`)).toBe(5);
  expect(await value('quittance_posted_amount_total{kind="PAYMENT",currency="EUR"}')).toBe(12.5);
  expect(await value('quittance_posted_amount_total{kind="DEPOSIT",currency="EUR"}')).toBe(100);
});

test('the metrics are those of the table in docs/operations.md, after everything was done once', async () => {
  const paid = await platform.grpc(TransactionCommandService).submitPayment(payment(1n));
  await platform.grpc(AccountQueryService).getBalance({
    ledgerId,
    accountId: 'shop',
    consistency: { requirement: { case: 'atLeastAsFresh', value: paid.consistencyToken } },
  });
  for await (const { event } of platform.grpc(LedgerService).verifyLedger({ ledgerId })) {
    if (event.case === 'verdict') expect(event.value.ok).toBe(true);
  }
  const projections = platform.grpc(ProjectionService);
  await projections.rebuildProjection({ projectionId: 'balances' });
  await until('the view is rebuilt', async () => {
    const { projection } = await projections.getProjection({ projectionId: 'balances' });
    return projection?.rebuild?.phase === RebuildPhase.DONE;
  });

  expect(shownMetrics(await scrape())).toEqual(documentedMetrics('e'));
  expect(await value('quittance_proof_ok{shard="0"}')).toBe(1);
  expect(await value('quittance_proofs_total{verdict="ok"}')).toBe(1);
  expect(await value('quittance_proof_differing_ledgers')).toBe(0);
  expect(await value('quittance_rebuild_filled_ratio{projection="balances"}')).toBe(1);
  expect(await value('quittance_health_serving{service="all"}')).toBe(1);
  expect(await value('quittance_log_position')).toBe(Number(paid.position));
  const reads = await Promise.all(
    ['at_once', 'waited'].map((result) =>
      value(`quittance_fresh_reads_total{view="balances",result="${result}"}`),
    ),
  );
  expect(reads.reduce<number>((sum, count) => sum + (count ?? 0), 0)).toBe(1);
});

test('no metric has a label for ledgers', async () => {
  const text = await scrape();
  expect(text).not.toMatch(/ledger(_id)?="/);
  expect(text).not.toContain(ledgerId);
});
