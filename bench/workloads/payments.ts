/** P1, P2, P2s and P3: payments, with every view live, against pgbench on the same PostgreSQL and against each other. */
import { fromBinary } from '@bufbuild/protobuf';
import { SubmitPaymentResponseSchema } from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { TransactionStatus } from '../../gen/quittance/common/v1/transaction_pb.js';
import { type Bench, echo, load, type Loaded, pgbench } from '../bench.js';
import type { Figure, Limit } from '../figure.js';
import type { AccountSpread } from '../load/requests.js';

const SERVICE = '/quittance.command.v1.TransactionCommandService';
export const SUBMIT_PAYMENT = { path: `${SERVICE}/SubmitPayment`, kind: 'payment' as const };
const EXECUTE_BATCH = { path: `${SERVICE}/ExecuteBatch`, kind: 'batch' as const };
const STREAM_COMMANDS = { path: `${SERVICE}/StreamCommands`, kind: 'stream' as const };
const BATCH = 100;
const HOT_IN_FLIGHT = 256;

/** Unary payments. */
export async function p1(bench: Bench): Promise<Figure[]> {
  const transactions = await pgbench(bench);
  const figures: Figure[] = [];
  for (const [inFlight, aim] of [
    [64, 2.3],
    [256, 3],
  ] as const) {
    const job = { ...SUBMIT_PAYMENT, inFlight };
    const paid = await load(bench, job);
    requirePosted(paid.sample);
    const echoed: Limit = { name: 'echo', value: await echo(bench, job, paid.sample), aim: undefined };
    const against = (goal: number | undefined): Limit => ({
      name: 'pgbench',
      value: transactions,
      aim: goal,
    });
    const workload = `P1 SubmitPayment, ${String(inFlight)} in flight`;
    figures.push(
      ...accepted(`p1.${String(inFlight)}`, workload, paid, 1, [against(aim), echoed], against(undefined)),
    );
  }
  return figures;
}

/** Many payments per call. */
export async function p2(bench: Bench): Promise<Figure[]> {
  const transactions = await pgbench(bench);
  const batch = await load(bench, { ...EXECUTE_BATCH, inFlight: 8, size: BATCH });
  return accepted(
    'p2',
    'P2 ExecuteBatch(100), 8 in flight, payments',
    batch,
    BATCH,
    [{ name: 'pgbench', value: transactions, aim: 6 }],
    { name: 'pgbench', value: transactions, aim: 10 },
  );
}

/** Many payments on one stream. */
export async function p2s(bench: Bench): Promise<Figure[]> {
  const transactions = await pgbench(bench);
  const stream = await load(bench, { ...STREAM_COMMANDS, inFlight: 2000 });
  const limit: Limit = { name: 'pgbench', value: transactions, aim: 5 };
  return accepted('p2s', 'P2s StreamCommands, 2,000 in flight', stream, 1, [limit], {
    ...limit,
    aim: undefined,
  });
}

/** Payments that crowd: into one account, and as accounts are used in life. */
export async function p3(bench: Bench): Promise<Figure[]> {
  const uniform = await load(bench, { ...SUBMIT_PAYMENT, inFlight: HOT_IN_FLIGHT });
  const figures: Figure[] = [];
  for (const [spread, what] of [
    ['hot', 'one hot account'],
    ['zipf', 'accounts by zipf(1.0)'],
  ] as readonly [AccountSpread, string][]) {
    const paid = await load(bench, { ...SUBMIT_PAYMENT, inFlight: HOT_IN_FLIGHT, spread });
    requirePosted(paid.sample);
    const limit: Limit = { name: 'uniform', value: uniform.sustained, aim: 1 };
    const [sustained] = accepted(`p3.${spread}`, `P3 SubmitPayment, ${what}`, paid, 1, [limit], limit);
    if (sustained !== undefined) figures.push(sustained);
  }
  return figures;
}

/**
 * Two figures: the rate at which every view has what was paid, and the rate at which it was answered.
 * @param payments in a call
 */
function accepted(
  id: string,
  workload: string,
  { sustained, perSecond, p50_ms, p99_ms, max_ms, cpu_us, calibration_us }: Loaded,
  payments: number,
  limits: readonly Limit[],
  acceptedLimit: Limit,
): Figure[] {
  const latency_ms = { p50: p50_ms, p99: p99_ms, max: max_ms };
  const cost = cpu_us && {
    main: cpu_us.main / payments,
    others: cpu_us.others / payments,
    postgres: cpu_us.postgres / payments,
    client: cpu_us.client / payments,
  };
  const headline: Figure = {
    id,
    workload: `${workload}: every view has them`,
    unit: '/s',
    value: sustained * payments,
    latency_ms,
    calibration_us,
    limits,
  };
  return [
    cost === undefined ? headline : { ...headline, cpu_us: cost },
    {
      id: `${id}.accepted`,
      workload: `${workload}: answered`,
      unit: '/s',
      value: perSecond * payments,
      latency_ms,
      calibration_us,
      limits: [acceptedLimit],
    },
  ];
}

export function requirePosted(sample: string): void {
  const { transaction } = fromBinary(SubmitPaymentResponseSchema, Buffer.from(sample, 'base64'));
  if (transaction?.status !== TransactionStatus.POSTED)
    throw new Error('the payments of the load are not posted');
}
