/** A Prometheus that runs for as long as it is asked, with a configuration and data of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pause } from '../../lib/base/pause.js';
import { StartError } from '../../lib/base/start-error.js';
import { freePort } from '../../lib/process/free-port.js';

/** One series of an answer. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A rule as Prometheus has evaluated it. */
export interface EvaluatedRule {
  readonly name: string;
  readonly health: string;
  readonly lastError: string;
}

interface QueryAnswer {
  readonly status: string;
  readonly error?: string;
  readonly data?: {
    readonly result: readonly { readonly metric: Record<string, string>; readonly value: [number, string] }[];
  };
}

interface RulesAnswer {
  readonly data: {
    readonly groups: readonly {
      readonly rules: readonly { name: string; health: string; lastError?: string }[];
    }[];
  };
}

const START_LIMIT_MS = 60_000;

export class PrometheusServer {
  readonly #url: string;
  readonly #process: ChildProcess;
  readonly #directory: string;

  private constructor(url: string, process: ChildProcess, directory: string) {
    this.#url = url;
    this.#process = process;
    this.#directory = directory;
  }

  /**
   * Starts one that scrapes the targets, host:port, every second.
   * @param rules the path of a file of rules
   * @throws StartError if there is no program `prometheus`, or if it does not come up
   */
  static async start(targets: readonly string[], rules: string): Promise<PrometheusServer> {
    const directory = mkdtempSync(join(tmpdir(), 'quittance-prometheus-'));
    copyFileSync(rules, join(directory, 'rules.yml'));
    writeFileSync(join(directory, 'prometheus.yml'), configOf(targets));
    const address = `127.0.0.1:${String(await freePort())}`;
    const child = spawn(
      'prometheus',
      [
        `--config.file=${join(directory, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(directory, 'data')}`,
        `--web.listen-address=${address}`,
        '--log.level=warn',
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const failure = new Promise<never>((_, reject) => {
      child.once('error', () =>
        reject(new StartError('there is no program prometheus; Debian has it in its package prometheus')),
      );
      child.once('exit', (code) => reject(new StartError(`prometheus ended with ${String(code)}`)));
    });
    const server = new PrometheusServer(`http://${address}`, child, directory);
    await Promise.race([failure, server.#ready()]).catch(async (error: unknown) => {
      await server.stop();
      throw error;
    });
    failure.catch(() => undefined);
    return server;
  }

  /** The series of an instant query, those without a number left out. @throws Error if Prometheus refuses the query */
  async query(expr: string): Promise<readonly Sample[]> {
    const response = await fetch(`${this.#url}/api/v1/query?query=${encodeURIComponent(expr)}`);
    const { status, error, data } = (await response.json()) as QueryAnswer;
    if (status !== 'success' || data === undefined) throw new Error(`${expr}: ${error ?? 'no answer'}`);
    return data.result
      .map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }))
      .filter(({ value }) => !Number.isNaN(value));
  }

  /** The rules, as they were last evaluated. */
  async rules(): Promise<readonly EvaluatedRule[]> {
    const { data } = (await (await fetch(`${this.#url}/api/v1/rules`)).json()) as RulesAnswer;
    return data.groups.flatMap(({ rules }) =>
      rules.map(({ name, health, lastError = '' }) => ({ name, health, lastError })),
    );
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.pid !== undefined) {
      const ended = once(this.#process, 'exit');
      this.#process.kill('SIGTERM');
      await ended;
    }
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 10 });
  }

  async #ready(): Promise<void> {
    const until_ms = performance.now() + START_LIMIT_MS;
    while (performance.now() < until_ms) {
      const isReady = await fetch(`${this.#url}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (isReady) return;
      await pause(100);
    }
    throw new StartError('prometheus does not come up');
  }
}

/** A file that is JSON is YAML too. */
function configOf(targets: readonly string[]): string {
  return JSON.stringify({
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: ['rules.yml'],
    scrape_configs: [{ job_name: 'quittance', static_configs: [{ targets }] }],
  });
}
