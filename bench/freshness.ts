/**
 * `npm run bench:freshness`: pays at a steady rate, and for some of the payments asks each view at once for something as fresh as
 * the payment's token. It measures from the answer of the command to the answer of the read: commit to visible, and the read.
 */
import { randomUUID } from 'node:crypto';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ConsistencySchema } from '../gen/quittance/common/v1/consistency_pb.js';
import { AccountCommandService } from '../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../gen/quittance/command/v1/ledger_command_service_pb.js';
import { TransactionCommandService } from '../gen/quittance/command/v1/transaction_command_service_pb.js';
import { AccountQueryService } from '../gen/quittance/query/v1/account_query_service_pb.js';
import { Interval, ReportQueryService } from '../gen/quittance/query/v1/report_query_service_pb.js';
import { TransactionQueryService } from '../gen/quittance/query/v1/transaction_query_service_pb.js';
import { InvalidArgumentError } from '@commander-js/extra-typings';
import { commandLine, readCommandLine, runCommand } from '../lib/process/command-line.js';
import { parseAddress } from '../tools/client/address.js';
import { type GrpcClient, grpcClient } from '../tools/client/grpc-client.js';
import { againstServers, countOf } from './command-line.js';

const LEDGERS = 8;
const ACCOUNTS = 25;
/** Every so many payments are followed into the views. */
const SAMPLE = 25;
const READ_MS = 20_000;

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
            ...own,
            requestId: randomUUID(),
            currency: 'EUR',
          });
          await command.unary(TransactionCommandService.method.deposit, {
            ...own,
            requestId: randomUUID(),
            amount: { currency: 'EUR', minorUnits: 10_000_000n },
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
    query.unary(AccountQueryService.method.getBalance, { ledgerId, accountId: 'a0', consistency }, READ_MS),
  history: (query, ledgerId, transactionId, consistency) =>
    query.unary(
      TransactionQueryService.method.getTransaction,
      { ledgerId, transactionId, consistency },
      READ_MS,
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
      READ_MS,
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
      ledgerId,
      requestId,
      payerAccountId: `a${String(index % ACCOUNTS)}`,
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
          () => found.get(view)?.push(READ_MS),
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

const FRESHNESS = commandLine({
  name: 'npm run bench:freshness --',
  summary:
    'Pays at a steady rate and measures how long after the answer of a payment each view shows it, on a running server or stack.',
  examples: [
    ['npm run bench:freshness', 'against npm run stack on its usual ports'],
    [
      'npm run bench:freshness -- --query localhost:50051',
      'against npm start, which has all services on one port',
    ],
  ],
})
  .option('--command <host:port>', 'gRPC door of the command service', parseAddress, 'localhost:50051')
  .option('--query <host:port>', 'gRPC door of the query service', parseAddress, 'localhost:50053')
  .option('--rate <number>', 'payments per second', countOf, 500)
  .option('--seconds <number>', 'how long to measure', countOf, 20)
  .option('--warm <number>', 'seconds of payments before it measures', countOf, 10)
  .option('--views <names>', 'views to read, separated by commas', viewsOf, Object.keys(READS));

function viewsOf(text: string): string[] {
  const views = text.split(',');
  const unknown = views.find((view) => !(view in READS));
  if (unknown === undefined) return views;
  throw new InvalidArgumentError(`There is no view ${unknown}, only ${Object.keys(READS).join(', ')}.`);
}

async function main(): Promise<number> {
  const typed = readCommandLine(FRESHNESS, process.argv.slice(2), process);
  if (typed === undefined) return 0;
  const { rate, seconds, warm, views, ...at } = typed.options;
  const run = `fresh-${randomUUID().slice(0, 8)}`;
  const bench = { command: grpcClient(at.command), query: grpcClient(at.query), run };
  await againstServers([at.command, at.query], () => prepare(bench));
  // Warm: plans, caches and compiled code are not what is measured, here or in the broker.
  await measure(bench, views, rate, warm);
  const found = await measure(bench, views, rate, seconds);
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
  return 0;
}

process.exitCode = await runCommand(process, main);
