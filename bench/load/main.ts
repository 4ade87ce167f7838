/** The load process: one job on its argument list, one result on its standard output. */
import { randomBytes } from 'node:crypto';
import { LeanConnection } from './connection.js';
import { grpcHeaders } from './frames.js';
import type { LoadJob, LoadResult } from './job.js';
import { type NextRequest, requests } from './requests.js';

/** Counts answers while they are measured. */
class Meter {
  readonly #latencies_ms: number[] = [];
  #from_ms = Number.POSITIVE_INFINITY;
  #until_ms = Number.POSITIVE_INFINITY;
  #cpu = process.cpuUsage();
  failed = 0;
  sample: Buffer | undefined;

  begin(measure_ms: number): void {
    this.#from_ms = performance.now();
    this.#until_ms = this.#from_ms + measure_ms;
    this.#cpu = process.cpuUsage();
  }

  answered(started_ms: number): void {
    const now = performance.now();
    if (now >= this.#from_ms && now < this.#until_ms) this.#latencies_ms.push(now - started_ms);
  }

  result(): Omit<LoadResult, 'failed' | 'sample'> {
    const { user, system } = process.cpuUsage(this.#cpu);
    const sorted = Float64Array.from(this.#latencies_ms).sort();
    const at = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return {
      perSecond: (sorted.length * 1000) / (this.#until_ms - this.#from_ms),
      p50_ms: at(0.5),
      p99_ms: at(0.99),
      clientCpu_us: (user + system) / Math.max(1, sorted.length),
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

/** Keeps so many calls in flight; resolves when all have ended after the stop. */
function unaryLoad(run: Run): Promise<void> {
  return new Promise((resolve) => {
    let open = 0;
    const call = (): void => {
      open += 1;
      const started_ms = performance.now();
      let answered = false;
      const stream = run.connection.start(run.headers, {
        onMessage: (message) => {
          answered = true;
          run.meter.sample ??= Buffer.from(message);
        },
        onEnd: () => {
          open -= 1;
          if (answered) run.meter.answered(started_ms);
          else run.meter.failed += 1;
          // A server that refuses everything must not be called without end.
          if (run.stopping || run.meter.failed > 1000) {
            if (open === 0) resolve();
          } else call();
        },
      });
      run.connection.send(stream, run.next(), true);
    };
    for (let n = 0; n < run.inFlight; n += 1) call();
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

async function main(job: LoadJob): Promise<LoadResult> {
  const connection = await LeanConnection.open(job.host, job.port);
  const run: Run = {
    connection,
    headers: grpcHeaders(job.path, `${job.host}:${job.port}`, job.kind === 'stream' ? '1H' : '30S'),
    next: requests(job.kind, job.size, {
      accounts: job.accounts,
      hot: job.hot,
      run: randomBytes(4).toString('hex'),
    }),
    meter: new Meter(),
    inFlight: job.inFlight,
    stopping: false,
  };
  const ended = job.kind === 'stream' ? streamLoad(run) : unaryLoad(run);
  await new Promise((resolve) => setTimeout(resolve, job.warmUp_ms));
  run.meter.begin(job.measure_ms);
  await new Promise((resolve) => setTimeout(resolve, job.measure_ms));
  const result = run.meter.result();
  run.stopping = true;
  await ended;
  connection.close();
  return {
    ...result,
    failed: run.meter.failed,
    sample: run.meter.sample?.toString('base64') ?? '',
  };
}

// The parent wrote the argument: it is a LoadJob.
const job = JSON.parse(process.argv[2] ?? '{}') as LoadJob;
process.stdout.write(JSON.stringify(await main(job)));
