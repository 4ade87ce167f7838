/** `npm run demo`: opens a ledger `demo` and plays believable traffic until Ctrl-C. */
import { parseArgs } from 'node:util';
import { create } from '@bufbuild/protobuf';
import { v5 as uuidV5, v7 as uuidV7 } from 'uuid';
import { LedgerCommandService } from '../../gen/quittance/command/v1/ledger_command_service_pb.js';
import {
  CommandSchema,
  TransactionCommandService,
} from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { DeclineReason, TransactionStatus } from '../../gen/quittance/common/v1/transaction_pb.js';
import { callErrorOf, describe, serverErrorOf } from '../client/errors.js';
import { type GrpcClient, grpcClient } from '../client/grpc-client.js';
import { CURRENCY, LEDGER, ROLES } from './cast.js';
import { type Step, Traffic } from './traffic.js';

const HELP = `Usage: npm run demo [-- options]

Opens the ledger \`${LEDGER}\` with customers, merchants, fees and a bank, and plays payments, authorizations, captures, refunds
and declines until Ctrl-C.

  --address HOST:PORT   the gRPC door (default localhost:50051)
  --rate N              things that happen a second (default 5)
  --seconds N           stop after so long
`;

/** A random UUID, made once: the demo's own accounts have the same request ids at every start. */
const NAMESPACE = '0d6f2b52-7c3e-4f0a-9f1e-61f3a5a0c9d4';
const LINE_EVERY_ms = 1000;

/** Calls to paste while it runs, shown one at a time. */
function hints(address: string): readonly string[] {
  const buf = (method: string, data: object): string =>
    `npx buf curl --http2-prior-knowledge --protocol grpc --data '${JSON.stringify(data)}' http://${address}/${method}`;
  return [
    buf('quittance.query.v1.AccountQueryService/GetBalance', {
      ledger_id: LEDGER,
      account_id: 'customer:anna',
    }),
    buf('quittance.query.v1.TransactionQueryService/ListTransactions', {
      ledger_id: LEDGER,
      account_id: 'merchant:bakery',
      descending: true,
      page_size: 5,
    }),
    buf('quittance.query.v1.ReportQueryService/GetTrialBalance', { ledger_id: LEDGER }),
    buf('quittance.query.v1.ReportQueryService/RankAccounts', {
      ledger_id: LEDGER,
      currency: CURRENCY,
      rank_by: 'RANK_BY_CREDITS',
      limit: 3,
    }),
    buf('quittance.query.v1.TransactionQueryService/WatchTransactions', { ledger_id: LEDGER }),
    buf('quittance.ops.v1.ProjectionService/ListProjections', {}),
    buf('quittance.ops.v1.LedgerService/VerifyLedger', { ledger_id: LEDGER }),
  ];
}

async function openLedger(client: GrpcClient): Promise<void> {
  const fixedId = (name: string): string => uuidV5(name, NAMESPACE);
  const ledger = { ledgerId: LEDGER, requestId: fixedId('ledger'), description: 'Made by npm run demo' };
  await client.unary(LedgerCommandService.method.createLedger, ledger).catch((error: unknown) => {
    if (callErrorOf(error).reason !== 'LEDGER_ALREADY_EXISTS') throw error;
  });
  const commands = ROLES.map((role) => {
    const value = { ...role, ledgerId: LEDGER, requestId: fixedId(role.accountId), currency: CURRENCY };
    return create(CommandSchema, { command: { case: 'openAccount', value } });
  });
  const batch = { ledgerId: LEDGER, commands };
  const { results } = await client.unary(TransactionCommandService.method.executeBatch, batch);
  for (const { result } of results) {
    if (result.case !== 'error') continue;
    const error = serverErrorOf(result.value);
    if (error.reason !== 'ACCOUNT_ALREADY_EXISTS' && error.reason !== 'REQUEST_ID_REUSED')
      throw new Error(describe(error));
  }
}

/** @returns what became of it, for the end of its line. */
async function play(client: GrpcClient, traffic: Traffic, { command }: Step): Promise<string> {
  const batch = { ledgerId: LEDGER, commands: [create(CommandSchema, { command })] };
  const { results } = await client.unary(TransactionCommandService.method.executeBatch, batch);
  const result = results[0]?.result;
  switch (result?.case) {
    case undefined:
      return 'no answer';
    case 'error':
      return describe(serverErrorOf(result.value));
    case 'deposit':
    case 'withdraw':
    case 'submitPayment':
    case 'authorizePayment':
    case 'capturePayment':
    case 'refundPayment': {
      const { transaction } = result.value;
      const declined = transaction?.status === TransactionStatus.DECLINED;
      traffic.remember(command, !declined);
      return declined ? `declined: ${DeclineReason[transaction.declineReason]}` : '';
    }
    default:
      return '';
  }
}

async function run(client: GrpcClient, address: string, rate: number, until_ms: number): Promise<void> {
  const traffic = new Traffic({ random: Math.random, newId: () => uuidV7() });
  for (const step of traffic.opening()) await play(client, traffic, step);
  const calls = hints(address);
  let lines = 0;
  let nextLine_ms = performance.now();
  let due_ms = performance.now();
  while (performance.now() < until_ms) {
    const step = traffic.next();
    const outcome = await play(client, traffic, step);
    if (performance.now() >= nextLine_ms) {
      process.stdout.write(`${step.line}${outcome === '' ? '' : `: ${outcome}`}\n`);
      if (lines % 10 === 4)
        process.stdout.write(`\n  try: ${calls[Math.floor(lines / 10) % calls.length] ?? ''}\n\n`);
      lines += 1;
      nextLine_ms = performance.now() + LINE_EVERY_ms;
    }
    due_ms = Math.max(due_ms + 1000 / rate, performance.now() - 1000);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due_ms - performance.now())));
  }
}

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      address: { type: 'string', default: 'localhost:50051' },
      rate: { type: 'string', default: '5' },
      seconds: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const [rate, seconds] = [Number(values.rate), Number(values.seconds ?? Number.POSITIVE_INFINITY)];
  if (!(rate > 0 && rate <= 1000) || !(seconds > 0)) {
    process.stderr.write('--rate is a number up to 1000, --seconds a number above 0\n');
    return 2;
  }
  const client = grpcClient(values.address);
  try {
    await openLedger(client);
    process.stdout.write(
      `ledger ${LEDGER}: ${ROLES.length} accounts, ${rate} things a second; Ctrl-C ends it\n`,
    );
    await run(client, values.address, rate, performance.now() + seconds * 1000);
    return 0;
  } catch (error) {
    process.stderr.write(
      `${describe(callErrorOf(error))}\nis the server running at ${values.address}? npm start\n`,
    );
    return 1;
  } finally {
    client.close();
  }
}

// Nothing is lost by ending at once: every call is answered or can be sent again.
process.once('SIGINT', () => process.exit(0));
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
