/** The load process: one job on its argument list; on its standard output a line when it measures, then its result. */
import { randomBytes } from 'node:crypto';
import { percentile } from '../report/statistics.js';
import { LeanConnection } from './connection.js';
import { grpcHeaders } from './frames.js';
import type { LoadJob, LoadLine, LoadResult } from './job.js';
import { type NextRequest, requests } from './requests.js';

/** How often an open loop sends what is due. */
const TICK_MS = 1;
/** A server that refuses everything must not be called without end. */
const FAILURES_MAX = 1_000;

/** Counts answers while they are measured. */
class Meter {
  readonly #latencies_ms: number[] = [];
  #from_ms = Number.POSITIVE_INFINITY;
  #until_ms = Number.POSITIVE_INFINITY;
  #cpu = process.cpuUsage();
  /** Since the measuring began. */
  answeredCount = 0;
  failed = 0;
  sample: Buffer | undefined;

  begin(measure_ms: number): void {
    this.#from_ms = performance.now();
    this.#until_ms = this.#from_ms + measure_ms;
    this.#cpu = process.cpuUsage();
  }

  answered(from_ms: number): void {
    const now = performance.now();
    if (now < this.#from_ms) return;
    this.answeredCount += 1;
    // The first counts also when it is late: without any there would be no latency to tell.
    if (now < this.#until_ms || this.#latencies_ms.length === 0) this.#latencies_ms.push(now - from_ms);
  }

  result(): Omit<LoadResult, 'failed' | 'sample' | 'answered'> {
    const { user, system } = process.cpuUsage(this.#cpu);
    const latencies = this.#latencies_ms;
    return {
      perSecond: (latencies.length * 1000) / (this.#until_ms - this.#from_ms),
      p50_ms: percentile(latencies, 0.5),
      p99_ms: percentile(latencies, 0.99),
      max_ms: percentile(latencies, 1),
      clientCpu_us: (user + system) / Math.max(1, latencies.length),
    };
  }
}

interface Run {
  readonly connection: LeanConnection;
  readonly headers: Buffer;
  readonly next: NextRequest;
  readonly meter: Meter;
  readonly inFlight: number;
  stopping: boolean;
}

/** One call. @param from_ms when it was due, or is sent */
function call({ connection, headers, next, meter }: Run, from_ms: number, ended: () => void): void {
  let answered = false;
  const stream = connection.start(headers, {
    onMessage: (message) => {
      answered = true;
      meter.sample ??= Buffer.from(message);
    },
    onEnd: () => {
      if (answered) meter.answered(from_ms);
      else meter.failed += 1;
      ended();
    },
  });
  connection.send(stream, next(), true);
}

/** Keeps so many calls in flight; resolves when all have ended after the stop. */
function closedLoad(run: Run): Promise<void> {
  return new Promise((resolve) => {
    let open = 0;
    const another = (): void => {
      open += 1;
      call(run, performance.now(), () => {
        open -= 1;
        if (!run.stopping && run.meter.failed <= FAILURES_MAX) another();
        else if (open === 0) resolve();
      });
    };
    for (let n = 0; n < run.inFlight; n += 1) another();
  });
}

/** Sends calls when they are due; resolves when all have ended after the stop. */
function openLoad(run: Run, rate: number): Promise<void> {
  return new Promise((resolve) => {
    const began_ms = performance.now();
    let open = 0;
    let sent = 0;
    const endIfDone = (): void => {
      if (run.stopping && open === 0) resolve();
    };
    const timer = setInterval(() => {
      if (run.stopping) {
        clearInterval(timer);
        endIfDone();
        return;
      }
      const due = Math.floor(((performance.now() - began_ms) * rate) / 1000);
      for (; sent < due; sent += 1) {
        if (open >= run.inFlight) {
          run.meter.failed += 1;
          continue;
        }
        open += 1;
        call(run, began_ms + (sent * 1000) / rate, () => {
          open -= 1;
          endIfDone();
        });
      }
    }, TICK_MS);
  });
}

/** Keeps so many commands of one stream unanswered; resolves when the stream has ended. */
function streamLoad(run: Run): Promise<void> {
  return new Promise((resolve) => {
    const started_ms: number[] = [];
    let answeredCount = 0;
    const send = (): void => {
      started_ms.push(performance.now());
      run.connection.send(stream, run.next(), false);
    };
    const stream = run.connection.start(run.headers, {
      onMessage: (message) => {
        run.meter.sample ??= Buffer.from(message);
        run.meter.answered(started_ms[answeredCount] ?? 0);
        answeredCount += 1;
        if (!run.stopping) send();
        else if (answeredCount === started_ms.length) run.connection.send(stream, Buffer.alloc(0), true);
      },
      onEnd: () => {
        run.meter.failed += started_ms.length - answeredCount;
        resolve();
      },
    });
    for (let n = 0; n < run.inFlight; n += 1) send();
  });
}

function loadOf(job: LoadJob, run: Run): Promise<void> {
  if (job.kind === 'stream') return streamLoad(run);
  return job.rate === undefined ? closedLoad(run) : openLoad(run, job.rate);
}

function print(line: LoadLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function main(job: LoadJob): Promise<LoadResult> {
  const connection = await LeanConnection.open(job.host, job.port);
  const run: Run = {
    connection,
    headers: grpcHeaders(
      job.path,
      `${job.host}:${job.port}`,
      job.kind === 'stream' ? '1H' : '30S',
      job.token === undefined ? undefined : `Bearer ${job.token}`,
    ),
    next: requests(job.kind, job.size, {
      accounts: job.accounts,
      spread: job.spread,
      run: randomBytes(2).toString('hex'),
    }),
    meter: new Meter(),
    inFlight: job.inFlight,
    stopping: false,
  };
  const ended = loadOf(job, run);
  await new Promise((resolve) => setTimeout(resolve, job.warmUp_ms));
  run.meter.begin(job.measure_ms);
  print({ measuring: true });
  await new Promise((resolve) => setTimeout(resolve, job.measure_ms));
  const result = run.meter.result();
  run.stopping = true;
  await ended;
  connection.close();
  const { failed, answeredCount, sample } = run.meter;
  return { ...result, failed, answered: answeredCount, sample: sample?.toString('base64') ?? '' };
}

// The parent wrote the argument: it is a LoadJob.
const job = JSON.parse(process.argv[2] ?? '{}') as LoadJob;
print(await main(job));
