/** How long after the answer of a payment each view shows it: commit to visible, and the read that finds it. */
import { randomUUID } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  type SubmitPaymentRequestSchema,
  TransactionCommandService,
} from '../gen/quittance/command/v1/transaction_command_service_pb.js';
import type { ConsistencySchema } from '../gen/quittance/common/v1/consistency_pb.js';
import { AccountQueryService } from '../gen/quittance/query/v1/account_query_service_pb.js';
import { Interval, ReportQueryService } from '../gen/quittance/query/v1/report_query_service_pb.js';
import { TransactionQueryService } from '../gen/quittance/query/v1/transaction_query_service_pb.js';
import type { GrpcClient } from '../tools/client/grpc-client.js';

export type View = 'balances' | 'history' | 'reports';
export const VIEWS: readonly View[] = ['balances', 'history', 'reports'];

const READ_MS = 20_000;

/** What is to be paid. */
export interface Payment {
  readonly ledgerId: string;
  readonly payerAccountId: string;
  readonly payeeAccountId: string;
  readonly amount: NonNullable<MessageInitShape<typeof SubmitPaymentRequestSchema>['amount']>;
}

interface Paid extends Payment {
  readonly transactionId: string;
  readonly consistency: MessageInitShape<typeof ConsistencySchema>;
}

/** A read of each view that must have seen a payment. */
const READS: Readonly<Record<View, (query: GrpcClient, paid: Paid) => Promise<unknown>>> = {
  balances: (query, { ledgerId, payerAccountId: accountId, consistency }) =>
    query.unary(AccountQueryService.method.getBalance, { ledgerId, accountId, consistency }, READ_MS),
  history: (query, { ledgerId, transactionId, consistency }) =>
    query.unary(
      TransactionQueryService.method.getTransaction,
      { ledgerId, transactionId, consistency },
      READ_MS,
    ),
  reports: (query, { ledgerId, consistency }) => {
    // The cheapest report, so that it is not the reports that are measured.
    const now_ms = Date.now();
    const [startTime, endTime] = [timestampFromMs(now_ms), timestampFromMs(now_ms + 3_600_000)];
    const buckets = { startTime, endTime, interval: Interval.HOUR };
    return query.unary(
      ReportQueryService.method.summarizeDeclines,
      { ledgerId, consistency, buckets },
      READ_MS,
    );
  },
};

/** Pays, and says for each view in how many milliseconds a read that must have seen the payment is answered. */
export async function visibleAfter(
  command: GrpcClient,
  query: GrpcClient,
  payment: Payment,
  views: readonly View[],
): Promise<ReadonlyMap<View, Promise<number>>> {
  const requestId = randomUUID();
  const { consistencyToken: value } = await command.unary(TransactionCommandService.method.submitPayment, {
    ...payment,
    requestId,
  });
  const began_ms = performance.now();
  const paid: Paid = {
    ...payment,
    transactionId: requestId,
    consistency: { requirement: { case: 'atLeastAsFresh', value } },
  };
  const took = async (view: View): Promise<number> => {
    // Never in time: it counts as late as it was given up.
    await READS[view](query, paid).catch(() => undefined);
    return performance.now() - began_ms;
  };
  return new Map(views.map((view) => [view, took(view)]));
}
