/** P5: how long after the answer of a payment each view shows it, while payments arrive at half of the rate that is sustained. */
import { type Bench, load } from '../bench.js';
import type { Figure } from '../figure.js';
import { type View, VIEWS, visibleAfter } from '../visible.js';
import { accountId, CURRENCY, LEDGER } from '../load/requests.js';
import { percentile } from '../report/statistics.js';
import { SUBMIT_PAYMENT } from './payments.js';

/** A probe is a payment whose views are read at once; they are no load worth the name. */
const EVERY_MS = 50;
const AIM_MS = 25;
const IN_FLIGHT_MAX = 10_000;

export async function p5(bench: Bench): Promise<Figure[]> {
  const { scale } = bench;
  const { sustained } = await load(bench, { ...SUBMIT_PAYMENT, inFlight: 128 });
  const rate = Math.max(1, Math.floor(sustained / 2));
  const found = new Map<View, number[]>(VIEWS.map((view) => [view, []]));
  const probing = async (): Promise<void> => {
    const until_ms = performance.now() + scale.measure_ms;
    const probes: Promise<void>[] = [];
    while (performance.now() < until_ms) {
      probes.push(probe(bench, found));
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
    await Promise.all(probes);
  };
  const job = { ...SUBMIT_PAYMENT, inFlight: IN_FLIGHT_MAX, rate };
  const loaded = await load(bench, job, probing);
  const each = `at ${rate.toLocaleString('en-US')} payments/s`;
  const paid: Figure = {
    id: 'p5.payment',
    workload: `P5 SubmitPayment ${each}, from when it is due`,
    unit: 'ms',
    value: loaded.p99_ms,
    latency_ms: { p50: loaded.p50_ms, p99: loaded.p99_ms, max: loaded.max_ms },
    calibration_us: loaded.calibration_us,
    limits: [],
  };
  const visible = VIEWS.map((view): Figure => {
    const times = found.get(view) ?? [];
    const [p50, p99, max] = [percentile(times, 0.5), percentile(times, 0.99), percentile(times, 1)];
    return {
      id: `p5.${view}`,
      workload: `P5 commit to visible in ${view} ${each}, p99`,
      unit: 'ms',
      value: p99,
      latency_ms: { p50, p99, max },
      calibration_us: loaded.calibration_us,
      limits: [{ name: 'aim', value: AIM_MS, aim: 1 }],
    };
  });
  return [loaded.cpu_us === undefined ? paid : { ...paid, cpu_us: loaded.cpu_us }, ...visible];
}

async function probe({ client, scale }: Bench, found: ReadonlyMap<View, number[]>): Promise<void> {
  const payer = Math.floor(Math.random() * scale.accounts);
  const payment = {
    ledgerId: LEDGER,
    payerAccountId: accountId(payer),
    payeeAccountId: accountId((payer + 1) % scale.accounts),
    amount: { currency: CURRENCY, minorUnits: 1n },
  };
  for (const [view, took_ms] of await visibleAfter(client, client, payment, VIEWS)) {
    found.get(view)?.push(await took_ms);
  }
}
