/** Atomic batches: all items move money, or none does. */
import type { AccountState } from './account.js';
import { withUnits } from './assets.js';
import type { MovementCommand } from './command.js';
import { decide } from './decide.js';
import { checkJournalPrincipal } from './decide-journal.js';
import type { LedgerReader, Refusal } from './decision.js';
import type {
  DomainEvent,
  PaymentAdjusted,
  PaymentAuthorized,
  PaymentVoided,
  TransactionDeclined,
  TransactionPosted,
} from './event.js';
import { evolve, overlay } from './evolve.js';
import { existingAccount, existingTransaction, findMissing } from './existence.js';
import { invariant } from './invariant.js';
import { declined } from './settle.js';
import type { TransactionState } from './transaction.js';
import { undecided } from './undecided.js';

/** The event of one item. */
export type MovementEvent =
  TransactionPosted | TransactionDeclined | PaymentAuthorized | PaymentAdjusted | PaymentVoided;

/** The decision on an atomic batch: one event for each item, in order, or the first error and its item. */
export type BatchDecision =
  | { readonly outcome: 'events'; readonly events: readonly MovementEvent[] }
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
  const refused = findFirstRefused(commands, ledger);
  if (refused !== null) return refused;
  const seen = overlay(ledger);
  const events: MovementEvent[] = [];
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

/** What can be judged of all items before any is decided: whether what they name exists, and what their messages alone show. */
function findFirstRefused(commands: readonly MovementCommand[], ledger: LedgerReader): BatchDecision | null {
  const earlier = new Map<string, MovementCommand>();
  for (const [index, command] of commands.entries()) {
    const problem =
      findMissing(command, ledger, earlier) ??
      (command.type === 'PostTransaction' ? checkJournalPrincipal(command) : null);
    if (problem !== null) return { outcome: 'refused', index, refusal: problem };
    earlier.set(command.requestId, command);
  }
  return null;
}

function onlyEvent(events: readonly DomainEvent[]): MovementEvent {
  const [event, second] = events;
  invariant(event !== undefined && second === undefined, 'a movement comes to one event');
  invariant(
    event.type === 'TransactionPosted' ||
      event.type === 'TransactionDeclined' ||
      event.type === 'PaymentAuthorized' ||
      event.type === 'PaymentAdjusted' ||
      event.type === 'PaymentVoided',
    'a movement is posted or declined, or changes a hold',
  );
  return event;
}

/** `decided` are the items up to the first decline, which is the last of them. */
function declineAll(
  commands: readonly MovementCommand[],
  decided: readonly MovementEvent[],
  ledger: LedgerReader,
  now: bigint,
): readonly TransactionDeclined[] {
  const declinedById = new Map<string, TransactionState>();
  const find = (id: string): TransactionState => declinedById.get(id) ?? existingTransaction(ledger, id);
  return commands.map((command, index) => {
    const event = decided[index];
    const recordedTime = now + BigInt(index);
    const declinedItem =
      event === undefined
        ? declineUndecided(withUnits(command, ledger), find, recordedTime)
        : declineDecided(event, withUnits(command, ledger), find, { ledger, recordedTime });
    for (const transaction of declinedItem.transactions)
      declinedById.set(transaction.transactionId, transaction);
    return declinedItem;
  });
}

function declineDecided(
  event: MovementEvent,
  command: MovementCommand,
  find: (transactionId: string) => TransactionState,
  { ledger, recordedTime }: { readonly ledger: LedgerReader; readonly recordedTime: bigint },
): TransactionDeclined {
  const accounts = event.accounts.map(({ accountId }) => existingAccount(ledger, accountId).state);
  if (event.type === 'TransactionDeclined') return { ...event, accounts };
  if (event.type === 'PaymentAdjusted' || event.type === 'PaymentVoided') {
    const made = undecided(command, find, recordedTime);
    return batchDeclined(made, accounts, { effectiveTime: recordedTime, forced: false });
  }
  const [own] = event.transactions;
  invariant(own !== undefined, 'a movement carries its transaction');
  return batchDeclined(declined(own), accounts, {
    effectiveTime: event.effectiveTime,
    forced: event.type === 'TransactionPosted' && event.forced,
  });
}

function declineUndecided(
  command: MovementCommand,
  find: (transactionId: string) => TransactionState,
  now: bigint,
): TransactionDeclined {
  return batchDeclined(undecided(command, find, now), [], {
    effectiveTime: ('effectiveTime' in command ? command.effectiveTime : null) ?? now,
    forced: 'force' in command && command.force,
  });
}

function batchDeclined(
  own: TransactionState,
  accounts: readonly AccountState[],
  requested: Pick<TransactionDeclined, 'effectiveTime' | 'forced'>,
): TransactionDeclined {
  return {
    type: 'TransactionDeclined',
    kind: own.kind,
    reason: 'BATCH_DECLINED',
    declinedAccountId: null,
    exceededLimit: null,
    ...requested,
    accounts,
    transactions: [own],
  };
}
