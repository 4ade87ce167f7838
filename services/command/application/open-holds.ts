/**
 * The open holds that end soon, by payer. A hold past its time reserves nothing any more, whether or not the expirer has
 * written so: a command that reads the payer's account is decided after the expiry, which goes into the same flush.
 */
import type { OpenHold } from '../../../lib/log/state/rows.js';
import type { Command, ExpirePayment } from '../domain/command.js';
import { type Known, needs } from '../domain/needs.js';
import { entityKey } from './entity-key.js';

/** Holds that end later than this from now are not remembered: the expirer finds them in the state tables in time. */
export const HOLDS_WINDOW_US = 30_000_000n;

/** A flush must stay short: of more holds that end at once on one account the expirer ends the rest. */
const EXPIRIES_PER_COMMAND = 1_000;
const NO_EXPIRIES: readonly ExpirePayment[] = [];

export class OpenHolds {
  /** By entityKey of the payment. */
  readonly #holds = new Map<string, OpenHold>();
  /** By entityKey of the payer's account. */
  readonly #byPayer = new Map<string, Map<string, OpenHold>>();
  /** When the first hold ends; undefined: not known since that one was removed. */
  #earliest: bigint | undefined;

  /** How many holds are remembered. */
  get size(): number {
    return this.#holds.size;
  }

  add(hold: OpenHold): void {
    const key = entityKey(hold.ledgerId, hold.transactionId);
    this.remove(key);
    this.#holds.set(key, hold);
    const payer = entityKey(hold.ledgerId, hold.payerAccountId);
    const ofPayer = this.#byPayer.get(payer);
    if (ofPayer === undefined) this.#byPayer.set(payer, new Map([[key, hold]]));
    else ofPayer.set(key, hold);
    if (this.#holds.size === 1) this.#earliest = hold.expireTime;
    else if (this.#earliest !== undefined && hold.expireTime < this.#earliest)
      this.#earliest = hold.expireTime;
  }

  /** Forgets a hold by the key of its payment. */
  remove(key: string): void {
    const hold = this.#holds.get(key);
    if (hold === undefined) return;
    this.#holds.delete(key);
    const payer = entityKey(hold.ledgerId, hold.payerAccountId);
    const ofPayer = this.#byPayer.get(payer);
    ofPayer?.delete(key);
    if (ofPayer?.size === 0) this.#byPayer.delete(payer);
    if (hold.expireTime === this.#earliest) this.#earliest = undefined;
  }

  clear(): void {
    this.#holds.clear();
    this.#byPayer.clear();
    this.#earliest = undefined;
  }

  /** Whether any hold is past its time. Costs nothing as long as none is. */
  hasDue(now: bigint): boolean {
    if (this.#holds.size === 0) return false;
    if (this.#earliest === undefined) {
      for (const { expireTime } of this.#holds.values()) {
        if (this.#earliest === undefined || expireTime < this.#earliest) this.#earliest = expireTime;
      }
    }
    return this.#earliest !== undefined && this.#earliest <= now;
  }

  /** Holds past their time, at most `limit`. */
  due(now: bigint, limit: number): OpenHold[] {
    if (!this.hasDue(now)) return [];
    return [...this.#holds.values()].filter(({ expireTime }) => expireTime <= now).slice(0, limit);
  }

  /** The holds of a payer that are past their time. */
  dueOf(ledgerId: string, payerAccountId: string, now: bigint): OpenHold[] {
    const ofPayer = this.#byPayer.get(entityKey(ledgerId, payerAccountId));
    return ofPayer === undefined ? [] : [...ofPayer.values()].filter(({ expireTime }) => expireTime <= now);
  }
}

/** The expiries that are decided before a command: of the holds past their time on the accounts that it reads. */
export function expiriesBefore(
  command: Command,
  holds: OpenHolds,
  transaction: Known['transaction'],
  now: bigint,
): readonly ExpirePayment[] {
  if (!holds.hasDue(now) || command.type === 'ExpirePayment') return NO_EXPIRIES;
  const { ledgerId } = command;
  const { accounts } = needs(command, { account: () => false, transaction });
  const due = accounts.flatMap((accountId) => holds.dueOf(ledgerId, accountId, now));
  return due.slice(0, EXPIRIES_PER_COMMAND).map(({ transactionId }): ExpirePayment => ({
    type: 'ExpirePayment',
    ledgerId,
    requestId: '',
    paymentId: transactionId,
  }));
}
