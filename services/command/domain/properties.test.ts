/** What holds whatever happens. Books kept independently are compared after every event. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decideAtomic } from './atomic-batch.js';
import type { Command, MovementCommand } from './command.js';
import { decide } from './decide.js';
import type { DomainEvent } from './event.js';
import { apply, overlay } from './evolve.js';
import { streamOf } from './stream.js';
import type { Step } from './test/arbitrary.js';
import { commandOf, movementOf, OPENINGS, steps } from './test/arbitrary.js';
import { Books, must } from './test/books.js';
import { nothing, START_US } from './test/given.js';
import { onlyLoaded } from './test/loading.js';

const SEED = 20260101;

/** Decides steps one after the other; keeps the ledger and the books. */
class World {
  readonly ledger = overlay(nothing);
  readonly books = new Books();
  readonly transactions: string[] = ['none'];
  readonly payments: string[] = ['none'];
  readonly outcomes = new Map<string, number>();
  now = START_US;

  constructor() {
    for (const command of OPENINGS) this.decide(command);
  }

  decide(command: Command): void {
    const decision = decide(command, this.ledger, this.now);
    expect(decide(command, this.ledger, this.now)).toEqual(decision);
    expect(decide(command, onlyLoaded([command], this.ledger), this.now)).toEqual(decision);
    if (decision.outcome === 'refused') this.count(decision.refusal.reason);
    else this.record(decision.events);
  }

  decideAtomic(commands: readonly MovementCommand[]): void {
    const decision = decideAtomic(commands, this.ledger, this.now);
    const loaded = onlyLoaded(commands, this.ledger);
    expect(decideAtomic(commands, loaded, this.now)).toEqual(decision);
    if (decision.outcome === 'refused') {
      this.count(`batch ${decision.refusal.reason}`);
      return;
    }
    expect(decision.events).toHaveLength(commands.length);
    const kinds = new Set(decision.events.map(({ type }) => type === 'TransactionDeclined'));
    expect(kinds.size).toBe(1); // all declined, or none
    this.record(decision.events);
  }

  /** A step's id is its own, so that a failure can be played again. */
  commandOf(step: Step, id: string): Command | null {
    const command = commandOf(step, this, this.now);
    return command === null || command.requestId === '' ? command : { ...command, requestId: id };
  }

  movementOf(step: Step, id: string, earlier: readonly MovementCommand[]): MovementCommand | null {
    const ids = earlier.map(({ requestId }) => requestId);
    const history = {
      transactions: [...this.transactions, ...ids],
      payments: [...this.payments, ...earlier.filter(isRoot).map(({ requestId }) => requestId)],
    };
    const command = movementOf(step, history, this.now);
    return command === null ? null : { ...command, requestId: id };
  }

  private record(events: readonly DomainEvent[]): void {
    for (const event of events) {
      this.count(event.type === 'TransactionDeclined' ? event.reason : event.type);
      expect(streamOf(event)).not.toBe('');
      this.books.record(event);
      apply(this.ledger, [event]);
      this.remember(event);
    }
    for (const [id, state] of this.books.accounts)
      must(this.ledger.account(id)?.state === state, `${id} as carried`);
  }

  private remember(event: DomainEvent): void {
    const own = 'transactions' in event ? event.transactions[0] : undefined;
    if (own === undefined || own.version !== 1n) return;
    this.transactions.push(own.transactionId);
    if (own.payment !== null) this.payments.push(own.transactionId);
  }

  private count(what: string): void {
    this.outcomes.set(what, (this.outcomes.get(what) ?? 0) + 1);
  }
}

function isRoot({ type }: MovementCommand): boolean {
  return type === 'SubmitPayment' || type === 'AuthorizePayment';
}

function play(list: readonly Step[]): World {
  const world = new World();
  for (const [i, step] of list.entries()) {
    world.now += step.wait_us;
    const command = world.commandOf(step, `s${i}`);
    if (command !== null) world.decide(command);
  }
  return world;
}

function playBatches(list: readonly Step[]): World {
  const world = new World();
  let batch: MovementCommand[] = [];
  for (const [i, step] of list.entries()) {
    const command = world.movementOf(step, `s${i}`, batch);
    if (command !== null) batch.push(command);
    if (batch.length === 0 || (!step.flag && step.picks[2] % 3 !== 0)) continue;
    world.decideAtomic(batch);
    world.now += step.wait_us + BigInt(batch.length);
    batch = [];
  }
  return world;
}

function check(
  list: fc.Arbitrary<readonly Step[]>,
  numRuns: number,
  run: (list: readonly Step[]) => World,
): ReadonlySet<string> {
  const seen = new Set<string>();
  const property = fc.property(list, (drawn) => {
    for (const outcome of run(drawn).outcomes.keys()) seen.add(outcome);
  });
  fc.assert(property, { seed: SEED, numRuns });
  return seen;
}

describe('whatever is commanded', () => {
  test('the books balance, and every state carried is what entries and holds come to', () => {
    const seen = check(steps('small', 60), 400, play);
    for (const outcome of [
      'TransactionPosted',
      'PaymentAuthorized',
      'PaymentAdjusted',
      'PaymentVoided',
      'PaymentExpired',
      'TransactionUpdated',
      'AccountClosed',
      'ACCOUNT_CLOSED',
      'ACCOUNT_FROZEN',
      'INSUFFICIENT_FUNDS',
      'LIMIT_EXCEEDED',
      'HOLD_EXPIRED',
      'PAYMENT_ENDED',
      'PAYMENT_DECLINED',
      'CAPTURE_EXCEEDS_HOLD',
      'AUTHORIZATION_BELOW_CAPTURED',
      'REFUND_EXCEEDS_CAPTURED',
      'FEE_REFUND_EXCEEDS_CHARGED',
      'NOT_REVERSIBLE',
      'ALREADY_REVERSED',
      'PAYMENT_HAS_REFUNDS',
      'PeriodClosed',
      'PeriodReopened',
      'PERIOD_CLOSED',
      'PERIOD_IN_FUTURE',
      'PERIOD_ALREADY_CLOSED',
      'PERIOD_NOT_CLOSED',
    ]) {
      expect(seen).toContain(outcome); // the steps are wild enough
    }
  });

  test('no total leaves int64, however large the amounts', () => {
    expect(check(steps('huge', 60), 100, play)).toContain('BALANCE_OVERFLOW');
  });

  test('atomic batches move all or nothing', () => {
    const seen = check(steps('small', 60), 250, playBatches);
    for (const outcome of [
      'TransactionPosted',
      'PaymentAuthorized',
      'PaymentAdjusted',
      'PaymentVoided',
      'BATCH_DECLINED',
    ]) {
      expect(seen).toContain(outcome);
    }
  });
});
