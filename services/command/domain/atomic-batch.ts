/** Atomic batches: all items move money, or none does. */
import type { AccountState } from './account.js';
import type { MovementCommand } from './command.js';
import { decide } from './decide.js';
import type { LedgerReader, Refusal } from './decision.js';
import type { TransactionDeclined, TransactionEvent } from './event.js';
import { evolve, overlay } from './evolve.js';
import { existingAccount, existingTransaction, findMissing } from './existence.js';
import { invariant } from './invariant.js';
import { declined } from './settle.js';
import type { TransactionState } from './transaction.js';
import { undecided } from './undecided.js';

/** What an atomic batch comes to: one event an item, in order, or the first error and the item it is of. */
export type BatchDecision =
  | { readonly outcome: 'events'; readonly events: readonly TransactionEvent[] }
  | { readonly outcome: 'refused'; readonly index: number; readonly refusal: Refusal };

/**
 * Decides the commands in order, each seeing those before it, item i at now + i (UTC microseconds). What they name
 * must exist for all of them first; a payment or transaction may be an earlier item. The first error refuses the
 * batch; the first decline declines every item, and nothing moves.
 * @throws Error as `decide` does.
 */
export function decideAtomic(
  commands: readonly MovementCommand[],
  ledger: LedgerReader,
  now: bigint,
): BatchDecision {
  const missing = findFirstMissing(commands, ledger);
  if (missing !== null) return missing;
  const seen = overlay(ledger);
  const events: TransactionEvent[] = [];
  for (const [index, command] of commands.entries()) {
    const decision = decide(command, seen, now + BigInt(index));
    if (decision.outcome === 'refused') return { outcome: 'refused', index, refusal: decision.refusal };
    const event = onlyEvent(decision.events);
    if (event.type === 'TransactionDeclined') {
      return { outcome: 'events', events: declineAll(commands, [...events, event], ledger, now) };
    }
    evolve(seen, event);
    events.push(event);
  }
  return { outcome: 'events', events };
}

function findFirstMissing(commands: readonly MovementCommand[], ledger: LedgerReader): BatchDecision | null {
  const earlier = new Map<string, MovementCommand>();
  for (const [index, command] of commands.entries()) {
    const missing = findMissing(command, ledger, earlier);
    if (missing !== null) return { outcome: 'refused', index, refusal: missing };
    earlier.set(command.requestId, command);
  }
  return null;
}

function onlyEvent(events: readonly { readonly type: string }[] & readonly unknown[]): TransactionEvent;
function onlyEvent(events: readonly TransactionEvent[]): TransactionEvent {
  const [event, second] = events;
  invariant(event !== undefined && second === undefined, 'a movement comes to one event');
  return event;
}

/** `decided` are the items up to the culprit, which is the last of them. */
function declineAll(
  commands: readonly MovementCommand[],
  decided: readonly TransactionEvent[],
  ledger: LedgerReader,
  now: bigint,
): readonly TransactionDeclined[] {
  const made = new Map<string, TransactionState>();
  const find = (id: string): TransactionState => made.get(id) ?? existingTransaction(ledger, id);
  return commands.map((command, index) => {
    const at = now + BigInt(index);
    const event = decided[index];
    const fallen =
      event === undefined ? declineUndecided(command, undecided(command, find, at), at) : declineDecided(event, ledger);
    const own = ownTransaction(fallen);
    made.set(own.transactionId, own);
    return fallen;
  });
}
