/** `npm run bench:peers`: the same payments on Quittance and on other systems that the reader started, in one table. */
import { Option } from '@commander-js/extra-typings';
import { commandLine, readCommandLine, runCommand } from '../../lib/process/command-line.js';
import { parseAddress } from '../../tools/client/address.js';
import { countOf } from '../command-line.js';
import { percentile } from '../report/statistics.js';
import { blnk } from './blnk.js';
import { emmett } from './emmett.js';
import { formance } from './formance.js';
import type { Payment, Peer } from './peer.js';
import { quittance } from './quittance.js';
import { tigerbeetle } from './tigerbeetle.js';

const ACCOUNTS = 1_000;
const IN_FLIGHT = 64;
const BATCH = 100;
const BATCHES_IN_FLIGHT = 8;
const WARM_UP_MS = 3_000;

/** A peer's figures: payments per second. */
interface Row {
  readonly name: string;
  readonly note: string;
  readonly unary: number;
  readonly p99_ms: number;
  readonly batch: number | undefined;
}

const PEERS = commandLine({
  name: 'npm run bench:peers --',
  summary:
    'Makes the same payments, of one minor unit between 1,000 accounts, on each system whose address is given, one after the ' +
    'other, and prints their rates and ratios to the first. Start the systems yourself, on this machine, durable as in production.',
  examples: [
    ['npm run bench:peers -- --quittance localhost:50051', 'npm start alone'],
    [
      'npm run bench:peers -- --quittance localhost:50051 --emmett postgresql://localhost/emmett',
      'two of them',
    ],
  ],
  notes: [
    'The clients of TigerBeetle and Emmett are installed by npm --prefix bench/peers ci. See bench/README.md.',
  ],
})
  .option('--quittance <host:port>', 'gRPC door', parseAddress)
  .option('--formance <url>', 'HTTP API of Formance Ledger v2, such as http://localhost:3068')
  .option('--blnk <url>', 'HTTP API of Blnk, such as http://localhost:5001')
  .option('--tigerbeetle <addresses>', 'replicas, separated by commas, such as 3000')
  .option('--emmett <url>', 'PostgreSQL database for Emmett, such as postgresql://localhost/emmett')
  .addOption(new Option('--seconds <number>', 'how long to measure each').argParser(countOf).default(10));

async function main(): Promise<number> {
  const typed = readCommandLine(PEERS, process.argv.slice(2), process);
  if (typed === undefined) return 0;
  const { seconds, ...at } = typed.options;
  const wanted: (() => Peer)[] = [];
  if (at.quittance !== undefined) wanted.push(withAddress(quittance, at.quittance));
  if (at.formance !== undefined) wanted.push(withAddress(formance, at.formance));
  if (at.blnk !== undefined) wanted.push(withAddress(blnk, at.blnk));
  if (at.tigerbeetle !== undefined) wanted.push(withAddress(tigerbeetle, at.tigerbeetle));
  if (at.emmett !== undefined) wanted.push(withAddress(emmett, at.emmett));
  const rows: Row[] = [];
  for (const make of wanted) rows.push(await measure(make(), seconds * 1000));
  process.stdout.write(tableOf(rows));
  return 0;
}

function withAddress(make: (address: string) => Peer, address: string): () => Peer {
  return () => make(address);
}

async function measure(peer: Peer, measure_ms: number): Promise<Row> {
  try {
    process.stderr.write(`measuring ${peer.name}…\n`);
    await peer.prepare(ACCOUNTS);
    const pay = () => peer.pay(randomPayment());
    await closedLoop(pay, IN_FLIGHT, WARM_UP_MS);
    const unary = await closedLoop(pay, IN_FLIGHT, measure_ms);
    const { name, note, payMany } = peer;
    const row = { name, note, unary: unary.perSecond, p99_ms: unary.p99_ms };
    if (payMany === undefined) return { ...row, batch: undefined };
    const many = () => payMany(Array.from({ length: BATCH }, randomPayment));
    await closedLoop(many, BATCHES_IN_FLIGHT, WARM_UP_MS);
    const batches = await closedLoop(many, BATCHES_IN_FLIGHT, measure_ms);
    return { ...row, batch: batches.perSecond * BATCH };
  } finally {
    await peer.close();
  }
}

function randomPayment(): Payment {
  const payer = Math.floor(Math.random() * ACCOUNTS);
  return { payer, payee: (payer + 1 + Math.floor(Math.random() * (ACCOUNTS - 1))) % ACCOUNTS };
}

async function closedLoop(call: () => Promise<void>, inFlight: number, duration_ms: number) {
  const latencies_ms: number[] = [];
  const until_ms = performance.now() + duration_ms;
  const caller = async () => {
    for (let sent_ms = performance.now(); sent_ms < until_ms; sent_ms = performance.now()) {
      await call();
      latencies_ms.push(performance.now() - sent_ms);
    }
  };
  const began_ms = performance.now();
  await Promise.all(Array.from({ length: inFlight }, caller));
  const took_s = (performance.now() - began_ms) / 1000;
  return { perSecond: latencies_ms.length / took_s, p99_ms: percentile(latencies_ms, 0.99) };
}

function tableOf(rows: readonly Row[]): string {
  const [first] = rows;
  const rate = (value: number | undefined) =>
    value === undefined ? '' : `${Math.round(value).toLocaleString('en-US')}/s`;
  const ratio = (value: number | undefined, of: number | undefined) =>
    value === undefined || of === undefined ? '' : (value / of).toFixed(2);
  return [
    `| system | unary, ${String(IN_FLIGHT)} in flight | ratio | p99 | batches of ${String(BATCH)}, ${String(BATCHES_IN_FLIGHT)} in flight | ratio | |`,
    '|---|---|---|---|---|---|---|',
    ...rows.map(
      ({ name, note, unary, p99_ms, batch }) =>
        `| ${name} | ${rate(unary)} | ${ratio(unary, first?.unary)} | ${p99_ms.toFixed(1)} ms | ` +
        `${rate(batch)} | ${ratio(batch, first?.batch)} | ${note} |`,
    ),
    '',
  ].join('\n');
}

process.exitCode = await runCommand(process, main);
