/** P7 and P8: what a log of millions of events, and hours of load, change: rates and memory are to stay. */
import { type Bench, load, settle } from '../bench.js';
import type { Figure } from '../figure.js';
import { SUBMIT_PAYMENT } from './payments.js';
import { p4 } from './reads.js';
import { p6 } from './rebuilds.js';

const EXECUTE_BATCH = {
  path: '/quittance.command.v1.TransactionCommandService/ExecuteBatch',
  kind: 'batch' as const,
  inFlight: 8,
  size: 100,
};
const IN_FLIGHT = 128;
const GROW_MS = 30_000;
const SAMPLE_MS = 1_000;
const MEGABYTE = 1024 * 1024;
const AIM_MB = 512;
const AIM = 0.85;

/** The same loads over a log that grew, against what they were before. */
export async function p7(bench: Bench): Promise<Figure[]> {
  const before = await measured(bench);
  for (let events = await eventsOf(bench); events < bench.scale.grown; events = await eventsOf(bench)) {
    bench.note(
      `the log has ${events.toLocaleString('en-US')} of ${bench.scale.grown.toLocaleString('en-US')} events…`,
    );
    const measure_ms = Math.min(GROW_MS, bench.scale.measure_ms * 3);
    await load(bench, { ...EXECUTE_BATCH, measure_ms });
  }
  const after = await measured(bench);
  const events = (await eventsOf(bench)).toLocaleString('en-US');
  return after.map((figure) => ({
    ...figure,
    id: `p7.${figure.id}`,
    workload: `P7 at ${events} events: ${figure.workload}`,
    limits: [{ name: 'before', value: before.find(({ id }) => id === figure.id)?.value, aim: AIM }],
  }));
}

async function measured(bench: Bench): Promise<Figure[]> {
  const { sustained, calibration_us } = await load(bench, { ...SUBMIT_PAYMENT, inFlight: IN_FLIGHT });
  const workload = `SubmitPayment, ${String(IN_FLIGHT)} in flight`;
  const paid: Figure = { id: 'p1', workload, unit: '/s', value: sustained, calibration_us, limits: [] };
  return [paid, ...(await p4(bench)), ...(await p6(bench))];
}

async function eventsOf(bench: Bench): Promise<number> {
  const found = await settle(bench);
  return Number(found[0]?.headPosition ?? -1n) + 1;
}

/** The memory of the server's process under load: its most, and what it gained from the first to the last quarter. */
export async function p8(bench: Bench): Promise<Figure[]> {
  const samples: number[] = [];
  const timer = setInterval(() => {
    const bytes = bench.server.memory();
    if (bytes !== undefined) samples.push(bytes / MEGABYTE);
  }, SAMPLE_MS);
  try {
    await load(bench, { ...SUBMIT_PAYMENT, inFlight: IN_FLIGHT, measure_ms: bench.scale.watch_ms });
  } finally {
    clearInterval(timer);
  }
  if (samples.length === 0) return [];
  const quarter = Math.max(1, samples.length >> 2);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const gained = mean(samples.slice(-quarter)) - mean(samples.slice(0, quarter));
  const minutes = Math.round(bench.scale.watch_ms / 60_000);
  return [
    {
      id: 'p8',
      workload: `P8 memory of the server, most of ${String(minutes)} minutes`,
      unit: 'MB',
      value: Math.max(...samples),
      limits: [{ name: 'aim', value: AIM_MB, aim: 1 }],
      note: `${gained < 0 ? '' : '+'}${gained.toFixed(0)} MB from the first to the last quarter`,
    },
  ];
}
