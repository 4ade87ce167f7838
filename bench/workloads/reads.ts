/** P4: reads of one balance and of one account's transaction, against an echo of the same answer. */
import { fromBinary } from '@bufbuild/protobuf';
import { GetBalanceResponseSchema } from '../../gen/quittance/query/v1/account_query_service_pb.js';
import { type Bench, echo, load } from '../bench.js';
import type { Figure } from '../figure.js';

const GET_BALANCE = { path: '/quittance.query.v1.AccountQueryService/GetBalance', kind: 'balance' as const };

export async function p4(bench: Bench): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const inFlight of [64, 256]) {
    const job = { ...GET_BALANCE, inFlight };
    const read = await load(bench, job);
    const { balance } = fromBinary(GetBalanceResponseSchema, Buffer.from(read.sample, 'base64'));
    if (balance === undefined) throw new Error('GetBalance answers no balance');
    const figure: Figure = {
      id: `p4.${String(inFlight)}`,
      workload: `P4 GetBalance, ${String(inFlight)} in flight`,
      unit: '/s',
      value: read.perSecond,
      latency_ms: { p50: read.p50_ms, p99: read.p99_ms, max: read.max_ms },
      calibration_us: read.calibration_us,
      limits: [{ name: 'echo', value: await echo(bench, job, read.sample), aim: 0.9 }],
    };
    figures.push(read.cpu_us === undefined ? figure : { ...figure, cpu_us: read.cpu_us });
  }
  return figures;
}
