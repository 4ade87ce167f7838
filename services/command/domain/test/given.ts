/** given(history).when(command).then…: the decider on a small ledger, after emmett's specifications. */
import { expect } from '@jest/globals';
import { periodAt } from '../../../../lib/base/calendar.js';
import type { AccountState } from '../account.js';
import { available, posted } from '../account.js';
import { decideAtomic } from '../atomic-batch.js';
import type { Command, MovementCommand } from '../command.js';
import { decide } from '../decide.js';
import type { Decision, LedgerReader, RefusalReason } from '../decision.js';
import type { DomainEvent, TransactionDeclined, TransactionPosted } from '../event.js';
import type { Overlay } from '../evolve.js';
import { apply, overlay } from '../evolve.js';
import type { DeclineReason, Payment, TransactionState } from '../transaction.js';

/** 2026-01-01, UTC microseconds: the recorded time of the first command given; each takes a millisecond. */
export const START_US = 1_767_225_600_000_000n;
const STEP_US = 1_000n;

/** A ledger that nobody created. */
export const nothing: LedgerReader = {
  exists: () => false,
  closedThrough: () => null,
  trialBalance: () => [],
  account: () => undefined,
  transaction: () => undefined,
  calendar: periodAt,
};

/** Begins a specification; every command given must come to events, declines included. */
export function given(...history: readonly Command[]): Specification {
  return new Specification(overlay(nothing), START_US).and(...history);
}

/** State with a clock; `when` decides without applying. */
export class Specification {
  constructor(
    readonly ledger: Overlay,
    readonly now: bigint,
  ) {}

  /** The specification with more commands decided and applied; this one stays as it is. */
  and(...commands: readonly Command[]): Specification {
    const ledger = overlay(this.ledger);
    let now = this.now;
    for (const command of commands) {
      const decision = decide(command, ledger, now);
      if (decision.outcome === 'refused')
        throw new Error(`given ${command.type}: ${decision.refusal.message}`);
      apply(ledger, decision.events);
      now += STEP_US;
    }
    return new Specification(ledger, now);
  }

  /** The same ledger at another time. */
  at(now: bigint): Specification {
    return new Specification(this.ledger, now);
  }

  when(command: Command): Outcome {
    return new Outcome(command, this.ledger, this.now);
  }

  whenAtomic(...commands: readonly MovementCommand[]) {
    return decideAtomic(commands, this.ledger, this.now);
  }

  account(accountId: string): AccountState {
    return present(this.ledger.account(accountId), accountId).state;
  }

  /** An account in one line. */
  money(accountId: string): { posted: bigint; held: bigint; available: bigint } {
    const state = this.account(accountId);
    return { posted: posted(state), held: state.held, available: available(state) };
  }

  transaction(transactionId: string): TransactionState {
    return present(this.ledger.transaction(transactionId), transactionId);
  }

  payment(paymentId: string): Payment {
    return present(this.transaction(paymentId).payment, paymentId);
  }
}

/** What one command comes to, and how to say what it should. */
export class Outcome {
  readonly decision: Decision;
  constructor(
    private readonly command: Command,
    private readonly ledger: Overlay,
    now: bigint,
  ) {
    this.decision = decide(command, ledger, now);
  }

  /** The events, which must not be an error. */
  get events(): readonly DomainEvent[] {
    if (this.decision.outcome === 'refused') {
      throw new Error(`${this.command.type} was refused: ${JSON.stringify(this.decision.refusal)}`);
    }
    return this.decision.events;
  }

  /** The only event. */
  get event(): DomainEvent {
    expect(this.events).toHaveLength(1);
    return present(this.events[0], 'event');
  }

  thenRefused(reason: RefusalReason, at: { field?: string; resourceId?: string } = {}): void {
    expect(this.decision).toMatchObject({ outcome: 'refused', refusal: { reason, ...at } });
  }

  thenNothing(): void {
    expect(this.decision).toEqual({ outcome: 'events', events: [] });
  }

  /** Declined for this reason and account, with accounts and other transactions as they were. */
  thenDeclined(reason: DeclineReason, declinedAccountId: string | null): TransactionDeclined {
    const { event } = this;
    expect(event).toMatchObject({ type: 'TransactionDeclined', reason, declinedAccountId });
    if (event.type !== 'TransactionDeclined') throw new Error('unreachable');
    for (const state of event.accounts) expect(state).toEqual(this.ledger.account(state.accountId)?.state);
    expect(event.transactions).toHaveLength(1);
    expect(event.transactions[0]).toMatchObject({
      transactionId: this.command.requestId,
      status: 'DECLINED',
    });
    return event;
  }

  thenPosted(): TransactionPosted {
    const { event } = this;
    expect(event.type).toBe('TransactionPosted');
    if (event.type !== 'TransactionPosted') throw new Error('unreachable');
    return event;
  }

  /** The ledger after the decision. */
  get after(): Specification {
    const ledger = overlay(this.ledger);
    apply(ledger, this.events);
    return new Specification(ledger, START_US);
  }
}

/** Entries as `A -5` and `B +5`. */
export function brief(entries: TransactionState['entries']): readonly string[] {
  return entries.map(
    ({ accountId, direction, amount }) => `${accountId} ${direction === 'DEBIT' ? '-' : '+'}${amount}`,
  );
}

function present<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) throw new Error(`${what} is missing`);
  return value;
}
