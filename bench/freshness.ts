/**
 * `npm run bench:freshness`: pays at a steady rate, and for some of the payments asks each view at once for something as fresh as
 * the payment's token. It measures from the answer of the command to the answer of the read: commit to visible, and the read.
 */
import { randomUUID } from 'node:crypto';
import { AccountCommandService } from '../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../gen/quittance/command/v1/ledger_command_service_pb.js';
import { TransactionCommandService } from '../gen/quittance/command/v1/transaction_command_service_pb.js';
import { InvalidArgumentError } from '@commander-js/extra-typings';
import { commandLine, readCommandLine, runCommand } from '../lib/process/command-line.js';
import { parseAddress } from '../tools/client/address.js';
import { accessOf } from '../tools/client/access.js';
import { type GrpcClient, grpcClient } from '../tools/client/grpc-client.js';
import { againstServers, countOf } from './command-line.js';
import { percentile } from './report/statistics.js';
import { type View, VIEWS, visibleAfter } from './visible.js';

const LEDGERS = 8;
const ACCOUNTS = 25;
/** Every so many payments are followed into the views. */
const SAMPLE = 25;

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

async function measure(
  bench: Bench,
  views: readonly View[],
  rate: number,
  seconds: number,
): Promise<Map<View, number[]>> {
  const { command, query, run } = bench;
  const found = new Map<View, number[]>(views.map((view) => [view, []]));
  const following: Promise<unknown>[] = [];
  const pay = async (index: number) => {
    const payment = {
      ledgerId: `${run}-${String(index % LEDGERS)}`,
      payerAccountId: `a${String(index % ACCOUNTS)}`,
      payeeAccountId: `a${String((index + 1) % ACCOUNTS)}`,
      amount: { currency: 'EUR', minorUnits: 1n },
    };
    const followed = index % SAMPLE === 0 ? views : [];
    for (const [view, took_ms] of await visibleAfter(command, query, payment, followed)) {
      following.push(took_ms.then((time_ms) => found.get(view)?.push(time_ms)));
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
  .option('--views <names>', 'views to read, separated by commas', viewsOf, VIEWS);

function viewsOf(text: string): readonly View[] {
  return text.split(',').map((name) => {
    const view = VIEWS.find((one) => one === name);
    if (view !== undefined) return view;
    throw new InvalidArgumentError(`There is no view ${name}, only ${VIEWS.join(', ')}.`);
  });
}

async function main(): Promise<number> {
  const typed = readCommandLine(FRESHNESS, process.argv.slice(2), process);
  if (typed === undefined) return 0;
  const { rate, seconds, warm, views, ...at } = typed.options;
  const run = `fresh-${randomUUID().slice(0, 8)}`;
  const access = accessOf(process.env);
  const bench = { command: grpcClient(at.command, access), query: grpcClient(at.query, access), run };
  await againstServers([at.command, at.query], () => prepare(bench));
  // Warm: plans, caches and compiled code are not what is measured, here or in the broker.
  await measure(bench, views, rate, warm);
  const found = await measure(bench, views, rate, seconds);
  for (const [view, times] of found) {
    if (times.length === 0) continue;
    const [p50, p99, max] = [0.5, 0.99, 1].map((share) => percentile(times, share).toFixed(1));
    process.stdout.write(
      `${view.padEnd(9)} p50 ${p50 ?? ''} ms  p99 ${p99 ?? ''} ms  max ${max ?? ''} ms  (${String(times.length)} reads)\n`,
    );
  }
  bench.command.close();
  bench.query.close();
  return 0;
}

process.exitCode = await runCommand(process, main);
