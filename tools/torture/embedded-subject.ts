/** The embedded platform as `npm start` runs it, with its PostgreSQL, restarted when it ends as an orchestrator would. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pause } from '../../lib/base/pause.js';
import { freePort } from '../../lib/process/free-port.js';
import { hasEnded } from '../../lib/process/proc.js';
import { findFaketime, settableClock } from './clock.js';
import { mountDisk } from './disk.js';
import { treeOf } from '../stack/processes.js';
import type { Subject, Victim } from './subject.js';

const SERVER = fileURLToPath(new URL('../../services/standalone/main.js', import.meta.url));
const OPTIONS = ['--enable-source-maps', '--max-semi-space-size=32'];
const READY_MS = 90_000;
const END_MS = 60_000;
const ASK_MS = 50;
const NAME = 'the embedded platform';

export async function startEmbedded(log: (line: string) => void): Promise<Subject> {
  const library = await findFaketime(log);
  const directory = mkdtempSync(join(tmpdir(), 'quittance-torture-'));
  const disk = await mountDisk(NAME, join(directory, 'data'), log);
  const clock =
    library === undefined ? undefined : settableClock(library, NAME, join(directory, 'server.clock'));
  const variables = clock?.variables ?? {};
  const server = new Server(directory, await freePort(), await freePort(), variables);
  const clean = async () => {
    await disk?.unmount();
    rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
  };
  await server.restart().catch(async (error: unknown) => {
    await server.kill();
    await clean();
    throw error;
  });
  const address = `127.0.0.1:${String(server.grpcPort)}`;
  return {
    name: 'embedded',
    victims: [server, new Postgres(server)],
    network: [],
    clocks: clock === undefined ? [] : [clock],
    disks: disk === undefined ? [] : [disk],
    commands: [address],
    queries: [address],
    projectors: [address],
    faults: {},
    stop: async () => {
      await server.end();
      await clean();
    },
  };
}

class Server implements Victim {
  readonly name = NAME;
  readonly isService = true;
  readonly grpcPort: number;
  readonly #connectPort: number;
  readonly #directory: string;
  readonly #variables: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;

  constructor(
    directory: string,
    grpcPort: number,
    connectPort: number,
    variables: Readonly<Record<string, string>>,
  ) {
    this.#variables = variables;
    this.#directory = directory;
    this.grpcPort = grpcPort;
    this.#connectPort = connectPort;
  }

  get dataDirectory(): string {
    return join(this.#directory, 'data');
  }

  pids(): readonly number[] {
    const pid = this.#child?.pid;
    return pid === undefined || hasEnded(pid) ? [] : [pid];
  }

  async restart(): Promise<void> {
    for (const end_ms = performance.now() + READY_MS; !(await this.#isReady());) {
      if (performance.now() > end_ms) throw new Error(`it does not start; see ${this.#directory}/server.log`);
      if (this.pids().length === 0) this.#start();
      await pause(ASK_MS);
    }
  }

  end(): Promise<void> {
    return this.#ended('SIGTERM');
  }

  kill(): Promise<void> {
    return this.#ended('SIGKILL');
  }

  #start(): void {
    const log = openSync(join(this.#directory, 'server.log'), 'a');
    this.#child = spawn(process.execPath, [...OPTIONS, SERVER], {
      env: {
        ...process.env,
        ...this.#variables,
        QUITTANCE_DATA_DIR: this.dataDirectory,
        QUITTANCE_GRPC_PORT: String(this.grpcPort),
        QUITTANCE_CONNECT_PORT: String(this.#connectPort),
      },
      stdio: ['ignore', log, log],
      // Ctrl-C is for the run, which ends its subject in order.
      detached: true,
    });
    closeSync(log);
  }

  async #isReady(): Promise<boolean> {
    const url = `http://127.0.0.1:${String(this.#connectPort)}/readyz`;
    const answer = await fetch(url, { signal: AbortSignal.timeout(1_000) }).catch(() => undefined);
    await answer?.arrayBuffer().catch(() => undefined);
    return answer?.ok === true;
  }

  async #ended(signal: NodeJS.Signals): Promise<void> {
    for (const pid of this.pids()) {
      process.kill(pid, signal);
      for (const end_ms = performance.now() + END_MS; !hasEnded(pid);) {
        await pause(ASK_MS);
        if (performance.now() > end_ms) throw new Error(`the server does not end by ${signal}`);
      }
    }
  }
}

/** The own PostgreSQL of the server: when it ends, the platform brings it back, or ends too and is started again. */
class Postgres implements Victim {
  readonly name = 'PostgreSQL';
  readonly isService = false;
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
  }

  pids(): readonly number[] {
    const postmaster = this.#postmaster();
    return postmaster === undefined ? [] : treeOf(postmaster);
  }

  async kill(): Promise<void> {
    const pids = this.pids();
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended with its parent.
      }
    }
    while (!pids.every(hasEnded)) await pause(ASK_MS);
  }

  end(): Promise<void> {
    return this.kill();
  }

  restart(): Promise<void> {
    return this.#server.restart();
  }

  #postmaster(): number | undefined {
    try {
      const file = join(this.#server.dataDirectory, 'postgres', 'postmaster.pid');
      const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
      return hasEnded(pid) ? undefined : pid;
    } catch {
      return undefined;
    }
  }
}
