/** Serves one webhook for a while: what was asked for once more, then the events that come next, one after the other. */
import { accountsChangedBy } from '../../lib/log/account-of.js';
import { eventKindOf } from '../../lib/log/event-kind.js';
import { epochStarts, forkAfter } from '../../lib/log/epochs/forks.js';
import type { LogReader } from '../../lib/log/reader.js';
import type { RecordedEvent } from '../../lib/log/recorded-event.js';
import type { Clock } from '../../lib/base/time.js';
import type { WebhookClaim } from './claim.js';
import type { WebhookFigures } from './figures.js';
import { askedPause_ms } from './pauses.js';
import { type EventPost, postOf } from './request.js';
import type { Refusal, Sender } from './sender.js';
import type { DeliveryStore } from './store.js';

export interface ServeDeps {
  readonly store: DeliveryStore;
  readonly log: Pick<LogReader, 'at' | 'head' | 'page' | 'shard'>;
  readonly sender: Sender;
  readonly clock: Clock;
  readonly figures: WebhookFigures;
  readonly userAgent: string;
  /** How long a webhook waits after so many attempts at one event, milliseconds. */
  pauseAfter_ms(attempts: number): number;
  /** Longer than a request may take: it is lengthened at every event. */
  readonly lease_ms: number;
  /** After so long the webhook is given back, for others to have their turn. */
  readonly turn_ms: number;
}

/** Events in one read of the log. */
const PAGE_EVENTS = 100;
/** Parked deliveries in one read. */
const PAGE_REQUESTED = 100;

/** Serves it until nothing waits, an attempt fails, the claim is void, its turn is over, or the signal aborts. */
export async function serveWebhook(claim: WebhookClaim, deps: ServeDeps, signal: AbortSignal): Promise<void> {
  const turn = new Turn(claim, deps, signal);
  if (!(await turn.followEpoch())) return;
  if (claim.hasRequested && !(await turn.sendRequested())) return;
  await turn.sendNext();
}

class Turn {
  readonly #claim: WebhookClaim;
  readonly #deps: ServeDeps;
  readonly #signal: AbortSignal;
  readonly #kinds: ReadonlySet<unknown>;
  readonly #accounts: ReadonlySet<string>;
  readonly #ends_ms: number;
  #position: bigint;
  #retrying: WebhookClaim['retrying'];

  constructor(claim: WebhookClaim, deps: ServeDeps, signal: AbortSignal) {
    this.#claim = claim;
    this.#deps = deps;
    this.#signal = signal;
    this.#kinds = new Set(claim.kinds);
    this.#accounts = new Set(claim.accountIds);
    this.#ends_ms = performance.now() + deps.turn_ms;
    this.#position = claim.position;
    this.#retrying = claim.retrying;
  }

  /** Whether it goes on. Of a log that was restored to an older end, what comes after the fork is sent as what it is now. */
  async followEpoch(): Promise<boolean> {
    const { store, log } = this.#deps;
    const { epoch } = await log.head();
    if (epoch === this.#claim.epoch) return true;
    const fork = forkAfter(await epochStarts(log), this.#claim.epoch);
    if (fork !== undefined && fork < this.#position) this.#position = fork;
    if (fork !== undefined && this.#retrying !== undefined && this.#retrying.position > fork) {
      this.#retrying = undefined;
    }
    return store.followEpoch(this.#claim, epoch, fork);
  }

  /** Whether it goes on. */
  async sendRequested(): Promise<boolean> {
    const { store, log } = this.#deps;
    for (;;) {
      const positions = await store.requested(this.#claim, PAGE_REQUESTED);
      if (positions.length === 0) return true;
      for (const position of positions) {
        const record = await log.at(position);
        if (record === undefined) throw new Error('a delivery was parked whose event the log does not have');
        if (!(await this.#send(record, true))) return false;
      }
    }
  }

  async sendNext(): Promise<void> {
    const { store, log, lease_ms } = this.#deps;
    const { ledgerId } = this.#claim;
    for (;;) {
      const page = { after: this.#position, through: null, limit: PAGE_EVENTS, ledgerId, streamId: null };
      const events = await log.page(page);
      let hasPassed = false;
      for (const record of events) {
        hasPassed = !this.#isWanted(record);
        if (hasPassed) this.#position = record.position;
        else if (!(await this.#send(record, false))) return;
      }
      if (hasPassed && !(await store.moved(this.#claim, { position: this.#position }, lease_ms))) return;
      if (events.length < PAGE_EVENTS || this.#isOver()) return;
    }
  }

  #isOver(): boolean {
    return this.#signal.aborted || performance.now() > this.#ends_ms;
  }

  #isWanted({ event }: RecordedEvent): boolean {
    if (this.#kinds.size > 0 && !this.#kinds.has(eventKindOf(event))) return false;
    return (
      this.#accounts.size === 0 ||
      accountsChangedBy(event).some(({ accountId }) => this.#accounts.has(accountId))
    );
  }

  /** Sends one event, and keeps what became of it. Whether it goes on. */
  async #send(record: RecordedEvent, isRequested: boolean): Promise<boolean> {
    if (this.#isOver()) return false;
    const { store, log, sender, clock, figures, userAgent, lease_ms } = this.#deps;
    const post = postOf(record, this.#claim, { shard: log.shard, now: clock(), userAgent });
    const began_ms = performance.now();
    const outcome = await sender.post(post, this.#signal);
    const duration_ms = performance.now() - began_ms;
    if (outcome.isDelivered) {
      figures.attempted('delivered', duration_ms);
      const { position } = record;
      if (!isRequested) this.#position = position;
      return store.moved(this.#claim, { position: this.#position, delivered: position }, lease_ms);
    }
    // Nothing is known of a request that the end of this process broke off: it is no attempt of the receiver.
    if (this.#signal.aborted) return false;
    const state = await this.#failed(record, post, outcome, isRequested);
    figures.attempted(state === 'parked' ? 'parked' : 'failed', duration_ms);
    return false;
  }

  #failed(
    { position }: RecordedEvent,
    { eventId }: EventPost,
    { failure, isGone, retryAfter_ms }: Refusal,
    isRequested: boolean,
  ): ReturnType<DeliveryStore['failed']> {
    const before = this.#retrying?.position === position ? this.#retrying.attempts : 0;
    const pause_ms = Math.max(this.#deps.pauseAfter_ms(before + 1), askedPause_ms(retryAfter_ms));
    return this.#deps.store.failed(this.#claim, {
      position,
      eventId,
      before: this.#position,
      isRequested,
      failure,
      pause_ms,
      pauseReason: isGone ? `the receiver answered ${failure}: it wants no more` : '',
    });
  }
}
