/**
 * Whether this process decides the commands of its shard, and if not, which one does. The process that has the lease decides;
 * the others follow the log and send commands on to it. A lease counts here only until it would expire by our own steady clock,
 * from before it was asked for: a process that was stopped, or cut off from the database, knows at once that it may have lost it.
 * What is written is right without any of this: the append looks at the end of the log, and at the term of the lease itself.
 */
import type { Log } from '../../../lib/base/logging.js';
import { pause } from '../../../lib/base/pause.js';
import type { Candidate, LeaseStore } from '../../../lib/log/lease/lease.js';
import { Outage } from '../../../lib/base/outage.js';
import type { HeldLease } from '../application/held-lease.js';

/** Where commands are decided, as far as this process knows. */
export type Place =
  | { readonly at: 'here'; readonly term: bigint }
  | { readonly at: 'peer'; readonly term: bigint; readonly address: string }
  | { readonly at: 'unknown' };

export interface StandingTimes {
  /** How long a lease lasts from when it was taken or renewed. */
  readonly lease_ms: number;
  /** How often the holder renews it. */
  readonly renew_ms: number;
  /** How often the others look whether it has expired. */
  readonly look_ms: number;
  /** How long a hand-over waits for another process to take the lease, before this one takes it back. */
  readonly handOver_ms: number;
}

/** A lease of three seconds leaves two for a take-over within five; six renewals may fail before it is lost. */
export const STANDING_TIMES: StandingTimes = {
  lease_ms: 3_000,
  renew_ms: 500,
  look_ms: 100,
  handOver_ms: 1_000,
};

export interface StandingDeps {
  readonly lease: LeaseStore;
  readonly candidate: Candidate;
  readonly logger: Pick<Log, 'info' | 'warn'>;
  readonly times: StandingTimes;
}

/** What decides commands in this process. */
export interface Decider {
  /** Whether it could decide now: a process that cannot neither takes nor keeps the lease. */
  readonly isFit: boolean;
  /** Resolves when no command that was taken before is decided any more. */
  settled(): Promise<void>;
}

const UNKNOWN: Place = { at: 'unknown' };

export class Standing implements HeldLease {
  readonly #deps: StandingDeps;
  readonly #outage: Outage;
  readonly #stop = new AbortController();
  readonly #listeners = new Set<() => void>();
  #decider: Decider | undefined;
  #running: Promise<void> | undefined;
  /** The term that was taken; undefined if the lease is not ours. */
  #term: bigint | undefined;
  #heldUntil_ms = -Infinity;
  #expiry: NodeJS.Timeout | undefined;
  #peer: Place = UNKNOWN;
  #isLeaving = false;
  #isFirst = true;
  /** The last place that the listeners heard of. */
  #said: Place = UNKNOWN;
  #wake = new AbortController();
  #looking: Promise<void> = Promise.resolve();

  constructor(deps: StandingDeps) {
    this.#deps = deps;
    this.#outage = new Outage(deps.logger, {
      failed: 'the lease cannot be read or renewed; the command service tries again',
      ended: 'the lease is read and renewed again',
    });
  }

  /** Where commands are decided now. */
  get place(): Place {
    if (this.#term === undefined || this.#isLeaving) return this.#peer;
    return performance.now() < this.#heldUntil_ms ? { at: 'here', term: this.#term } : UNKNOWN;
  }

  get isHolder(): boolean {
    return this.term !== undefined;
  }

  /** The term in which commands are decided here; undefined if they are not. */
  get term(): bigint | undefined {
    return !this.#isLeaving && performance.now() < this.#heldUntil_ms ? this.#term : undefined;
  }

  /** The log has refused an append of this term: another process has the lease, which is looked at now. */
  lost(term: bigint | undefined): void {
    if (term === undefined || term !== this.#term) return;
    this.#deps.logger.warn(
      { term: String(term) },
      'the log has refused an append: the lease has changed hands',
    );
    this.#lose();
    this.#wake.abort();
  }

  /** Calls back each time that the place has changed. Returns how to stop that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes the lease if it is free, then keeps it or waits for it, until `stop`. @throws what the database answers at first */
  async start(decider: Decider): Promise<void> {
    this.#decider = decider;
    await this.#look();
    this.#running = this.#run();
  }

  /**
   * Gives the lease to another process: from now on commands are not decided here. If no other process takes it in time, this
   * one takes it back. Returns whether another process has it.
   */
  async handOver(): Promise<boolean> {
    const term = this.#term;
    if (term === undefined) return this.place.at === 'peer';
    const { lease, candidate, times, logger } = this.#deps;
    this.#isLeaving = true;
    this.#tell();
    // An append whose outcome is unknown may wait for the database: it is not waited for.
    await Promise.race([this.#decider?.settled(), pause(times.handOver_ms)]);
    // A renewal under way would lengthen the lease that is released next.
    await this.#looking;
    const began_ms = performance.now();
    try {
      await lease.release(candidate, term);
      this.#term = undefined;
      while (performance.now() - began_ms < times.handOver_ms) {
        await pause(times.look_ms / 4);
        await this.#readPeer();
        if (this.#peer.at === 'peer') {
          logger.info({ address: this.#peer.address }, 'another process has taken the lease');
          return true;
        }
      }
    } catch (error) {
      this.#outage.failed(error);
    }
    this.#isLeaving = false;
    this.#wake.abort();
    return false;
  }

  /** Releases the lease if it is ours. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake.abort();
    await this.#running;
    clearTimeout(this.#expiry);
    const term = this.#term;
    this.#term = undefined;
    this.#tell();
    if (term !== undefined) await this.#deps.lease.release(this.#deps.candidate, term).catch(() => undefined);
  }

  async #run(): Promise<void> {
    const { times } = this.#deps;
    for (;;) {
      this.#wake = new AbortController();
      if (this.#stop.signal.aborted) return;
      await pause(this.isHolder ? times.renew_ms : times.look_ms, this.#wake.signal);
      this.#looking = this.#lookOrReport();
      await this.#looking;
    }
  }

  async #lookOrReport(): Promise<void> {
    try {
      await this.#look();
      this.#outage.succeeded();
    } catch (error) {
      this.#outage.failed(error);
    }
  }

  /** Renews the lease, takes it, or finds out who has it. */
  async #look(): Promise<void> {
    if (this.#isLeaving) {
      if (this.#term === undefined) await this.#readPeer();
    } else if (this.#term !== undefined) {
      await this.#keep(this.#term);
    } else {
      await this.#follow();
    }
  }

  async #keep(term: bigint): Promise<void> {
    const { lease, candidate, times, logger } = this.#deps;
    if (this.#decider?.isFit !== true) {
      logger.warn('this process cannot decide commands, and gives up the lease');
      this.#lose();
      await lease.release(candidate, term);
      return;
    }
    const asked_ms = performance.now();
    if (await lease.renew(candidate, term, times.lease_ms)) {
      this.#hold(term, asked_ms);
    } else {
      logger.warn({ term: String(term) }, 'another process has taken the lease; commands are sent on to it');
      this.#lose();
      await this.#readPeer();
    }
  }

  async #follow(): Promise<void> {
    const { lease, candidate, times, logger } = this.#deps;
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    const current = await this.#readPeer();
    // Its address is ours, and we have bound it: the process that left it is dead.
    const isLeft = isFirst && current?.address === candidate.address;
    if ((this.#peer.at === 'peer' && !isLeft) || !this.#mayTake()) return;
    const asked_ms = performance.now();
    const term = await lease.take(candidate, times.lease_ms);
    if (term === undefined) {
      await this.#readPeer();
      return;
    }
    logger.info({ term: String(term) }, 'this process has taken the lease: it decides commands');
    this.#hold(term, asked_ms);
  }

  #mayTake(): boolean {
    return !this.#isLeaving && !this.#stop.signal.aborted && this.#decider?.isFit === true;
  }

  async #readPeer() {
    const { lease, candidate } = this.#deps;
    const found = await lease.read();
    const isOther = found !== undefined && !found.hasExpired && found.holder !== candidate.id;
    this.#peer = isOther ? { at: 'peer', term: found.term, address: found.address } : UNKNOWN;
    this.#tell();
    return found;
  }

  #hold(term: bigint, asked_ms: number): void {
    this.#term = term;
    this.#peer = UNKNOWN;
    this.#heldUntil_ms = asked_ms + this.#deps.times.lease_ms;
    this.#watchExpiry();
    this.#tell();
  }

  /** A timer may fire before the clock has come so far: then it is set again. */
  #watchExpiry(): void {
    clearTimeout(this.#expiry);
    const left_ms = this.#heldUntil_ms - performance.now();
    if (left_ms > 0) this.#expiry = setTimeout(() => this.#watchExpiry(), left_ms);
    else this.#tell();
  }

  #lose(): void {
    clearTimeout(this.#expiry);
    this.#term = undefined;
    this.#heldUntil_ms = -Infinity;
    this.#tell();
  }

  #tell(): void {
    const { place } = this;
    if (isSame(place, this.#said)) return;
    this.#said = place;
    for (const listener of [...this.#listeners]) listener();
  }
}

function isSame(one: Place, other: Place): boolean {
  if (one.at === 'unknown' || other.at === 'unknown') return one.at === other.at;
  return one.at === other.at && one.term === other.term;
}
