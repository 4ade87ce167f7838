/** `npm run demo`: opens a ledger `demo` and plays believable traffic until Ctrl-C. */
import { create } from '@bufbuild/protobuf';
import { InvalidArgumentError } from '@commander-js/extra-typings';
import { v5 as uuidV5, v7 as uuidV7 } from 'uuid';
import { LedgerCommandService } from '../../gen/quittance/command/v1/ledger_command_service_pb.js';
import {
  CommandSchema,
  TransactionCommandService,
} from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { DeclineReason, TransactionStatus } from '../../gen/quittance/common/v1/transaction_pb.js';
import { commandLine, readCommandLine, runCommand } from '../../lib/process/command-line.js';
import { StartError } from '../../lib/base/start-error.js';
import { ACCESS_FLAGS, ACCESS_VARIABLE_HELP, accessOf } from '../client/access.js';
import { ADDRESS_VARIABLE_HELP, grpcAddressOf, parseAddress } from '../client/address.js';
import { callErrorOf, describe, isCallError, sentenceOfCall, serverErrorOf } from '../client/errors.js';
import { type GrpcClient, grpcClient } from '../client/grpc-client.js';
import { CURRENCY, LEDGER, ROLES } from './cast.js';
import { type Step, Traffic } from './traffic.js';

const STEPS_PER_SECOND = 5;
const MAX_STEPS_PER_SECOND = 1_000;

/** A random UUID, made once: so the demo's own accounts have the same request ids at every start. */
const NAMESPACE = '0d6f2b52-7c3e-4f0a-9f1e-61f3a5a0c9d4';
const LINE_EVERY_MS = 1_000;

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
      throw new StartError(`the demo could not open its accounts: ${describe(error)}`);
  }
}

/** @returns the outcome, for the end of its line; empty where there is nothing to say. */
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
      nextLine_ms = performance.now() + LINE_EVERY_MS;
    }
    due_ms = Math.max(due_ms + 1_000 / rate, performance.now() - 1_000);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due_ms - performance.now())));
  }
}

function demoCommand() {
  return commandLine({
    name: 'npm run demo --',
    summary:
      `Opens the ledger "${LEDGER}" with customers, merchants, fees and a bank, and plays payments, authorizations, captures, ` +
      'refunds and declines until Ctrl-C.',
    environment: { ...ADDRESS_VARIABLE_HELP, ...ACCESS_VARIABLE_HELP },
    examples: [
      ['npm run demo', 'five steps per second until Ctrl-C'],
      ['npm run demo -- --rate 50 --seconds 30', 'more, and for half a minute'],
      ['npm run demo -- --address localhost:9001', 'a server on another port'],
      [
        'QUITTANCE_CLI_TOKEN=$KEY npm run demo -- --address ledger.example:50051 --ca-file ca.pem',
        'a server that wants TLS and a key with the scopes create:demo, write:demo and admin:demo',
      ],
    ],
  })
    .option('--address <host:port>', 'the gRPC door (default: by the variables below)', parseAddress)
    .option('--token <token>', ACCESS_FLAGS.token)
    .option('--ca-file <file>', ACCESS_FLAGS.caFile)
    .option('--tls', ACCESS_FLAGS.tls)
    .option('--rate <number>', 'steps per second', rateOf, STEPS_PER_SECOND)
    .option('--seconds <number>', 'stop after so many seconds (default: never)', secondsOf);
}

function rateOf(value: string): number {
  const rate = Number(value);
  if (rate > 0 && rate <= MAX_STEPS_PER_SECOND) return rate;
  throw new InvalidArgumentError(`It is a number above 0, at most ${String(MAX_STEPS_PER_SECOND)}.`);
}

function secondsOf(value: string): number {
  const seconds = Number(value);
  if (seconds > 0) return seconds;
  throw new InvalidArgumentError('It is a number above 0.');
}

async function main(): Promise<number> {
  const typed = readCommandLine(demoCommand(), process.argv.slice(2), process);
  if (typed === undefined) return 0;
  const { rate, seconds = Number.POSITIVE_INFINITY, address = grpcAddressOf(process.env) } = typed.options;
  const client = grpcClient(address, accessOf(process.env, typed.options));
  try {
    await openLedger(client);
    process.stdout.write(
      `ledger ${LEDGER}: ${String(ROLES.length)} accounts, ${String(rate)} steps per second; Ctrl-C ends it\n`,
    );
    await run(client, address, rate, performance.now() + seconds * 1_000);
    return 0;
  } catch (error) {
    if (isCallError(error)) throw new StartError(sentenceOfCall(error, address));
    throw error;
  } finally {
    client.close();
  }
}

// Nothing is lost by ending at once: every call is answered or can be sent again.
process.once('SIGINT', () => process.exit(0));
process.exitCode = await runCommand(process, main);
