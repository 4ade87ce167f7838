/**
 * Looks for webhooks that have something to send, and serves many at a time: a receiver that is slow or away holds up its own alone.
 * Where no webhook is active, a look is one small statement per second.
 */
import type { Log } from '../../lib/base/logging.js';
import { Outage } from '../../lib/base/outage.js';
import { pause } from '../../lib/base/pause.js';
import { Wakeups } from '../../lib/log/wakeups.js';
import type { WebhookClaim } from './claim.js';
import { pauseAfterLook_ms } from './pauses.js';
import { type ServeDeps, serveWebhook } from './serve.js';

export interface DispatcherDeps extends ServeDeps {
  /** A UUID of this process alone. */
  readonly holder: string;
  /** Woken by commits. */
  readonly commits: Pick<Wakeups, 'count' | 'wait'>;
  readonly logger: Pick<Log, 'info' | 'warn'>;
  /** Webhooks served at the same time at most. */
  readonly served: number;
}

/** How long nothing is looked for while no webhook is active; another process may create one. */
const IDLE_MS = 1_000;
/** How long a wake-up is waited for: there is none when the pause of a webhook ends. */
const POLL_MS = 250;
/** One that could not be served by a fault of ours is left alone for so long. */
const AFTER_FAULT_MS = 5_000;
const AFTER_OUTAGE_MS = 1_000;

export class Dispatcher {
  readonly #deps: DispatcherDeps;
  readonly #stop = new AbortController();
  /** By ledger and webhook: one whose lease ran out while it is served here is not served twice. */
  readonly #serving = new Map<string, Promise<void>>();
  /** Woken by calls that change webhooks, and when one has been served. */
  readonly #changes = new Wakeups();
  readonly #looking: Outage;
  readonly #faults: Outage;
  #running: Promise<void> | undefined;

  constructor(deps: DispatcherDeps) {
    this.#deps = deps;
    this.#looking = new Outage(deps.logger, {
      failed: 'webhooks cannot be read from PostgreSQL; it is tried again',
      ended: 'webhooks are read again',
    });
    this.#faults = new Outage(deps.logger, {
      failed: 'a webhook could not be served; it is tried again',
      ended: 'webhooks are served again',
    });
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** A webhook was created or changed in this process. */
  changed(): void {
    this.#changes.wake();
  }

  /** Breaks off the requests under way, gives the webhooks back, and resolves. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await Promise.all(this.#serving.values());
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const [commits, changes] = [this.#deps.commits.count, this.#changes.count];
      const began_ms = performance.now();
      const found = await this.#look();
      if (found === 'more') continue;
      const took_ms = performance.now() - began_ms;
      await this.#wait(found, commits, changes);
      if (found === 'no more') {
        await pause(pauseAfterLook_ms(took_ms), signal);
      }
    }
  }

  async #wait(found: 'none active' | 'no more' | 'outage', commits: number, changes: number): Promise<void> {
    const { signal } = this.#stop;
    if (found === 'outage') {
      await pause(AFTER_OUTAGE_MS, signal);
    } else if (found === 'none active') {
      await this.#changes.wait(IDLE_MS, signal, changes);
    } else {
      const ended = new AbortController();
      const either = AbortSignal.any([signal, ended.signal]);
      await Promise.race([
        this.#deps.commits.wait(POLL_MS, either, commits),
        this.#changes.wait(POLL_MS, either, changes),
      ]);
      ended.abort();
    }
  }

  async #look(): Promise<'none active' | 'no more' | 'more' | 'outage'> {
    const { store, holder, served, lease_ms } = this.#deps;
    try {
      if (!(await store.hasActive())) return 'none active';
      const free = served - this.#serving.size;
      const claims = free > 0 ? await store.claim(holder, free, lease_ms) : [];
      this.#looking.succeeded();
      for (const claim of claims) this.#serve(claim);
      return claims.length > 0 ? 'more' : 'no more';
    } catch (error) {
      this.#looking.failed(error);
      return 'outage';
    }
  }

  #serve(claim: WebhookClaim): void {
    const key = `${claim.ledgerId} ${claim.webhookId}`;
    if (this.#serving.has(key)) return;
    const serving = this.#served(claim).finally(() => {
      this.#serving.delete(key);
      this.#changes.wake();
    });
    this.#serving.set(key, serving);
  }

  /** It does not reject. */
  async #served(claim: WebhookClaim): Promise<void> {
    const { store } = this.#deps;
    try {
      await serveWebhook(claim, this.#deps, this.#stop.signal);
      await store.release(claim, 0);
      this.#faults.succeeded();
    } catch (error) {
      this.#faults.failed(error);
      // Where even this fails, its lease runs out.
      await store.release(claim, AFTER_FAULT_MS).catch(() => undefined);
    }
  }
}
