/**
 * `npm run bench:decide -- [kinds] [--seconds n]`: CPU microseconds per command of the write path without input and output: decoded,
 * checked, decided, encoded, hashed, committed to a log in memory, answered, encoded. All threads of the process are counted.
 */
import { randomUUID } from 'node:crypto';
import { create, type Message } from '@bufbuild/protobuf';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { CreateLedgerRequestSchema } from '../../gen/quittance/command/v1/ledger_command_service_pb.js';
import {
  CommandSchema,
  ExecuteBatchRequestSchema,
} from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { encodeMessage } from '../../lib/base/codec/binary.js';
import { systemClock } from '../../lib/base/time.js';
import { BEFORE_THE_LOG } from '../../lib/log/recorded-event.js';
import { Wakeups } from '../../lib/log/wakeups.js';
import { commandLine, readCommandLine, runCommand } from '../../lib/process/command-line.js';
import { callMetrics } from '../../lib/rpc/call-metrics.js';
import { type Chain, createChain, DEFAULT_CHAIN_LIMITS } from '../../lib/rpc/chain.js';
import { decodeBinary } from '../../lib/rpc/decode.js';
import type { Service, UnaryMethod } from '../../lib/rpc/service.js';
import { Executor } from '../../services/command/application/executor.js';
import { Memory } from '../../services/command/application/memory.js';
import { ledgerCommandService } from '../../services/command/rpc/ledger-command-service.js';
import type { LedgerContext } from '../../services/command/rpc/submit.js';
import { transactionCommandService } from '../../services/command/rpc/transaction-command-service.js';
import { countOf } from '../command-line.js';
import { LogInMemory } from './log-in-memory.js';
import {
  accountId,
  ACCOUNTS,
  type CommandInit,
  deposit,
  LEDGER,
  openAccount,
  payment,
  WORKLOADS,
  type Workload,
} from './work.js';

const BATCH = 100;
/** Calls that wait for their answers at once: an append then takes what it takes on a loaded server. */
const BATCHES_IN_FLIGHT = 8;
const UNARY_IN_FLIGHT = 64;
const WARM_UP_ROUNDS = 40;
const FUNDS = 1_000_000_000n;

interface WritePath {
  readonly chain: Chain;
  readonly services: readonly Service[];
  readonly memory: Memory;
  stop(): Promise<void>;
}

/** Bytes of a request, and the method that they are for. */
interface Sent {
  readonly method: UnaryMethod;
  readonly bytes: Uint8Array;
}

async function openWritePath(): Promise<WritePath> {
  const logger = pino({ level: 'silent' });
  const log = new LogInMemory();
  const memory = new Memory(BEFORE_THE_LOG);
  const executor = new Executor({
    memory,
    log,
    state: log.stateReader(() => memory.tailFrom),
    clock: systemClock,
    wakeups: new Wakeups(),
    logger,
    shard: 0,
    queueLimit: 10_000,
    flushLimit: 200,
    tailLimit: 10_000_000,
    onHalt: (cause) => {
      throw cause;
    },
  });
  await executor.start();
  const context = { executor, log: { logId: new Uint8Array(16).fill(7), shard: 0 } };
  const services = [
    ledgerCommandService({ ...context, closingBalances: NOTHING_IS_CLOSED }),
    transactionCommandService(context),
  ];
  const chain = createChain({ ...DEFAULT_CHAIN_LIMITS, logger, metrics: callMetrics(new Registry()) });
  chain.warm(services);
  return { chain, services, memory, stop: () => executor.stop() };
}

const NOTHING_IS_CLOSED: LedgerContext['closingBalances'] = {
  isWanted: () => false,
  during: (_ledgerId, _through, _call, decide) => decide(),
};

function methodOf({ services }: WritePath, name: string): UnaryMethod {
  const found = services.flatMap(({ methods }) => methods).find(({ desc }) => desc.name === name);
  if (found?.kind !== 'unary') throw new Error(`there is no unary method ${name}`);
  return found;
}

/** One call, from the bytes of its request to the bytes of its answer. */
async function call({ chain }: WritePath, { method, bytes }: Sent): Promise<Message> {
  let encoded: Uint8Array | undefined;
  const encode = (message: Message) => (encoded = encodeMessage(method.desc.output, message));
  const answer = await chain.unary(method, decodeBinary(method.desc.input, bytes), {
    deadline_ms: undefined,
    get signal() {
      return new AbortController().signal;
    },
    onLeave: () => undefined,
    traceparent: undefined,
    fits: (message) => encode(message).length > 0,
  });
  if (encoded === undefined) encode(answer);
  return answer;
}

function batchOf(path: WritePath, commands: readonly CommandInit[]): Sent {
  const items = commands.map((command) => create(CommandSchema, { command }));
  const request = create(ExecuteBatchRequestSchema, { ledgerId: LEDGER, commands: items });
  return { method: methodOf(path, 'ExecuteBatch'), bytes: encodeMessage(ExecuteBatchRequestSchema, request) };
}

/** Sends calls, all at once. @throws Error if the first command of a batch is refused */
async function send(path: WritePath, calls: readonly Sent[]): Promise<void> {
  const answers = await Promise.all(calls.map((sent) => call(path, sent)));
  for (const answer of answers) {
    const results: unknown = Reflect.get(answer, 'results');
    const first: unknown = Array.isArray(results) ? results[0] : undefined;
    const result: unknown =
      typeof first === 'object' && first !== null ? Reflect.get(first, 'result') : undefined;
    if (typeof result === 'object' && result !== null && Reflect.get(result, 'case') === 'error') {
      const status: unknown = Reflect.get(result, 'value');
      throw new Error(`a command was refused: ${JSON.stringify(status)}`);
    }
  }
}

async function prepare(path: WritePath): Promise<void> {
  const request = create(CreateLedgerRequestSchema, { ledgerId: LEDGER, requestId: randomUUID() });
  const bytes = encodeMessage(CreateLedgerRequestSchema, request);
  await send(path, [{ method: methodOf(path, 'CreateLedger'), bytes }]);
  for (let from = 0; from < ACCOUNTS; from += BATCH) {
    const ids = Array.from({ length: BATCH }, (_, index) => accountId(from + index));
    await send(path, [
      batchOf(
        path,
        ids.map((id) => openAccount(id)),
      ),
    ]);
    await send(path, [
      batchOf(
        path,
        ids.map((id) => deposit(id, FUNDS)),
      ),
    ]);
  }
}

/** The calls of a round: those that are not measured, then those that are. */
type Round = () => readonly (readonly Sent[])[];

function batchRound(path: WritePath, workload: Workload): Round {
  return () => {
    const batches = Array.from({ length: BATCHES_IN_FLIGHT }, () => workload.rounds(BATCH));
    const [first] = batches;
    return (first ?? []).map((_, step) => batches.map((steps) => batchOf(path, steps[step] ?? [])));
  };
}

function unaryRound(path: WritePath): Round {
  const method = methodOf(path, 'SubmitPayment');
  return () => [
    Array.from({ length: UNARY_IN_FLIGHT }, () => {
      const request = create(method.desc.input, payment().value);
      return { method, bytes: encodeMessage(method.desc.input, request) };
    }),
  ];
}

/** CPU microseconds per command: the median of the rounds, and the tenth that the machine disturbed least. */
interface Cost {
  readonly median_us: number;
  readonly best_us: number;
}

/** Measures rounds for some time, after a warm-up. */
async function measure(path: WritePath, round: Round, commands: number, limit_ms: number): Promise<Cost> {
  const each: number[] = [];
  let until_ms = Infinity;
  for (let count = 0; count <= WARM_UP_ROUNDS || performance.now() < until_ms; count += 1) {
    if (count === WARM_UP_ROUNDS) until_ms = performance.now() + limit_ms;
    const steps = round();
    for (const step of steps.slice(0, -1)) await send(path, step);
    const began = process.cpuUsage();
    await send(path, steps.at(-1) ?? []);
    const { user, system } = process.cpuUsage(began);
    if (count >= WARM_UP_ROUNDS) each.push((user + system) / commands);
    path.memory.dropThrough(path.memory.end.position);
  }
  each.sort((a, b) => a - b);
  const at = (share: number) => each[Math.floor(each.length * share)] ?? NaN;
  return { median_us: at(0.5), best_us: at(0.1) };
}

/** CPU milliseconds of a fixed loop: figures compare only between runs in which it is alike. */
function calibrate(): number {
  const began = process.cpuUsage();
  let text = '';
  let sum = 0n;
  for (let index = 0; index < 3_000_000; index += 1) {
    if (index % 64 === 0) text = '';
    text += String.fromCharCode(97 + (index % 26));
    sum = (sum + BigInt(index)) % 1_000_003n;
  }
  const { user, system } = process.cpuUsage(began);
  return sum < 0n || text === '' ? NaN : (user + system) / 1_000;
}

async function main(): Promise<number> {
  const command = commandLine({
    name: 'npm run bench:decide --',
    summary: 'Measures the CPU time of the write path per command, without a database and without a network.',
    examples: [['npm run bench:decide -- Deposit --seconds 5', 'one kind, longer']],
    notes: [],
  })
    .argument('[kinds...]', 'beginnings of names of workloads; all if none is given')
    .option('--seconds <n>', 'how long each is measured', countOf, 2);
  const typed = readCommandLine(command, process.argv.slice(2), process);
  if (typed === undefined) return 0;
  const [kinds] = typed.positionals;
  const isWanted = (name: string) => kinds.length === 0 || kinds.some((kind) => name.startsWith(kind));
  const limit_ms = typed.options.seconds * 1_000;
  const path = await openWritePath();
  await prepare(path);
  const print = (name: string, { median_us, best_us }: Cost) =>
    process.stdout.write(
      `${name.padEnd(36)}${median_us.toFixed(1).padStart(7)} us per command, best tenth ${best_us.toFixed(1)}\n`,
    );
  process.stdout.write(`calibration ${calibrate().toFixed(0)} ms\n`);
  if (isWanted('unary')) {
    print(
      'unary SubmitPayment, 64 in flight',
      await measure(path, unaryRound(path), UNARY_IN_FLIGHT, limit_ms),
    );
  }
  for (const workload of WORKLOADS) {
    if (!isWanted(workload.name)) continue;
    const commands = BATCH * BATCHES_IN_FLIGHT;
    print(workload.name, await measure(path, batchRound(path, workload), commands, limit_ms));
  }
  process.stdout.write(`calibration ${calibrate().toFixed(0)} ms\n`);
  await path.stop();
  return 0;
}

process.exitCode = await runCommand(process, main);
