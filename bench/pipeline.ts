/**
 * `npm run bench:pipeline`, against a running stack: how fast the relay sends, and how fast each projection
 * applies, one after the other. The projections are paused through the API, payments are committed in batches, then each
 * projection is resumed alone and timed until it has caught up.
 */
import { randomUUID } from 'node:crypto';
import { AccountCommandService } from '../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../gen/quittance/command/v1/ledger_command_service_pb.js';
import { TransactionCommandService } from '../gen/quittance/command/v1/transaction_command_service_pb.js';
import { ProjectionService } from '../gen/quittance/ops/v1/projection_service_pb.js';
import { BatchMode } from '../gen/quittance/command/v1/transaction_command_service_pb.js';
import { commandLine, readCommandLine, runCommand } from '../lib/process/command-line.js';
import { parseAddress } from '../tools/client/address.js';
import { accessOf } from '../tools/client/access.js';
import { type GrpcClient, grpcClient } from '../tools/client/grpc-client.js';
import { againstServers, countOf } from './command-line.js';

const VIEWS = ['balances', 'history', 'reports'];
const LEDGERS = 24;
const ACCOUNTS = 100;
const BATCH = 100;
const IN_FLIGHT = 4;
const POLL_MS = 50;

const pause = (duration_ms: number) => new Promise((resolve) => setTimeout(resolve, duration_ms));

async function open(command: GrpcClient, run: string): Promise<void> {
  for (let ledger = 0; ledger < LEDGERS; ledger += 1) {
    const ledgerId = `${run}-${String(ledger)}`;
    await command.unary(LedgerCommandService.method.createLedger, { ledgerId, requestId: randomUUID() });
    await Promise.all(
      Array.from({ length: ACCOUNTS }, async (_, account) => {
        const own = { ledgerId, accountId: `a${String(account)}` };
        await command.unary(AccountCommandService.method.openAccount, {
          ...own,
          requestId: randomUUID(),
          currency: 'EUR',
          overdraftLimit: 1_000_000_000n,
        });
      }),
    );
  }
}

async function load(command: GrpcClient, run: string, payments: number): Promise<void> {
  const batches = Math.ceil(payments / BATCH);
  let next = 0;
  const caller = async () => {
    for (let batch = next++; batch < batches; batch = next++) {
      const ledgerId = `${run}-${String(batch % LEDGERS)}`;
      const commands = Array.from({ length: BATCH }, (_, index) => ({
        command: {
          case: 'submitPayment' as const,
          value: {
            ledgerId,
            requestId: randomUUID(),
            payerAccountId: `a${String((batch + index) % ACCOUNTS)}`,
            payeeAccountId: `a${String((batch + index + 1) % ACCOUNTS)}`,
            amount: { currency: 'EUR', minorUnits: 1n },
          },
        },
      }));
      await command.unary(
        TransactionCommandService.method.executeBatch,
        { ledgerId, mode: BatchMode.INDEPENDENT, commands },
        60_000,
      );
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, caller));
}

/** A gauge of a process. */
async function gauge(connect: string, name: string): Promise<number> {
  const text = await (await fetch(`http://${connect}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

const PIPELINE = commandLine({
  name: 'npm run bench:pipeline --',
  summary:
    'Measures, against a running stack, how fast the relay sends and how fast each projection applies, one after the other. ' +
    'It pauses the projections of the stack meanwhile.',
  examples: [
    ['npm run bench:pipeline', 'against npm run stack on its usual ports'],
    ['npm run bench:pipeline -- --payments 10000', 'shorter'],
  ],
})
  .option('--command <host:port>', 'gRPC door of the command service', parseAddress, 'localhost:50051')
  .option(
    '--command-connect <host:port>',
    'Connect door of it, for its metrics',
    parseAddress,
    'localhost:8081',
  )
  .option('--projector <host:port>', 'gRPC door of the projector', parseAddress, 'localhost:50052')
  .option('--payments <number>', 'how many to commit', countOf, 50_000);

async function main(): Promise<number> {
  const typed = readCommandLine(PIPELINE, process.argv.slice(2), process);
  if (typed === undefined) return 0;
  const { payments, ...at } = typed.options;
  const run = `pipe-${randomUUID().slice(0, 8)}`;
  const access = accessOf(process.env);
  const [command, projector] = [grpcClient(at.command, access), grpcClient(at.projector, access)];
  await againstServers([at.command], () => open(command, run));
  for (const projectionId of VIEWS) {
    const pausing = projector.unary(ProjectionService.method.pauseProjection, { projectionId });
    await againstServers([at.projector], () => pausing);
  }
  const began_ms = performance.now();
  await load(command, run, payments);
  const loaded_ms = performance.now() - began_ms;
  while ((await gauge(at.commandConnect, 'quittance_relay_lag_events')) > 0) await pause(POLL_MS);
  const relayed_ms = performance.now() - began_ms;
  const rate = (took_ms: number) => `${((payments / took_ms) * 1_000).toFixed(0)}/s`;
  process.stdout.write(
    `committed ${rate(loaded_ms)}, relayed ${rate(relayed_ms)} (from the first commit to the last message)\n`,
  );
  for (const projectionId of VIEWS) {
    const { projection } = await projector.unary(ProjectionService.method.getProjection, { projectionId });
    const behind = Number(projection?.lagEvents ?? 0n);
    const from_ms = performance.now();
    await projector.unary(ProjectionService.method.resumeProjection, { projectionId });
    for (;;) {
      const found = await projector.unary(ProjectionService.method.getProjection, { projectionId });
      if (found.projection?.lagEvents === 0n) break;
      await pause(POLL_MS);
    }
    const took_s = (performance.now() - from_ms) / 1_000;
    process.stdout.write(
      `${projectionId} (${projection?.store ?? ''}): ${String(behind)} events in ${took_s.toFixed(1)} s, ${(behind / took_s).toFixed(0)}/s\n`,
    );
  }
  command.close();
  projector.close();
  return 0;
}

process.exitCode = await runCommand(process, main);
