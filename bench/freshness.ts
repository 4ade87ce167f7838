/**
 * `npm run bench:freshness -- [--command HOST:PORT] [--query HOST:PORT] [--rate N] [--seconds N] [--warm SECONDS]
 * [--views balances,history,reports]`: pays at a steady rate, and for some of the payments asks each view for something as
 * fresh as the payment's token, at once. What is measured is from the answer of the command to the answer of the read:
 * commit to visible, and the read itself.
 */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ConsistencySchema } from '../gen/quittance/common/v1/consistency_pb.js';
import { AccountCommandService } from '../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../gen/quittance/command/v1/ledger_command_service_pb.js';
import { TransactionCommandService } from '../gen/quittance/command/v1/transaction_command_service_pb.js';
import { AccountQueryService } from '../gen/quittance/query/v1/account_query_service_pb.js';
import { Interval, ReportQueryService } from '../gen/quittance/query/v1/report_query_service_pb.js';
import { TransactionQueryService } from '../gen/quittance/query/v1/transaction_query_service_pb.js';
import { type GrpcClient, grpcClient } from '../tools/client/grpc-client.js';

const LEDGERS = 8;
const ACCOUNTS = 25;
/** Every so many payments are followed into the views. */
const SAMPLE = 25;
const READ_ms = 20_000;

interface Bench {
  readonly command: GrpcClient;
  readonly query: GrpcClient;
  readonly run: string;
}

async function prepare({ command, run }: Bench): Promise<void> {
  await Promise.all(
    Array.from({ length: LEDGERS }, async (_, ledger) => {
      const ledgerId = `${run}-${String(ledger)}`;
      await command.unary(LedgerCommandService.method.createLedger, { ledgerId, requestId: randomUUID() });
      await Promise.all(
        Array.from({ length: ACCOUNTS }, async (_, account) => {
          const own = { ledgerId, accountId: `a${String(account)}` };
          await command.unary(AccountCommandService.method.openAccount, {
            ...{ ...own, requestId: randomUUID(), currency: 'EUR' },
          });
          await command.unary(TransactionCommandService.method.deposit, {
            ...{ ...own, requestId: randomUUID(), amount: { currency: 'EUR', minorUnits: 10_000_000n } },
          });
        }),
      );
    }),
  );
}

const timestampNow = (later_ms = 0) => timestampFromMs(Date.now() + later_ms);

type Fresh = MessageInitShape<typeof ConsistencySchema>;

/** A read of each view that must have seen a payment. */
const READS: Readonly<
  Record<string, (query: GrpcClient, ledgerId: string, id: string, consistency: Fresh) => Promise<unknown>>
> = {
  balances: (query, ledgerId, _id, consistency) =>
    query.unary(AccountQueryService.method.getBalance, { ledgerId, accountId: 'a0', consistency }, READ_ms),
  history: (query, ledgerId, transactionId, consistency) =>
    query.unary(
      TransactionQueryService.method.getTransaction,
      { ledgerId, transactionId, consistency },
      READ_ms,
    ),
  reports: (query, ledgerId, _id, consistency) =>
    // The cheapest report, so that it is not the reports that are measured.
    query.unary(
      ReportQueryService.method.summarizeDeclines,
      {
        ledgerId,
        consistency,
        buckets: { startTime: timestampNow(), endTime: timestampNow(3_600_000), interval: Interval.HOUR },
      },
      READ_ms,
    ),
};

async function measure(
  bench: Bench,
  views: readonly string[],
  rate: number,
  seconds: number,
): Promise<Map<string, number[]>> {
  const { command, query, run } = bench;
  const found = new Map<string, number[]>(Object.keys(READS).map((view) => [view, []]));
  const following: Promise<unknown>[] = [];
  const pay = async (index: number) => {
    const ledgerId = `${run}-${String(index % LEDGERS)}`;
    const requestId = randomUUID();
    const { consistencyToken } = await command.unary(TransactionCommandService.method.submitPayment, {
      ...{ ledgerId, requestId, payerAccountId: `a${String(index % ACCOUNTS)}` },
      payeeAccountId: `a${String((index + 1) % ACCOUNTS)}`,
      amount: { currency: 'EUR', minorUnits: 1n },
    });
    if (index % SAMPLE !== 0) return;
    const began_ms = performance.now();
    const consistency = { requirement: { case: 'atLeastAsFresh' as const, value: consistencyToken } };
    for (const [view, read] of Object.entries(READS)) {
      if (!views.includes(view)) continue;
      following.push(
        read(query, ledgerId, requestId, consistency).then(
          () => found.get(view)?.push(performance.now() - began_ms),
          // Never in time: it counts as late as it was given up.
          () => found.get(view)?.push(READ_ms),
        ),
      );
    }
  };
  const payments: Promise<void>[] = [];
  const started_ms = performance.now();
  for (let index = 0; index < rate * seconds; index += 1) {
    const due_ms = started_ms + (index * 1_000) / rate;
    const wait_ms = due_ms - performance.now();
    // Several are due at once where the timer is late: the rate is what is kept.
    if (wait_ms > 1) await new Promise((resolve) => setTimeout(resolve, wait_ms));
    payments.push(pay(index));
  }
  await Promise.all(payments);
  const took_s = (performance.now() - started_ms) / 1_000;
  process.stdout.write(`${String(rate * seconds)} payments at ${(payments.length / took_s).toFixed(0)}/s\n`);
  await Promise.all(following);
  return found;
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      command: { type: 'string', default: 'localhost:50051' },
      query: { type: 'string', default: 'localhost:50053' },
      rate: { type: 'string', default: '500' },
      seconds: { type: 'string', default: '20' },
      warm: { type: 'string', default: '10' },
      views: { type: 'string', default: 'balances,history,reports' },
    },
  });
  const run = `fresh-${randomUUID().slice(0, 8)}`;
  const views = values.views.split(',');
  const bench = { command: grpcClient(values.command), query: grpcClient(values.query), run };
  await prepare(bench);
  // Warm: plans, caches and compiled code are not what is measured, here or in the broker.
  await measure(bench, views, Number(values.rate), Number(values.warm));
  const found = await measure(bench, views, Number(values.rate), Number(values.seconds));
  for (const [view, times] of found) {
    if (times.length === 0) continue;
    const sorted = times.sort((one, other) => one - other);
    const [p50, p99] = [0.5, 0.99].map((share) => percentile(sorted, share).toFixed(1));
    process.stdout.write(
      `${view.padEnd(9)} p50 ${p50 ?? ''} ms  p99 ${p99 ?? ''} ms  max ${percentile(sorted, 1).toFixed(1)} ms  (${String(sorted.length)} reads)\n`,
    );
  }
  bench.command.close();
  bench.query.close();
}

await main();
