/** The last pass: sends the movements, compares balances, and stops an account at its first decline. */
import { DeclineReason } from '../../gen/quittance/common/v1/transaction_pb.js';
import { describe } from '../client/errors.js';
import { AccountQueue } from './account-queue.js';
import { type Outcome, outcomeOf, remedyOf } from './answers.js';
import { type ImportTarget, movementCommand } from './commands.js';
import { type Connection, sendPass } from './connection.js';
import { moneyText } from './fields.js';
import { type Movement, movementsOf } from './movement.js';
import type { Plan } from './plan.js';
import { Problems } from './problems.js';
import type { ReadableFile } from './read-file.js';
import type { Answer, Item } from './send.js';
import type { Tally, TallyCounts } from './tally.js';

/** An account whose later movements were not sent. */
export interface StoppedAccount {
  readonly accountId: string;
  readonly line: number;
  readonly remedy: string;
  notSent: number;
}

/** What came of the movements. */
export interface Booked extends TallyCounts {
  readonly stopped: readonly StoppedAccount[];
}

/** The file is another one than the one that was judged. What was booked stays booked. */
export class ChangedFileError extends Error {
  override readonly name = 'ChangedFileError';
  constructor() {
    super('the file was changed while its movements were booked; see to the file');
  }
}

/** An attempt at a movement. */
interface Attempt {
  readonly movement: Movement;
  readonly attempt: number;
}

/** What is known when the movements are sent. */
export interface BookingStart {
  /** How many are left to send. */
  readonly total: number;
  readonly plan: Plan;
  /** Has the movements that are in the ledger already. */
  readonly tally: Tally;
  readonly openedByOthers: ReadonlySet<string>;
}

/** Sends every movement that moves something and is not known to be in the ledger. @throws SendError when the server stays away. */
export async function bookMovements(
  connection: Connection,
  target: ImportTarget,
  file: ReadableFile,
  { total, plan, tally, openedByOthers }: BookingStart,
): Promise<Booked> {
  const booking = new Booking(target, queuesOf(plan, openedByOthers), tally, plan);
  const items = booking.items(file);
  await sendPass(connection, { title: 'movements', total, items }, (about, answer) =>
    booking.answer(about, answer),
  );
  return booking.result();
}

/** A queue for each account. What others do at the same time is not known here: there one movement goes at a time. */
function queuesOf({ accounts }: Plan, openedByOthers: ReadonlySet<string>): Map<string, AccountQueue> {
  return new Map(
    accounts.map(({ accountId, available, isBlocked, progress: { wasDeclined } }) => {
      const isDoubtful = isBlocked || wasDeclined || openedByOthers.has(accountId);
      return [accountId, new AccountQueue({ available, isDoubtful })];
    }),
  );
}

/** The state of one run over the movements. */
class Booking {
  readonly #stopped = new Map<string, StoppedAccount>();
  /** Movements to try anew, before anything else of their account. */
  readonly #again: Attempt[] = [];
  readonly #waitingFor = new Set<string>();
  /** How many movements of each account are still to come that are in the ledger, and have been compared. */
  readonly #behind: Map<string, number>;
  #inFlight = 0;
  #changed: () => void = () => undefined;

  constructor(
    readonly target: ImportTarget,
    readonly queues: ReadonlyMap<string, AccountQueue>,
    readonly tally: Tally,
    plan: Plan,
  ) {
    this.#behind = new Map(plan.accounts.map(({ accountId, progress }) => [accountId, progress.booked]));
  }

  /** What to send, in order; waits for answers where an account has to. */
  async *items(file: ReadableFile): AsyncGenerator<Item<Attempt>> {
    const problems = new Problems();
    for await (const movement of movementsOf(file.records(problems))) {
      if (problems.count > 0) throw new ChangedFileError();
      const { accountId, amount } = movement;
      if (amount === 0n || this.#isBehind(accountId)) continue;
      const queue = this.#queueOf(movement);
      const isDue = (): boolean =>
        this.#stopped.has(accountId) || (!this.#waitingFor.has(accountId) && queue.mayGo(amount));
      yield* this.#retriesUntil(isDue);
      const stopped = this.#stopped.get(accountId);
      if (stopped === undefined) yield* this.#send({ movement, attempt: 1 });
      else stopped.notSent += 1;
    }
    yield* this.#retriesUntil(() => this.#inFlight === 0);
  }

  #isBehind(accountId: string): boolean {
    const behind = this.#behind.get(accountId) ?? 0;
    this.#behind.set(accountId, behind - 1);
    return behind > 0;
  }

  /** Retries as they come up, until something is so. */
  async *#retriesUntil(isSo: () => boolean): AsyncGenerator<Item<Attempt>> {
    for (;;) {
      const again = this.#again.shift();
      if (again !== undefined) {
        this.#waitingFor.delete(again.movement.accountId);
        yield* this.#send(again);
      } else if (isSo()) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#changed = resolve;
        });
      }
    }
  }

  *#send({ movement, attempt }: Attempt): Generator<Item<Attempt>> {
    const command = movementCommand(this.target, movement, { attempt });
    if (command === undefined) return;
    this.#inFlight += 1;
    this.#queueOf(movement).sent(movement.amount);
    yield { about: { movement, attempt }, command };
  }

  #queueOf({ accountId }: Movement): AccountQueue {
    const queue = this.queues.get(accountId);
    if (queue === undefined) throw new ChangedFileError();
    return queue;
  }

  answer(about: Attempt, answer: Answer): void {
    const { movement } = about;
    const outcome = outcomeOf(movement.accountId, answer);
    this.#inFlight -= 1;
    this.#queueOf(movement).answered(movement.amount, outcome);
    this.#judge(about, outcome);
    this.#changed();
  }

  #judge({ movement, attempt }: Attempt, outcome: Outcome): void {
    switch (outcome.kind) {
      case 'posted':
        this.tally.posted(movement, outcome.posted, outcome.replayed);
        return;
      case 'declined':
        // A decline of an earlier run is stored for ever under its id; the movement is tried again under the next one.
        if (outcome.replayed) {
          this.#waitingFor.add(movement.accountId);
          this.#again.push({ movement, attempt: attempt + 1 });
          return;
        }
        this.tally.refused(movement, declineText(movement, outcome));
        this.#stop(movement, remedyOf(outcome.reason));
        return;
      case 'refused':
        this.tally.refused(movement, `not booked, ${describe(outcome.error)}`);
        // It is booked already, in another form: what comes after it can go on.
        if (outcome.error.reason !== 'REQUEST_ID_REUSED') this.#stop(movement, 'see to its cause');
    }
  }

  #stop({ accountId, line }: Movement, remedy: string): void {
    if (this.#stopped.has(accountId)) return;
    this.#stopped.set(accountId, { accountId, line, remedy, notSent: 0 });
  }

  result(): Booked {
    return { ...this.tally.counts(), stopped: [...this.#stopped.values()] };
  }
}

function declineText(
  { amount, currency }: Movement,
  { reason, available }: { readonly reason: DeclineReason; readonly available: bigint | undefined },
): string {
  const lacking =
    reason === DeclineReason.INSUFFICIENT_FUNDS && available !== undefined
      ? `; it lacks ${moneyText(-amount - available, currency)}`
      : '';
  return `not booked, declined: ${DeclineReason[reason]}${lacking}`;
}
